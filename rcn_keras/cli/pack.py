"""`rcn-keras pack`."""

import argparse
import pathlib

from rcn_keras.cli import arguments
from rcn_keras.cli.output import cropped, progress, reported
from rcn_keras.layout import FACES

HELP = "Packs the cropped training faces into files, to train without the photographs."
EXAMPLE = """\
rcn-keras pack --data MTFL --out packed
  rcn-keras train rcn6_mtfl --data packed --out runs/rcn6"""


def add_options(parser: argparse.ArgumentParser) -> None:
    arguments.data(parser)
    parser.add_argument(
        "--keypoints",
        type=int,
        choices=list(FACES),
        default=5,
        help="5, of MTFL (default), or 68, of 300-W",
    )
    parser.add_argument(
        "--out", type=pathlib.Path, required=True, help="folder of the packed faces"
    )
    parser.add_argument(
        "--megabytes",
        type=arguments.whole(1),
        default=28,
        help="largest file in MiB (default: %(default)s)",
    )


def run(options: argparse.Namespace) -> int:
    from rcn_keras.data.packed import pack as write
    from rcn_keras.data.sets import load_training

    data, missing = options.data, options.allow_missing
    layout = FACES[options.keypoints]
    training, validation = load_training(data, cropped, layout, missing)
    names = write(
        reported(training),
        reported(validation),
        options.out,
        options.megabytes,
        lambda done, total: progress(done, total, "faces packed"),
    )
    print("\n".join(str(options.out / name) for name in names))
    return 0
