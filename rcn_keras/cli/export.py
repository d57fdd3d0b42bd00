"""`rcn-keras export`."""

import pathlib

from rcn_keras.cli import arguments

HELP = "Writes a network for TensorFlow Serving, ONNX Runtime or LiteRT."
EXAMPLE = "rcn-keras export rcn6_mtfl saved_models/rcn6_mtfl"


def add_options(parser):
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
        "--quantize", action="store_true", help="litert: weights as 8-bit integers"
    )
    parser.add_argument(
        "--detector",
        choices=["mtcnn"],
        help="saved_model: with the signature `photographs`, which finds the faces too",
    )
    parser.add_argument(
        "--force", action="store_true", help="replace what is there already"
    )


def run(options):
    from rcn_keras.errors import InputError
    from rcn_keras.export.formats import export_model

    settings = (options.format, options.version, options.quantize, options.force)
    try:
        target = export_model(
            options.model, options.folder, *settings, detector=options.detector
        )
    except ValueError as error:
        raise InputError(str(error)) from None
    print(target)
    return 0
