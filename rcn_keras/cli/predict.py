"""`rcn-keras predict`."""

import json
import pathlib

from rcn_keras.cli import arguments
from rcn_keras.cli.output import draw, one_line, progress, say
from rcn_keras.cli.predictors import make_predictor

HELP = "Keypoints of photographs as JSON lines, and drawn."
EXAMPLE = "rcn-keras predict photo.jpg --out drawn"


def add_options(parser):
    parser.add_argument("photos", nargs="+", metavar="PHOTO|FOLDER")
    parser.add_argument("--out", type=pathlib.Path, help="folder for drawn pictures")
    parser.add_argument(
        "--boxes",
        type=pathlib.Path,
        help='face boxes in place of a detector: JSON {"photo.jpg": [[x0,y0,x1,y1]]}, '
        "or the lines that predict prints",
    )
    parser.add_argument(
        "--preset",
        default="rcn6_mtfl",
        help="a preset's name or folder (default: %(default)s)",
    )
    parser.add_argument(
        "--server",
        metavar="HOST:PORT",
        help="keypoints by a TensorFlow model server that serves the preset under its "
        "name: HOST:PORT for gRPC, http://HOST:PORT for REST",
    )
    arguments.detection(parser)
    arguments.runtime(parser)


def run(options):
    from rcn_keras.errors import InputError
    from rcn_keras.faces.box_file import boxes_of, read_boxes
    from rcn_keras.faces.images import file_bytes, list_images
    from rcn_keras.files import check_writable, text_name
    from rcn_keras.stream import predictions

    paths, failed = [], 0
    for path in map(pathlib.Path, options.photos):
        try:
            paths += list_images(path, say) if path.is_dir() else [path]
        except InputError as error:
            failed += 1
            say(f"error: {error}")
    boxes = read_boxes(options.boxes) if options.boxes else None
    if options.out:
        check_writable(options.out)
        if any(path.parent.resolve() == options.out.resolve() for path in paths):
            raise InputError(
                f"{options.out}: the drawn pictures could take the place of the "
                "photographs in it; name another folder"
            )
    detect = None if boxes is not None else options.detector
    predictor = make_predictor(options.preset, detect, options.server, options.runtime)
    layout = predictor.layout  # None where a server does not tell
    if detect and layout is not None and layout.detector_square is None:
        raise InputError(
            f"{options.preset}: --boxes is needed: how a detector's boxes lie to the "
            f"keypoints of the layout {layout.name!r} is not known"
        )

    def find(path):
        data = file_bytes(path)
        given = None if boxes is None else boxes_of(boxes, path)
        return predictor.find(data, given, str(path))

    done, drawn = 0, set()
    predicted = predictions(predictor, paths, find)
    for number, (path, (image, faces)) in enumerate(zip(paths, predicted), 1):
        if len(paths) > 1:
            progress(number, len(paths), "photographs")
        if isinstance(faces, InputError):
            failed += 1
            text = one_line(faces)
            say(f"error: {text if str(path) in text else f'{path}: {text}'}")
            continue
        done += 1
        faces = [face.as_dict() for face in faces]
        if not faces:
            say(f"{path}: no face found")
        print(json.dumps({"image": text_name(path), "faces": faces}), flush=True)
        if options.out:
            draw(image, faces, layout, options.out, path, drawn)
    if failed:
        return 1 if done else 2
    return 0
