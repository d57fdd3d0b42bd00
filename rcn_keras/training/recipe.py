"""A recipe: everything a training is made of besides the data, as a plain record."""

from __future__ import annotations

import dataclasses
import json
import pathlib
from typing import Any

from rcn_keras._types import PathLike
from rcn_keras.data.augmentation import Augmentation
from rcn_keras.errors import InputError
from rcn_keras.faces.boxes import INPUT_SIZE
from rcn_keras.files import read_text
from rcn_keras.layout import FACES, KeypointLayout
from rcn_keras.provenance import fast_precision

RECIPE = "recipe.json"  # its file in a training's folder
_VALUES = {
    "model": ("rcn", "sumnet", "denoiser", "tcdcn"),
    "precision": ("auto", "float32", "mixed_bfloat16", "mixed_float16"),
    "optimizer": ("muon", "adam", "adadelta"),
    "normalization": (None, "batch"),
}


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

    Raises:
        InputError: for a model, an optimizer, a precision or a normalization that does
            not exist.
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

    def __post_init__(self) -> None:
        for field, values in _VALUES.items():
            value = getattr(self, field)
            if value not in values:
                known = ", ".join(repr(each) for each in values)
                raise InputError(
                    f"`{field}` must be one of {known}. Received: {field}={value!r}"
                )


def with_layout(recipe: Recipe, layout: KeypointLayout) -> Recipe:
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


def with_precision(recipe: Recipe) -> Recipe:
    """The recipe, its precision `"auto"` resolved to what this machine has."""
    if recipe.precision != "auto":
        return recipe
    return dataclasses.replace(recipe, precision=fast_precision())


def as_dict(recipe: Recipe) -> dict[str, Any]:
    """The recipe as what JSON can hold."""
    return dataclasses.asdict(recipe)


def finish_length(recipe: Recipe) -> int:
    """The epochs of a finish: not all of a training that somebody has made short."""
    if recipe.finish is None:
        return 0
    return min(recipe.finish_epochs, -(-recipe.epochs // 3))


def read_recipe(run_folder: PathLike) -> Recipe:
    """The recipe of a training's folder.

    A field that an older file lacks has its default.

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


def layout(recipe: Recipe) -> KeypointLayout:
    """The `KeypointLayout` of a recipe's model; it decides which data it takes."""
    if recipe.layout is not None:
        return KeypointLayout.from_dict(recipe.layout)
    default = 68 if recipe.model == "denoiser" else 5
    return FACES[recipe.arguments.get("keypoints", default)]
