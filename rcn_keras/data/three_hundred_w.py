"""300-W: 68 points, in the folders of its four sources.

Its three test folders make up the "full" set: Helen's and LFPW's are its "common" part,
iBUG is its "challenging" one.
"""

import pathlib
from collections.abc import Sequence

import numpy as np

from rcn_keras._types import PathLike
from rcn_keras.data.annotations import Face
from rcn_keras.data.points_file import find_image, images_alone, list_pts, read_pts
from rcn_keras.errors import InputError

TRAINING = ("afw", "helen/trainset", "lfpw/trainset")
COMMON = ("helen/testset", "lfpw/testset")
CHALLENGING = ("ibug",)

# How many faces each folder has as released.
OFFICIAL_FACES = {
    "afw": 337,
    "helen/trainset": 2000,
    "helen/testset": 330,
    "lfpw/trainset": 811,
    "lfpw/testset": 224,
    "ibug": 135,
}


def read_300w(
    folder: PathLike,
    subsets: Sequence[str],
    allow_missing: bool = False,
    failures: list[str] | None = None,
) -> list[Face]:
    """Reads folders of 300-W as released; photographs are not opened here.

    Args:
        folder: folder that holds the folders `afw`, `helen/trainset`, ..., `ibug`.
        subsets: names of those to read, see `OFFICIAL_FACES`.
        allow_missing: bool, accept folders that are missing or empty.
        failures: list, or `None`. What is left out is appended to it: a folder, or
            "file: reason" for a `.pts` file that cannot be used or has no photograph.

    Returns:
        list of `Face` with 68 keypoints and the attribute `"subset"`, folder by folder
        as asked for, sorted by name in each.

    Raises:
        InputError: if a folder is missing or empty, or if no face is left.
        ValueError: if there is no such subset.

    Reference:
        Sagonas et al., 300 Faces in-the-Wild Challenge, ICCV Workshops 2013.
    """
    return read_faces(list_300w(folder, subsets, allow_missing, failures), failures)


def list_300w(
    folder: PathLike,
    subsets: Sequence[str],
    allow_missing: bool = False,
    failures: list[str] | None = None,
) -> list[tuple[str, pathlib.Path]]:
    """The `.pts` files that `read_300w` reads, with the subset of each.

    Returns:
        list of `(subset, path)`.
    """
    folder, listed, missing, alone = pathlib.Path(folder), [], [], []
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder (expected the folder of 300-W)")
    for subset in subsets:
        if subset not in OFFICIAL_FACES:
            raise ValueError(
                f"`subsets` must be of {tuple(OFFICIAL_FACES)}. Received: {subset!r}"
            )
        place = folder / subset
        pts_files = list_pts(place)
        listed += [(subset, path) for path in pts_files]
        alone += images_alone(place) if pts_files else []
        if not pts_files:
            what = "no .pts file in this folder" if place.is_dir() else "no such folder"
            missing.append(f"{place}: {what} (expected 300-W's {subset})")
    if not listed:
        raise InputError(
            f"{folder}: no .pts file in any of {', '.join(subsets)} (expected the "
            "folder of 300-W)"
        )
    if missing and not allow_missing:
        raise InputError(f"{'; '.join(missing)}; `--allow-missing` does without")
    if failures is not None:
        failures.extend(missing + alone)
    return listed


def read_faces(
    listed: Sequence[tuple[str, pathlib.Path]], failures: list[str] | None = None
) -> list[Face]:
    """Reads `.pts` files.

    Args:
        listed: list of `(subset, path)`.
        failures: as in `read_300w`.

    Returns:
        list of `Face`.

    Raises:
        InputError: if no face could be read.
    """
    faces, reasons = [], []
    for subset, path in listed:
        try:
            keypoints, image = read_pts(path), find_image(path)
        except InputError as error:
            reasons.append(str(error))
        else:
            faces.append(Face(image, keypoints, str(path), {"subset": subset}))
    if failures is not None:
        failures.extend(reasons)
    if not faces:
        raise InputError(f"no face could be read; the first: {reasons[0]}")
    return faces


def counts(faces: Sequence[Face], subsets: Sequence[str]) -> str:
    """How many of the released faces these are, in words.

    Args:
        faces: list of `Face`.
        subsets: names of the subsets to list.

    Returns:
        str, such as "helen/testset 330 of 330, ibug 0 of 135 (missing)".
    """
    names = [face.attributes["subset"] for face in faces]
    return ", ".join(
        f"{subset} {names.count(subset)} of {OFFICIAL_FACES[subset]}"
        + ("" if subset in names else " (missing)")
        for subset in subsets
    )


def subset_masks(faces: Sequence[Face]) -> dict[str, np.ndarray]:
    """Which of the test faces are of which part.

    Args:
        faces: list of N `Face`.

    Returns:
        dict of `(N,)` bools: `"common"` and `"challenging"`, whichever are there, and
        `"full"` where both are.
    """
    names = [face.attributes["subset"] for face in faces]
    common, challenging = np.isin(names, COMMON), np.isin(names, CHALLENGING)
    masks = {"common": common, "challenging": challenging}
    masks = {part: mask for part, mask in masks.items() if mask.any()}
    if len(masks) == 2:
        masks["full"] = common | challenging
    return masks
