"""DeepLabCut's `CollectedData_*.csv`: keypoints in frames of videos."""

import itertools
from collections.abc import Iterator

import numpy as np

from rcn_keras._types import PathLike
from rcn_keras.data.csv_table import has_width, row_points
from rcn_keras.data.reading import Annotations, Reading, named_layout, tails
from rcn_keras.errors import InputError

# The first cells of the header's rows; `individuals` is optional.
HEADER = ("scorer", "individuals", "bodyparts", "coords")


def parse_deeplabcut(
    rows: Iterator[tuple[int, list[str]]],
    path: PathLike,
    images: PathLike | None = None,
    coordinates: str | None = None,
) -> Annotations:
    """Reads a table that DeepLabCut's labelling tools write.

    The header has three rows (`scorer`, `bodyparts`, `coords`), or four with
    `individuals`: then each individual that is seen in a frame is an instance. Columns
    `likelihood` are not used, nor individuals with other body parts than the first
    (`single`, the parts that no animal has), which are reported. The picture is named
    in the first column, or in the first three, relative to the project; it is looked
    for in `images` under that name, then without its first folders.

    Coordinates are pixel centres by default: napari and matplotlib, which DeepLabCut's
    labelling tools use, put the centre of the top left pixel at (0, 0).

    Args:
        rows: iterator of what `csv_rows` yields, at least one row.
        path: path of the file.
        images, coordinates: as for `read_annotations`.

    Returns:
        `Annotations`. A `source` is "file:line", or "file:line (individual)".

    Raises:
        InputError: if the header is not as above, or no row can be used.
    """
    reading = Reading(path, images, coordinates, "pixel-centers", tails)
    header = dict(_header(rows, reading.path))
    coords, parts = header["coords"], header["bodyparts"]
    first = coords.index("x")
    individuals = header.get("individuals", [""] * len(coords))
    table = {}
    for column in range(first, len(coords)):
        axes = table.setdefault(individuals[column], {}).setdefault(parts[column], {})
        if coords[column] in axes:
            raise InputError(
                f"{reading.path}: expected different columns; found twice: "
                f"{parts[column]} {coords[column]}"
            )
        axes[coords[column]] = column
    names = list(next(iter(table.values())))
    layout = named_layout(reading.path, names)
    pairs = _pairs(table, names, reading)
    labels = [f"{part} {axis}" for part, axis in zip(parts, coords)]
    for line, cells in rows:
        source = f"{reading.path}:{line}"
        if not has_width(cells, len(coords), source, reading):
            continue
        name = "/".join(cell for cell in cells[:first] if cell)
        for individual, columns in pairs.items():
            points = row_points(cells, columns, labels, source, reading)
            if not individual:
                reading.add(source, name, points)
            elif not np.isnan(points).all():  # Else it is not in this frame.
                reading.add(f"{source} ({individual})", name, points)
    return reading.result(layout)


def _header(rows, path):
    """The header's rows as pairs of their first cell and all cells."""
    header = []
    for _, cells in itertools.islice(rows, len(HEADER)):
        header.append((cells[0], cells))
        if cells[0] == "coords":
            break
    names = [name for name, _ in header]
    lengths = {len(cells) for _, cells in header}
    complete = names in ([*HEADER], [HEADER[0], *HEADER[2:]]) and len(lengths) == 1
    if not complete or "x" not in header[-1][1]:
        raise InputError(
            f"{path}: expected DeepLabCut's header, rows of one length that start with "
            f"scorer, (individuals,) bodyparts, coords; found {', '.join(names)}"
        )
    return header


def _pairs(table, names, reading):
    """The columns of x and y of each individual's keypoints."""
    pairs = {}
    for individual, parts in table.items():
        if list(parts) != names:
            reading.report(
                f"{reading.path}, individual {individual}",
                f"not used, as it has other body parts: {', '.join(parts)[:60]}",
            )
            continue
        for part, axes in parts.items():
            if not {"x", "y"} <= set(axes):
                raise InputError(
                    f"{reading.path}: expected columns x and y of {part}; found "
                    f"{', '.join(axes)}"
                )
        pairs[individual] = [(axes["x"], axes["y"]) for axes in parts.values()]
    return pairs
