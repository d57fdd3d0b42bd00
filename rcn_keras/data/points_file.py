"""The `.pts` files of 300-W: one face's points as text, beside its photograph."""

import os
import pathlib

import numpy as np

from rcn_keras._types import PathLike
from rcn_keras.errors import InputError
from rcn_keras.faces.images import is_image_name, suffixes
from rcn_keras.files import read_text, text_name

FIRST = (".jpg", ".jpeg", ".png")  # suffixes of photographs that are tried first
LIMIT = 1e9  # No coordinate is larger; a larger one would overflow float32.
RANGE = "between -1e9 and 1e9"


def read_pts(path: PathLike, count: int = 68) -> np.ndarray:
    """Reads a `.pts` file, with or without its header and braces.

    Coordinates are 1-based pixel centres in the file; the continuous coordinate is the
    one in the file less one half.

    Args:
        path: path of the file.
        count: int, how many points it must hold.

    Returns:
        `(count, 2)` float32, (x, y) in continuous photograph pixels.

    Raises:
        InputError: if there is no such file, the number of points is another, a line is
            not two numbers below `LIMIT`, or a brace is missing; the message names the
            file and, where there is one, the line.
    """
    path = pathlib.Path(path)
    text = read_text(path, errors="replace")
    numbered = enumerate(map(str.strip, text.splitlines()), 1)
    lines = [(line, f"{path}:{number}") for number, line in numbered if line]
    points = [_point(line, source) for line, source in _body(lines, path, count)]
    if len(points) != count:
        raise InputError(f"{path}: expected {count} points; found {len(points)}")
    return (np.array(points).reshape(-1, 2) - 0.5).astype("float32")


def _body(lines, path, count):
    """The lines between the braces; all of them if there is no header."""
    if not any(mark in line for line, _ in lines for mark in "{:}"):
        return lines
    texts = [line for line, _ in lines]
    for brace, place in (("{", "before"), ("}", "after")):
        if brace not in texts:
            raise InputError(f"{path}: expected a line `{brace}` {place} the points")
    first, last = texts.index("{"), texts.index("}")
    for line, source in lines[:first]:
        key, _, value = line.partition(":")
        if key.strip() == "n_points" and value.strip() != str(count):
            raise InputError(f"{source}: expected {count} points; found `{line}`")
    for line, source in lines[last + 1 :]:
        raise InputError(f"{source}: expected nothing after `}}`; found `{line:.40}`")
    return lines[first + 1 : last]


def _point(line, source):
    try:
        x, y = (float(number) for number in line.split())
    except ValueError:
        raise InputError(
            f"{source}: expected two numbers; found `{line:.40}`"
        ) from None
    if not (abs(x) < LIMIT and abs(y) < LIMIT):
        raise InputError(f"{source}: expected numbers {RANGE}; found `{line:.40}`")
    return x, y


def list_pts(folder: PathLike) -> list[pathlib.Path]:
    """The `.pts` files of a folder, sorted by name; none if there is no such folder.

    Archives from a Mac hold a hidden `._name.pts` beside each `name.pts`: left out.
    """
    folder = pathlib.Path(folder)
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    return [f for f in files if f.suffix.lower() == ".pts" and f.name[0] != "."]


def images_alone(folder: PathLike) -> list[str]:
    """A line for each photograph of a folder that has no `.pts` file beside it."""
    folder = pathlib.Path(folder)
    stems = {text_name(path.stem) for path in list_pts(folder)}
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    return [
        f"{path}: no .pts file beside this photograph"
        for path in files
        if is_image_name(path) and text_name(path.stem) not in stems
    ]


def find_image(pts_path: PathLike) -> pathlib.Path:
    """The photograph of a `.pts` file: the same name with another suffix.

    Args:
        pts_path: path of the `.pts` file.

    Returns:
        path with suffix .jpg, else .jpeg, else .png, else any other that the decoder
        reads, in small or capital letters.

    Raises:
        InputError: if there is none.
    """
    pts_path = pathlib.Path(pts_path)
    likely = pts_path.with_suffix(FIRST[0])
    if likely.is_file():  # Spares listing the folder.
        return likely
    candidates = {}
    if pts_path.parent.is_dir():
        for name in sorted(os.listdir(pts_path.parent)):
            stem, suffix = os.path.splitext(name)
            if text_name(stem) == text_name(pts_path.stem):
                candidates.setdefault(suffix.lower(), pts_path.with_name(name))
    for suffix in (*FIRST, *sorted(suffixes())):
        if suffix in candidates and candidates[suffix].is_file():
            return candidates[suffix]
    raise InputError(
        f"{pts_path}: no photograph beside it (expected {pts_path.stem}.jpg or .png)"
    )
