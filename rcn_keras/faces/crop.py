"""One crop, both directions: a square of a photograph to 160x160 grey, and back."""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from rcn_keras._types import Tensor
from rcn_keras.faces.boxes import CROP_SIZE, INPUT_SIZE

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


_LOBES = 3  # Lanczos window
# Sides of the blocks of pixels that are averaged first where a photograph is shrunk a
# lot, two blocks or more to a pixel of the crop: a quarter of the time.
_BLOCKS = (2, 4, 8, 16, 32)
# Pixels of the result in one product of matrices. They take nearly the same pixels of
# the photograph, and OpenBLAS starts no threads for so few: they would spin on, beside
# those of the network's runtime.
_ROWS = 4
_FEW = 8  # Faces for which threads take longer to start than they save.


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
    support = _LOBES * stretch + block / 2
    count = xp.array(xp.ceil(2 * support), dtype="int32") + 1
    taps = xp.array(xp.arange(count), dtype="float64")
    index = xp.floor(centers - support)[:, None] + taps
    offset = (xp.floor(index / block) + 0.5) * block
    offset = (offset - centers[:, None]) / stretch
    weights = xp.sinc(offset) * xp.sinc(offset / _LOBES)
    counts = xp.logical_and(index >= 0, index < length)
    counts = xp.logical_and(counts, xp.abs(offset) < _LOBES)
    weights = xp.where(counts, weights, 0.0)
    inside = xp.logical_and(centers >= 0, centers < length)
    total = xp.where(inside, xp.sum(weights, axis=1), np.inf)
    weights = xp.array(weights / total[:, None], dtype="float32")
    return xp.array(xp.clip(index, 0, length - 1), dtype="int32"), weights


def _block(step, xp):
    """Side of the blocks of source pixels that are averaged before the resampling."""
    blocks = np.array(_BLOCKS, "float64")
    return xp.max(xp.where(step >= 2 * blocks, blocks, 1.0))


@functools.cache
def _bilinear_taps(start, side, size, length):
    """What the warp does to an axis without turning it, as `lanczos_taps`."""
    position = start + (np.arange(size) + 0.5) * (side / size) - 0.5
    first = np.floor(position).astype("int32")
    after = (position - first).astype("float32")
    index = np.stack([first, first + 1], axis=1)
    return np.clip(index, 0, length - 1), np.stack([1 - after, after], axis=1)


@functools.cache
def _every_pixel(size):
    return np.arange(size)[:, None], np.ones((size, 1), "float32")


def _resampled(image, square, size, index, shares):
    """A crop, or what the warp makes of it without turning it, `(P, P)` uint8.

    What `lanczos_taps` says, in blocks instead of pixels.

    Args:
        image, square, size: as those of `crop_square`.
        index, shares: `(P, S)`, of each axis the pixels of the crop that a pixel of the
            result takes, in ascending order, and how much of them.
    """
    left, top, side = square
    step = side / size
    block = max((block for block in _BLOCKS if step >= 2 * block), default=1)
    stretch = max(step, 1.0) / block
    centers = (np.array([[[top]], [[left]]]) + (index + 0.5) * step) / block
    first = np.floor(centers - _LOBES * stretch)
    # Taps are the first axis, `(T, 2, P, S)`: numpy is fast along the last ones.
    taps = np.arange(math.ceil(2 * _LOBES * stretch) + 1).reshape(-1, 1, 1, 1)
    offsets = (first + 0.5 - centers) * (math.pi / stretch) + 1e-9  # nowhere 0 / 0
    offsets = (offsets + taps * (math.pi / stretch)).astype("float32")
    weights = np.sin(offsets) * np.sin(offsets / _LOBES) / (offsets * offsets)
    weights *= np.abs(offsets) < _LOBES * math.pi
    first = first.astype(int)
    begin, end = first[:, 0, 0].tolist(), (first[:, -1, -1] + len(taps)).tolist()
    if min(begin) < 0 or any(end[axis] * block > image.shape[axis] for axis in (0, 1)):
        lengths = np.array(image.shape[:2])
        begin, end = np.clip([begin, end], 0, -(-lengths // block)).tolist()
        lengths = lengths.reshape(2, 1, 1)
        edges = np.clip((first + np.stack([taps, taps + 1])) * block, 0, lengths)
        seen = (edges[1] - edges[0]).astype("float32") / block
        weights[seen == 0] = 0
        inside = (centers >= 0) & (centers * block < lengths)
        totals = np.where(inside, (weights * seen).sum(axis=0), np.float32(np.inf))
    else:
        totals = weights.sum(axis=0)
    matrices, places = _bands(weights * (shares / totals), first, taps)
    pixels = _blocks(image, begin, end, block)
    if not pixels.size:
        return np.zeros((len(index), len(index)), "uint8")
    for axis in (0, 1):
        taken = pixels.take(places[axis] - begin[axis], axis=0, mode="clip")
        rows = (matrices[axis] @ taken).reshape(-1, pixels.shape[1])
        pixels = cv2.transpose(rows[: len(index)])
    return cv2.add(pixels, 0.0, dtype=cv2.CV_8U)  # rounds, within 0...255


def _bands(weights, first, taps):
    """Weights of taps as matrices for a few pixels of the result, which take nearly the
    same pixels.

    Args:
        weights: `(T, 2, P, S)`, of the taps of both axes.
        first: `(2, P, S)` int, what the first taps take.
        taps: `(T, 1, 1, 1)` int, 0, 1, 2…

    Returns:
        matrices: `(2, B, R, W)`, for each axis and R pixels of the result.
        places: `(2, B, W)` int, the pixels that a matrix multiplies.
    """
    pixels = first.shape[1]
    count = -(-pixels // _ROWS)
    starts = first[:, ::_ROWS, 0]
    columns = first - starts.repeat(_ROWS, axis=1)[:, :pixels, None]
    width = int(columns.max()) + len(taps)
    matrices = np.zeros((2, count, _ROWS, width), "float32")
    rows = np.arange(2 * count * _ROWS).reshape(2, -1, 1)[:, :pixels]
    cells = rows * width + columns + taps
    np.add.at(matrices.reshape(-1), cells.reshape(-1), weights.reshape(-1))
    return matrices, starts[..., None] + np.arange(width)


def _blocks(image, begin, end, block):
    """The mean grey of a photograph's blocks of pixels, `(rows, columns)` float32, the
    last ones filled up with black."""
    low = [edge * block for edge in begin]
    high = [edge * block for edge in end]
    part = image[low[0] : high[0], low[1] : high[1]]
    if not part.size:
        return np.zeros((end[0] - begin[0], end[1] - begin[1]), "float32")
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
    return _resampled(image, square, size, *_every_pixel(size))


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
    bilinear = _bilinear_taps(inner * margin, inner, size, stored)
    return [
        (
            lanczos_taps(start - margin * side, context * side, stored, length, xp),
            bilinear,
        )
        for start, length in ((top, height), (left, width))
    ]


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
    index, weights = _bilinear_taps(inner * margin, inner, size, stored)
    outer = left - margin * side, top - margin * side, context * side
    return _resampled(image, outer, stored, index, weights)


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
