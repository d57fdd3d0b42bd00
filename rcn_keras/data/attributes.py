"""The attributes of faces as targets, for the networks that learn them beside."""

import numpy as np

from rcn_keras.errors import InputError
from rcn_keras.models.tcdcn import ATTRIBUTES


def attribute_targets(faces, augmentation):
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
    targets = {}
    for name, classes in ATTRIBUTES.items():
        for face in faces:
            label = face.attributes.get(name)
            if label not in range(1, classes + 1):
                raise InputError(
                    f"{face.source}: expected the attribute {name!r}, 1 to {classes} "
                    f"(MTFL has it); found {label}"
                )
        labels = [face.attributes[name] - 1 for face in faces]
        targets[name] = np.array(labels, "int32")
    return targets
