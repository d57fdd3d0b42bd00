"""`rcn-keras export`."""

import argparse
import pathlib

from rcn_keras.cli import arguments, own_data
from rcn_keras.cli.output import cropped, reported

HELP = "Writes a network for TensorFlow Serving, ONNX Runtime or LiteRT."
EXAMPLE = """\
rcn-keras export rcn6_mtfl saved_models/rcn6_mtfl
  rcn-keras export my_preset --format onnx
  rcn-keras export my_preset --format onnx --quantize --data points.csv"""


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
        help="litert: weights as 8-bit integers; onnx: 8-bit arithmetic. Needs the "
        "--data of the training, except for the litert of a face's 5 or 68 points",
    )
    arguments.data(parser, required=False)
    own_data.reading_options(parser)
    parser.add_argument(
        "--detector",
        choices=["mtcnn"],
        help="saved_model: with the signature `photographs`, which finds the faces too",
    )
    parser.add_argument(
        "--force", action="store_true", help="replace what is there already"
    )


def run(options: argparse.Namespace) -> int:
    from rcn_keras.data.batches import input_images
    from rcn_keras.data.calibration import calibration_crops
    from rcn_keras.errors import InputError
    from rcn_keras.export.formats import export_model

    def calibration(model):
        crops = calibration_crops(
            options.data,
            model.layout,
            options.allow_missing,
            cropped,
            model.input_size,
            **own_data.reading(options),
        )
        return input_images(reported(crops))[0]

    try:
        target = export_model(
            options.model,
            options.folder,
            options.format,
            options.version,
            options.quantize,
            options.force,
            calibration if options.data else None,
            options.detector,
        )
    except ValueError as error:
        raise InputError(str(error)) from None
    print(target)
    return 0
