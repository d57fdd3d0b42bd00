"""One's own keypoints as training, validation and test sets."""

from __future__ import annotations

import dataclasses
import pathlib
from typing import TYPE_CHECKING, Any

import numpy as np

from rcn_keras._types import PathLike, Progress
from rcn_keras.data.crops import Crops, load_crops
from rcn_keras.data.keypoint_files import read_annotations
from rcn_keras.data.splits import split_by_picture
from rcn_keras.errors import InputError
from rcn_keras.faces.boxes import INPUT_SIZE
from rcn_keras.files import read_text
from rcn_keras.layout import FACES, KeypointLayout, mirror_pairs_by_shape

if TYPE_CHECKING:
    from rcn_keras.data.annotations import Face
    from rcn_keras.data.reading import Annotations


OWN_SETS = ("validation", "all")


def is_own(path: PathLike) -> bool:
    """Whether a data set is a file of one's own keypoints: all others are folders."""
    return pathlib.Path(path).is_file()


def read_own(
    path: PathLike,
    layout: KeypointLayout | None = None,
    normalizer: str | None = None,
    **reading: Any,
) -> Annotations:
    """Reads a file of one's own keypoints, in the order of a layout.

    Args:
        path: of the file.
        layout: `KeypointLayout` with the keypoints of the file, in any order; `None`
            for that of the file.
        normalizer: str, the names of two keypoints with a comma between them, or
            `"box"`; `None` for the layout's.
        **reading: `images`, `coordinates` and `category` of `read_annotations`.

    Returns:
        `Annotations`.

    Raises:
        InputError: if the file cannot be used, or has other keypoints than the layout.
    """
    annotations = read_annotations(path, **reading)
    if layout is None:
        layout = annotations.layout
        if layout.name in {face.name for face in FACES.values()}:
            layout = dataclasses.replace(layout, name=f"own_{layout.name}")
    if normalizer is not None:
        layout = dataclasses.replace(
            layout, normalizer=_normalizer(normalizer, layout.names)
        )
    names = annotations.layout.names
    if set(names) != set(layout.names):
        raise InputError(
            f"{path}: expected the {layout.count} keypoints of the layout "
            f"{layout.name!r}; found {len(names)}"
            + _listed("; without", set(layout.names) - set(names))
            + _listed("; not of the layout:", set(names) - set(layout.names))
        )
    order = [names.index(name) for name in layout.names]
    faces = [
        dataclasses.replace(face, keypoints=face.keypoints[order])
        for face in annotations.faces
    ]
    return dataclasses.replace(annotations, faces=faces, layout=layout)


def with_mirror_pairs(annotations: Annotations, path: PathLike) -> Annotations:
    """The same annotations, their layout with the mirror pairs of the mean shape.

    Args:
        annotations: `Annotations` that `read_own` gave.
        path: of their file, for the error.

    Raises:
        InputError: if the shape has none (`layout.mirror_pairs_by_shape`).
    """
    try:
        pairs = mirror_pairs_by_shape([face.keypoints for face in annotations.faces])
    except ValueError as error:
        raise InputError(f"{path}: {error}") from None
    layout = dataclasses.replace(annotations.layout, mirror_pairs=pairs)
    return dataclasses.replace(annotations, layout=layout)


def _listed(text, names, most=5):
    shown = ", ".join(sorted(names)[:most])
    more = ", ..." if len(names) > most else ""
    return f"{text} {shown}{more}" if names else ""


def _normalizer(text, names):
    if text == "box":
        return "box"
    pair = [name.strip() for name in text.split(",")]
    if len(pair) != 2 or not set(pair) <= set(names) or pair[0] == pair[1]:
        raise InputError(
            "expected as normalizer 'box' or two of the keypoints, NAME,NAME "
            f"({_listed('they are', names)}); found {text!r}"
        )
    return tuple((names.index(name),) for name in pair)


def read_layout(path: PathLike) -> KeypointLayout:
    """The layout of a JSON file.

    Raises:
        InputError: if there is none in it.
    """
    try:
        return KeypointLayout.from_json(read_text(path))
    except InputError:
        raise
    except ValueError as error:
        raise InputError(f"{path}: not a layout ({error})") from None


def split_own(
    annotations: Annotations, path: PathLike
) -> tuple[list[Face], list[Face]]:
    """Training and validation: two lists of `Face`, split by picture.

    Raises:
        InputError: if there are fewer than 10 pictures.
    """
    try:
        parts = split_by_picture(annotations.faces)
    except ValueError as error:
        raise InputError(f"{path}: {error}") from None
    training, validation = ([annotations.faces[i] for i in part] for part in parts)
    return training, validation


def load_own_training(
    annotations: Annotations,
    path: PathLike,
    progress: Progress | None = None,
    input_size: int = INPUT_SIZE,
) -> tuple[Crops, Crops]:
    """The instances of a file, split and cropped.

    Args:
        annotations: `Annotations` that `read_own` gave.
        path: of their file, for messages.
        progress: callable `(done, total)`, or `None`.
        input_size: int, side of the network's input in pixels.

    Returns:
        training, validation: `Crops`; what could not be used of the file is reported
        with the training part.

    Raises:
        InputError: if there are fewer than 10 pictures, or no error of the validation
            part could be measured.
    """
    training, validation = (
        load_crops(part, annotations.layout, progress, False, input_size)
        for part in split_own(annotations, path)
    )
    training.failures.extend(annotations.failures)
    return training, _measurable(validation, path)


def load_own_test(
    annotations: Annotations,
    path: PathLike,
    name: str,
    progress: Progress | None = None,
    input_size: int = INPUT_SIZE,
) -> Crops:
    """The instances of a file to measure on.

    Args:
        annotations, path, progress, input_size: as of `load_own_training`.
        name: `"validation"`, what training holds out, or `"all"`.

    Raises:
        InputError: as `load_own_training`, or if there is no such set.
    """
    if name not in OWN_SETS:
        raise InputError(
            f"{path}: the sets of a file are {' and '.join(OWN_SETS)}; {name} is a "
            "folder's"
        )
    faces = annotations.faces
    if name == "validation":
        faces = split_own(annotations, path)[1]
    crops = load_crops(faces, annotations.layout, progress, False, input_size)
    crops.failures.extend(annotations.failures)
    return _measurable(crops, path)


def _measurable(crops, path):
    """The crops, if an error can be measured on any of them."""
    if not np.any(crops.counted()):
        raise InputError(
            f"{path}: the errors of {len(crops)} instances cannot be measured: the "
            "keypoints of their normalizer are unknown in each; choose another "
            "--normalizer"
        )
    return crops
