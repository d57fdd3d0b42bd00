"""The paper's tables: what a results file lacks is trained, measured, written down.

Tables 1 to 3 are here, Table 4 in `table4`.
"""

import csv
import pathlib
import time

import keras

from rcn_keras.data.mtfl import AFLW_LABEL_SHIFT
from rcn_keras.errors import InputError
from rcn_keras.evaluation.protocols import ground_truth_boxes
from rcn_keras.files import check_writable, replaced
from rcn_keras.presets import load_weights
from rcn_keras.provenance import record
from rcn_keras.training.callbacks import read_log
from rcn_keras.training.fit import BEST, build_model, train
from rcn_keras.training.recipes import RECIPES, get_recipe

# What a table has beside a row for each recipe that is named after it.
TABLES = {
    "table1": (),
    "table2": (),
    "table3": ("table2_sumnet6_occlusion", "table2_rcn6_occlusion"),
    "table4": ("rcn5_300w", "denoiser_300w", "joint_300w"),
}
MODEL = "model.keras"  # the network with the best weights, for who goes on with it
_KEY = ("recipe", "epochs", "seed")


def table_recipes(table, wanted=None):
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


def reproduce(names, training, validation, tests, out, results, echo=print, **changes):
    """Trains and measures what a results file lacks; may be stopped at any moment.

    Args:
        names: list of recipes' names.
        training, validation: `Crops`.
        tests: dict, `"aflw"`, and `"afw"` if it is at hand, to `Crops`.
        out: folder of the trainings, one folder each; one that was stopped goes on.
        results: path of a CSV file, made if missing. A row: recipe, epochs, seed,
            device, minutes, parameters, validation and test errors in percent of the
            eye distance under both protocols, boxes from the true keypoints, and the
            paper's (AFW there are 377 faces). What is measured is left as `model.keras`
            in the training's folder.
        echo: callable that takes a line of progress.
        **changes: fields of every recipe to set, such as `epochs`.

    Raises:
        InputError: if a folder holds the training of another recipe.
    """
    results = pathlib.Path(results)
    check_writable(results.parent)
    for number, name in enumerate(names, 1):
        recipe = get_recipe(name, **changes)
        key = row_key(name, recipe.epochs, recipe.seed)
        echo(f"{number}/{len(names)} {name}, {recipe.epochs} epochs")
        if has_row(results, key):
            echo("  is in the results already")
            continue
        folder, minutes = trained(name, recipe, training, validation, out, echo)
        model = best_model(recipe, folder)
        row = key | {
            "precision": recipe.precision,
            "training_minutes": minutes,
            "parameters": model.count_params(),
        }
        for part, crops in {"validation": validation, **tests}.items():
            shift = AFLW_LABEL_SHIFT if part == "aflw" else 0.0
            for protocol, error in ground_truth_boxes(
                model, crops, label_shift=shift
            ).items():
                row[f"{part}_{protocol}"] = round(100 * error.mean(), 4)
            row[f"{part}_faces"] = len(crops)
            if part in recipe.paper:
                row[f"{part}_paper"] = recipe.paper[part]
        with replaced(folder / MODEL) as temporary:
            model.save(temporary)
        add_row(results, row)


def row_key(recipe, epochs, seed):
    """What tells a row from the others: its first columns, as the file has them."""
    return dict(zip(_KEY, map(str, (recipe, epochs, seed))))


def trained(name, recipe, training, validation, out, echo):
    """Trains what is missing of a recipe.

    Returns:
        The training's folder, and the minutes that all of it took.
    """
    folder = pathlib.Path(out) / f"{name}_{recipe.epochs}_{recipe.seed}"
    started = time.monotonic()
    train(recipe, training, validation, folder, resume=True, echo=echo)
    echo(f"  {(time.monotonic() - started) / 60:.1f} minutes; measuring")
    log = read_log(folder / "log.csv")
    return folder, round(sum(entry["seconds"] for entry in log) / 60, 1)


def best_model(recipe, folder):
    """The network of a training with its best weights, in float32, never compiled."""
    keras.config.set_dtype_policy("float32")
    model = build_model(recipe)
    load_weights(model, folder / BEST)
    return model


def has_row(results, key):
    """Whether a results file has a row with this key.

    Raises:
        InputError: if the file is not a table's.
    """
    return any(
        all(row[column] == value for column, value in key.items())
        for row in _rows(results)
    )


def _rows(results):
    if not results.is_file():
        return []
    with results.open(newline="") as file:
        rows = list(csv.DictReader(file))
    if rows and not set(_KEY) <= set(rows[0]):
        raise InputError(f"{results}: not a table's results (no columns {_KEY})")
    return rows


def add_row(results, row):
    """Adds a row, and where its numbers come from, to a results file."""
    rows = [*_rows(results), row | record()]
    columns = list(dict.fromkeys(name for each in rows for name in each))
    with replaced(results) as temporary, temporary.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
