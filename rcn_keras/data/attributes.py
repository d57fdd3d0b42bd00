"""The attributes of faces: as targets of the networks that learn them beside, and for
how often a face is shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from rcn_keras.attributes import ATTRIBUTES
from rcn_keras.errors import InputError

if TYPE_CHECKING:
    from rcn_keras.data.annotations import Face
    from rcn_keras.data.augmentation import Augmentation
    from rcn_keras.data.crops import Crops


def attribute_targets(
    faces: Sequence[Face], augmentation: Augmentation | None
) -> dict[str, np.ndarray]:
    """The classes of all faces, counted from 0 (MTFL counts from 1).

    Args:
        faces: list of N `Face`.
        augmentation: `Augmentation` that the faces will get, or `None`.

    Returns:
        dict of `(N,)` int32: `gender`, `smile`, `glasses` and `pose`.

    Raises:
        InputError: if a face lacks one, or has one that there is not; the message names
            its line.
        ValueError: if the augmentation mirrors faces.
    """
    if augmentation is not None and augmentation.flip:
        # A pose to the left would have to become one to the right.
        raise ValueError(
            "attributes are learned from faces that are not mirrored. "
            f"Received: {augmentation}"
        )
    labels = {name: attribute_labels(faces, name) for name in ATTRIBUTES}
    return {name: (label - 1).astype("int32") for name, label in labels.items()}


def attribute_labels(faces: Sequence[Face], name: str) -> np.ndarray:
    """An attribute of all faces as MTFL has it, counted from 1.

    Args:
        faces: list of N `Face`.
        name: str, one of `ATTRIBUTES`.

    Returns:
        `(N,)` ints.

    Raises:
        InputError: if a face lacks it, or has one that there is not; the message names
            its line.
    """
    classes = ATTRIBUTES[name]
    for face in faces:
        label = face.attributes.get(name)
        if label not in range(1, classes + 1):
            raise InputError(
                f"{face.source}: expected the attribute {name!r}, 1 to {classes} "
                f"(MTFL has it); found {label}"
            )
    return np.array([face.attributes[name] for face in faces])


def repeated_by_pose(crops: Crops, times: Sequence[int]) -> Crops:
    """The crops, each as often as its face's pose says.

    Args:
        crops: `Crops`.
        times: 5 ints, for poses 1 to 5.

    Raises:
        InputError: if a face has no pose.
    """
    poses = attribute_labels(crops.faces, "pose")
    return crops.take(np.repeat(np.arange(len(crops)), np.array(times)[poses - 1]))
