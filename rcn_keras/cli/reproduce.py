"""`rcn-keras reproduce`."""

import argparse
import pathlib
from typing import Any

from rcn_keras.cli import arguments
from rcn_keras.cli.output import cropped, reported

HELP = "Trains and measures the rows of a table of the paper; resumable."
EXAMPLE = """\
rcn-keras reproduce table2 --data MTFL --out runs --epochs 20
  rcn-keras reproduce table1 --data MTFL --out runs --finished --keep table1.npz
  rcn-keras reproduce table3 --data MTFL --afw 300W/afw --out runs
  rcn-keras reproduce table4 --data 300W --out runs --allow-missing"""


def add_options(parser: argparse.ArgumentParser) -> None:
    tables = [f"table{number}" for number in range(1, 5)]
    parser.add_argument(
        "table", choices=tables, help="of the paper: 1 to 3 take MTFL, 4 takes 300-W"
    )
    arguments.data(parser)
    parser.add_argument(
        "--afw",
        type=pathlib.Path,
        help="folder of AFW, or of 300-W for AFW-337: tables 1 to 3 on it too",
    )
    parser.add_argument("--out", type=pathlib.Path, help="folder of the trainings")
    parser.add_argument(
        "--results",
        type=pathlib.Path,
        help="results file; rows that it holds are not made again (default: TABLE.csv "
        "in --out)",
    )
    parser.add_argument(
        "--recipes", nargs="+", metavar="RECIPE", help="some of the table's rows"
    )
    parser.add_argument(
        "--finished",
        action="store_true",
        help="tables 1 to 3: train nothing, measure the finished trainings in --out "
        "(folders named after the recipe, as table2_rcn6 or table2_rcn6_60_0), "
        "whatever was changed in their recipes",
    )
    parser.add_argument(
        "--keep",
        type=pathlib.Path,
        metavar="ARCHIVE",
        help="with --finished: put their weights into this .npz file, in float16",
    )
    parser.add_argument(
        "--kept",
        type=pathlib.Path,
        metavar="ARCHIVE",
        help="tables 1 to 3: train nothing, measure the weights of such a file",
    )
    arguments.overrides(parser)


def run(options: argparse.Namespace) -> int:
    from rcn_keras.errors import InputError
    from rcn_keras.reproduction.masks import write_readings
    from rcn_keras.reproduction.results_file import read_rows
    from rcn_keras.reproduction.tables import table_recipes

    names = table_recipes(options.table, options.recipes)
    finished = options.finished or options.kept
    if options.keep and not options.finished:
        raise InputError("--keep needs --finished")
    if not (options.out or options.kept and options.results):
        raise InputError("give --out, or --kept and --results")
    if options.allow_missing and options.table != "table4":
        raise InputError(
            "--allow-missing is for the folders of 300-W, which table4 takes. "
            f"Received: {options.table}"
        )
    if options.table == "table4" and (options.afw or finished):
        given = "--afw" if options.afw else "--finished and --kept"
        raise InputError(f"table4 is trained and measured on 300-W: leave out {given}")
    results = options.results or options.out / f"{options.table}.csv"
    (_measure if finished else _reproduce)(options, names, results)
    print(f"written: {results}")
    if options.table == "table1":
        readings = results.with_name(f"{results.stem}_readings.csv")
        write_readings(read_rows(results), readings)
        print(f"written: {readings}")
    return 0


def _reproduce(options, names, results):
    from rcn_keras.data.sets import load_test_set, load_training
    from rcn_keras.layout import FACE_68
    from rcn_keras.reproduction.table4 import reproduce_table4
    from rcn_keras.reproduction.tables import reproduce

    data, missing = options.data, options.allow_missing
    measured: Any
    if options.table == "table4":
        training, validation = load_training(data, cropped, FACE_68, missing)
        measured = load_test_set(data, "300w", cropped, FACE_68, missing)
        sets, make = [measured], reproduce_table4
    else:
        training, validation = load_training(data, cropped)
        measured = _test_sets(options)
        sets, make = measured.values(), reproduce
    for crops in (training, validation, *sets):
        reported(crops)
    make(
        names,
        training,
        validation,
        measured,
        options.out,
        results,
        echo=_line,
        **arguments.overridden(options),
    )


def _measure(options, names, results):
    from rcn_keras.data.sets import load_test_set
    from rcn_keras.reproduction import finished

    if options.kept:
        trainings = list(finished.archived_trainings(options.kept, names))
    else:
        trainings = list(finished.finished_trainings(options.out, names, _line))
    validation = reported(load_test_set(options.data, "validation", cropped))
    sets = _test_sets(options)
    for crops in sets.values():
        reported(crops)
    finished.measure(trainings, validation, sets, results, _line)
    if options.keep:
        finished.write_archive(trainings, options.keep)
        print(f"written: {options.keep}")


def _test_sets(options):
    from rcn_keras.data.sets import load_test_set

    sets = {"aflw": load_test_set(options.data, "aflw", cropped)}
    if options.afw:
        sets["afw"] = load_test_set(options.afw, "afw", cropped)
    return sets


def _line(text):
    print(text, flush=True)
