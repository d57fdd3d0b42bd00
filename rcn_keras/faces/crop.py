"""One crop, both directions: a square of a photograph to 160x160 grey, and back."""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np

from rcn_keras._types import Tensor
from rcn_keras.faces.boxes import CROP_SIZE, INPUT_SIZE
from rcn_keras.faces.resampling import resampled
from rcn_keras.faces.taps import bilinear_taps

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


_FEW = 8  # For fewer faces, threads take longer to start than they save.


@functools.cache
def _every_pixel(size):
    return np.arange(size)[:, None], np.ones((size, 1), "float32")


def gray(image: Tensor, xp: Any = np) -> Tensor:
    """Grey of `(H, W, 3)` uint8 RGB, `(H, W)` float32 of whole numbers."""
    red, green, blue = (
        xp.array(image[:, :, channel], dtype="float32") for channel in range(3)
    )
    return xp.round(0.299 * red + 0.587 * green + 0.114 * blue)


def crop_square(
    image: np.ndarray, square: Sequence[float], size: int = CROP_SIZE
) -> np.ndarray:
    """Resamples a square of a photograph to a grey crop, black outside the photograph.

    Args:
        image: `(H, W, 3)` uint8 RGB.
        square: `(left, top, side)` in photograph pixels, side above 0.
        size: int, side of the crop in pixels.

    Returns:
        `(size, size)` uint8, grey = 0.299 R + 0.587 G + 0.114 B.
    """
    square = [float(value) for value in square]
    return resampled(image, square, size, *_every_pixel(size))


def to_photograph(points: Tensor, squares: Tensor, size: int, xp: Any = np) -> Tensor:
    """Crop pixels to photograph pixels.

    Args:
        points: `(N, K, 2)` in pixels of crops of side `size`.
        squares: `(N, 3)` left, top, side of those crops in photograph pixels.
        size: int.
        xp: `numpy`, or `keras.ops` in a graph.

    Returns:
        `(N, K, 2)` float64, in photograph pixels.
    """
    squares = xp.array(squares, dtype="float64")
    scaled = xp.array(points, dtype="float64") * (squares[:, None, 2:] / size)
    return scaled + squares[:, None, :2]


def to_crop(points: ArrayLike, squares: ArrayLike, size: int) -> np.ndarray:
    """Photograph pixels to crop pixels: the inverse of `to_photograph`."""
    squares = np.asarray(squares, "float64")
    return (np.asarray(points) - squares[:, None, :2]) * (size / squares[:, None, 2:])


def input_crop(
    image: np.ndarray, square: Sequence[float], context: float, size: int = INPUT_SIZE
) -> np.ndarray:
    """The network's input for a square given directly, as prediction needs it.

    Args:
        image: `(H, W, 3)` uint8 RGB.
        square: `(left, top, side)` in photograph pixels, side above 0.
        context: float, side of the stored crop in sides of the square: that of the
            layout, `layout.square.context`.
        size: int, side of the input in pixels.

    Returns:
        `(size, size)` uint8 grey.
    """
    left, top, side = (float(value) for value in square)
    margin = (context - 1) / 2
    stored = 2 * size
    inner = stored / context
    index, weights = bilinear_taps(inner * margin, inner, size, stored)
    outer = left - margin * side, top - margin * side, context * side
    return resampled(image, outer, stored, index, weights)


def input_crops(
    images: Sequence[np.ndarray],
    squares: np.ndarray,
    context: float,
    size: int = INPUT_SIZE,
) -> np.ndarray:
    """`input_crop` of many faces, in threads where that pays.

    Args:
        images: sequence of N `(H, W, 3)` uint8 RGB, the photograph of each face.
        squares: `(N, 3)`, left, top and side in their pixels.
        context, size: as those of `input_crop`.

    Returns:
        `(N, size, size, 1)` uint8 grey.
    """
    crop = functools.partial(input_crop, context=context, size=size)
    if len(squares) < _FEW:
        crops = list(map(crop, images, squares))
    else:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            crops = list(pool.map(crop, images, squares))
    return np.reshape(np.array(crops, "uint8"), (-1, size, size, 1))
