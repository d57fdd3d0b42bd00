"""`rcn-keras join`."""

import argparse
import json
import pathlib

from rcn_keras.cli import arguments
from rcn_keras.cli.output import cropped, reported

HELP = "Joins the presets of an RCN and of a denoiser into that of a joint model."
EXAMPLE = "rcn-keras join rcn5_300w denoiser_300w --data 300W --out joint"


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("rcn", help="an RCN preset's name or folder")
    parser.add_argument("denoiser", help="a denoiser preset's name or folder")
    arguments.data(parser)
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
    from rcn_keras.training.publish import joint_parts, publish_joint

    parts = joint_parts(options.rcn, options.denoiser)
    check_free(options.out, "joint")
    check_results(options.results)
    layout = parts["rcn"].model.layout
    validation = load_test_set(
        options.data,
        "validation",
        cropped,
        layout,
        options.allow_missing,
        parts["rcn"].model.input_size,
    )
    config = publish_joint(parts, reported(validation), options.out)
    write_card(options.out, options.results)
    print(json.dumps(config["fitted"], indent=2))
    print(json.dumps(config["validation"], indent=2))
    return 0
