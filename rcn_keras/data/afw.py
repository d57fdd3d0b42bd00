"""AFW with 5 points: the official annotation, or the points of 300-W's copy of it.

The two are not the same set: 300-W left out the hardest faces. Every number measured on
the second is to be called by its own name, which `set_name` gives.
"""

from __future__ import annotations

import dataclasses
import pathlib
from typing import TYPE_CHECKING

import h5py
import numpy as np

from rcn_keras._types import PathLike
from rcn_keras.data import three_hundred_w
from rcn_keras.data.annotations import Face
from rcn_keras.data.points_file import LIMIT, list_pts
from rcn_keras.errors import InputError
from rcn_keras.files import find_file

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


OFFICIAL = "AFW"
DERIVED = "AFW-337 (derived)"

# Rows of the cell array `anno` as HDF5 has them (MATLAB's columns): image name, boxes,
# poses, landmarks. The last three are cell arrays with one entry a face.
ROWS, NAME, LANDMARKS = 4, 0, 3
# Both eyes, nose, left corner, centre and right corner of the mouth; no centre in ours.
KEPT = [0, 1, 2, 3, 5]


def set_name(folder: PathLike) -> str:
    """What to call the faces of this folder: "AFW" or "AFW-337 (derived)".

    Raises:
        InputError: if the folder is neither.
    """
    annotation, _ = _located(pathlib.Path(folder))
    return OFFICIAL if annotation else DERIVED


def read_afw(folder: PathLike, failures: list[str] | None = None) -> list[Face]:
    """Reads AFW, in whichever of its two forms the folder holds.

    The official form is `anno.mat`, in the folder or in its `testimages`; photographs
    may stand in either. A face that lacks any of its six landmarks is dropped (377 of
    the released faces stay), as is the centre of the mouth.

    Without it, the 68-point `.pts` files of 300-W are taken, in the folder or in its
    `afw`, in the order of their names. Photographs are not opened here.

    Args:
        folder: folder of AFW or of 300-W.
        failures: list, or `None`. A `.pts` file that cannot be used, or has no
            photograph, is left out, and "file: reason" is appended to this list.

    Returns:
        list of `Face` with 5 keypoints.

    Raises:
        InputError: if the folder holds neither form, if `anno.mat` is damaged or laid
            out differently, or if no face is left.

    Reference:
        Zhu and Ramanan, Face Detection, Pose Estimation, and Landmark Localization in
        the Wild, CVPR 2012.
    """
    folder = pathlib.Path(folder)
    annotation, points_files = _located(folder)
    if annotation:
        return _read_official(folder, annotation)
    return _read_derived(points_files, [] if failures is None else failures)


def five_keypoints(points: ArrayLike) -> np.ndarray:
    """`(68, 2)` points of 300-W as `(5, 2)`: eyes (means), nose, mouth corners."""
    points = np.asarray(points, "float64")
    eyes = points[36:42].mean(0), points[42:48].mean(0)
    return np.stack([*eyes, *points[[30, 48, 54]]]).astype("float32")


def _located(folder):
    """`(path of anno.mat, [])`, or `(None, paths of .pts files)`."""
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder (expected the folder of AFW)")
    for place in (folder, folder / "testimages"):
        if (place / "anno.mat").is_file():
            return place / "anno.mat", []
    for place in (folder, folder / "afw"):
        files = list_pts(place)
        if files:
            return None, files
    raise InputError(
        f"{folder}: expected AFW's `anno.mat` in this folder or in `testimages`, or "
        "the .pts files of 300-W in this folder or in `afw`; found neither"
    )


def _read_derived(points_files, failures):
    faces = three_hundred_w.read_faces(
        [("afw", path) for path in points_files], failures
    )
    return [
        dataclasses.replace(face, keypoints=five_keypoints(face.keypoints))
        for face in faces
    ]


def _read_official(folder, annotation):
    try:
        annotated = _landmarks(annotation)
    except Exception as error:  # Damaged bytes make h5py raise almost any kind.
        raise InputError(
            f"{annotation}: expected AFW's annotation, a MATLAB v7.3 file whose cell "
            "array `anno` has a row for each image (name, boxes, poses, landmarks), "
            f"with 6 landmarks a face; {error}"
        ) from None
    faces = []
    for name, number, points in annotated:
        if np.isnan(points).any():
            continue
        places = (annotation.parent / name, folder / name, folder / "testimages" / name)
        image = next(filter(pathlib.Path.is_file, map(find_file, places)), places[0])
        keypoints = (points[KEPT] - 0.5).astype("float32")
        faces.append(Face(image, keypoints, f"{annotation} ({name}, face {number})"))
    if not faces:
        raise InputError(f"{annotation}: no face has all of its 6 landmarks")
    return faces


def _landmarks(path):
    """Every face as `(image name, its number in the image, (6, 2) landmarks)`."""
    if not h5py.is_hdf5(path):
        raise ValueError("found another kind of file")
    annotated = []
    with h5py.File(path, "r") as file:
        if "anno" not in file:
            raise ValueError("found no `anno` in it")
        rows = _cells(file["anno"])
        if rows.ndim != 2 or len(rows) != ROWS:
            raise ValueError(f"found {rows.T.shape} cells")
        for name, landmarks in zip(rows[NAME], rows[LANDMARKS]):
            name = _image_name(file[name][()])
            for number, face in enumerate(_cells(file[landmarks]).flat, 1):
                points = file[face][()].T
                place = f"of {name}, face {number}, found"
                if points.shape != (6, 2):
                    raise ValueError(f"{place} an array of {points.shape}")
                if (np.abs(points) >= LIMIT).any():
                    raise ValueError(f"{place} {points.tolist()}")
                annotated.append((name, number, points))
    return annotated


def _image_name(characters):
    name = "".join(map(chr, characters.flat))
    fits = 0 < len(name.encode(errors="replace")) < 256 and name.isprintable()
    if not fits or pathlib.PurePath(name).name != name:
        raise ValueError(f"expected an image name, found {name[:40]!r}")
    return name


def _cells(dataset):
    """The object references of a MATLAB cell array."""
    if dataset.attrs.get("MATLAB_empty"):  # Then the data is the shape.
        return np.empty((0, 0), object)
    if h5py.check_ref_dtype(dataset.dtype) is not h5py.Reference:
        raise ValueError(f"expected a cell array, found {dataset.dtype}")
    return dataset[()]
