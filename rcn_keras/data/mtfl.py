"""MTFL v1.0 (training) and its AFLW test faces: 5 points and four attributes."""

import pathlib

import numpy as np

from rcn_keras._types import PathLike
from rcn_keras.attributes import ATTRIBUTES
from rcn_keras.data.annotations import Face
from rcn_keras.data.points_file import LIMIT, RANGE
from rcn_keras.errors import InputError
from rcn_keras.files import find_file, read_text

# The labels of `testing.txt` (AFLW) lie this many pixels further right and down than
# those of `training.txt`; taken off both coordinates for the "shift-corrected"
# protocols, and nowhere else. Rounded from a measurement on these labels
# (docs/label-shift.md).
AFLW_LABEL_SHIFT = 1.0


def read_mtfl(folder: PathLike, part: str) -> list[Face]:
    """Reads one list of MTFL as released.

    Labels are 1-based pixel centres in both files; the continuous coordinate is the
    label less one half. Paths may use `/` or `\\`, lines may start with a blank, and
    blank lines, such as the one that ends the released files, are skipped.

    Args:
        folder: folder with `training.txt`, `testing.txt` and the image folders.
        part: `"training"` (10,000 faces of LFW and the web) or `"testing"` (2,995 of
            AFLW).

    Returns:
        list of `Face` with 5 keypoints, in the order of the file. Images are not
        opened here.

    Raises:
        InputError: if the file is missing or a line is malformed; the message names
            the file, the line and what was expected.

    Reference:
        Zhang et al., Facial Landmark Detection by Deep Multi-task Learning, ECCV 2014.
    """
    if part not in ("training", "testing"):
        raise ValueError(f"`part` must be 'training' or 'testing'. Received: {part!r}")
    folder = pathlib.Path(folder)
    path = folder / f"{part}.txt"
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder (expected the folder of MTFL)")
    if not path.is_file():
        raise InputError(f"{path}: no such file (expected MTFL's list of faces)")
    faces = []
    lines = read_text(path, errors="replace").splitlines()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue  # the released files end in one
        faces.append(_parsed(line, folder, f"{path}:{number}"))
    if not faces:
        raise InputError(f"{path}: no faces listed")
    return faces


def _parsed(line, folder, source):
    # Paths hold no blanks in the released files; splitting from the right allows them.
    fields = line.strip().rsplit(maxsplit=14)
    if len(fields) != 15:
        raise InputError(
            f"{source}: expected a path, x1..x5, y1..y5 and 4 attributes (15 fields); "
            f"found {len(fields)}"
        )
    name, numbers = fields[0].replace("\\", "/"), fields[1:]
    try:
        values = np.array([float(number) for number in numbers])
    except ValueError:
        raise InputError(
            f"{source}: expected 14 numbers behind the path; found {' '.join(numbers)}"
        ) from None
    if not (np.abs(values) < LIMIT).all():
        raise InputError(f"{source}: expected numbers {RANGE}; found {line.strip()}")
    keypoints = values[:10].reshape(2, 5).T - 0.5
    attributes = dict(zip(ATTRIBUTES, values[10:].astype(int).tolist()))
    return Face(
        find_file(folder / name), keypoints.astype("float32"), source, attributes
    )
