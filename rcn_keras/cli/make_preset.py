"""`rcn-keras make-preset`."""

import argparse
import json
import pathlib

from rcn_keras.cli import arguments, own_data
from rcn_keras.cli.output import cropped, reported, say

HELP = "Makes a preset of a finished training, calibrated on its validation faces."
EXAMPLE = "rcn-keras make-preset runs/rcn6 --data MTFL --out my_preset"


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "run_folder", type=pathlib.Path, metavar="RUN", help="a training run's folder"
    )
    arguments.data(parser)
    own_data.reading_options(parser)
    parser.add_argument(
        "--out", type=pathlib.Path, required=True, help="folder of the preset"
    )
    parser.add_argument(
        "--results", type=pathlib.Path, help="CSV file of results for the model card"
    )


def run(options: argparse.Namespace) -> int:
    from rcn_keras.data.sets import load_test_set
    from rcn_keras.presets import check_free
    from rcn_keras.presets.card import check_results, write_card
    from rcn_keras.training.calibration import LEAST_BACKGROUNDS
    from rcn_keras.training.publish import publish
    from rcn_keras.training.recipe import input_size, layout, read_recipe

    recipe = read_recipe(options.run_folder)
    check_free(options.out, recipe.model)
    check_results(options.results)
    validation = load_test_set(
        options.data,
        "validation",
        cropped,
        layout(recipe),
        options.allow_missing,
        input_size(recipe),
        **own_data.reading(options),
    )
    config = publish(options.run_folder, reported(validation), options.out)
    write_card(options.out, options.results)
    print(json.dumps(config["validation"], indent=2))
    if config.get("backgrounds") is not None and not config["face_calibration"]:
        say(
            f"no face score: {LEAST_BACKGROUNDS} crops without a face are needed, the "
            f"photographs gave {config['backgrounds']}"
        )
    return 0
