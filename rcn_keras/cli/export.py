"""`rcn-keras export`."""

import argparse
import pathlib

from rcn_keras.cli import arguments
from rcn_keras.cli.output import cropped

HELP = "Writes a network for TensorFlow Serving, ONNX Runtime or LiteRT."
EXAMPLE = "rcn-keras export rcn6_mtfl saved_models/rcn6_mtfl"


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "model",
        help="a preset's name or folder, or a .keras file",
    )
    parser.add_argument(
        "folder",
        type=pathlib.Path,
        nargs="?",
        help="where to write; without it the onnx or litert of a preset goes into its "
        "own folder, for the runtimes of predict",
    )
    parser.add_argument(
        "--format",
        choices=["saved_model", "onnx", "litert"],
        default="saved_model",
        help="default: %(default)s, FOLDER/VERSION/, as TensorFlow Serving wants it",
    )
    parser.add_argument(
        "--version",
        type=arguments.whole(1),
        default=1,
        help="of a SavedModel; default 1",
    )
    parser.add_argument(
        "--quantize",
        action="store_true",
        help="litert: weights as 8-bit integers; onnx: 8-bit arithmetic, needs --data",
    )
    parser.add_argument(
        "--data",
        type=pathlib.Path,
        help="folder of MTFL or 300-W, whose training faces set the ranges of onnx's "
        "8-bit numbers",
    )
    parser.add_argument(
        "--allow-missing",
        action="store_true",
        help="accept missing folders of 300-W",
    )
    parser.add_argument(
        "--detector",
        choices=["mtcnn"],
        help="saved_model: with the signature `photographs`, which finds the faces too",
    )
    parser.add_argument(
        "--force", action="store_true", help="replace what is there already"
    )


def run(options: argparse.Namespace) -> int:
    from rcn_keras.data.calibration import calibration_images
    from rcn_keras.errors import InputError
    from rcn_keras.export.formats import export_model
    from rcn_keras.presets import preset_folder, read_layout

    settings = (options.format, options.version, options.quantize, options.force)
    crops = None
    if options.data:
        layout = read_layout(preset_folder(options.model))
        crops = calibration_images(options.data, layout, options.allow_missing, cropped)
    try:
        target = export_model(
            options.model, options.folder, *settings, crops, options.detector
        )
    except ValueError as error:
        raise InputError(str(error)) from None
    print(target)
    return 0
