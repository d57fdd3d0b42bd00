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
from PIL import Image

from rcn_keras._types import Tensor
from rcn_keras.faces.boxes import CROP_SIZE, INPUT_SIZE

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


_LANCZOS = Image.Resampling.LANCZOS
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


def _lanczos_crop(image, square, size, first, stop):
    """By Pillow what `lanczos_taps` says of rows and columns `first` to `stop` of the
    crop: `(stop - first, stop - first)` float32."""
    left, top, side = square
    step = side / size
    block = int(_block(step, np))
    crop = np.zeros((stop - first, stop - first), "float32")
    rows, columns = (
        _Axis(start, step, block, first, stop, length)
        for start, length in zip((top, left), image.shape)
    )
    if not (rows.count and columns.count):
        return crop
    part = cv2.cvtColor(image[rows.source, columns.source], cv2.COLOR_RGB2GRAY)
    part = part.astype("float32")
    padding = *rows.padding, *columns.padding
    if any(padding):
        part = cv2.copyMakeBorder(part, *padding, cv2.BORDER_CONSTANT)
    for _ in range(int(math.log2(block))):
        size = part.shape[1] // 2, part.shape[0] // 2
        part = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
    box = columns.box[0], rows.box[0], columns.box[1], rows.box[1]
    part = Image.fromarray(part).resize((columns.count, rows.count), _LANCZOS, box)
    part = np.asarray(part)
    if any(padding):
        part = part / (rows.shares()[:, None] * columns.shares())
    crop[rows.target, columns.target] = part
    return crop


class _Axis:
    """Where one axis of a crop comes from.

    Attributes:
        target: slice of the crop, the pixels whose centres lie on the photograph.
        count: int, how many these are.
        source: slice of the photograph, the pixels that they take.
        padding: black pixels before and after these: the outermost pixels of a crop
            may begin or end beyond the photograph, and blocks are whole.
        box: begin and end of `target` in blocks of the padded source.
    """

    def __init__(self, start, step, block, first, stop, length):
        # The first pixels whose centres are at least 0, at least the length.
        low, high = (
            min(max(math.ceil((edge - start) / step - 0.5), first), stop)
            for edge in (0, length)
        )
        self.target, self.count = slice(low - first, high - first), high - low
        if not self.count:
            return
        reach = _LOBES * max(step, 1.0) + block
        begin, end = start + low * step, start + high * step
        lowest = math.floor(min(max(begin - reach, 0), begin)) // block * block
        highest = -(-math.ceil(max(min(end + reach, length), end)) // block) * block
        self.source = slice(max(lowest, 0), min(highest, length))
        self.padding = self.source.start - lowest, highest - self.source.stop
        self.box = (begin - lowest) / block, (end - lowest) / block
        self._block = block

    def shares(self):
        """The share of the photograph's pixels in the weights, `(count,)`."""
        line = np.ones(self.source.stop - self.source.start, "float32")
        line = np.pad(line, self.padding).reshape(-1, self._block).mean(axis=1)
        box = self.box[0], 0, self.box[1], 1
        line = Image.fromarray(line[None]).resize((self.count, 1), _LANCZOS, box)
        return np.asarray(line)[0]


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
    return _as_bytes(_lanczos_crop(image, square, size, 0, size))


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
    crop = _lanczos_crop(image, outer, stored, first, stop)
    before, after = (index - first).T
    crop = crop[before] * weights[:, :1] + crop[after] * weights[:, 1:]
    return _as_bytes(crop[:, before] * weights[:, 0] + crop[:, after] * weights[:, 1])


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
