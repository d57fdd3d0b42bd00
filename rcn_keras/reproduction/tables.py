"""The paper's tables: what a results file lacks is trained, measured, written down.

Tables 1 to 3 are here, Table 4 in `table4`.
"""

from __future__ import annotations

import json
import pathlib
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rcn_keras._types import Echo, PathLike
from rcn_keras.data.mtfl import AFLW_LABEL_SHIFT
from rcn_keras.dtype_policy import dtype_policy
from rcn_keras.errors import InputError
from rcn_keras.evaluation.protocols import ground_truth_boxes
from rcn_keras.files import check_writable, replaced
from rcn_keras.presets import load_weights
from rcn_keras.reproduction.masks import reading
from rcn_keras.reproduction.results_file import KEY, add_row, has_row, row_key
from rcn_keras.training.callbacks import read_log
from rcn_keras.training.fit import train
from rcn_keras.training.network import build_model
from rcn_keras.training.recipe import (
    Recipe,
    as_dict,
    with_precision,
)
from rcn_keras.training.recipes import RECIPES, get_recipe
from rcn_keras.training.run_folder import BEST, check_folder, read_run

if TYPE_CHECKING:
    from rcn_keras.data.crops import Crops
    from rcn_keras.models import KeypointModel

# What a table has beside a row for each recipe that is named after it.
TABLES = {
    "table1": (),
    "table2": (),
    "table3": ("table2_sumnet6_occlusion", "table2_rcn6_occlusion"),
    "table4": ("rcn5_300w", "denoiser_300w", "joint_300w"),
}
MODEL = "model.keras"  # the network with the best weights, to build on


def table_recipes(table: str, wanted: Sequence[str] | None = None) -> list[str]:
    """The names of a table's rows, which are recipes but for the joint model's.

    Args:
        table: one of `TABLES`.
        wanted: `None` for all of them, or the names of some.

    Raises:
        InputError: for a name that is none of the table's.
    """
    names = [name for name in RECIPES if name.startswith(f"{table}_")]
    names += TABLES[table]
    unknown = sorted(set(wanted or ()) - set(names))
    if unknown:
        raise InputError(
            f"{table} has no recipe {unknown[0]!r}; its are: {', '.join(names)}"
        )
    return [name for name in names if not wanted or name in wanted]


def reproduce(
    names: Sequence[str],
    training: Crops,
    validation: Crops,
    tests: Mapping[str, Crops],
    out: PathLike,
    results: PathLike,
    echo: Echo = print,
    **changes: Any,
) -> None:
    """Trains and measures what a results file lacks; may be stopped at any moment.

    Args:
        names: list of recipes' names.
        training, validation: `Crops`.
        tests: dict, `"aflw"`, and `"afw"` if it is at hand, to `Crops`.
        out: folder of the trainings, one folder each; a stopped one is resumed.
        results: path of a CSV file, made if missing. A row: recipe, epochs, seed,
            device, minutes, parameters, validation and test errors in percent of the
            eye distance under both protocols, boxes from the true keypoints, and the
            paper's (AFW there are 377 faces); what begins with `training_` is of the
            training, `device`, `date` and `command` are of the measuring. What is
            measured is left as `model.keras` in the training's folder. `changes` is
            what else of the recipe was changed, `reading` how a mask is read.
        echo: callable that takes a line of progress.
        **changes: fields of every recipe to set, such as `epochs`.

    Raises:
        InputError: if a folder holds the training of another recipe, or the results a
            row of other faces, before anything is trained; if a training failed, when
            the other rows are done.
    """
    results = pathlib.Path(results)
    check_writable(results.parent)
    sets = {"validation": validation, **tests}
    faces = {f"{part}_faces": len(crops) for part, crops in sets.items()}
    missing, failed = [], []
    for name in names:
        recipe = with_precision(get_recipe(name, **changes))
        key = row_key(name, recipe) | {"changes": changed_fields(name, recipe)}
        if has_row(results, key, [f"{part}_subpixel" for part in tests], faces):
            echo(f"{name}, {recipe.epochs} epochs, is in the results already")
        else:
            folder = run_folder(out, name, recipe)
            if folder.exists():
                check_folder(folder, recipe, resume=True)
            missing.append((name, recipe, key))
    for number, (name, recipe, key) in enumerate(missing, 1):
        echo(f"{number}/{len(missing)} {name}, {recipe.epochs} epochs")
        try:
            folder = trained(name, recipe, training, validation, out, echo)
        except InputError as error:
            failed.append(f"{name}: {error}")
            echo(f"  failed: {error}")
            continue
        model = best_model(recipe, folder)
        columns = measured_columns(recipe, model, sets)
        with replaced(folder / MODEL) as temporary:
            model.save(temporary)
        add_row(results, key | training_columns(folder) | columns)
    if failed:
        raise InputError(f"{len(failed)} of {len(missing)} failed; {'; '.join(failed)}")


def measured_columns(
    recipe: Recipe, model: KeypointModel, sets: Mapping[str, Crops]
) -> dict[str, float | str]:
    """What is measured of a row's network, with the paper's numbers beside it.

    Args:
        recipe: `Recipe`.
        model: `KeypointModel`.
        sets: dict, `"validation"`, `"aflw"`, `"afw"` to `Crops`.

    Returns:
        dict, errors in percent of the eye distance.
    """
    columns: dict[str, float | str] = {"parameters": model.count_params()}
    if "mask" in recipe.arguments:
        columns["reading"] = reading(recipe.arguments)
    for part, crops in sets.items():
        shift = AFLW_LABEL_SHIFT if part == "aflw" else 0.0
        for protocol, error in ground_truth_boxes(
            model, crops, label_shift=shift
        ).items():
            columns[f"{part}_{protocol}"] = round(100 * error.mean(), 4)
        columns[f"{part}_faces"] = len(crops)
        if part in recipe.paper:
            columns[f"{part}_paper"] = recipe.paper[part]
    return columns


def changed_fields(name: str, recipe: Recipe) -> str:
    """The fields of a training's recipe that differ from the named one and have no
    column of their own: `optimizer=muon arguments={"branches": 6, "trunk_l2": 1e-06}`.
    """
    named, fields = as_dict(get_recipe(name)), as_dict(recipe)
    columns = {*KEY, "paper"}
    return " ".join(
        f"{field}={value if isinstance(value, str) else json.dumps(value)}"
        for field, value in fields.items()
        if field not in columns and json.dumps(value) != json.dumps(named[field])
    )


def run_folder(out: PathLike, name: str, recipe: Recipe) -> pathlib.Path:
    """The folder of a row's training."""
    return pathlib.Path(out) / f"{name}_{recipe.epochs}_{recipe.seed}"


def trained(
    name: str,
    recipe: Recipe,
    training: Crops,
    validation: Crops,
    out: PathLike,
    echo: Echo,
) -> pathlib.Path:
    """Trains what is missing of a recipe; returns the training's folder."""
    folder = run_folder(out, name, recipe)
    started = time.monotonic()
    train(recipe, training, validation, folder, resume=True, echo=echo)
    echo(f"  {(time.monotonic() - started) / 60:.1f} minutes; measuring")
    return folder


def training_columns(*folders: pathlib.Path) -> dict[str, Any]:
    """Where and by what the networks of a row were trained, and the minutes of it."""
    runs = [read_run(folder) for folder in folders]
    logs = [read_log(folder / "log.csv") for folder in folders]
    seconds = sum(entry["seconds"] for log in logs for entry in log)
    columns: dict[str, float | str] = {"training_minutes": round(seconds / 60, 1)}
    for name in ("device", "date", "command"):
        values = dict.fromkeys(each.get(name, "?") for each in runs)
        columns[f"training_{name}"] = "; ".join(values)
    return columns


@dtype_policy("float32")
def best_model(recipe: Recipe, folder: pathlib.Path) -> KeypointModel:
    """The network of a training with its best weights, in float32, never compiled."""
    model = build_model(recipe)
    load_weights(model, folder / BEST)
    return model
