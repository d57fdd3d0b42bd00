"""The sets that the command line knows by name."""

from rcn_keras.data import afw
from rcn_keras.data.crops import load_crops
from rcn_keras.data.mtfl import read_mtfl
from rcn_keras.data.splits import split
from rcn_keras.errors import InputError

TEST_SETS = ("aflw", "afw", "validation")


def load_training(folder, progress=None):
    """MTFL's training list, split.

    Args:
        folder: folder of MTFL.
        progress: callable `(done, total)`, or `None`.

    Returns:
        training, validation: `Crops`, each with its own failures. The list is split
        before any image is opened: a missing one moves no other to the other side.

    Raises:
        InputError: if the folder or its list cannot be used.
    """
    return tuple(load_crops(part, progress) for part in _split_faces(folder))


def _split_faces(folder):
    faces = read_mtfl(folder, "training")
    if len(faces) < 10:
        raise InputError(
            f"{folder}: {len(faces)} training faces; a training and a validation split "
            "take at least 10"
        )
    return [[faces[i] for i in part] for part in split(len(faces))]


def load_test_set(folder, name, progress=None):
    """A set to measure on.

    Args:
        folder: folder of MTFL (`"aflw"`, `"validation"`); for `"afw"` that of AFW's
            `anno.mat`, or of 300-W's `.pts` files (AFW-337, derived).
        name: one of `TEST_SETS`.
        progress: callable `(done, total)`, or `None`.

    Returns:
        `Crops`, with all failures.

    Raises:
        InputError: if the folder cannot be used.
        ValueError: if there is no such set.
    """
    if name == "validation":
        return load_crops(_split_faces(folder)[1], progress)
    if name == "aflw":
        return load_crops(read_mtfl(folder, "testing"), progress)
    if name == "afw":
        failures = []
        crops = load_crops(afw.read_afw(folder, failures), progress)
        crops.failures.extend(failures)
        return crops
    raise ValueError(f"`name` must be one of {TEST_SETS}. Received: {name!r}")


def full_name(folder, name):
    """What a set is called in a table: AFW is two different ones."""
    if name == "afw":
        return afw.set_name(folder)
    return {"aflw": "AFLW", "validation": "MTFL validation"}[name]
