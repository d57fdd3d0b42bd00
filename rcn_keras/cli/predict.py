"""`rcn-keras predict`."""

import argparse
import contextlib
import pathlib

from rcn_keras.cli import arguments, inputs
from rcn_keras.cli.formats import FORMATS
from rcn_keras.cli.output import draw, named, progress, save_picture, say
from rcn_keras.cli.predictors import make_predictor

HELP = "Finds the keypoints of the faces in photographs; prints and draws them."
EXAMPLE = "rcn-keras predict photo.jpg --out drawn"


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("photos", nargs="+", metavar="PHOTO|FOLDER", help=inputs.HELP)
    parser.add_argument("--out", type=pathlib.Path, help="folder for drawn pictures")
    parser.add_argument(
        "--format",
        choices=list(FORMATS),
        default="jsonl",
        help="jsonl (default), csv, coco (results of keypoints), or pts (300-W's, a "
        "file a face)",
    )
    parser.add_argument(
        "--to",
        type=pathlib.Path,
        metavar="PATH",
        help="file for the faces (default: standard output); for pts the folder",
    )
    parser.add_argument(
        "--crops",
        type=pathlib.Path,
        metavar="FOLDER",
        help="folder for the faces, cut out with a margin of a quarter of the box; "
        "`rcn-keras align` cuts out upright faces",
    )
    parser.add_argument(
        "--axes", action="store_true", help="with --out: draw the axes of the heads"
    )
    parser.add_argument(
        "--boxes",
        type=pathlib.Path,
        help='face boxes, instead of a detector: JSON {"photo.jpg": [[x0,y0,x1,y1]]}, '
        "or the lines that predict prints",
    )
    arguments.preset(parser)
    parser.add_argument(
        "--server",
        metavar="HOST:PORT",
        help="address of a TensorFlow model server that runs the network and serves it "
        "under the preset's name: HOST:PORT for gRPC, http://HOST:PORT for REST",
    )
    arguments.detection(
        parser,
        others="; with --server also server: the detector of the served export",
    )
    arguments.runtime(parser)


def run(options: argparse.Namespace) -> int:
    from rcn_keras.errors import InputError
    from rcn_keras.faces.box_file import boxes_of, read_boxes
    from rcn_keras.faces.images import file_bytes
    from rcn_keras.files import text_name
    from rcn_keras.stream import predictions

    photos, failures = inputs.list_photos(options.photos)
    for error in failures:
        say(f"error: {error}")
    failed = len(failures)
    inputs.check_outputs([options.to], [photo.path for photo in photos])
    boxes = read_boxes(options.boxes) if options.boxes else None
    inputs.check_folders([options.out, options.crops], photos)
    detect = None if boxes is not None else options.detector
    predictor = make_predictor(options.preset, detect, options.server, options.runtime)
    layout = predictor.layout  # None where a server does not report it

    def find(photo):
        data = file_bytes(photo.path) if photo.data is None else photo.data
        photo_boxes = None if boxes is None else boxes_of(boxes, photo.path)
        return predictor.find(data, photo_boxes, photo.name)

    done, drawn, cut = 0, set(), set()
    results = FORMATS[options.format](options.to, layout)
    predicted = predictions(predictor, photos, find)
    with contextlib.closing(results):
        for number, (photo, (image, faces)) in enumerate(zip(photos, predicted), 1):
            if len(photos) > 1:
                progress(number, len(photos), "photographs")
            path = photo.path
            if isinstance(faces, InputError):
                failed += 1
                say(f"error: {named(faces, photo.name)}")
                continue
            assert image is not None  # only with an error
            done += 1
            faces = [face.as_dict() for face in faces]
            if not faces:
                say(f"{path}: no face found")
            results.add({"image": text_name(path)}, image.shape[1::-1], faces)
            if options.out:
                draw(image, faces, layout, options.out, path, drawn, options.axes)
            for face in faces if options.crops else ():
                crop = _cut_out(image, face["box"])
                save_picture(crop, options.crops, path.stem, cut)
    if failed:
        return 1 if done else 2
    return 0


def _cut_out(image, box):
    """What lies in a box and a quarter of its size around it."""
    x0, y0, x1, y1 = box
    margin = max(x1 - x0, y1 - y0) / 4
    left, top = (max(0, int(v - margin)) for v in (x0, y0))
    return image[top : int(y1 + margin) + 1, left : int(x1 + margin) + 1]
