"""The paper's tables: what a results file lacks is trained, measured, written down.

Tables 1 to 3 are here, Table 4 in `table4`.
"""

import pathlib
import time

from rcn_keras.data.mtfl import AFLW_LABEL_SHIFT
from rcn_keras.dtype_policy import dtype_policy
from rcn_keras.errors import InputError
from rcn_keras.evaluation.protocols import ground_truth_boxes
from rcn_keras.files import check_writable, read_csv, replaced, write_csv
from rcn_keras.presets import load_weights
from rcn_keras.provenance import record
from rcn_keras.training.callbacks import read_log
from rcn_keras.training.fit import BEST, build_model, check_folder, read_run, train
from rcn_keras.training.recipes import RECIPES, get_recipe, with_precision

# What a table has beside a row for each recipe that is named after it.
TABLES = {
    "table1": (),
    "table2": (),
    "table3": ("table2_sumnet6_occlusion", "table2_rcn6_occlusion"),
    "table4": ("rcn5_300w", "denoiser_300w", "joint_300w"),
}
MODEL = "model.keras"  # the network with the best weights, to build on
_KEY = ("recipe", "epochs", "seed", "batch_size", "precision")


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
        out: folder of the trainings, one folder each; a stopped one is resumed.
        results: path of a CSV file, made if missing. A row: recipe, epochs, seed,
            device, minutes, parameters, validation and test errors in percent of the
            eye distance under both protocols, boxes from the true keypoints, and the
            paper's (AFW there are 377 faces); what begins with `training_` is of the
            training, `device`, `date` and `command` are of the measuring. What is
            measured is left as `model.keras` in the training's folder.
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
        key = row_key(name, recipe)
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
        row = key | training_columns(folder) | {"parameters": model.count_params()}
        for part, crops in sets.items():
            shift = AFLW_LABEL_SHIFT if part == "aflw" else 0.0
            for protocol, error in ground_truth_boxes(
                model, crops, label_shift=shift
            ).items():
                row[f"{part}_{protocol}"] = round(100 * error.mean(), 4)
            if part in recipe.paper:
                row[f"{part}_paper"] = recipe.paper[part]
        with replaced(folder / MODEL) as temporary:
            model.save(temporary)
        add_row(results, row | faces)
    if failed:
        raise InputError(f"{len(failed)} of {len(missing)} failed; {'; '.join(failed)}")


def row_key(name, *recipes):
    """What tells a row from the others, as the file has it: `"58+60"` of two recipes
    that differ."""
    key = {"recipe": name}
    for field in _KEY[1:]:
        values = dict.fromkeys(str(getattr(recipe, field)) for recipe in recipes)
        key[field] = "+".join(values)
    return key


def run_folder(out, name, recipe):
    """The folder of a row's training."""
    return pathlib.Path(out) / f"{name}_{recipe.epochs}_{recipe.seed}"


def trained(name, recipe, training, validation, out, echo):
    """Trains what is missing of a recipe; returns the training's folder."""
    folder = run_folder(out, name, recipe)
    started = time.monotonic()
    train(recipe, training, validation, folder, resume=True, echo=echo)
    echo(f"  {(time.monotonic() - started) / 60:.1f} minutes; measuring")
    return folder


def training_columns(*folders):
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
def best_model(recipe, folder):
    """The network of a training with its best weights, in float32, never compiled."""
    model = build_model(recipe)
    load_weights(model, folder / BEST)
    return model


def has_row(results, key, columns=(), faces=None):
    """Whether a results file has a row with this key that fills these columns.

    Args:
        results: path of a CSV file.
        key: dict, of `row_key`.
        columns: names of columns.
        faces: `None`, or dict, columns to the number of faces that stands there if the
            row is of the same data.

    Raises:
        InputError: if the file is not a table's, or such a row is of other faces.
    """
    for row in _rows(results):
        if not _is_of(row, key):
            continue
        for column, count in (faces or {}).items():
            if row.get(column) and row[column] != str(count):
                raise InputError(
                    f"{results}: {key['recipe']} has {row[column]} {column}; here are "
                    f"{count}. Give the data it was measured on, or another --results"
                )
        if all(row.get(column) for column in columns):
            return True
    return False


def _is_of(row, key):
    return all(row[column] == value for column, value in key.items())


def _rows(results):
    return read_csv(results, _KEY, "a table's results") if results.exists() else []


def add_row(results, row):
    """Puts a row, and where its numbers come from, into a results file; one with the
    same key is replaced."""
    key = {column: row[column] for column in _KEY}
    rows = [each for each in _rows(results) if not _is_of(each, key)]
    write_csv(results, [*rows, row | record()])
