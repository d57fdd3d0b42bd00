"""What the paper and its original code fix, against what the recipes train.

The tables are written out a second time: a constant that is changed in the package
alone fails here. Where ours is on purpose another one, the comment has theirs.
"""

import dataclasses

import keras
import pytest

from rcn_keras.data import splits
from rcn_keras.data.augmentation import OCCLUSION_SIDES, Augmentation
from rcn_keras.layers import LocalContrastNormalization
from rcn_keras.layout import FACE_5, FACE_68
from rcn_keras.models import branches, build_denoiser, tcdcn
from rcn_keras.training.fit import make_optimizer
from rcn_keras.training.recipes import RECIPES, TABLE_4, TABLE_4_49, get_recipe

# Footnote 7: 10 % of the box, 40 degrees; no flip. Footnote 9: a black rectangle.
JITTER = Augmentation(
    scale=0.1, translation=0.1, rotation=40.0, flip=False, occlusion=False
)
OCCLUDED = Augmentation(
    scale=0.1, translation=0.1, rotation=40.0, flip=False, occlusion=True
)
# TCDCN's, searched on validation, without rectangles (footnote 11).
TURNED = dataclasses.replace(JITTER, rotation=20.0)
TCDCN = {"features": 512, "activation": "relu"}
# 300-W (footnote 12): the same; ours flips, because there are few faces.
FLIPPED = Augmentation(
    scale=0.1, translation=0.1, rotation=40.0, flip=True, occlusion=True
)
# The original README's rotation, at the end of ours.
TURNED_LESS = Augmentation(
    scale=0.1, translation=0.1, rotation=20.0, flip=False, occlusion=True
)
TURNED_LESS_FLIPPED = Augmentation(
    scale=0.1, translation=0.1, rotation=20.0, flip=True, occlusion=True
)

# Mask, coarse to fine; SumNet on AFLW and AFW, RCN on AFLW and AFW.
TABLE_1 = [
    ((1, 0, 0, 0), 10.54, 10.63, 10.61, 10.89),
    ((0, 1, 0, 0), 11.28, 11.43, 11.56, 11.87),
    ((1, 1, 0, 0), 9.47, 9.65, 9.31, 9.44),
    ((0, 0, 1, 0), 16.14, 16.35, 15.78, 15.91),
    ((0, 0, 0, 1), 45.39, 47.97, 46.87, 48.61),
    ((0, 0, 1, 1), 13.90, 14.14, 12.67, 13.53),
    ((0, 1, 1, 1), 7.91, 8.22, 7.62, 7.95),
    ((1, 0, 0, 1), 6.91, 7.51, 6.79, 7.27),
    ((1, 1, 1, 1), 6.44, 6.78, 6.37, 6.43),
]

# Recipe: model, arguments (no L2: the paper gives no lambda), augmentation, finish,
# batch size (the original: 64), moved keypoints, the paper's errors.
FIVE_POINTS = {
    "table2_sumnet4": ("sumnet", {"branches": 4}, JITTER, 6.44, 6.78),
    "table2_sumnet5": ("sumnet", {"branches": 5}, JITTER, 6.42, 6.53),
    "table2_sumnet6": ("sumnet", {"branches": 6}, JITTER, 6.34, 6.48),
    "table2_sumnet5_occlusion": ("sumnet", {"branches": 5}, OCCLUDED, 6.29, 6.34),
    "table2_sumnet6_occlusion": ("sumnet", {"branches": 6}, OCCLUDED, 6.27, 6.33),
    "table2_rcn4": ("rcn", {"branches": 4}, JITTER, 6.37, 6.43),
    "table2_rcn5": ("rcn", {"branches": 5}, JITTER, 6.11, 6.05),
    "table2_rcn6": ("rcn", {"branches": 6}, JITTER, 6.00, 5.98),
    "table2_rcn7": ("rcn", {"branches": 7}, JITTER, 6.17, 6.12),
    "table2_rcn5_occlusion": ("rcn", {"branches": 5}, OCCLUDED, 5.65, 5.44),
    "table2_rcn6_occlusion": ("rcn", {"branches": 6}, OCCLUDED, 5.60, 5.36),
    "table2_rcn7_occlusion": ("rcn", {"branches": 7}, OCCLUDED, 5.76, 5.55),
    "table2_rcn6_occlusion_skip": (
        "rcn",
        {"branches": 6, "skip": True},
        OCCLUDED,
        5.63,
        5.56,
    ),
    "table3_tcdcn": ("tcdcn", {"attributes": True, **TCDCN}, TURNED, 7.60, 7.87),
}
EXPECTED = {
    name: (model, arguments, augmentation, None, 64, 0, {"aflw": aflw, "afw": afw})
    for name, (model, arguments, augmentation, aflw, afw) in FIVE_POINTS.items()
}
for mask, *errors in TABLE_1:
    for model, aflw, afw in (("sumnet", *errors[:2]), ("rcn", *errors[2:])):
        readings = {"": {}}
        if mask != (1, 1, 1, 1):
            readings["_untrained"] = {"masked": "untrained"}
        if model == "sumnet":
            readings |= {
                f"_pixel{ending}": {"weight_per_pixel": True, **arguments}
                for ending, arguments in readings.items()
            }
        for ending, arguments in readings.items():
            EXPECTED[f"table1_{model}_{''.join(map(str, mask))}{ending}"] = (
                model,
                {"branches": 4, "mask": mask, **arguments},
                JITTER,
                None,
                64,
                0,
                {"aflw": aflw, "afw": afw},
            )
EXPECTED |= {
    "table3_tcdcn_keypoints": (
        "tcdcn",
        {"attributes": False, **TCDCN},
        TURNED,
        None,
        64,
        0,
        {},
    ),
    "rcn6_mtfl": (
        "rcn",
        {"branches": 6},
        OCCLUDED,
        TURNED_LESS,
        64,
        0,
        {"aflw": 5.60, "afw": 5.36},
    ),
    # The paper tiles (footnote 3).
    "sumnet6_mtfl": (
        "sumnet",
        {"branches": 6, "upsampling": "bilinear"},
        OCCLUDED,
        TURNED_LESS,
        64,
        0,
        {"aflw": 6.27, "afw": 6.33},
    ),
    # Not in the paper.
    "rcn6_wide": (
        "rcn",
        {"branches": 6, "width": 2},
        OCCLUDED,
        TURNED_LESS,
        64,
        0,
        {},
    ),
    "rcn6_quick": ("rcn", {"branches": 6}, OCCLUDED, None, 64, 0, {}),
    # The original: batches of 64.
    "rcn5_300w": (
        "rcn",
        {"branches": 5, "keypoints": 68},
        FLIPPED,
        TURNED_LESS_FLIPPED,
        16,
        0,
        {"300w_common": 4.70, "300w_challenging": 9.00, "300w_full": 5.54},
    ),
    # The original: three convolutions of 64 maps and 45x45, batches of 64.
    "denoiser_300w": (
        "denoiser",
        {"filters": (16, 16, 64), "kernel_size": 23, "pooling": 2},
        FLIPPED,
        None,
        32,
        35,
        {},
    ),
    "denoiser_300w_full": ("denoiser", {}, FLIPPED, None, 64, 35, {}),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_recipe_has_the_papers_constants(name):
    recipe = RECIPES[name]
    fields = (
        recipe.model,
        recipe.arguments,
        recipe.augmentation,
        recipe.finish,
        recipe.batch_size,
        recipe.corrupted,
        recipe.paper,
    )
    assert fields == EXPECTED[name]


def test_every_recipe_that_quotes_the_paper_is_in_the_table():
    quoting = {name for name, recipe in RECIPES.items() if recipe.paper}
    tables = {name for name in RECIPES if name.startswith("table")}
    assert quoting | tables <= EXPECTED.keys() <= RECIPES.keys()


def test_table_4():
    assert TABLE_4 == {
        "rcn": {"300w_common": 4.70, "300w_challenging": 9.00, "300w_full": 5.54},
        "joint": {"300w_common": 4.67, "300w_challenging": 8.44, "300w_full": 5.41},
    }
    assert TABLE_4_49 == {
        "rcn": {"300w_common": 2.64, "300w_challenging": 5.10, "300w_full": 3.88},
        "joint": {"300w_common": 2.59, "300w_challenging": 4.81, "300w_full": 3.76},
    }


def test_the_originals_denoiser_is_trained_for_100_epochs():
    assert RECIPES["denoiser_300w_full"].epochs == 100


# Resolution, maps of the trunk, maps of the branch, kernels of trunk, branch, output.
@pytest.mark.parametrize(
    "specs, expected",
    [
        (
            branches.rcn_mtfl_specs(4),
            [
                (10, 48, (48, 48), 3, (3, 3), 3),
                (20, 48, (48, 32), 3, (3, 3), 3),
                (40, 32, (32, 16), 3, (3, 3), 3),
                (80, 16, (16,), 3, (3,), 3),
            ],
        ),
        (
            branches.rcn_mtfl_specs(7),
            [
                (1, 48, (48, 48), 1, (1, 1), 3),
                (2, 48, (48, 48), 3, (3, 3), 3),
                (5, 48, (48, 48), 3, (3, 3), 3),
                (10, 48, (48,), 3, (3,), 3),
                (20, 48, (48, 32), 3, (3, 3), 3),
                (40, 32, (32, 16), 3, (3, 3), 3),
                (80, 16, (16,), 3, (3,), 3),
            ],
        ),
        (
            branches.sumnet_mtfl_specs(6),
            [
                (2, 48, (48,), 3, (3,), 3),
                (5, 48, (48,), 3, (3,), 3),
                (10, 48, (48,), 3, (3,), 3),
                (20, 48, (48,), 3, (3,), 3),
                (40, 32, (32,), 3, (3,), 3),
                (80, 16, (16,), 3, (3,), 3),
            ],
        ),
        (
            branches.rcn_300w_specs(5),
            [
                (5, 64, (64, 64), 3, (5, 1), 3),
                (10, 64, (64,), 3, (5,), 3),
                (20, 64, (64, 64), 3, (5, 1), 3),
                (40, 64, (64, 64), 3, (5, 1), 3),
                (80, 64, (64, 64, 64), 3, (5, 1, 1), 1),
            ],
        ),
    ],
    ids=["rcn4", "rcn7", "sumnet6", "rcn5_300w"],
)
def test_widths_and_kernels_of_every_level(specs, expected):
    levels = [
        (
            spec.resolution,
            spec.trunk_filters,
            spec.filters,
            spec.trunk_kernel,
            spec.kernels,
            spec.output_kernel,
        )
        for spec in specs
    ]
    assert levels == expected


def test_the_denoiser_of_figure_2():
    convolutions = [
        (layer.filters, layer.kernel_size)
        for layer in build_denoiser(kernel_initializer="zeros").layers
        if hasattr(layer, "kernel_size")
    ]
    large = [(64, (45, 45))] * 3
    assert convolutions == [*large, (68, (1, 1))]


def test_the_tcdcn_of_its_authors():
    assert tcdcn.CONVOLUTIONS == ((16, 5), (48, 3), (64, 3), (64, 2))
    model = tcdcn.build_tcdcn()
    assert model.get_layer("features").units == 100
    assert model.get_layer("features").activation is tcdcn.absolute_tanh


def test_occlusion_is_20_to_50_pixels_of_80():
    assert OCCLUSION_SIDES == (20, 50)


def test_adadelta_is_the_originals():
    optimizer = make_optimizer(get_recipe("demo", optimizer="adadelta"), steps=1)
    assert isinstance(optimizer, keras.optimizers.Adadelta)
    assert float(optimizer.learning_rate) == 1.0
    assert (optimizer.rho, optimizer.epsilon) == (0.95, 1e-8)


def test_crops_contrast_and_split_are_the_originals():
    assert (FACE_5.square.outer, FACE_5.square.inner) == (1.25, 0.95)
    assert (FACE_68.square.outer, FACE_68.square.inner) == (1.7, 1.3)
    assert (FACE_5.outside, FACE_68.outside) == ("clip", "mask")
    assert FACE_68.normalizer == ((36, 39), (42, 45))
    contrast = LocalContrastNormalization()
    assert (contrast.size, contrast.sigma) == (9, 1.591)
    assert splits.SEED == 7345 and len(splits.split(10_000)[1]) == 1000
