import numpy as np
import pytest
from layer_checks import to_numpy
from model_checks import (
    MASKS,
    SMALL,
    check_batch_independence,
    check_l2,
    check_one_step,
    check_saving,
    check_untrained,
    conv,
    feature_maps,
    images,
)

import rcn_keras
from rcn_keras.dtype_policy import dtype_policy
from rcn_keras.models import build_rcn, rcn_300w_specs


@pytest.mark.parametrize(
    "arguments, count",
    [
        ({"branches": 4}, 164_837),
        ({"branches": 5}, 227_141),
        ({"branches": 6}, 310_229),
        ({}, 310_229),
        ({"branches": 7}, 338_021),
        ({"branches": 5, "skip": True}, 293_957),
        ({"branches": 6, "skip": True}, 439_253),
        ({"branches": 7, "skip": True}, 549_989),
        ({"branches": 5, "keypoints": 68}, 1_095_492),
        ({"branches": 6, "keypoints": 68}, 1_341_444),
        ({"branches": 7, "keypoints": 68}, 1_456_324),
        ({"branches": 5, "keypoints": 68, "skip": True}, 1_709_892),
        # Grey to colour adds 2 * 9 weights for each of the 16 first maps.
        ({"branches": 4, "channels": 3}, 164_837 + 2 * 9 * 16),
    ],
)
def test_parameters_and_shape(arguments, count):
    model = build_rcn(**arguments)
    assert model.count_params() == count
    assert model.input_shape == (None, 80, 80, arguments.get("channels", 1))
    assert model.output_shape == (None, 80, 80, arguments.get("keypoints", 5))


@pytest.mark.parametrize("size", [112, 128, 160])
def test_another_input_size_has_the_papers_parameters(size):
    model = build_rcn(branches=6, input_size=size)
    assert model.count_params() == 310_229 and model.input_size == size
    assert model.input_shape == (None, size, size, 1)
    assert model.output_shape == (None, size, size, 5)
    deepest = build_rcn(branches=7, input_size=160)
    assert deepest.input_size == 160 and deepest.output_shape == (None, 160, 160, 5)


def test_the_papers_3x3_kernels():
    model = build_rcn(5, keypoints=68, kernel_scheme="3x3")
    assert model.count_params() == 638_788
    specs = rcn_300w_specs(kernel_scheme="3x3")
    assert build_rcn(keypoints=68, branch_specs=specs).count_params() == 638_788


def test_is_public():
    assert rcn_keras.build_rcn is build_rcn


TRUNK = [conv(3, 1, 16), conv(3, 16, 32), conv(3, 32, 48), conv(3, 48, 48)]


@pytest.mark.parametrize(
    "mask, branches",
    [
        ((1, 0, 0, 0), conv(3, 48, 48, 5)),
        ((0, 1, 0, 0), conv(3, 48, 48, 5)),
        ((1, 1, 0, 0), conv(3, 48, 48, 48) + conv(3, 48 + 48, 48, 5)),
        ((0, 0, 1, 0), conv(3, 32, 32, 5)),
        ((0, 0, 0, 1), conv(3, 16, 16, 5)),
        ((0, 0, 1, 1), conv(3, 32, 32, 16) + conv(3, 16 + 16, 16, 5)),
        ((1, 0, 0, 1), conv(3, 48, 48, 48) + conv(3, 16 + 48, 16, 5)),
        ((1, 1, 1, 1), 164_837 - sum(TRUNK)),
    ],
)
def test_parameters_under_a_mask(mask, branches):
    # No trunk below the coarsest active branch.
    trunk = TRUNK[: 4 - mask.index(1)]
    assert build_rcn(4, mask=mask).count_params() == sum(trunk) + branches


@pytest.mark.parametrize("mask", MASKS)
def test_one_step_under_every_mask(mask):
    model = build_rcn(4, mask=mask)
    assert model.output_shape == (None, 80, 80, 5)
    check_one_step(model)


@pytest.mark.parametrize("branches", [5, 6, 7])
def test_one_step(branches):
    check_one_step(build_rcn(branches, skip=branches == 7))


def test_a_coarse_branch_reaches_the_next_active_one():
    model, x = build_rcn(4, mask=(1, 0, 0, 1)), images(2)
    coarse = feature_maps(model, "branch_10_2", x)
    joined = feature_maps(model, "concat_80", x)
    assert joined.shape == (2, 80, 80, 16 + 48)
    np.testing.assert_array_equal(joined[..., :16], feature_maps(model, "trunk_80", x))
    np.testing.assert_array_equal(joined[..., 16:], coarse.repeat(8, 1).repeat(8, 2))


def test_the_maps_of_a_coarse_branch_are_tiled():
    model, x = build_rcn(4, mask=(0, 1, 0, 0)), images(2)
    maps = feature_maps(model, "maps", x)
    assert maps.shape == (2, 20, 20, 5)
    np.testing.assert_array_equal(to_numpy(model(x)), maps.repeat(4, 1).repeat(4, 2))


@pytest.mark.parametrize(
    "mask, frozen",
    [
        ((1, 0, 0, 0), ["20_1", "20_2", "40_1", "40_2", "80_1"]),
        ((0, 1, 0, 0), ["10_1", "10_2", "40_1", "40_2", "80_1"]),
        ((1, 0, 0, 1), ["20_1", "20_2", "40_1", "40_2"]),
        ((0, 0, 0, 1), ["10_1", "10_2", "20_1", "20_2", "40_1", "40_2"]),
        ((1, 1, 1, 1), []),
    ],
)
def test_untrained_branches(mask, frozen):
    coarser = (10, 20, 40, 80)[: mask.index(1)]
    frozen = [f"branch_{name}" for name in frozen]
    frozen += [f"trunk_{side}" for side in coarser]
    # The convolution of the maps is trained where its branch is not.
    check_untrained(build_rcn, mask, set(frozen), ["maps", "trunk_80"])


def test_an_untrained_branch_hands_on_features_of_what_it_gets():
    model = build_rcn(4, mask=(1, 0, 0, 0), masked="untrained")
    assert [layer.name for layer in model.layers] == [
        layer.name for layer in build_rcn(4).layers
    ]


def test_skip_hands_on_all_coarser_branches():
    model, x = build_rcn(5, skip=True), images(1)
    joined = feature_maps(model, "concat_20", x)
    parts = [feature_maps(model, "trunk_20", x)]
    parts += [feature_maps(model, "branch_10_1", x).repeat(2, 1).repeat(2, 2)]
    parts += [feature_maps(model, "branch_5_2", x).repeat(4, 1).repeat(4, 2)]
    np.testing.assert_array_equal(joined, np.concatenate(parts, axis=3))


def test_two_to_five():
    model, x = build_rcn(6), images(1)
    coarse = feature_maps(model, "branch_2_2", x)
    finer = feature_maps(model, "concat_5", x)[..., 48:]
    expected = coarse.repeat(3, 1).repeat(3, 2)[:, :5, :5]
    np.testing.assert_array_equal(finer, expected)


def test_bilinear_differs_only_between_the_levels():
    tiled = build_rcn(branch_specs=SMALL)
    smooth = build_rcn(branch_specs=SMALL, upsampling="bilinear")
    smooth.set_weights(tiled.get_weights())
    x = images(1, 8)
    assert np.abs(to_numpy(tiled(x)) - to_numpy(smooth(x))).max() > 1e-3
    coarse = feature_maps(smooth, "branch_4_2", x)
    up = feature_maps(smooth, "upsample_8", x)
    np.testing.assert_allclose(
        up[:, 1, 1],
        0.5625 * coarse[:, 0, 0]
        + 0.1875 * (coarse[:, 0, 1] + coarse[:, 1, 0])
        + 0.0625 * coarse[:, 1, 1],
        atol=1e-5,
    )


def test_float32_maps_under_mixed_precision():
    with dtype_policy("mixed_bfloat16"):
        model = build_rcn(branch_specs=SMALL)
        assert to_numpy(model(images(2, 8))).dtype == "float32"


def test_initializer_and_name():
    model = build_rcn(branch_specs=SMALL, kernel_initializer="zeros", name="other")
    assert model.name == "other"
    assert not any(to_numpy(weight).any() for weight in model.weights)


def test_l2():
    check_l2(build_rcn)


def test_saving(tmp_path):
    check_saving(build_rcn(6), tmp_path)
    check_saving(build_rcn(4, mask=(1, 0, 1, 1), skip=True, branch_l2=0.1), tmp_path)
    check_saving(build_rcn(4, mask=(1, 0, 0, 0), masked="untrained"), tmp_path)


def test_batch_independence():
    check_batch_independence(build_rcn(6))


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"branches": 9}, "between 4 and 7. Received: branches=9"),
        ({"branches": 3, "keypoints": 68}, "between 4 and 7. Received: branches=3"),
        ({"mask": (1, 0)}, r"hold 6 values .* Received: mask=\(1, 0\)"),
        ({"masked": "gone"}, "one of .'absent', 'untrained'.. Received: 'gone'"),
        ({"upsampling": "cubic"}, "Received: upsampling='cubic'"),
        ({"normalization": "batch"}, "Received: normalization='batch'"),
        ({"keypoints": 98}, "a `layout` .* is needed .* Received: keypoints=98"),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        build_rcn(**arguments)
