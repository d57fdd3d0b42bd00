"""Named recipes: everything a training is made of, as plain data.

One recipe for each row of the paper's Tables 1 and 2 (of Table 1 in each reading of its
masks) and for its TCDCN of Table 3, under the paper's augmentation and with the epochs
and the precision of our `results/table1.csv` to `table3.csv`, one for each network of
Table 4, and our own. `rcn-keras list` prints them.
"""

import dataclasses
import itertools
import json
import pathlib
from typing import Any

from rcn_keras.data.augmentation import Augmentation
from rcn_keras.errors import InputError
from rcn_keras.faces.boxes import INPUT_SIZE
from rcn_keras.files import read_text
from rcn_keras.layout import FACES, KeypointLayout
from rcn_keras.provenance import fast_precision

RECIPE = "recipe.json"  # its file in a training's folder


@dataclasses.dataclass(frozen=True)
class Recipe:
    """What `rcn-keras train` needs besides the data.

    Attributes:
        model: `"rcn"`, `"sumnet"`, `"denoiser"` or `"tcdcn"`.
        arguments: dict, arguments of its builder (L2 per group among them).
        augmentation: `Augmentation`.
        optimizer: `"muon"` (`training.muon`), `"adam"`, or `"adadelta"`, the original's
            (rate 1, rho 0.95, epsilon 1e-8).
        weights: `None`, or the name or folder of a preset to fine-tune
            (`--weights` gives another).
        pose_repeats: `None`, or how often an epoch shows each face, by MTFL's pose: 5
            ints, for the left profile, left, front, right and the right profile.
        learning_rate: float, the highest, of Muon or Adam; it rises over `warmup_steps`
            and falls along a cosine to `final_rate` of itself at the last step.
        clipnorm: float or `None`, bound of each gradient's norm (Adam).
        finish: `Augmentation` of the last `finish_epochs` epochs (of the last third,
            where that is less), or `None`: the end of the schedule on faces closer to
            those that are measured.
        corrupted: int, keypoints that a denoiser finds moved in each face.
        batch_size, epochs, seed: ints.
        patience: `None`, or int: stop after so many epochs without a better validation.
        precision: Keras dtype policy, `"float32"`, `"mixed_bfloat16"` or
            `"mixed_float16"`, or `"auto"`: bfloat16 where the machine that trains has
            hardware for it, otherwise float32. A run's `recipe.json` has the policy.
        normalization: `None` as in the paper, or `"batch"`: batch normalisation after
            each ReLU convolution while the network is trained, folded away in the
            weights that are kept (`training.normalization`).
        teacher, teacher_weight: `None`, or the name or folder of a preset whose maps
            are learned beside the labels (`--teacher` gives another), and what they
            count, the labels the rest (`training.distillation`).
        layout: `None` for a face of `arguments["keypoints"]` points, or the
            `KeypointLayout` of one's own, as its `to_dict`.
        paper: the paper's error in percent of the interocular distance, paper grid:
            `{"aflw": ..., "afw": ...}` or `{"300w_common": ...}`, where it has one.
            AFW there are 377 faces.
    """

    model: str
    arguments: dict
    augmentation: Augmentation = Augmentation()
    finish: Augmentation | None = None
    finish_epochs: int = 0
    corrupted: int = 0
    weights: str | None = None
    pose_repeats: tuple | None = None
    optimizer: str = "adam"
    learning_rate: float = 2e-3
    warmup_steps: int = 200
    final_rate: float = 0.005
    clipnorm: float | None = 5.0
    batch_size: int = 64
    epochs: int = 60
    seed: int = 0
    patience: int | None = None
    precision: str = "auto"
    normalization: str | None = None
    teacher: str | None = None
    teacher_weight: float = 0.5
    layout: dict | None = None
    paper: dict = dataclasses.field(default_factory=dict)


# Table 1: SumNet and RCN of 4 branches, no occlusion; errors on AFLW and AFW-377.
_TABLE_1 = {
    (1, 0, 0, 0): ((10.54, 10.63), (10.61, 10.89)),
    (0, 1, 0, 0): ((11.28, 11.43), (11.56, 11.87)),
    (1, 1, 0, 0): ((9.47, 9.65), (9.31, 9.44)),
    (0, 0, 1, 0): ((16.14, 16.35), (15.78, 15.91)),
    (0, 0, 0, 1): ((45.39, 47.97), (46.87, 48.61)),
    (0, 0, 1, 1): ((13.90, 14.14), (12.67, 13.53)),
    (0, 1, 1, 1): ((7.91, 8.22), (7.62, 7.95)),
    (1, 0, 0, 1): ((6.91, 7.51), (6.79, 7.27)),
    (1, 1, 1, 1): ((6.44, 6.78), (6.37, 6.43)),
}

# What Table 1's masks and the alpha of Eq. 1 can have meant: the ending of a recipe's
# name, and what it adds to the builder's arguments.
_READINGS: dict[str, dict[str, Any]] = {
    "": {},
    "_pixel": {"weight_per_pixel": True},
    "_untrained": {"masked": "untrained"},
    "_pixel_untrained": {"weight_per_pixel": True, "masked": "untrained"},
}

# Table 2: model, branches, occlusion, skip; errors on AFLW and AFW-377.
_TABLE_2 = [
    ("sumnet", 4, False, False, 6.44, 6.78),
    ("sumnet", 5, False, False, 6.42, 6.53),
    ("sumnet", 6, False, False, 6.34, 6.48),
    ("sumnet", 5, True, False, 6.29, 6.34),
    ("sumnet", 6, True, False, 6.27, 6.33),
    ("rcn", 4, False, False, 6.37, 6.43),
    ("rcn", 5, False, False, 6.11, 6.05),
    ("rcn", 6, False, False, 6.00, 5.98),
    ("rcn", 7, False, False, 6.17, 6.12),
    ("rcn", 5, True, False, 5.65, 5.44),
    ("rcn", 6, True, False, 5.60, 5.36),
    ("rcn", 7, True, False, 5.76, 5.55),
    ("rcn", 6, True, True, 5.63, 5.56),
]

# Table 4: errors on 300-W, 68 points over the distance of the eye centres, then 49. The
# last of 49 is no mean of the other two, weighted by faces or not: as printed.
TABLE_4 = {
    "rcn": {"300w_common": 4.70, "300w_challenging": 9.00, "300w_full": 5.54},
    "joint": {"300w_common": 4.67, "300w_challenging": 8.44, "300w_full": 5.41},
}
TABLE_4_49 = {
    "rcn": {"300w_common": 2.64, "300w_challenging": 5.10, "300w_full": 3.88},
    "joint": {"300w_common": 2.59, "300w_challenging": 4.81, "300w_full": 3.76},
}


def _paper_recipes():
    recipes = {}
    networks = itertools.product(_TABLE_1.items(), (0, 1), _READINGS.items())
    for (mask, errors), number, (ending, reading) in networks:
        model = ("sumnet", "rcn")[number]
        if model == "rcn" and "weight_per_pixel" in reading:
            continue  # RCN has no alpha
        if all(mask) and "masked" in reading:
            continue
        bits = "".join(map(str, mask))
        recipes[f"table1_{model}_{bits}{ending}"] = Recipe(
            model,
            {"branches": 4, "mask": mask, **reading},
            Augmentation(flip=False, occlusion=False),
            epochs=12,
            precision="mixed_bfloat16",
            paper=dict(zip(("aflw", "afw"), errors[number])),
        )
    for model, branches, occlusion, skip, aflw, afw in _TABLE_2:
        name = f"table2_{model}{branches}"
        name += "_occlusion" if occlusion else ""
        name += "_skip" if skip else ""
        recipes[name] = Recipe(
            model,
            {"branches": branches} | ({"skip": True} if skip else {}),
            Augmentation(flip=False, occlusion=occlusion),
            precision="mixed_bfloat16" if model == "rcn" else "float32",
            paper={"aflw": aflw, "afw": afw},
        )
    return recipes


# Several times fewer epochs than Adam without normalisation
# (results/training_choices.csv).
_FAST: dict[str, Any] = {
    "normalization": "batch",
    "optimizer": "muon",
    "learning_rate": 0.02,
}
_FAST_300W: dict[str, Any] = {**_FAST, "learning_rate": 0.015}

# MTFL's few turned faces more often: validation's mean over the five poses falls
# (results/accuracy_by_pose.csv). An epoch is then 1.3 times as long.
_POSES = (5, 2, 1, 2, 5)

# What networks of 5 points share that learn from the wide one.
_TAUGHT: dict[str, Any] = {
    "augmentation": Augmentation(flip=False),
    "finish": Augmentation(rotation=20.0, flip=False),
    "finish_epochs": 15,
    "teacher": "rcn6_wide",
    "pose_repeats": _POSES,
    "epochs": 45,
    **_FAST,
}

RECIPES = {
    **_paper_recipes(),
    # Table 3 has two rows of Table 2 beside these.
    "table3_tcdcn": Recipe(
        "tcdcn",
        {"attributes": True},
        Augmentation(flip=False),
        precision="mixed_bfloat16",
        paper={"aflw": 7.60, "afw": 7.87},
    ),
    "table3_tcdcn_keypoints": Recipe(
        "tcdcn",
        {"attributes": False},
        Augmentation(flip=False),
        precision="mixed_bfloat16",
    ),
    # Ours: the paper's augmentation and an end on faces turned less (the original's
    # README has 20 degrees, the paper 40). No flips, as in the paper: of two networks
    # that went on from the same weights, the one without them validated better.
    "rcn6_mtfl": Recipe(
        "rcn", {"branches": 6}, **_TAUGHT, paper={"aflw": 5.60, "afw": 5.36}
    ),
    # Its maps are interpolated (footnote 3): tiling leaves steps that its peaks fall
    # beside.
    "sumnet6_mtfl": Recipe(
        "sumnet",
        {"branches": 6, "upsampling": "bilinear"},
        **_TAUGHT,
        paper={"aflw": 6.27, "afw": 6.33},
    ),
    # Twice the maps everywhere, not in the paper: our most accurate of 5 points.
    "rcn6_wide": Recipe(
        "rcn",
        {"branches": 6, "width": 2},
        Augmentation(flip=False),
        finish=Augmentation(rotation=20.0, flip=False),
        finish_epochs=7,
        pose_repeats=_POSES,
        **_FAST,
        epochs=22,
    ),
    # How soon RCN is good: the paper is below 7 % on AFLW after 15 epochs.
    "rcn6_quick": Recipe(
        "rcn",
        {"branches": 6},
        Augmentation(flip=False),
        **_FAST,
        warmup_steps=100,
        epochs=3,
    ),
    # Table 4, on 300-W: the original's widths and kernels, flips because there are few
    # faces.
    "rcn5_300w": Recipe(
        "rcn",
        {"branches": 5, "keypoints": 68},
        finish=Augmentation(rotation=20.0),
        finish_epochs=10,
        **_FAST_300W,
        batch_size=16,
        epochs=32,
        paper=TABLE_4["rcn"],
    ),
    # A prior over shapes small enough to ship, and the paper's with 25 million
    # parameters.
    "denoiser_300w": Recipe(
        "denoiser",
        {"filters": (16, 16, 64), "kernel_size": 23, "pooling": 2},
        corrupted=35,
        precision="float32",  # of its Fourier transforms
        batch_size=32,
        epochs=60,
    ),
    "denoiser_300w_full": Recipe(
        "denoiser", {}, corrupted=35, epochs=100, precision="float32"
    ),
    # One's own keypoints: few pictures, so small batches and many epochs.
    "own": Recipe(
        "rcn",
        {"branches": 6},
        finish=Augmentation(rotation=20.0),
        finish_epochs=30,
        **_FAST,
        warmup_steps=100,
        batch_size=8,
        epochs=150,
    ),
    # Four times the pixels: finer points, four times the work.
    "own_fine": Recipe(
        "rcn",
        {"branches": 7, "input_size": 160},
        finish=Augmentation(rotation=20.0),
        finish_epochs=20,
        **_FAST,
        warmup_steps=100,
        batch_size=8,
        epochs=60,
    ),
    # For tests and demonstrations on the drawn faces: minutes on a laptop.
    "demo": Recipe("rcn", {"branches": 4}, epochs=20, batch_size=32, warmup_steps=20),
    "demo_68": Recipe(
        "rcn",
        {"branches": 4, "keypoints": 68},
        epochs=20,
        batch_size=16,
        warmup_steps=20,
    ),
    "demo_denoiser": Recipe(
        "denoiser",
        {"filters": (8, 8), "kernel_size": 11, "pooling": 4},
        corrupted=35,
        precision="float32",  # of its Fourier transforms
        epochs=20,
        batch_size=16,
        warmup_steps=20,
    ),
}


def get_recipe(name, **changes):
    """A named recipe, some of its fields changed.

    Raises:
        ValueError: if there is no such recipe.
    """
    if name not in RECIPES:
        raise ValueError(
            f"no recipe named {name!r}; `rcn-keras list` prints them "
            f"(among them: rcn6_mtfl, sumnet6_mtfl, demo)"
        )
    return dataclasses.replace(RECIPES[name], **changes)


def with_layout(recipe, layout):
    """The recipe for keypoints of one's own; without mirror pairs it flips nothing.

    Raises:
        ValueError: if its model is of faces alone.
    """
    if recipe.model not in ("rcn", "sumnet"):
        raise ValueError(
            "keypoints of one's own are learned by an RCN or a SumNet (recipe own). "
            f"Received: a recipe of a {recipe.model}"
        )
    recipe = dataclasses.replace(recipe, layout=layout.to_dict())
    if layout.mirror_pairs:
        return recipe
    changes = {
        part: dataclasses.replace(augmentation, flip=False)
        for part in ("augmentation", "finish")
        if (augmentation := getattr(recipe, part)) is not None
    }
    return dataclasses.replace(recipe, **changes)


def with_precision(recipe):
    """The recipe, its precision `"auto"` resolved to what this machine has."""
    if recipe.precision != "auto":
        return recipe
    return dataclasses.replace(recipe, precision=fast_precision())


def as_dict(recipe):
    """The recipe as what JSON can hold."""
    return dataclasses.asdict(recipe)


def finish_length(finish_epochs, epochs):
    """The epochs of a finish: not all of a training that somebody has made short."""
    return min(finish_epochs, -(-epochs // 3))


def read_recipe(run_folder):
    """The recipe of a training's folder.

    What an older file does not tell of is taken to be as the default has it.

    Raises:
        InputError: if there is none.
    """
    path = pathlib.Path(run_folder) / RECIPE
    if not path.is_file():
        raise InputError(f"{path}: no such file (is this a training's folder?)")
    text = read_text(path)
    try:
        return Recipe(**json.loads(text))
    except (ValueError, TypeError) as error:
        raise InputError(f"{path}: damaged ({error})") from None


def input_size(recipe: Recipe) -> int:
    """The side of the input of a recipe's model, in pixels."""
    return recipe.arguments.get("input_size", INPUT_SIZE)


def layout(recipe):
    """The `KeypointLayout` of a recipe's model; it decides which data it takes."""
    if recipe.layout is not None:
        return KeypointLayout.from_dict(recipe.layout)
    default = 68 if recipe.model == "denoiser" else 5
    return FACES[recipe.arguments.get("keypoints", default)]
