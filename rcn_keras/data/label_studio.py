"""Label Studio's JSON export: keypoints and boxes in percent of the picture."""

import re
import urllib.parse
from typing import Any

import numpy as np

from rcn_keras._types import PathLike
from rcn_keras.data.reading import Annotations, Reading, named_layout, tails
from rcn_keras.errors import InputError


def parse_label_studio(
    tasks: list[Any],
    path: PathLike,
    images: PathLike | None = None,
    coordinates: str | None = None,
) -> Annotations:
    """Reads the tasks of a Label Studio project, exported as "JSON".

    A region with `keypointlabels` is a keypoint, one with `rectanglelabels` a box.
    Regions with the same `parentID` are an instance, and that region is its box. In a
    picture of at most one instance, regions without a `parentID` belong to it too. The
    layout has every label that occurs, sorted, as the export does not hold their order.

    Coordinates are continuous by default, as 0 and 100 % are the edges of the picture.
    It is looked for in `images` under the task's path, then without the path's first
    folders, then without the prefix that Label Studio gives to uploads.

    Args:
        tasks: the JSON as `json.loads` gives it.
        path: path of the file.
        images, coordinates: as for `read_annotations`.

    Returns:
        `Annotations`. A `source` is "file: task ID".

    Raises:
        InputError: if this is no such export, or no instance can be used.
    """
    reading = Reading(path, images, coordinates, "continuous", _candidates)
    if not all(isinstance(t, dict) and "annotations" in t for t in tasks):
        raise InputError(
            f"{reading.path}: expected Label Studio's export as JSON (not JSON-MIN), a "
            "list of tasks with `annotations`; found another list"
        )
    instances = []
    for number, task in enumerate(tasks, 1):
        source = f"{reading.path}: task {task.get('id', number)}"
        grouped = _instances(_regions(task, source, reading), source, reading)
        name = _picture_name(task.get("data"))
        instances += [(source, name, points, box) for points, box in grouped]
    names = sorted({name for _, _, points, _ in instances for name in points})
    if not names:
        reading.report(reading.path, "no region with `keypointlabels`")
        return reading.result(None)
    layout = named_layout(reading.path, names)
    unknown = (np.nan, np.nan)
    for source, name, points, box in instances:
        array = np.array([points.get(label, unknown) for label in names])
        reading.add(source, name, array, box)
    return reading.result(layout)


def _picture_name(data):
    """The path in a task's address: of a URL, of local files, or of an upload."""
    data = data if isinstance(data, dict) else {}
    address = data.get("image") or next(iter(data.values()), None)
    if not isinstance(address, str):
        return address
    address = address.rpartition("?d=")[2]
    return urllib.parse.unquote(urllib.parse.urlsplit(address).path).lstrip("/")


def _candidates(name):
    """Where a picture may be: an upload puts 8 digits in front of its name."""
    paths = tails(name)
    return [*paths, re.sub("^[0-9a-f]{8}-", "", paths[-1])]


def _objects(values):
    """The objects of a JSON list; none if it is no list."""
    values = values if isinstance(values, list) else []
    return [value for value in values if isinstance(value, dict)]


def _regions(task, source, reading):
    """The regions of the first annotation that was not cancelled."""
    annotations = _objects(task["annotations"])
    annotations = [each for each in annotations if not each.get("was_cancelled")]
    if len(annotations) > 1:
        reading.report(source, f"{len(annotations)} annotations; the first is used")
    return _objects(annotations[0].get("result")) if annotations else []


def _instances(regions, source, reading):
    """Keypoints by name and box of each instance of a picture."""
    groups, boxes = {}, {}
    for region in regions:
        value, identifier = region.get("value"), str(region.get("id"))
        place = f"{source}, region {identifier}"
        if not isinstance(value, dict):
            continue  # A relation.
        if region.get("image_rotation"):
            reading.report(place, "expected a picture that is not rotated")
        elif "rectanglelabels" in value:
            boxes[identifier] = _box(region, place, reading)
        elif isinstance(value.get("keypointlabels"), list):
            point = _pixels(region, ("x", "y"), place, reading)
            group = groups.setdefault(str(region.get("parentID") or ""), [])
            group += [(str(label), point) for label in value["keypointlabels"]]
    loose = groups.pop("", [])
    parents = list(dict.fromkeys([*boxes, *groups])) or [""]
    if len(parents) == 1:
        groups.setdefault(parents[0], []).extend(loose)
    elif loose:
        reading.report(
            source,
            f"expected a `parentID` of every keypoint, as there are {len(parents)} "
            f"instances; {len(loose)} without, left out",
        )
    instances = []
    for parent in parents:
        points = dict(groups.get(parent, []))
        if len(points) == len(groups.get(parent, [])):
            instances.append((points, boxes.get(parent)))
        else:
            reading.report(
                source,
                "expected each label once an instance; found one twice; left out. "
                "Nest the keypoints of an instance in one region",
            )
    return instances


def _pixels(region, names, place, reading):
    """Values of a region, turned from percent into pixels."""
    pixels = []
    for name in names:
        side = "original_width" if name in ("x", "width") else "original_height"
        size = reading.number(region.get(side), place, side)
        percent = reading.number(region["value"].get(name), place, name)
        pixels.append(percent / 100 * size)
    return pixels


def _box(region, place, reading):
    if region["value"].get("rotation"):
        reading.report(place, "expected a box that is not rotated; it is left out")
        return None
    names = ("x", "y", "width", "height")
    x, y, width, height = _pixels(region, names, place, reading)
    return reading.box((x, y, x + width, y + height), place)
