"""Finished trainings of a table's rows, measured again: of a folder, or of an archive.

An archive is small enough to be kept beside the results: an `.npz` file with, for each
training, its weights in float16 as one vector and what a row says of the training.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import pathlib
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rcn_keras._types import Echo, PathLike
from rcn_keras.dtype_policy import dtype_policy
from rcn_keras.errors import InputError
from rcn_keras.files import check_writable, replaced
from rcn_keras.reproduction.results_file import add_row, has_row, row_key
from rcn_keras.reproduction.tables import (
    best_model,
    changed_fields,
    measured_columns,
    training_columns,
)
from rcn_keras.training.callbacks import read_log
from rcn_keras.training.network import build_model
from rcn_keras.training.recipe import RECIPE, Recipe, as_dict, read_recipe
from rcn_keras.training.recipes import RECIPES, get_recipe

if TYPE_CHECKING:
    from rcn_keras.data.crops import Crops
    from rcn_keras.models import KeypointModel


@dataclasses.dataclass(frozen=True)
class Finished:
    """A training that has ended.

    Attributes:
        name: str, the recipe's name.
        recipe: `Recipe`, as it was trained.
        columns: dict, what a row says of the training (`tables.training_columns`).
        model: callable that gives the network with its best weights, in float32.
    """

    name: str
    recipe: Recipe
    columns: dict[str, Any]
    model: Callable[[], KeypointModel]


def finished_trainings(
    out: PathLike,
    names: Sequence[str],
    echo: Echo = print,
) -> Iterator[Finished]:
    """The finished trainings of some recipes in a folder, whatever was set in them.

    Args:
        out: folder of the trainings. A training's folder is named after its recipe,
            perhaps with an ending: `table2_rcn6`, `table2_rcn6_60_0`.
        names: list of recipes' names.
        echo: callable that takes a line for each training that is left out.

    Yields:
        `Finished`.

    Raises:
        InputError: if a training's files are damaged.
    """
    for path in sorted(pathlib.Path(out).glob(f"*/{RECIPE}")):
        folder = path.parent
        fitting = [n for n in RECIPES if f"{folder.name}_".startswith(f"{n}_")]
        name = max(fitting, key=len, default="")
        if name not in names:
            continue
        recipe = read_recipe(folder)
        epochs = len(read_log(folder / "log.csv"))
        if epochs < recipe.epochs:
            echo(f"{folder}: left out, {epochs} of its {recipe.epochs} epochs are done")
        elif _network(recipe) != _network(get_recipe(name)):
            echo(f"{folder}: left out, not the network of {name}")
        else:
            columns = training_columns(folder)
            model = functools.partial(best_model, recipe, folder)
            yield Finished(name, recipe, columns, model)


def archived_trainings(path: PathLike, names: Sequence[str]) -> Iterator[Finished]:
    """The trainings of some recipes in an archive that `write_archive` wrote.

    Args:
        path: of the file.
        names: list of recipes' names.

    Yields:
        `Finished`; the weights are those of the training rounded to float16.

    Raises:
        InputError: if the file is no archive.
    """
    damage = (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile)
    try:
        with np.load(path) as archive:
            vectors = {key: archive[key] for key in archive.files}
        for each in json.loads(str(vectors["trainings"])):
            recipe, weights = Recipe(**each["recipe"]), vectors[each["weights"]]
            model = functools.partial(_model, recipe, weights)
            if each["name"] in names:
                yield Finished(each["name"], recipe, each["columns"], model)
    except damage as error:
        raise InputError(f"{path}: not an archive of trainings ({error})") from None


def write_archive(trainings: Sequence[Finished], path: PathLike) -> None:
    """Writes trainings into one file: weights as float16, about 2 bytes a parameter.

    Args:
        trainings: list of `Finished`.
        path: of the `.npz` file.

    Raises:
        InputError: if a weight is too large for float16.
    """
    path = pathlib.Path(path)
    check_writable(path.parent)
    listed: list[dict[str, Any]] = []
    vectors: dict[str, Any] = {}
    for number, training in enumerate(trainings):
        weights = training.model().get_weights()
        vector = np.concatenate([weight.ravel() for weight in weights])
        if np.abs(vector).max() > np.finfo("float16").max:
            raise InputError(f"{training.name}: weights too large for float16")
        vectors[f"weights_{number}"] = vector.astype("float16")
        listed.append(
            {
                "name": training.name,
                "weights": f"weights_{number}",
                "recipe": as_dict(training.recipe),
                "columns": training.columns,
            }
        )
    vectors["trainings"] = np.array(json.dumps(listed))
    with replaced(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **vectors)


def measure(
    trainings: Sequence[Finished],
    validation: Crops,
    tests: Mapping[str, Crops],
    results: PathLike,
    echo: Echo = print,
) -> None:
    """Measures what a results file lacks; arguments and rows as of `tables.reproduce`.

    Args:
        trainings: list of `Finished`.
        validation: `Crops`.
        tests: dict, `"aflw"`, and `"afw"` if it is at hand, to `Crops`.
        results: path of a CSV file, made if missing.
        echo: callable that takes a line of progress.

    Raises:
        InputError: if there is nothing to measure, or the results have a row of other
            faces.
    """
    results = pathlib.Path(results)
    check_writable(results.parent)
    if not trainings:
        raise InputError("no finished training of the table's recipes")
    sets = {"validation": validation, **tests}
    faces = {f"{part}_faces": len(crops) for part, crops in sets.items()}
    for number, training in enumerate(trainings, 1):
        name, recipe = training.name, training.recipe
        echo(f"{number}/{len(trainings)} {name}, {recipe.epochs} epochs")
        key = row_key(name, recipe) | {"changes": changed_fields(name, recipe)}
        if has_row(results, key, [f"{part}_subpixel" for part in tests], faces):
            echo("  is in the results already")
            continue
        columns = measured_columns(recipe, training.model(), sets)
        add_row(results, key | training.columns | columns)


@dtype_policy("float32")
def _model(recipe, vector):
    """The network of a recipe with its weights from one vector."""
    model = build_model(recipe)
    shapes = [weight.shape for weight in model.weights]
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
    if ends[-1] != len(vector):
        raise ValueError(f"{len(vector)} weights for the {ends[-1]} of {model.name}")
    parts = np.split(vector.astype("float32"), ends[:-1])
    model.set_weights([part.reshape(shape) for part, shape in zip(parts, shapes)])
    return model


def _network(recipe):
    # These change no weight's shape.
    free = ("trunk_l2", "branch_l2", "upsampling")
    arguments = {k: v for k, v in recipe.arguments.items() if k not in free}
    return recipe.model, json.dumps(arguments, sort_keys=True)
