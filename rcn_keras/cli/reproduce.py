"""`rcn-keras reproduce`."""

import argparse
import functools
import pathlib
from typing import Any

from rcn_keras.cli import arguments
from rcn_keras.cli.output import cropped, reported

HELP = "Trains and measures the rows of a table of the paper; resumable."
EXAMPLE = """\
rcn-keras reproduce table2 --data MTFL --out runs --epochs 20
  rcn-keras reproduce table1 --data MTFL --afw 300W/afw --out runs --finished
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
    parser.add_argument(
        "--out", type=pathlib.Path, required=True, help="folder of the trainings"
    )
    parser.add_argument(
        "--results",
        type=pathlib.Path,
        help="results file; rows that it holds are not made again (default: TABLE.csv "
        "in the folder of the trainings)",
    )
    parser.add_argument(
        "--recipes", nargs="+", metavar="RECIPE", help="some of the table's rows"
    )
    parser.add_argument(
        "--finished",
        action="store_true",
        help="train nothing: measure the finished trainings in --out (folders named "
        "after the recipe, as table2_rcn6 or table2_rcn6_60_0), with whatever was "
        "changed in their recipes",
    )
    arguments.overrides(parser)


def run(options: argparse.Namespace) -> int:
    from rcn_keras.data.sets import load_test_set, load_training
    from rcn_keras.errors import InputError
    from rcn_keras.layout import FACE_68
    from rcn_keras.reproduction.masks import write_readings
    from rcn_keras.reproduction.results_file import read_rows
    from rcn_keras.reproduction.table4 import reproduce_table4
    from rcn_keras.reproduction.tables import reproduce, table_recipes

    names = table_recipes(options.table, options.recipes)
    results = options.results or options.out / f"{options.table}.csv"
    data, missing = options.data, options.allow_missing
    measured: Any
    if options.table == "table4":
        if options.afw:
            raise InputError("table4 is measured on 300-W's test faces: without --afw")
        if options.finished:
            raise InputError("--finished is of tables 1 to 3: table4")
        training, validation = load_training(data, cropped, FACE_68, missing)
        measured = load_test_set(data, "300w", cropped, FACE_68, missing)
        sets, make = [measured], reproduce_table4
    else:
        if missing:
            raise InputError(f"--allow-missing is of table4's 300-W: {options.table}")
        if options.finished:
            training, validation = None, load_test_set(data, "validation", cropped)
        else:
            training, validation = load_training(data, cropped)
        measured = {"aflw": load_test_set(data, "aflw", cropped)}
        if options.afw:
            measured["afw"] = load_test_set(options.afw, "afw", cropped)
        sets = measured.values()
        make = functools.partial(reproduce, finished=options.finished)
    for crops in (training, validation, *sets):
        if crops is not None:
            reported(crops)
    make(
        names,
        training,
        validation,
        measured,
        options.out,
        results,
        echo=lambda line: print(line, flush=True),
        **arguments.overridden(options),
    )
    print(f"written: {results}")
    if options.table == "table1":
        readings = results.with_name(f"{results.stem}_readings.csv")
        write_readings(read_rows(results), readings)
        print(f"written: {readings}")
    return 0
