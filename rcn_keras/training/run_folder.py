"""The folder of a training: what it holds, and whether it may be used."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Mapping

from rcn_keras._types import PathLike
from rcn_keras.errors import InputError
from rcn_keras.files import check_writable, read_text, replaced
from rcn_keras.presets import CONFIG, LOG, preset_folder, read_config
from rcn_keras.provenance import record
from rcn_keras.training.callbacks import read_log, write_log
from rcn_keras.training.network import build_model, take_weights
from rcn_keras.training.recipe import RECIPE, Recipe, as_dict, read_recipe

LAST = "last.keras"  # weights and optimiser at the end of the last full epoch


RUN = "run.json"  # machine, day, command and number of faces


BEST = "best.weights.h5"  # weights with the lowest validation error


BEFORE = "before.csv"  # the log of the preset that is fine-tuned


# Fields of its configuration that the run folder keeps.
INHERITED = ("trained_epochs", "training_minutes", "trained_on", "recipe")


def write_start(out: pathlib.Path, recipe: Recipe, faces: Mapping[str, int]) -> None:
    """Writes `recipe.json`, `run.json` and the log of the preset that is fine-tuned."""
    run = record() | {"faces": faces}
    (out / BEFORE).unlink(missing_ok=True)
    if recipe.weights:
        folder = preset_folder(recipe.weights)
        config = read_config(folder)
        missing = [name for name in INHERITED if name not in config]
        if missing:
            raise InputError(f"{folder / CONFIG}: lacks {', '.join(missing)}")
        run["before"] = {name: config[name] for name in INHERITED}
        write_log(out / BEFORE, read_log(folder / LOG))
    for name, content in ((RUN, run), (RECIPE, as_dict(recipe))):
        with replaced(out / name) as temporary:
            temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def read_run(folder: PathLike) -> dict:
    """`run.json` of a training's folder: machine, command, faces; empty if missing.

    Raises:
        InputError: if the file is damaged.
    """
    path = pathlib.Path(folder) / RUN
    text = read_text(path) if path.is_file() else "{}"
    try:
        run = json.loads(text)
        if not isinstance(run, dict):
            raise ValueError(f"found a {type(run).__name__}")
    except ValueError as error:
        raise InputError(f"{path}: damaged ({error})") from None
    return run


def same_data(folder: PathLike, faces: Mapping[str, int]) -> None:
    """Checks that a resumed training has as many faces as it began with.

    Args:
        folder: of the training.
        faces: dict, the number of `"training"` and `"validation"` faces.

    Raises:
        InputError: if not.
    """
    before = read_run(folder).get("faces", faces)
    if before != faces:
        raise InputError(
            f"{folder}: was trained with {before['training']} faces and validated with "
            f"{before['validation']}; here are {faces['training']} and "
            f"{faces['validation']}. Give the same --data (and --allow-missing, if it "
            "was there)"
        )


def check_folder(out: PathLike, recipe: Recipe, resume: bool) -> bool:
    """Whether a folder may be used for this training.

    A folder without a finished epoch holds nothing to lose and is taken over.

    Args:
        out, recipe, resume: as for `train`.

    Returns:
        bool, whether there is a training to resume.

    Raises:
        InputError: as `train`.
    """
    out = pathlib.Path(out)
    check_writable(out)
    requested = json.loads(json.dumps(as_dict(recipe)))
    path = out / RECIPE
    if (out / LAST).exists():
        if not resume:
            raise InputError(
                f"{out}: holds a training already; pass --resume to continue it, or "
                "another folder"
            )
        before = as_dict(read_recipe(out))
        differing = [
            f"{name}: {before[name]!s:.80} there, {requested[name]!s:.80} asked for"
            for name in requested
            if requested[name] not in (before[name], "auto")
        ]
        if differing:
            raise InputError(
                f"{path}: the training in this folder has another recipe "
                f"({'; '.join(differing)})"
            )
        return True
    if recipe.weights:  # better refused here than after the faces are cropped
        take_weights(build_model(recipe), recipe.weights)
    return False
