"""`rcn-keras demo-data`."""

import argparse
import pathlib

from rcn_keras.cli import arguments
from rcn_keras.layout import FACES

HELP = "Writes a small data set of drawn faces, in the format of MTFL or of 300-W."
EXAMPLE = "rcn-keras demo-data demo"


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument(
        "--faces",
        type=arguments.whole(10),
        default=600,
        help="for training; of 68 points in all (default: %(default)s)",
    )
    parser.add_argument(
        "--keypoints",
        type=int,
        choices=list(FACES),
        default=5,
        help="5, laid out as MTFL (default), or 68, laid out as 300-W",
    )
    parser.add_argument("--seed", type=arguments.whole(0), default=0)


def run(options: argparse.Namespace) -> int:
    from rcn_keras.data.synthetic import write_300w, write_mtfl
    from rcn_keras.errors import InputError
    from rcn_keras.layout import FACE_68

    if options.folder.is_dir() and any(options.folder.iterdir()):
        raise InputError(f"{options.folder}: is not empty; name a new folder")
    if FACES[options.keypoints].name == FACE_68.name:
        per_set = max(-(-options.faces // 6), 4)  # A split takes ten for training.
        write_300w(options.folder, per_set=per_set, seed=options.seed)
        print(f"{options.folder}: {per_set} faces in each of 300-W's six sets, drawn")
        return 0
    write_mtfl(options.folder, training=options.faces, seed=options.seed)
    print(f"{options.folder}: {options.faces} training faces and a test set, drawn")
    return 0
