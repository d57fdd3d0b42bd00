"""Keypoints as a table: one row an instance, in comma-separated columns."""

import csv
import io
from collections.abc import Iterator, Sequence

import numpy as np

from rcn_keras._types import PathLike
from rcn_keras.data.reading import Annotations, Reading, named_layout
from rcn_keras.errors import InputError

BOX = ("x0", "y0", "x1", "y1")


def csv_rows(text: str, path: PathLike) -> Iterator[tuple[int, list[str]]]:
    """The rows of a CSV text that hold anything.

    Args:
        text: str, with any line ends.
        path: path of the file, for messages.

    Yields:
        `(line, cells)`, an int that counts from 1 and a list of str without spaces
        around them.

    Raises:
        InputError: if a quote is not closed.
    """
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for cells in reader:
            cells = [cell.strip() for cell in cells]
            if any(cells):
                yield reader.line_num, cells
    except csv.Error as error:
        raise InputError(
            f"{path}:{reader.line_num}: expected comma-separated values; {error}"
        ) from None


def parse_table(
    rows: Iterator[tuple[int, list[str]]],
    path: PathLike,
    images: PathLike | None = None,
    coordinates: str | None = None,
) -> Annotations:
    """Reads a table of keypoints.

    The first row names the columns: `image`, perhaps `x0`, `y0`, `x1`, `y1` (a box),
    and `NAME_x`, `NAME_y` for each keypoint, in any order; others are reported and not
    used. Every further row is an instance; a picture may have several. A keypoint whose
    two cells are empty (or `nan`) is unknown; so is one with a cell that is no number,
    which is reported.

    Coordinates are continuous by default, as everywhere in this package: the format is
    our own. The convention holds for boxes too.

    Args:
        rows: iterator of what `csv_rows` yields, at least one row.
        path: path of the file.
        images, coordinates: as for `read_annotations`.

    Returns:
        `Annotations`. A `source` is "file:line".

    Raises:
        InputError: if the columns are not as above, or no row can be used.
    """
    reading = Reading(path, images, coordinates, "continuous")
    line, columns = next(rows)
    names = _names(columns, f"{reading.path}:{line}", reading)
    layout = named_layout(reading.path, names)
    index = {column: i for i, column in enumerate(columns)}
    pairs = [(index[f"{name}_x"], index[f"{name}_y"]) for name in names]
    labels = [f"column {column}" for column in columns]
    box_columns = [index[column] for column in BOX if column in index]
    for line, cells in rows:
        source = f"{reading.path}:{line}"
        if has_width(cells, len(columns), source, reading):
            box = _box([cells[i] for i in box_columns], source, reading)
            points = row_points(cells, pairs, labels, source, reading)
            reading.add(source, cells[index["image"]], points, box)
    return reading.result(layout)


def has_width(cells: Sequence[str], width: int, source: str, reading: Reading) -> bool:
    """Whether a row has as many cells as the header; if not, that is reported."""
    fits = len(cells) >= width and not any(cells[width:])
    if not fits:
        reading.report(source, f"expected {width} cells; found {len(cells)}")
    return fits


def row_points(
    cells: Sequence[str],
    pairs: Sequence[tuple[int, int]],
    labels: Sequence[str],
    source: str,
    reading: Reading,
) -> np.ndarray:
    """The keypoints of a row.

    Args:
        cells: list of str.
        pairs: K pairs of ints, the columns of x and y.
        labels: what to call each column in a message.
        source: where the row stands.
        reading: `Reading`, which collects the failures.

    Returns:
        `(K, 2)` floats, NaN where unknown.
    """
    points = np.full((len(pairs), 2), np.nan)
    for point, pair in zip(points, pairs):
        known = [cells[i].lower() not in ("", "nan") for i in pair]
        if all(known):
            point[:] = [reading.number(cells[i], source, labels[i]) for i in pair]
        elif any(known):
            empty = pair[known.index(False)]
            reading.report(
                f"{source}, {labels[empty]}",
                "expected a number, as the other coordinate has one; found none",
            )
    return points


def _names(columns, source, reading):
    """The keypoints' names, from the header."""
    if len(columns) == 1 and any(mark in columns[0] for mark in ";\t|"):
        raise InputError(
            f"{source}: expected commas between the columns; found `{columns[0]:.60}`. "
            "Save the table with commas, and with points in decimal numbers"
        )
    if "image" not in columns:
        raise InputError(
            f"{source}: expected a header with the columns image, NAME_x, NAME_y, ...; "
            f"found {','.join(columns)[:60]!r}"
        )
    twice = [name for name in dict.fromkeys(columns) if columns.count(name) > 1]
    if any(twice):
        raise InputError(f"{source}: expected different columns; found twice: {twice}")
    coordinates = [name for name in columns if name[-2:] in ("_x", "_y") and name[:-2]]
    names = list(dict.fromkeys(column[:-2] for column in coordinates))
    wanted = [f"{name}_{axis}" for name in names for axis in "xy"]
    if not names:
        raise InputError(
            f"{source}: expected columns NAME_x and NAME_y of at least one keypoint; "
            f"found {','.join(columns)[:60]!r}"
        )
    if any(column in BOX for column in columns):
        wanted += BOX
    missing = [column for column in wanted if column not in columns]
    if missing:
        raise InputError(
            f"{source}: expected also the columns {', '.join(missing)}; without them "
            "keypoints or boxes are incomplete"
        )
    for column in columns:
        if column and column != "image" and column not in wanted:
            reading.report(f"{source}, column {column}", "not a column that is used")
    return names


def _box(cells, source, reading):
    """The box of a row, or `None`."""
    if not any(cell.lower() not in ("", "nan") for cell in cells):
        return None
    corners = [
        reading.number(cell, source, f"column {column}")
        for cell, column in zip(cells, BOX)
    ]
    return reading.box(corners, source, reading.shift)
