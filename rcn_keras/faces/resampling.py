"""A square of a photograph, resampled as `taps` says, by stacks of small matrices."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np

from rcn_keras.faces.taps import BLOCKS, LOBES

# Pixels of the result that one matrix makes: neighbours, which take nearly the same
# pixels of the photograph. For so small a product OpenBLAS starts no threads, which
# would keep a core busy while the network's runtime needs it.
_ROWS = 4


def resampled(
    image: np.ndarray,
    square: Sequence[float],
    size: int,
    index: np.ndarray,
    shares: np.ndarray,
) -> np.ndarray:
    """A crop, or means of its pixels (`taps.bilinear_taps`).

    Args:
        image: `(H, W, 3)` uint8 RGB.
        square: `(left, top, side)` in photograph pixels, side above 0.
        size: int, side of the crop in pixels.
        index, shares: `(P, S)`, the same for both axes: the S pixels of the crop that a
            pixel of the result is a mean of, in ascending order, and their weights.

    Returns:
        `(P, P)` uint8 grey, black outside the photograph.
    """
    block, first, weights = _taps(image.shape[:2], square, size, index, shares)
    matrices, places = _bands(first, weights)
    begin, end = first[:, 0, 0].tolist(), (first[:, -1, -1] + len(weights)).tolist()
    last = [-(-length // block) for length in image.shape[:2]]
    begin = [min(max(begin[axis], 0), last[axis]) for axis in (0, 1)]
    end = [min(max(end[axis], 0), last[axis]) for axis in (0, 1)]
    if begin[0] == end[0] or begin[1] == end[1]:
        return np.zeros((len(index), len(index)), "uint8")
    pixels = _blocks(image, begin, end, block)
    for axis in (0, 1):
        taken = pixels.take(places[axis] - begin[axis], axis=0, mode="clip")
        rows = (matrices[axis] @ taken).reshape(-1, pixels.shape[1])
        pixels = cv2.transpose(rows[: len(index)])
    # The sum with nothing is rounded, and kept within 0...255.
    return cv2.add(pixels, np.zeros_like(pixels), dtype=cv2.CV_8U)


def _taps(lengths, square, size, index, shares):
    """The taps of both axes, in blocks of pixels.

    Returns:
        block: int, side of a block in pixels.
        first: `(2, P, S)` int, the block of each pixel's first tap; its others are the
            next ones.
        weights: `(T, 2, P, S)` float32, how much a pixel of the result takes of them; 0
            of blocks outside the photograph.
    """
    left, top, side = square
    step = side / size
    block = max((block for block in BLOCKS if step >= 2 * block), default=1)
    stretch = max(step, 1.0) / block
    centers = (np.array([[[top]], [[left]]]) + (index + 0.5) * step) / block
    first = np.floor(centers - LOBES * stretch)
    # Taps are the first axis: numpy is fast along the last ones.
    taps = np.arange(math.ceil(2 * LOBES * stretch) + 1).reshape(-1, 1, 1, 1)
    offsets = (first + 0.5 - centers) * (math.pi / stretch) + 1e-9  # nowhere 0 / 0
    offsets = (offsets + taps * (math.pi / stretch)).astype("float32")
    weights = np.sin(offsets) * np.sin(offsets / LOBES) / (offsets * offsets)
    weights *= np.abs(offsets) < LOBES * math.pi
    first = first.astype(int)
    end = (first[:, -1, -1] + len(taps)).tolist()
    if first[:, 0, 0].min() >= 0 and all(
        end[axis] * block <= lengths[axis] for axis in (0, 1)
    ):
        return block, first, weights * (shares / weights.sum(axis=0))
    # How much of each tap's block lies in the photograph.
    lengths = np.reshape(lengths, (2, 1, 1))
    edges = np.clip((first + np.stack([taps, taps + 1])) * block, 0, lengths)
    seen = (edges[1] - edges[0]).astype("float32") / block
    inside = (centers >= 0) & (centers * block < lengths)
    total = np.where(inside, (weights * seen).sum(axis=0), np.float32(np.inf))
    return block, first, np.where(seen > 0, weights, 0) * (shares / total)


def _bands(first, weights):
    """Taps as matrices, one for each `_ROWS` pixels of the result.

    Args:
        first, weights: as of `_taps`.

    Returns:
        matrices: `(2, B, R, W)` float32, for each axis and R pixels of the result.
        places: `(2, B, W)` int, the blocks that a matrix multiplies.
    """
    pixels = first.shape[1]
    count = -(-pixels // _ROWS)
    taps = np.arange(len(weights)).reshape(-1, 1, 1, 1)
    starts = first[:, ::_ROWS, 0]
    columns = first - starts.repeat(_ROWS, axis=1)[:, :pixels, None]
    width = int(columns.max()) + len(weights)
    matrices = np.zeros((2, count, _ROWS, width), "float32")
    rows = np.arange(2 * count * _ROWS).reshape(2, -1, 1)[:, :pixels]
    cells = rows * width + columns + taps
    np.add.at(matrices.reshape(-1), cells.reshape(-1), weights.reshape(-1))
    return matrices, starts[..., None] + np.arange(width)


def _blocks(image, begin, end, block):
    """The mean grey of a photograph's blocks from `begin` to before `end` of each axis,
    `(rows, columns)` float32; the last ones are filled up with black."""
    low = [edge * block for edge in begin]
    high = [edge * block for edge in end]
    part = image[low[0] : high[0], low[1] : high[1]]
    part = cv2.cvtColor(part, cv2.COLOR_RGB2GRAY)
    below = high[0] - low[0] - part.shape[0]
    beside = high[1] - low[1] - part.shape[1]
    if below or beside:
        part = cv2.copyMakeBorder(part, 0, below, 0, beside, cv2.BORDER_CONSTANT)
    part = part.astype("float32")
    for _ in range(int(math.log2(block))):
        half = part.shape[1] // 2, part.shape[0] // 2
        part = cv2.resize(part, half, interpolation=cv2.INTER_AREA)
    return part
