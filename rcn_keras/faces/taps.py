"""How an axis is resampled: which pixels count for a pixel of the result, and how much.

For arrays of `numpy`, and with `keras.ops` for the graph that is exported.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from rcn_keras._types import Tensor
from rcn_keras.faces.boxes import INPUT_SIZE

LOBES = 3  # Lanczos window
# Sides of the blocks of pixels that are averaged first where a photograph is shrunk a
# lot, two blocks or more to a pixel of the crop: a quarter of the time.
BLOCKS = (2, 4, 8, 16, 32)


def lanczos_taps(
    start: Any, side: Any, size: int, length: Any, xp: Any = np
) -> tuple[Tensor, Tensor]:
    """Lanczos resampling of one axis: which source pixels count, and how much.

    Args:
        start, side: floats, the stretch of the axis to resample, in source pixels.
        size: int, number of output pixels.
        length: int, number of source pixels.
        xp: `numpy`, or `keras.ops` in a graph.

    Returns:
        index: `(size, T)` int32, source pixels of each output pixel.
        weights: `(size, T)` float32. A row sums to 1, or to 0 where the centre of its
            output pixel lies outside the source.
    """
    step = side / size
    centers = start + (np.arange(size) + 0.5) * step
    stretch = xp.maximum(step, 1.0)  # shrinking widens the window: no aliasing
    block = _block(step, xp)
    support = LOBES * stretch + block / 2
    count = xp.array(xp.ceil(2 * support), dtype="int32") + 1
    taps = xp.array(xp.arange(count), dtype="float64")
    index = xp.floor(centers - support)[:, None] + taps
    offset = (xp.floor(index / block) + 0.5) * block
    offset = (offset - centers[:, None]) / stretch
    weights = xp.sinc(offset) * xp.sinc(offset / LOBES)
    counts = xp.logical_and(index >= 0, index < length)
    counts = xp.logical_and(counts, xp.abs(offset) < LOBES)
    weights = xp.where(counts, weights, 0.0)
    inside = xp.logical_and(centers >= 0, centers < length)
    total = xp.where(inside, xp.sum(weights, axis=1), np.inf)
    weights = xp.array(weights / total[:, None], dtype="float32")
    return xp.array(xp.clip(index, 0, length - 1), dtype="int32"), weights


def _block(step, xp):
    """Side of the blocks of source pixels that are averaged before the resampling."""
    blocks = np.array(BLOCKS, "float64")
    return xp.max(xp.where(step >= 2 * blocks, blocks, 1.0))


@functools.cache
def bilinear_taps(
    start: float, side: float, size: int, length: int
) -> tuple[np.ndarray, np.ndarray]:
    """What the warp does to an axis without turning it, as `lanczos_taps`."""
    position = start + (np.arange(size) + 0.5) * (side / size) - 0.5
    first = np.floor(position).astype("int32")
    after = (position - first).astype("float32")
    index = np.stack([first, first + 1], axis=1)
    return np.clip(index, 0, length - 1), np.stack([1 - after, after], axis=1)


def input_taps(
    square: Sequence[Any],
    width: Any,
    height: Any,
    context: float,
    size: int = INPUT_SIZE,
    xp: Any = np,
) -> list:
    """How the network's input is resampled from a photograph.

    The same two steps as in training, Lanczos to the stored crop's resolution and
    bilinear from there.

    Args:
        square: left, top and side in photograph pixels, side above 0.
        width, height: ints, size of the photograph.
        context: float, side of the stored crop in sides of the square
            (`SquareRule.context`).
        size: int, side of the input in pixels.
        xp: `numpy`, or `keras.ops` in a graph.

    Returns:
        rows, columns: for each axis the taps of both steps, see `lanczos_taps`.
    """
    left, top, side = square
    margin = (context - 1) / 2
    # The square inside its context, in pixels of the stored crop.
    stored = 2 * size
    inner = stored / context
    bilinear = bilinear_taps(inner * margin, inner, size, stored)
    return [
        (
            lanczos_taps(start - margin * side, context * side, stored, length, xp),
            bilinear,
        )
        for start, length in ((top, height), (left, width))
    ]
