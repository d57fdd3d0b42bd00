"""COCO keypoints: the JSON that CVAT, COCO Annotator and many others write."""

from typing import Any

import numpy as np

from rcn_keras._types import PathLike
from rcn_keras.data.points_file import LIMIT
from rcn_keras.data.reading import Annotations, Reading
from rcn_keras.errors import InputError
from rcn_keras.layout import KeypointLayout

FIELDS = ("images", "annotations", "categories")


def parse_coco(
    contents: Any,
    path: PathLike,
    images: PathLike | None = None,
    coordinates: str | None = None,
    category: str | None = None,
) -> Annotations:
    """Reads the instances of one category of a COCO file of keypoints.

    Keypoints of visibility 0 are unknown; those of 1 (hidden), 2 (visible) and any
    other value are known. Masks are not read. A `bbox` of four zeros means no box.

    Keypoints are continuous by default. COCO Annotator measures from the top left
    corner of the picture and rounds to whole numbers. CVAT is assumed to measure from
    there too; its documentation does not say. The keypoints of the COCO data set itself
    are pixel indices: read those as "pixel-centers". Boxes are continuous in any case,
    as in COCO.

    Args:
        contents: the JSON as `json.loads` gives it.
        path: path of the file.
        images, coordinates, category: as for `read_annotations`.

    Returns:
        `Annotations`. A `source` is "file: annotation ID".

    Raises:
        InputError: if this is no COCO, no category or more than one can be meant, or no
            annotation can be used.
    """
    reading = Reading(path, images, coordinates, "continuous")
    missing = [field for field in FIELDS if not _is_list(contents, field)]
    if missing:
        raise InputError(
            f"{reading.path}: expected COCO keypoints, a JSON object with the lists "
            f"{', '.join(FIELDS)}; found no {', '.join(missing)}"
        )
    chosen = _category(contents["categories"], category, reading.path)
    layout = _layout(chosen, reading)
    pictures = _pictures(contents["images"], reading)
    known = {_key(c.get("id")) for c in contents["categories"] if isinstance(c, dict)}
    for number, annotation in enumerate(contents["annotations"], 1):
        if not isinstance(annotation, dict):
            reading.report(
                f"{reading.path}: annotation number {number}",
                f"expected an object; found {str(annotation)[:40]}",
            )
            continue
        identifier = annotation.get("id", f"number {number}")
        source = f"{reading.path}: annotation {identifier}"
        category_key = _key(annotation.get("category_id"))
        if category_key not in known:
            identifier = annotation.get("category_id")
            reading.report(source, f"no category of the file has its id {identifier!r}")
        elif category_key == _key(chosen.get("id")):
            _add(annotation, source, pictures, layout, reading)
    return reading.result(layout)


def _is_list(contents, field):
    return isinstance(contents, dict) and isinstance(contents.get(field), list)


def _key(identifier):
    """An id such that 7, 7.0 and "7" are the same: tools differ."""
    whole = isinstance(identifier, float) and identifier.is_integer()
    return str(int(identifier) if whole else identifier)


def _category(categories, name, path):
    """The category that has keypoints, or of several the one of this name."""
    categories = [c for c in categories if isinstance(c, dict)]
    usable = {str(c.get("name")): c for c in categories if _is_list(c, "keypoints")}
    usable = {key: value for key, value in usable.items() if value["keypoints"]}
    if not usable:
        names = ", ".join(str(c.get("name")) for c in categories) or "none"
        raise InputError(
            f"{path}: expected a category with `keypoints`, the names of its points; "
            f"found the categories {names}, without"
        )
    if name is None and len(usable) > 1:
        raise InputError(
            f"{path}: expected one category with keypoints, or the name of one as "
            f"`category`; found {', '.join(usable)}"
        )
    if name is not None and name not in usable:
        raise InputError(
            f"{path}: expected the category {name!r} with keypoints; found "
            f"{', '.join(usable)}"
        )
    return usable[name if name is not None else next(iter(usable))]


def _layout(category, reading):
    source = f"{reading.path}: category {category.get('name')}"
    count, edges = len(category["keypoints"]), category.get("skeleton") or []
    valid = isinstance(edges, list) and all(_is_edge(edge, count) for edge in edges)
    if not valid:
        reading.report(
            source,
            f"expected a `skeleton` of pairs of numbers 1 to {count}; found "
            f"{str(edges)[:40]}; no line is drawn between the keypoints",
        )
    category = dict(category, skeleton=edges if valid else [])
    try:
        return KeypointLayout.from_coco_category(category)
    except ValueError as error:
        raise InputError(f"{source}: {error}") from None


def _is_edge(edge, count):
    return (
        isinstance(edge, list)
        and len(edge) == 2
        and all(isinstance(end, int) and 1 <= end <= count for end in edge)
    )


def _pictures(images, reading):
    """File names by id; an id of two pictures, which names neither, is reported."""
    pictures = {}
    for number, image in enumerate(images, 1):
        if not isinstance(image, dict) or "id" not in image:
            reading.report(f"{reading.path}: image number {number}", "it has no id")
            continue
        key, name = _key(image["id"]), image.get("file_name")
        if pictures.setdefault(key, name) != name:
            reading.report(
                f"{reading.path}: image {image['id']}",
                f"the id of two pictures, {pictures[key]!r} and {name!r}",
            )
            pictures[key] = None
    return pictures


def _add(annotation, source, pictures, layout, reading):
    """Adds one annotation of the chosen category."""
    key = _key(annotation.get("image_id"))
    if key not in pictures:
        image_id = annotation.get("image_id")
        reading.report(source, f"no image of the file has its image_id {image_id!r}")
        return
    # An object whose points were not marked may have no list.
    values = annotation.get("keypoints") or [0] * (3 * layout.count)
    if not isinstance(values, list) or len(values) != 3 * layout.count:
        count = len(values) if isinstance(values, list) else repr(values)[:40]
        reading.report(
            source,
            f"expected {3 * layout.count} numbers in `keypoints`, x, y and visibility "
            f"of {layout.count} points; found {count}",
        )
        return
    points = _points(values, layout.names, source, reading)
    box = _box(annotation.get("bbox"), source, reading)
    reading.add(source, pictures[key], points, box)


def _points(values, names, source, reading):
    """x, y and visibility of K points as `(K, 2)`, NaN where unknown."""
    try:
        triples = np.array(values, "float64").reshape(-1, 3)
        plain = len(triples) == len(names) and (np.abs(triples) < LIMIT).all()
    except (TypeError, ValueError, OverflowError):
        plain = False
    if not plain:  # One by one, to report which is wrong.
        triples = np.full((len(names), 3), np.nan)
        for i, name in enumerate(names):
            *point, visibility = values[3 * i : 3 * i + 3]
            visibility = reading.number(visibility, source, f"visibility of {name}")
            if visibility != 0 and not np.isnan(visibility):
                point = [
                    reading.number(value, source, f"{axis} of {name}")
                    for axis, value in zip("xy", point)
                ]
                triples[i] = *point, visibility
    triples[triples[:, 2] == 0] = np.nan
    return triples[:, :2]


def _box(bbox, source, reading):
    """x, y, width and height as corners, or `None`."""
    if not bbox or bbox == [0, 0, 0, 0]:
        return None
    if not isinstance(bbox, list) or len(bbox) != 4:
        reading.report(source, f"expected 4 numbers in `bbox`; found {str(bbox)[:40]}")
        return None
    x, y, width, height = (
        reading.number(value, source, f"{name} of `bbox`")
        for value, name in zip(bbox, ("x", "y", "width", "height"))
    )
    return reading.box((x, y, x + width, y + height), source)
