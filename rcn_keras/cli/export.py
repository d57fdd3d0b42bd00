"""`rcn-keras export`."""

import pathlib

from rcn_keras.cli import arguments
from rcn_keras.cli.output import cropped, reported

CALIBRATION_FACES = 160

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
        help="go on without those folders of 300-W that are not there",
    )
    parser.add_argument(
        "--force", action="store_true", help="replace what is there already"
    )


def run(options):
    from rcn_keras.errors import InputError
    from rcn_keras.export.formats import export_model

    settings = (options.format, options.version, options.quantize, options.force)
    crops = _training_crops(options) if options.data else None
    try:
        print(export_model(options.model, options.folder, *settings, crops))
    except ValueError as error:
        raise InputError(str(error)) from None
    return 0


def _training_crops(options):
    """The network's inputs of training faces, evenly out of their list."""
    from rcn_keras.data.batches import input_images
    from rcn_keras.data.crops import load_crops
    from rcn_keras.data.sets import split_faces
    from rcn_keras.presets import preset_folder, read_layout

    layout = read_layout(preset_folder(options.model))
    (faces, _), _ = split_faces(options.data, layout, options.allow_missing)
    crops = load_crops(faces[:: -(-len(faces) // CALIBRATION_FACES)], layout, cropped)
    return input_images(reported(crops))[0]
