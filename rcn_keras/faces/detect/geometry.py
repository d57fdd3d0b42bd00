"""What the detectors share: photographs scaled, boxes put in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def resized(image: np.ndarray, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """The image scaled, and the scale of a box that whole pixels made of it.

    Args:
        image: `(H, W, 3)` uint8 or float32.
        scale: float.

    Returns:
        `(h, w, 3)` image; `(4,)` float64, by which boxes in it are to be divided.
    """
    import cv2

    height, width = image.shape[:2]
    size = max(1, round(width * scale)), max(1, round(height * scale))
    if size != (width, height):
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        image = cv2.resize(image, size, interpolation=method)
    return image, np.tile([size[0] / width, size[1] / height], 2)


def falling(boxes: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Boxes `(M, 4)` and scores `(M,)` as float32, by falling score."""
    order = np.argsort(-scores, kind="stable")
    return boxes[order].astype("float32"), scores[order].astype("float32")


def as_mtcnn_draws(
    boxes: ArrayLike, shift_x: float, shift_y: float, scale: float
) -> np.ndarray:
    """Boxes of a detector as MTCNN would draw them, whose size leads to a network's
    square (`KeypointLayout.detector_square`).

    Args:
        boxes: `(M, 4)` float.
        shift_x, shift_y: floats, how far the centre moves, in box sizes (the mean of
            the box's sides).
        scale: float, by which the sides grow.

    Returns:
        `(M, 4)` float64.
    """
    corner, opposite = np.asarray(boxes, "float64").reshape(-1, 2, 2).swapaxes(0, 1)
    sides = opposite - corner
    shift = sides.mean(axis=1, keepdims=True) * [shift_x, shift_y]
    center = (corner + opposite) / 2 + shift
    return np.hstack([center - scale * sides / 2, center + scale * sides / 2])
