"""Training faces to set the ranges of 8-bit numbers by."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from rcn_keras._types import PathLike
from rcn_keras.data.batches import input_images
from rcn_keras.data.crops import load_crops
from rcn_keras.data.sets import split_faces

if TYPE_CHECKING:
    from rcn_keras.layout import KeypointLayout

FACES = 160


def calibration_images(
    folder: PathLike,
    layout: KeypointLayout,
    allow_missing: bool = False,
    progress: Callable[[int, int], object] | None = None,
) -> np.ndarray:
    """The network's inputs of training faces, evenly out of their list.

    Args:
        folder, layout, allow_missing, progress: as for `sets.load_training`.

    Returns:
        `(N, 80, 80, 1)` uint8, N at most 160.

    Raises:
        InputError: if the folder or its list cannot be used.
    """
    (faces, _), _ = split_faces(folder, layout, allow_missing)
    step = -(-len(faces) // FACES)
    return input_images(load_crops(faces[::step], layout, progress))[0]
