"""One crop, both directions: a square of a photograph to 160x160 grey, and back."""

import math

import numpy as np

from rcn_keras.faces.boxes import CONTEXT, CROP_SIZE, INPUT_SIZE

_LOBES = 3  # Lanczos window


def lanczos_taps(start, side, size, length):
    """Lanczos resampling of one axis: which source pixels count, and how much.

    Args:
        start, side: floats, the stretch of the axis to resample, in source pixels.
        size: int, number of output pixels.
        length: int, number of source pixels.

    Returns:
        index: `(size, T)` ints, source pixels of each output pixel.
        weights: `(size, T)` float32. A row sums to 1, or to 0 where the centre of its
            output pixel lies outside the source.
    """
    step = side / size
    centers = start + (np.arange(size) + 0.5) * step
    stretch = max(step, 1.0)  # shrinking widens the window: no aliasing
    support = _LOBES * stretch
    first = np.floor(centers - support).astype(int)
    index = first[:, None] + np.arange(math.ceil(2 * support) + 1)
    offset = (index + 0.5 - centers[:, None]) / stretch
    weights = np.sinc(offset) * np.sinc(offset / _LOBES) * (np.abs(offset) < _LOBES)
    weights *= (index >= 0) & (index < length)
    inside = (centers >= 0) & (centers < length)
    total = np.where(inside, weights.sum(axis=1), np.inf)
    weights = (weights / total[:, None]).astype("float32")
    return np.clip(index, 0, length - 1), weights


def _bilinear_taps(start, side, size, length):
    """What the warp does to an axis without turning it, as `lanczos_taps`."""
    position = start + (np.arange(size) + 0.5) * (side / size) - 0.5
    first = np.floor(position).astype(int)
    after = (position - first).astype("float32")
    index = np.stack([first, first + 1], axis=1)
    return np.clip(index, 0, length - 1), np.stack([1 - after, after], axis=1)


def _resampled(array, *steps):
    """The first axis of an array through one list of taps after the other.

    A loop over the taps where they are few: as a product of matrices, numpy's BLAS
    would start threads that fight TensorFlow's for the cores.
    """
    for index, weights in steps:
        size, taps = weights.shape
        if taps <= 32:
            array = sum(weights[:, t, None] * array[index[:, t]] for t in range(taps))
        else:
            matrix = np.zeros((size, len(array)), "float32")
            np.add.at(matrix, (np.arange(size)[:, None], index), weights)
            array = matrix @ array
    return array


def _gray_crop(image, rows, columns):
    """The photograph through taps of its rows and of its columns, as grey bytes."""
    (y0, y1), (x0, x1) = (
        (steps[0][0].min(), steps[0][0].max() + 1) for steps in (rows, columns)
    )
    part = image[y0:y1, x0:x1]
    red, green, blue = (part[:, :, channel].astype("float32") for channel in range(3))
    gray = np.rint(0.299 * red + 0.587 * green + 0.114 * blue)
    rows = [(rows[0][0] - y0, rows[0][1]), *rows[1:]]
    columns = [(columns[0][0] - x0, columns[0][1]), *columns[1:]]
    crop = _resampled(_resampled(gray, *rows).T, *columns).T
    return np.rint(np.clip(crop, 0, 255)).astype("uint8")


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
    rows = lanczos_taps(top, side, size, image.shape[0])
    columns = lanczos_taps(left, side, size, image.shape[1])
    return _gray_crop(image, [rows], [columns])


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


def input_crop(image, square, size=INPUT_SIZE, context=CONTEXT[5]):
    """The network's input for a square given directly, as prediction needs it.

    The same two steps as in training, Lanczos to the stored crop's resolution and
    bilinear from there, composed into one product an axis.

    Args:
        image: `(H, W, 3)` uint8 RGB.
        square: `(left, top, side)` in photograph pixels, side above 0.
        size: int, side of the input in pixels.
        context: float, side of the stored crop in sides of the square (`CONTEXT`).

    Returns:
        `(size, size)` uint8 grey.
    """
    left, top, side = (float(v) for v in square)
    margin = (context - 1) / 2
    # The square inside its context, in pixels of the stored crop.
    inner = CROP_SIZE / context
    bilinear = _bilinear_taps(inner * margin, inner, size, CROP_SIZE)
    rows, columns = (
        lanczos_taps(start - margin * side, context * side, CROP_SIZE, length)
        for start, length in ((top, image.shape[0]), (left, image.shape[1]))
    )
    return _gray_crop(image, [rows, bilinear], [columns, bilinear])
