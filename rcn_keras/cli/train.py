"""`rcn-keras train`."""

import argparse
import pathlib

from rcn_keras.cli import arguments, own_data
from rcn_keras.cli.output import cropped, reported, say

HELP = "Trains a recipe."
EXAMPLE = """\
rcn-keras train rcn6_mtfl --data MTFL --out runs/rcn6
  rcn-keras train rcn6_mtfl --data MTFL --out runs/rcn6 --resume
  rcn-keras train rcn6_mtfl --data faces --weights rcn6_mtfl --out runs/faces
  rcn-keras train own --data points.csv --images pictures --out runs/own"""


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("recipe", help="see `rcn-keras list`")
    arguments.data(parser)
    own_data.reading_options(parser)
    own_data.layout_options(parser)
    parser.add_argument(
        "--out", type=pathlib.Path, required=True, help="folder of the run"
    )
    parser.add_argument(
        "--resume", action="store_true", help="resume the training in --out"
    )
    parser.add_argument(
        "--weights",
        metavar="PRESET",
        help="name or folder of a preset to fine-tune on the data, such as rcn6_mtfl",
    )
    parser.add_argument(
        "--teacher",
        metavar="PRESET",
        help="name or folder of a preset, such as a wider network, whose maps are "
        "learned beside the labels (distillation)",
    )
    arguments.overrides(parser)
    parser.add_argument(
        "--multi-gpu", action="store_true", help="all GPUs, by MirroredStrategy"
    )


def run(options: argparse.Namespace) -> int:
    from rcn_keras.errors import InputError
    from rcn_keras.training import recipes
    from rcn_keras.training.recipe import input_size, layout, with_layout

    recipe = recipes.get_recipe(options.recipe, **arguments.overridden(options))
    from rcn_keras.data.own import is_own, load_own_training
    from rcn_keras.data.sets import load_training
    from rcn_keras.data.three_hundred_w import TRAINING, counts
    from rcn_keras.layout import FACE_68
    from rcn_keras.training.fit import train as fit
    from rcn_keras.training.network import same_keypoints
    from rcn_keras.training.run_folder import BEST, check_folder

    own = None
    if is_own(options.data):
        own = own_data.read(options.data, options)
        own_data.describe(own)
        try:
            recipe = with_layout(recipe, own.layout)
        except ValueError as error:
            raise InputError(str(error)) from None
    elif options.recipe.startswith("own") or options.layout or options.normalizer:
        raise InputError(
            f"{options.data}: expected a file of your own keypoints (see `rcn-keras "
            "layout --help`); no such file"
        )
    resumed = check_folder(options.out, recipe, options.resume)
    if recipe.weights and not resumed and not same_keypoints(recipe):
        say(f"{recipe.weights} finds other keypoints: the last layer begins anew")
    if own:
        training, validation = load_own_training(
            own, options.data, cropped, input_size(recipe)
        )
        counted = validation.counted().any(axis=1).sum()
        say(
            f"{len(training)} instances for training, {len(validation)} for validation "
            f"({counted} with a known unit of error)"
        )
    else:
        training, validation = load_training(
            options.data,
            cropped,
            layout(recipe),
            options.allow_missing,
            input_size(recipe),
        )
        if training.layout.name == FACE_68.name:
            say(f"300-W: {counts(training.faces + validation.faces, TRAINING)}")
    strategy = None
    if options.multi_gpu:
        from rcn_keras.data.pipeline import all_gpus

        strategy = all_gpus()
    fit(
        recipe,
        reported(training),
        reported(validation),
        options.out,
        resume=options.resume,
        strategy=strategy,
        echo=lambda line: print(line, flush=True),
    )
    print(f"best weights: {options.out / BEST}")
    return 0
