"""What the scripts of this folder share: faces in, rows of results/*.csv out."""

import argparse
import csv
import os
import pathlib
import re
import shlex
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import rivals

from rcn_keras import provenance
from rcn_keras.errors import InputError
from rcn_keras.faces.boxes import training_square
from rcn_keras.faces.images import read_image
from rcn_keras.files import write_csv
from rcn_keras.layout import FACE_5

RESULTS = pathlib.Path(__file__).resolve().parents[1] / "results"
RIVALS = {
    "dlib": rivals.Dlib68,
    "mtcnn": rivals.MTCNN5,
    "mediapipe": rivals.MediaPipeMesh,
}


def parser(description, example, data=True):
    """An argument parser with what every script takes; `data`: a data set too."""
    options = argparse.ArgumentParser(
        description=description,
        epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    if data:
        options.add_argument(
            "--data", type=pathlib.Path, required=True, help="folder of the data set"
        )
    options.add_argument(
        "--results",
        type=pathlib.Path,
        default=RESULTS,
        help="folder for the numbers (default: results/ of the repository)",
    )
    return options


def count_option(parser, name, default, text):
    """Adds an option for a whole number above 0."""

    def positive(given):
        if int(given) < 1:
            raise argparse.ArgumentTypeError(f"must be 1 or more. Received: {given}")
        return int(given)

    text += f" (default: {default or 'all'})"
    parser.add_argument(name, type=positive, default=default, help=text)


def run(main):
    """Runs a script; an error that the user can fix is one line, with exit code 2."""
    try:
        main()
    except (InputError, OSError, ImportError) as error:
        say(f"error: {' '.join(str(error).split())}")
        sys.exit(2)


def say(text):
    print(text, file=sys.stderr, flush=True)


def progress(done, total, what):
    if done % 100 == 0 or done == total:
        say(f"{done}/{total} {what}")


def photographs(faces, what, layout=FACE_5):
    """Decodes one photograph after the other; one that fails is reported and left out.

    Args:
        faces: list of `Face`.
        what: str, for the progress lines.
        layout: `KeypointLayout` of the faces.

    Yields:
        face: `Face`.
        image: `(H, W, 3)` uint8 RGB.
        square: `(left, top, side)`, the network's input by the paper's rule.
    """
    for done, face in enumerate(faces, 1):
        try:
            image = read_image(face.image)
            square = training_square(face.keypoints, layout, *image.shape[1::-1])
        except ValueError as error:  # InputError is one
            say(f"left out: {face.source}: {error}")
        else:
            yield face, image, square
        progress(done, len(faces), what)


def square_box(square):
    """`(left, top, side)` as `[x0, y0, x1, y1]`."""
    left, top, side = square
    return np.array([left, top, left + side, top + side])


def load_rival(name):
    """One of `RIVALS`, ready to run; an `ImportError` says what to install."""
    try:
        return RIVALS[name]()
    except ImportError as error:
        text = str(error)
        if "pip install" not in text:
            text += ": pip install '.[tensorflow,benchmarks]'"
        raise ImportError(f"{name}: {text}") from error


def five_points(rival, image, box):
    """A rival's five points, `(5, 2)` in continuous photograph pixels."""
    return rival.five_points(rival.predict(np.ascontiguousarray(image), box))


def command(arguments=None):
    """The command line that runs now, folders of this machine left out."""
    arguments = sys.argv[1:] if arguments is None else arguments
    script = f"benchmarks/{pathlib.Path(sys.argv[0]).name}"
    names = [re.sub(r"[^=]*/", "", argument.rstrip("/")) for argument in arguments]
    return shlex.join(["python", script, *names])


def write_rows(path, rows):
    """Puts rows into a CSV file, in place of those of an earlier run.

    An earlier run is one of the same command on the same device. Rows of other
    commands, scripts and machines stay as they are.

    Args:
        path: path of the file; it and its folder are made if missing.
        rows: list of dicts; date, device, backend and command are added.
    """
    path = pathlib.Path(path)
    origin = provenance.record() | {"command": command()}
    own = origin["device"], origin["command"]
    kept = []
    if path.exists():
        with path.open(encoding="utf-8-sig", newline="") as file:
            old = list(csv.DictReader(file))
        kept = [row for row in old if (row.get("device"), row.get("command")) != own]
    write_csv(path, kept + [row | origin for row in rows])
    say(f"written: {path}")


def markdown(rows):
    """Rows, a list of dicts of one kind, as a table."""
    lines = ["| " + " | ".join(rows[0]) + " |", "|---" * len(rows[0]) + "|"]
    lines += ["| " + " | ".join(str(v) for v in row.values()) + " |" for row in rows]
    return "\n".join(lines)
