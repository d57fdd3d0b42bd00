"""`rcn-keras align`."""

import argparse
import json
import pathlib
from typing import TYPE_CHECKING, cast

from rcn_keras.cli import arguments, inputs
from rcn_keras.cli.output import named, progress, save_picture, say
from rcn_keras.cli.predictors import make_predictor

if TYPE_CHECKING:
    from rcn_keras.faces.align import AlignedFace

HELP = """Writes upright faces of one size as PNG files; prints their matrices as JSON.

A line has the photograph, the file's name, and the 2x3 matrices to the crop and
back, in continuous pixels.
"""
EXAMPLE = "rcn-keras align photo.jpg --out faces --template arcface"


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("photos", nargs="+", metavar="PHOTO|FOLDER", help=inputs.HELP)
    parser.add_argument(
        "--out", type=pathlib.Path, required=True, help="folder for the aligned faces"
    )
    parser.add_argument(
        "--template",
        choices=("arcface", "ffhq", "eyes"),
        default="arcface",
        help="where the face lies in the crop (default: arcface)",
    )
    parser.add_argument(
        "--size", type=arguments.whole(1), default=112, help="pixels (default: 112)"
    )
    parser.add_argument(
        "--eye-distance",
        type=float,
        default=0.4,
        metavar="SIDES",
        help="template eyes: distance of the eyes, in sides of the crop (default: 0.4)",
    )
    arguments.preset(parser)
    arguments.detection(parser)
    arguments.runtime(parser)


def run(options: argparse.Namespace) -> int:
    from rcn_keras.errors import InputError
    from rcn_keras.faces.align import align, check_crop

    check_crop(options.size, options.template, options.eye_distance)
    photos, failures = inputs.list_photos(options.photos)
    for error in failures:
        say(f"error: {error}")
    inputs.check_folders([options.out], photos)
    predictor = make_predictor(
        options.preset, options.detector, runtime=options.runtime
    )
    done, taken = 0, set()
    for number, photo in enumerate(photos, 1):
        if len(photos) > 1:
            progress(number, len(photos), "photographs")
        try:
            image = photo.read()
            aligned = align(
                image,
                predictor(image),
                options.size,
                options.template,
                options.eye_distance,
                predictor.layout,
            )
            faces = cast("list[AlignedFace]", aligned)
        except InputError as error:
            say(f"error: {named(error, photo.path)}")
            continue
        done += 1
        if not faces:
            say(f"{photo.path}: no face found")
        for face in faces:
            name = save_picture(face.image, options.out, photo.path.stem, taken)
            record = {"image": str(photo.path), "file": name}
            for matrix in ("to_crop", "to_photograph"):
                record[matrix] = getattr(face, matrix).round(6).tolist()
            print(json.dumps(record), flush=True)
    if done < len(photos) or failures:
        return 1 if done else 2
    return 0
