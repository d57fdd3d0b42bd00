"""One's own keypoints, from a file of any format that is read here."""

import itertools
import json
import pathlib
from typing import Any

from rcn_keras._types import PathLike
from rcn_keras.data.coco import parse_coco
from rcn_keras.data.csv_table import csv_rows, parse_table
from rcn_keras.data.deeplabcut import parse_deeplabcut
from rcn_keras.data.label_studio import parse_label_studio
from rcn_keras.data.reading import Annotations
from rcn_keras.errors import InputError
from rcn_keras.files import read_text


def read_annotations(
    path: PathLike,
    images: PathLike | None = None,
    coordinates: str | None = None,
    category: str | None = None,
) -> Annotations:
    """Reads keypoints from a table, from COCO, DeepLabCut or Label Studio.

    The format is recognised by the content: a JSON object is COCO, a JSON list is Label
    Studio's export, a table that begins with `scorer` is DeepLabCut's, and any other
    text is a table as `csv_table.parse_table` describes it. Text is UTF-8, or UTF-16
    with its byte order mark.

    Pictures are looked for, but not opened. Points outside them are kept: training
    masks or clips them, as the layout says.

    Args:
        path: str or path of the file.
        images: folder that the names of pictures are relative to; `None` for the
            file's own.
        coordinates: what a coordinate counts from. `"continuous"`: the centre of the
            top left pixel is (0.5, 0.5). `"pixel-centers"`: it is (0, 0).
            `"one-based"`: it is (1, 1). `None`: as the tools of the format do,
            "pixel-centers" for DeepLabCut and "continuous" for all others.
        category: name of the category to read of a COCO file, or `None` if one alone
            has keypoints.

    Returns:
        `Annotations`: the instances, their layout, and what could not be used.

    Raises:
        InputError: if the file as a whole cannot be used.
        ValueError: if there is no such convention of coordinates.

    Example:
        >>> annotations = read_annotations("points.csv", images="pictures")
        >>> annotations.layout.names
        ('left_eye', 'right_eye', 'nose')
    """
    path = pathlib.Path(path)
    text = read_text(path)
    contents: Any
    options = {"images": images, "coordinates": coordinates}
    if text[:1000].lstrip()[:1] in ("{", "["):
        contents = _json(text, path)
        del text
        if isinstance(contents, dict):
            return parse_coco(contents, path, category=category, **options)
        parse = parse_label_studio
    else:
        rows = csv_rows(text, path)
        line, header = next(rows, (1, [""]))
        contents = itertools.chain([(line, header)], rows)
        parse = parse_deeplabcut if header[0] == "scorer" else parse_table
    if category is not None:
        raise InputError(
            f"{path}: expected a COCO file, as a category is chosen ({category!r}); "
            "found another format"
        )
    return parse(contents, path, **options)


def _json(text, path):
    try:
        return json.loads(text, object_hook=_without_masks)
    except json.JSONDecodeError as error:
        raise InputError(
            f"{path}:{error.lineno}: expected JSON, whole and undamaged; {error.msg}, "
            f"column {error.colno}"
        ) from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: expected JSON; {error}") from None


def _without_masks(fields):
    """An object of a JSON file without its mask, most of a large COCO file."""
    fields.pop("segmentation", None)
    return fields
