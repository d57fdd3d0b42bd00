"""Boxes of faces in a file, instead of a detector."""

import json
import pathlib

from rcn_keras._types import PathLike
from rcn_keras.errors import InputError
from rcn_keras.files import read_text, text_name


def read_boxes(path: PathLike) -> dict[str, list]:
    """Reads face boxes by photograph.

    Args:
        path: path of a file with one JSON object,
            `{"photo.jpg": [[x0, y0, x1, y1], ...]}`, or with the lines that
            `rcn-keras predict` prints.

    Returns:
        dict, name of a photograph, as written there and as `files.text_name` has it, to
        a list of boxes.

    Raises:
        InputError: if the file is missing or holds something else.
    """
    text = read_text(path)
    boxes = {}
    try:
        for record in _records(text):
            if set(record) >= {"image", "faces"}:
                boxes[record["image"]] = [face["box"] for face in record["faces"]]
            else:
                boxes |= record
        for value in boxes.values():
            if any(len([float(x) for x in box]) != 4 for box in value):
                raise ValueError
    except (ValueError, TypeError, KeyError):
        raise InputError(
            f'{path}: expected JSON {{"photo.jpg": [[x0, y0, x1, y1], ...]}} or the '
            "lines that predict prints"
        ) from None
    return {text_name(name): value for name, value in boxes.items()} | boxes


def boxes_of(boxes: dict[str, list], photograph: pathlib.PurePath) -> list:
    """The boxes of one photograph, by its path or else by its bare name.

    Raises:
        InputError: if there are none.
    """
    exact = (str(photograph), photograph.name)
    for key in (*exact, *map(text_name, exact)):
        if key in boxes:
            return boxes[key]
    raise InputError(f"{photograph}: no boxes for this photograph in the file of boxes")


def _records(text):
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        raise ValueError("empty")
    try:
        return [json.loads(text)]
    except ValueError:
        return [json.loads(line) for line in lines]
