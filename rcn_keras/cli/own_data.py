"""One's own keypoints on the command line: options, and what was understood."""

import argparse
import pathlib
from typing import Any

from rcn_keras._types import PathLike
from rcn_keras.cli.output import say
from rcn_keras.data.reading import COORDINATES, Annotations


def reading_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options for reading a file of keypoints."""
    parser.add_argument(
        "--images",
        type=pathlib.Path,
        metavar="FOLDER",
        help="folder of the pictures of a file of keypoints (default: the folder of "
        "that file)",
    )
    parser.add_argument(
        "--coordinates",
        choices=COORDINATES,
        help="where a file of keypoints puts the centre of the top left pixel: (0.5, "
        "0.5), (0, 0) or (1, 1) (default: as usual in its format)",
    )
    parser.add_argument(
        "--category", help="category of a COCO file, if several have keypoints"
    )


def layout_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options for the layout of one's own keypoints."""
    parser.add_argument(
        "--layout",
        type=pathlib.Path,
        metavar="JSON",
        help="file with the layout of the keypoints (default: made from their names)",
    )
    parser.add_argument(
        "--mirror-by-shape",
        action="store_true",
        help="find mirror pairs by the positions of the keypoints (default: by their "
        "names)",
    )
    parser.add_argument(
        "--normalizer",
        metavar="NAME,NAME|box",
        help="unit of errors: the distance of two keypoints, or the diagonal of the "
        "box around the known ones (default)",
    )


def reading(options: argparse.Namespace) -> dict[str, Any]:
    """What `reading_options` gave, for `read_annotations`."""
    return {key: getattr(options, key) for key in ("images", "coordinates", "category")}


def read(path: PathLike, options: argparse.Namespace) -> Annotations:
    """The file as `Annotations`, by all of the options."""
    from rcn_keras.data.own import read_layout, read_own, with_mirror_pairs

    layout = None if options.layout is None else read_layout(options.layout)
    annotations = read_own(path, layout, options.normalizer, **reading(options))
    if options.mirror_by_shape:
        return with_mirror_pairs(annotations, path)
    return annotations


def describe(annotations: Annotations) -> None:
    """Says what was understood of a file."""
    import numpy as np

    layout, faces = annotations.layout, annotations.faces
    names, pairs = layout.names, layout.mirror_pairs
    mirrored = ", ".join(f"{names[i]} - {names[j]}" for i, j in pairs)
    known = np.isfinite([face.keypoints for face in faces]).all(-1).sum(axis=0)
    partly = [f"{n} {c}" for n, c in zip(names, known) if c < len(faces)]
    pictures = len({face.image for face in faces})
    boxes = sum("box" in face.attributes for face in faces)
    say(f"layout {layout.name}: {layout.count} keypoints: {_short(names)}")
    say(f"mirror pairs: {mirrored or 'none: pictures are not mirrored'}")
    paired = {index for pair in pairs for index in pair}
    alone = [n for i, n in enumerate(names) if _sided(n) and i not in paired]
    if pairs and alone:
        say(f"taken to be the same point in a mirrored picture: {_short(alone)}")
    say(f"normalizer, the unit of errors: {layout.unit}")
    say(f"{len(faces)} instances in {pictures} pictures, {boxes} with a box")
    say(f"known in fewer instances: {_short(partly) or 'none'}")


def _sided(name):
    return "left" in name.lower() or "right" in name.lower()


def _short(texts, most=24):
    more = f", ... ({len(texts)})" if len(texts) > most else ""
    return ", ".join(texts[:most]) + more
