"""`rcn-keras layout`."""

import argparse
import pathlib

from rcn_keras.cli import own_data
from rcn_keras.cli.output import cropped, draw, reported

HELP = "Prints the layout of a file of keypoints as JSON, and draws its pictures."
EXAMPLE = """\
rcn-keras layout points.csv --images pictures --out drawn
  rcn-keras layout points.csv --normalizer left_eye,right_eye > layout.json"""

DRAWN = 8  # pictures


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file",
        type=pathlib.Path,
        help="keypoints: a CSV table, or the file of COCO, DeepLabCut or Label Studio",
    )
    own_data.reading_options(parser)
    own_data.layout_options(parser)
    parser.add_argument(
        "--out",
        type=pathlib.Path,
        help=f"folder for drawings of the first {DRAWN} pictures",
    )


def run(options: argparse.Namespace) -> int:
    from rcn_keras.data.crops import load_crops
    from rcn_keras.faces.images import read_image
    from rcn_keras.files import check_writable

    annotations = reported(own_data.read(options.file, options))
    own_data.describe(annotations)
    print(annotations.layout.to_json(), end="", flush=True)
    # What training will leave out once it has seen the pictures.
    reported(load_crops(annotations.faces, annotations.layout, cropped, border=False))
    if options.out:
        check_writable(options.out)
        pictures = {}
        for face in annotations.faces:
            instance = {"keypoints": face.keypoints, "box": face.attributes.get("box")}
            pictures.setdefault(face.image, []).append(instance)
        drawn = set()
        for path, faces in list(pictures.items())[:DRAWN]:
            image = read_image(path)
            draw(image, faces, annotations.layout, options.out, path, drawn)
    return 0
