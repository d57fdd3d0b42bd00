"""One crop, both directions: a square of a photograph to 160x160 grey, and back."""

import math

import numpy as np

from rcn_keras.faces.boxes import CONTEXT, CROP_SIZE, INPUT_SIZE

_LOBES = 3  # Lanczos window


def resampling_matrix(start, side, size, length):
    """Lanczos resampling of one axis as a matrix.

    Args:
        start, side: floats, the stretch of the axis to resample, in source pixels.
        size: int, number of output pixels.
        length: int, number of source pixels.

    Returns:
        first: int, the first source pixel that counts.
        weights: `(size, taps)` float32, over source pixels `first ... first + taps`. A
            row sums to 1, or to 0 where its centre lies outside the source.
    """
    step = side / size
    centers = start + (np.arange(size) + 0.5) * step
    stretch = max(step, 1.0)  # shrinking widens the window: no aliasing
    support = _LOBES * stretch
    first = min(max(math.floor(centers[0] - support), 0), length)
    last = max(min(math.ceil(centers[-1] + support), length), first)
    positions = np.arange(first, last) + 0.5
    offset = (positions[None, :] - centers[:, None]) / stretch
    weights = np.sinc(offset) * np.sinc(offset / _LOBES) * (np.abs(offset) < _LOBES)
    total = weights.sum(axis=1, keepdims=True)
    inside = (centers >= 0) & (centers < length)
    weights = np.where(inside[:, None] & (total != 0), weights, 0.0)
    return first, (weights / np.where(total == 0, 1.0, total)).astype("float32")


def crop_square(image, square, size=CROP_SIZE):
    """Resamples a square of a photograph to a grey crop, black outside the photograph.

    Args:
        image: `(H, W, 3)` uint8 RGB.
        square: `(left, top, side)` in photograph pixels, side above 0.
        size: int, side of the crop in pixels.

    Returns:
        `(size, size)` uint8, grey = 0.299 R + 0.587 G + 0.114 B.
    """
    left, top, side = (float(v) for v in square)
    y0, rows = resampling_matrix(top, side, size, image.shape[0])
    x0, columns = resampling_matrix(left, side, size, image.shape[1])
    return _resampled(image, y0, rows, x0, columns)


def _resampled(image, y0, rows, x0, columns):
    part = image[y0 : y0 + rows.shape[1], x0 : x0 + columns.shape[1]]
    red, green, blue = (part[:, :, channel].astype("float32") for channel in range(3))
    gray = np.rint(0.299 * red + 0.587 * green + 0.114 * blue)
    crop = rows @ gray @ columns.T
    return np.rint(np.clip(crop, 0, 255)).astype("uint8")


def to_photograph(points, squares, size):
    """Crop pixels to photograph pixels.

    Args:
        points: `(N, K, 2)` in pixels of crops of side `size`.
        squares: `(N, 3)` left, top, side of those crops in photograph pixels.
        size: int.

    Returns:
        `(N, K, 2)` in photograph pixels.
    """
    squares = np.asarray(squares, "float64")
    scaled = np.asarray(points, "float64") * (squares[:, None, 2:] / size)
    return scaled + squares[:, None, :2]


def to_crop(points, squares, size):
    """Photograph pixels to crop pixels: the inverse of `to_photograph`."""
    squares = np.asarray(squares, "float64")
    return (np.asarray(points) - squares[:, None, :2]) * (size / squares[:, None, 2:])


def input_crop(image, square, size=INPUT_SIZE):
    """The network's input for a square given directly, as prediction needs it.

    The same two steps as in training, Lanczos to the stored crop's resolution and
    bilinear from there, composed into one product an axis.

    Args:
        image: `(H, W, 3)` uint8 RGB.
        square: `(left, top, side)` in photograph pixels, side above 0.
        size: int, side of the input in pixels.

    Returns:
        `(size, size)` uint8 grey.
    """
    left, top, side = (float(v) for v in square)
    margin = (CONTEXT - 1) / 2 * side
    bilinear = _bilinear_matrix(CROP_SIZE * (1 - 1 / CONTEXT) / 2, CROP_SIZE, size)
    y0, rows = resampling_matrix(top - margin, CONTEXT * side, CROP_SIZE, len(image))
    x0, columns = resampling_matrix(
        left - margin, CONTEXT * side, CROP_SIZE, image.shape[1]
    )
    return _resampled(image, y0, bilinear @ rows, x0, bilinear @ columns)


def _bilinear_matrix(margin, length, size):
    """`(size, length)`: what the warp does to an axis without turning it."""
    step = (length - 2 * margin) / size
    position = margin + (np.arange(size) + 0.5) * step - 0.5
    distance = np.abs(position[:, None] - np.arange(length)[None, :])
    return np.clip(1 - distance, 0, None).astype("float32")
