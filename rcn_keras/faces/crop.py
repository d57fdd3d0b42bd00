"""One crop, both directions: a square of a photograph to 160x160 grey, and back."""

import numpy as np

from rcn_keras.faces.boxes import CROP_SIZE, INPUT_SIZE

_LOBES = 3  # Lanczos window


def lanczos_taps(start, side, size, length, xp=np):
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
    support = _LOBES * stretch
    count = xp.array(xp.ceil(2 * support), dtype="int32") + 1
    taps = xp.array(xp.arange(count), dtype="float64")
    index = xp.floor(centers - support)[:, None] + taps
    offset = (index + 0.5 - centers[:, None]) / stretch
    weights = xp.sinc(offset) * xp.sinc(offset / _LOBES)
    counts = xp.logical_and(index >= 0, index < length)
    counts = xp.logical_and(counts, xp.abs(offset) < _LOBES)
    weights = xp.where(counts, weights, 0.0)
    inside = xp.logical_and(centers >= 0, centers < length)
    total = xp.where(inside, xp.sum(weights, axis=1), np.inf)
    weights = xp.array(weights / total[:, None], dtype="float32")
    return xp.array(xp.clip(index, 0, length - 1), dtype="int32"), weights


def _bilinear_taps(start, side, size, length):
    """What the warp does to an axis without turning it, as `lanczos_taps`."""
    position = start + (np.arange(size) + 0.5) * (side / size) - 0.5
    first = np.floor(position).astype("int32")
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
    part = gray(image[y0:y1, x0:x1], np)
    rows = [(rows[0][0] - y0, rows[0][1]), *rows[1:]]
    columns = [(columns[0][0] - x0, columns[0][1]), *columns[1:]]
    crop = _resampled(_resampled(part, *rows).T, *columns).T
    return np.rint(np.clip(crop, 0, 255)).astype("uint8")


def gray(image, xp=np):
    """Grey of `(H, W, 3)` uint8 RGB, `(H, W)` float32 of whole numbers."""
    red, green, blue = (
        xp.array(image[:, :, channel], dtype="float32") for channel in range(3)
    )
    return xp.round(0.299 * red + 0.587 * green + 0.114 * blue)


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


def to_photograph(points, squares, size, xp=np):
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


def to_crop(points, squares, size):
    """Photograph pixels to crop pixels: the inverse of `to_photograph`."""
    squares = np.asarray(squares, "float64")
    return (np.asarray(points) - squares[:, None, :2]) * (size / squares[:, None, 2:])


def input_taps(square, width, height, context, size=INPUT_SIZE, xp=np):
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
    inner = CROP_SIZE / context
    bilinear = _bilinear_taps(inner * margin, inner, size, CROP_SIZE)
    return [
        (
            lanczos_taps(start - margin * side, context * side, CROP_SIZE, length, xp),
            bilinear,
        )
        for start, length in ((top, height), (left, width))
    ]


def input_crop(image, square, context, size=INPUT_SIZE):
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
    height, width = image.shape[:2]
    square = (float(value) for value in square)
    return _gray_crop(image, *input_taps(square, width, height, context, size))
