"""One's own keypoints, from a table to a measured network, by the commands alone.

    python benchmarks/own_keypoints.py --data webmorph --out runs

`webmorph` holds `keypoints.csv`, 189 points on each of 102 faces from London and 40
from Canada, and `images/`. Two splits: `mixed`, 112 faces for training and 30 to test
on (every fifth from London, every fourth from Canada); and `london`, trained on
London's faces and tested on all of Canada's. `train` holds a tenth of its faces out for
validation. Both recipes fine-tune `rcn5_300w`, mirror by the shape and turn upright
faces less than the recipes do. Errors are sub-pixel, in percent of the distance of the
pupils. A training that is finished in `--out` is only read.
"""

import csv
import json
import pathlib
import subprocess
import sys

import common

from rcn_keras.errors import InputError
from rcn_keras.files import write_csv
from rcn_keras.training.callbacks import read_log
from rcn_keras.training.recipe import read_recipe
from rcn_keras.training.run_folder import read_run

PUPILS = "p000,p001"
# For upright faces of which there are few (docs/guides/own-keypoints.md).
OPTIONS = ["--normalizer", PUPILS, "--mirror-by-shape", "--weights", "rcn5_300w"]
SETTINGS = {
    "arguments.branches": 5,
    "augmentation.rotation": 15,
    "finish.rotation": 10,
    "finish_epochs": 40,
}
OPTIONS += ["--epochs", "120", *(f"--set={k}={v}" for k, v in SETTINGS.items())]


def main():
    parser = common.parser(
        __doc__, "python benchmarks/own_keypoints.py --data webmorph --out runs"
    )
    parser.add_argument(
        "--out", type=pathlib.Path, required=True, help="folder of the trainings"
    )
    parser.add_argument("--recipes", nargs="+", default=["own", "own_fine"])
    parser.add_argument(
        "--splits", nargs="+", default=["mixed", "london"], choices=["mixed", "london"]
    )
    options = parser.parse_args()
    images = ["--images", str(options.data / "images")]
    rows = []
    for split in options.splits:
        tables = write_tables(options.data / "keypoints.csv", split, options.out)
        for recipe in options.recipes:
            run = options.out / f"{split}_{recipe}"
            data = ["--data", str(tables["training"]), *images]
            rcn_keras("train", recipe, *data, *OPTIONS, "--resume", "--out", run)
            preset = str(options.out / f"{split}_{recipe}_preset")
            rcn_keras("make-preset", str(run), *data, "--out", preset)
            for name in sorted(tables.keys() - {"training"}):
                measured = ["--data", str(tables[name]), *images, "--set", "all"]
                numbers = options.out / "numbers.json"
                rcn_keras("evaluate", preset, *measured, "--json", str(numbers))
                rows.append(
                    row(
                        split,
                        name,
                        run,
                        json.loads(numbers.read_text(encoding="utf-8")),
                    )
                )
            common.write_rows(options.results / "own_keypoints.csv", rows)
    print(common.markdown(rows))


def finished_trainings(doc, example):
    """The options of a benchmark of this one's presets, and the tables of `mixed`."""
    parser = common.parser(doc, example)
    parser.add_argument(
        "--out", type=pathlib.Path, required=True, help="folder of the trainings"
    )
    parser.add_argument("--recipes", nargs="+", default=["own", "own_fine"])
    options = parser.parse_args()
    table = options.data / "keypoints.csv"
    return options, write_tables(table, "mixed", options.out)


def write_tables(path, split, out):
    """The parts of the table as files of their own: name to path."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.DictReader(file))
    parts, seen = {}, {"london": 0, "canada": 0}
    for line in lines:
        place = line["image"].split("_")[0]
        seen[place] += 1
        every = {"london": 5, "canada": 4}[place]
        held_out = place == "canada" if split == "london" else seen[place] % every == 0
        parts.setdefault(place if held_out else "training", []).append(line)
    for name, part in parts.items():
        write_csv(out / f"{split}_{name}.csv", part)
    return {name: out / f"{split}_{name}.csv" for name in parts}


def rcn_keras(*arguments):
    """Runs the command line; what it says is shown."""
    arguments = list(map(str, arguments))
    common.say(f"rcn-keras {' '.join(arguments)}")
    ran = subprocess.run([sys.executable, "-m", "rcn_keras", *arguments])
    if ran.returncode:  # The command has said why.
        raise InputError(f"rcn-keras {arguments[0]}: exit code {ran.returncode}")


def row(split, name, run, numbers):
    """The row of a network on a set."""
    log, recipe, origin = read_log(run / "log.csv"), read_recipe(run), read_run(run)
    return {
        "split": split,
        "recipe": run.name.removeprefix(f"{split}_"),
        "set": name,
        "faces": numbers["faces"],
        "subpixel_nme": round(numbers["protocols"]["subpixel"]["nme"], 3),
        "keypoints": len(numbers["protocols"]["subpixel"]["per_keypoint"]),
        "keypoints_below_2": sum(
            error < 2 for error in numbers["protocols"]["subpixel"]["per_keypoint"]
        ),
        "grid_nme": round(numbers["protocols"]["paper_grid"]["nme"], 3),
        "validation_subpixel": round(min(100 * e["val_nme_clean"] for e in log), 3),
        "training_faces": origin["faces"]["training"],
        "epochs": len(log),
        "seed": recipe.seed,
        "precision": recipe.precision,
        "training_minutes": round(sum(epoch["seconds"] for epoch in log) / 60, 1),
        "training_device": origin["device"],
    }


if __name__ == "__main__":
    common.run(main)
