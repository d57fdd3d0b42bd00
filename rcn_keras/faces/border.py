"""Keypoints that annotators put on the edge of a photograph that cuts a face off."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rcn_keras.faces.boxes import training_square

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from rcn_keras.layout import KeypointLayout


# Edges of a picture as bits (`border_flags`).
LEFT, TOP, RIGHT, BOTTOM = 1, 2, 4, 8


def border_flags(
    keypoints: ArrayLike, layout: KeypointLayout, width: int, height: int
) -> np.ndarray:
    """Which keypoints of a face lie at an edge of the picture that cuts it off.

    Annotators put what lies outside the picture on its edge: such a point is no true
    one. A point counts that is less than 10 pixels from the left or the top edge, or at
    most 3 from the right or the bottom one, where the network's input reaches over that
    edge; by the rule "eyes_mouth" it never does.

    Args:
        keypoints: `(K, 2)` in photograph pixels.
        layout: their `KeypointLayout`.
        width, height: ints, size of the photograph.

    Returns:
        `(K,)` uint8, the sum of `LEFT` 1, `TOP` 2, `RIGHT` 4 and `BOTTOM` 8.
    """
    x, y = np.asarray(keypoints).T
    near = np.stack([x < 10, y < 10, width - x <= 3, height - y <= 3], axis=1)
    left, top, side = training_square(keypoints, layout, width, height)
    free = np.array([left, top, width - left - side, height - top - side])
    cut = free < -1e-6  # what rounding alone puts outside is not
    return (near & cut) @ np.array([LEFT, TOP, RIGHT, BOTTOM], "uint8")
