"""The sets that the command line knows by name."""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING, Any

from rcn_keras._types import PathLike, Progress
from rcn_keras.data import afw, three_hundred_w
from rcn_keras.data.crops import Crops, load_crops
from rcn_keras.data.mtfl import read_mtfl
from rcn_keras.data.own import is_own, load_own_test, read_own
from rcn_keras.data.packed import is_packed, load_packed
from rcn_keras.data.splits import split
from rcn_keras.errors import InputError
from rcn_keras.faces.boxes import INPUT_SIZE
from rcn_keras.layout import FACE_5, FACE_68, KeypointLayout

if TYPE_CHECKING:
    from rcn_keras.data.annotations import Face


TEST_SETS = ("aflw", "afw", "300w", "validation", "all")
LAYOUTS = {"aflw": FACE_5, "afw": FACE_5, "300w": FACE_68}  # validation: of either

# What the training faces of a layout are called in a table.
TRAINING_SETS = {FACE_5.name: "MTFL", FACE_68.name: "300-W"}

_TEST_300W = three_hundred_w.COMMON + three_hundred_w.CHALLENGING


def load_training(
    folder: PathLike,
    progress: Progress | None = None,
    layout: KeypointLayout = FACE_5,
    allow_missing: bool = False,
    input_size: int = INPUT_SIZE,
) -> tuple[Crops, Crops]:
    """The training faces of MTFL, or of 300-W, split.

    Args:
        folder: folder of MTFL or of 300-W, or one that `packed.pack` wrote of it.
        progress: callable `(done, total)`, or `None`.
        layout: `FACE_5` for MTFL or `FACE_68` for 300-W.
        allow_missing: bool, accept missing folders of 300-W. The
            split is then another one: train and calibrate on the same folders.
        input_size: int, side of the network's input in pixels.

    Returns:
        training, validation: `Crops`, each with its own failures. The list is split
        before any file of a face is opened: a bad one moves no other face to the other
        side.

    Raises:
        InputError: if the folder or its list cannot be used.
    """
    if is_packed(folder):
        return load_packed(folder, layout, input_size)
    parts = split_faces(folder, layout, allow_missing)
    training, validation = (
        _loaded(faces, failures, layout, progress, input_size)
        for faces, failures in parts
    )
    return training, validation


def split_faces(
    folder: PathLike, layout: KeypointLayout, allow_missing: bool
) -> list[tuple[list[Face], list[str]]]:
    """The training list of MTFL or of 300-W, split, without opening photographs.

    Args:
        folder, layout, allow_missing: as for `load_training`.

    Returns:
        Training and validation, each a list of `Face` and a list of what was left out.

    Raises:
        InputError: as `load_training`.
    """
    if layout.name not in TRAINING_SETS:
        raise InputError(
            f"{folder}: keypoints of the layout {layout.name!r} are read from a file "
            "(a table or JSON); no such file"
        )
    missing, is_300w = [], layout.name == FACE_68.name
    if is_300w:
        listed = three_hundred_w.list_300w(
            folder, three_hundred_w.TRAINING, allow_missing, missing
        )
    else:
        listed = read_mtfl(folder, "training")
    if len(listed) < 10:
        raise InputError(
            f"{folder}: {len(listed)} training faces; a training and a validation "
            "split take at least 10"
        )
    parts = []
    for indices in split(len(listed)):
        # What is missing altogether is listed once, with the training part.
        faces, failures = [listed[i] for i in indices], [] if parts else missing
        if is_300w:
            faces = three_hundred_w.read_faces(faces, failures)
        parts.append((faces, failures))
    return parts


def _loaded(faces, failures, layout, progress, input_size):
    crops = load_crops(faces, layout, progress, input_size=input_size)
    crops.failures.extend(failures)
    return crops


def load_test_set(
    folder: PathLike,
    name: str,
    progress: Progress | None = None,
    layout: KeypointLayout = FACE_5,
    allow_missing: bool = False,
    input_size: int = INPUT_SIZE,
    **reading: Any,
) -> Crops:
    """A set to measure on.

    Args:
        folder: folder of MTFL (`"aflw"`, `"validation"`) or of 300-W (`"300w"`, and
            `"validation"` of `FACE_68`), or for `"validation"` packed faces; for
            `"afw"` that of AFW's `anno.mat`, or of 300-W's `.pts` files (AFW-337,
            derived). Or a file of one's own keypoints (`"validation"`, `"all"`).
        name: one of `TEST_SETS`.
        progress: callable `(done, total)`, or `None`.
        layout: `FACE_5` or `FACE_68`: whose validation split `"validation"` is; of a
            file the layout of its keypoints.
        allow_missing: bool, accept missing folders of 300-W.
        input_size: int, side of the network's input in pixels.
        **reading: how to read a file: `images`, `coordinates` and `category` of
            `keypoint_files.read_annotations`.

    Returns:
        `Crops`, with all failures.

    Raises:
        InputError: if the folder cannot be used.
        ValueError: if there is no such set.
    """
    if is_own(folder):
        annotations = read_own(folder, layout, **reading)
        return load_own_test(annotations, folder, name, progress, input_size)
    if name == "all":
        raise InputError(f"{folder}: the set all is that of a file; no such file")
    if name == "validation" and is_packed(folder):
        return load_packed(folder, layout, input_size)[1]
    if name == "validation":
        faces, failures = split_faces(folder, layout, allow_missing)[1]
        return _loaded(faces, failures, layout, progress, input_size)
    failures = []
    if name == "aflw":
        faces = read_mtfl(folder, "testing")
    elif name == "afw":
        faces = afw.read_afw(folder, failures)
    elif name == "300w":
        faces = three_hundred_w.read_300w(folder, _TEST_300W, allow_missing, failures)
    else:
        raise ValueError(f"`name` must be one of {TEST_SETS}. Received: {name!r}")
    return _loaded(faces, failures, LAYOUTS[name], progress, input_size)


def full_name(folder: PathLike, name: str, crops: Crops) -> str:
    """What a set is called in a table: AFW is two different ones, and 300-W may lack
    faces.

    Args:
        folder: folder of the set.
        name: one of `TEST_SETS`.
        crops: `Crops`, the faces that are used.
    """
    if name == "afw":
        return afw.set_name(folder)
    if name == "300w":
        official = sum(three_hundred_w.OFFICIAL_FACES[part] for part in _TEST_300W)
        return f"300-W ({len(crops)} of {official} official test faces)"
    if is_own(folder):
        return f"{pathlib.Path(folder).name}, {name}"
    if name == "validation":
        return f"{TRAINING_SETS[crops.layout.name]} validation"
    return {"aflw": "AFLW"}[name]
