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
_BLOCKS = np.array([2.0, 4.0, 8.0, 16.0, 32.0])
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
    return xp.max(xp.where(step >= 2 * _BLOCKS, _BLOCKS, 1.0))


@functools.cache
def _bilinear_taps(start, side, size, length):
    """What the warp does to an axis without turning it, as `lanczos_taps`."""
    position = start + (np.arange(size) + 0.5) * (side / size) - 0.5
    first = np.floor(position).astype("int32")
    after = (position - first).astype("float32")
    index = np.stack([first, first + 1], axis=1)
    return np.clip(index, 0, length - 1), np.stack([1 - after, after], axis=1)


def _resampling(image, square, size, first, stop):
    """What `lanczos_taps` says of rows and columns `first` to `stop` of a crop, as the
    blocks of the photograph that they take and a matrix for each axis.

    Returns:
        blocks: `(N, N)` float32, the grey of the blocks, black beyond the photograph.
        matrices: `(2, stop - first, N)` float32; the resampled crop is
            `matrices[0] @ blocks @ matrices[1].T`.
    """
    left, top, side = square
    step = side / size
    block = int(_block(step, np))
    starts, lengths = np.array([[top], [left]]), np.array([image.shape[:2]]).T
    # From here in blocks, of which each axis has its first.
    centers = (starts + (np.arange(first, stop) + 0.5) * step) / block
    stretch = max(step, 1.0) / block
    taps = np.floor(centers - _LOBES * stretch)
    begin = taps[:, :1].astype(int)
    count = int((np.floor(centers[:, -1:] + _LOBES * stretch) - begin).max()) + 1
    taps = taps[..., None] + np.arange(math.ceil(2 * _LOBES * stretch) + 1)
    offsets = (taps + (0.5 - centers[..., None])) * (math.pi / stretch)
    offsets = np.asarray(offsets, "float32") + np.float32(1e-9)  # nowhere 0 / 0
    weights = np.sin(offsets) * np.sin(offsets / _LOBES) / (offsets * offsets)
    weights[np.abs(offsets) >= _LOBES * math.pi] = 0
    # Taps beyond the last block have no weight: their columns are cut off again.
    matrices = np.zeros((2, stop - first, count + taps.shape[-1]), "float32")
    rows = matrices.shape[-1] * np.arange(2 * (stop - first)).reshape(2, -1, 1)
    matrices.reshape(-1)[rows + taps.astype(int) - begin[..., None]] = weights
    matrices = matrices[..., :count]
    edges = (begin + np.arange(count + 1)) * block
    blocks, whole = _blocks(image, edges[:, 0], edges[:, -1], block)
    if whole:
        return blocks, matrices / weights.sum(axis=-1, keepdims=True)
    shares = np.diff(np.clip(edges, 0, lengths)).astype("float32") / block
    totals = (matrices * shares[:, None]).sum(axis=-1)
    inside = (centers >= 0) & (centers * block < lengths)
    totals = np.where(inside, totals, np.float32(np.inf))
    return blocks, matrices / totals[..., None]


def _blocks(image, low, high, block):
    """The mean grey of blocks of pixels between two corners, `(N, N)` float32, and
    whether all of it is on the photograph. The corners are corners of blocks."""
    height, width = image.shape[:2]
    top, left, bottom, right = map(int, (*low, *high))
    part = image[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
    whole = part.shape[:2] == (bottom - top, right - left)
    if part.size:
        part = cv2.cvtColor(part, cv2.COLOR_RGB2GRAY)
        # The last blocks may reach over the edge of the photograph.
        below, beside = -part.shape[0] % block, -part.shape[1] % block
        if below or beside:
            part = cv2.copyMakeBorder(part, 0, below, 0, beside, cv2.BORDER_CONSTANT)
        part = part.astype("float32")
        for _ in range(int(math.log2(block))):
            half = part.shape[1] // 2, part.shape[0] // 2
            part = cv2.resize(part, half, interpolation=cv2.INTER_AREA)
    if whole:
        return part, True
    # Black around it only now: as pixels it could take more memory than there is.
    blocks = np.zeros(((bottom - top) // block, (right - left) // block), "float32")
    if part.size:
        row, column = max(-top, 0) // block, max(-left, 0) // block
        blocks[row : row + len(part), column : column + part.shape[1]] = part
    return blocks, False


def _as_bytes(crop):
    return np.rint(np.clip(crop, 0, 255)).astype("uint8")


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
    blocks, (rows, columns) = _resampling(image, square, size, 0, size)
    return _as_bytes(rows @ blocks @ columns.T)


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
    first, stop = index[0, 0], index[-1, 1] + 1
    outer = left - margin * side, top - margin * side, context * side
    blocks, matrices = _resampling(image, outer, stored, first, stop)
    before, after = (index - first).T
    matrices = (
        matrices[:, before] * weights[:, :1] + matrices[:, after] * weights[:, 1:]
    )
    return _as_bytes(matrices[0] @ blocks @ matrices[1].T)


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
