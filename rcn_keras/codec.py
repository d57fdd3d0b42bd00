"""Keypoints to cells and maps, and back: one place for training and prediction.

Coordinates are continuous pixels of the map: cell (i, j) covers [i, i+1) x [j, j+1) and
decodes to its centre. Nothing here uses `keras.ops.argmax`, which exports to ONNX and
LiteRT files that their plain runtimes refuse.
"""

import numpy as np
from keras import ops

DECODERS = ("argmax", "quadratic", "local_mean")


def encode(keypoints, height, width):
    """Index of the cell that holds each keypoint, row by row.

    Keypoints outside the map are clipped to its border, as the original does.

    Args:
        keypoints: `(N, K, 2)` float, (x, y) in map pixels.
        height, width: ints, size of the map.

    Returns:
        `(N, K)` int32, `floor(y) * width + floor(x)`.
    """
    x = ops.clip(ops.floor(keypoints[..., 0]), 0, width - 1)
    y = ops.clip(ops.floor(keypoints[..., 1]), 0, height - 1)
    return ops.cast(y * width + x, "int32")


def spatial_softmax(maps):
    """Softmax over all cells of each map, `(N, H, W, K)`, in float32."""
    maps = ops.cast(maps, "float32")
    exponentials = ops.exp(maps - ops.max(maps, axis=(1, 2), keepdims=True))
    # Rows first: thousands of cells added one by one lose the sixth digit.
    rows = ops.sum(exponentials, axis=2, keepdims=True)
    return exponentials / ops.sum(rows, axis=1, keepdims=True)


def peak_cells(maps):
    """Column and row of the largest value of each map, the first one if several.

    Args:
        maps: `(N, H, W, K)`.

    Returns:
        x, y: two `(N, K)` float32 of whole numbers.
    """
    height, width, keypoints = maps.shape[1:]
    flat = ops.reshape(maps, (-1, height * width, keypoints))
    _, index = ops.top_k(ops.transpose(flat, (0, 2, 1)), k=1)
    index = ops.cast(index[..., 0], "float32")
    y = ops.floor((index + 0.5) / width)
    return index - y * width, y


def decode(maps, method="local_mean", radius=3):
    """Keypoints from pre-softmax maps.

    Args:
        maps: `(N, H, W, K)` pre-softmax maps.
        method: `"argmax"`, the centre of the likeliest cell (the paper);
            `"quadratic"`, the top of the parabola through the peak of the log
            probability and its two neighbours, along each axis; `"local_mean"`, the
            mean position of the probability within `radius` cells of the peak.
        radius: int, half side of that window in cells.

    Returns:
        `(N, K, 2)` float32, (x, y) in map pixels.

    Raises:
        ValueError: if `method` is none of these.
    """
    if method not in DECODERS:
        raise ValueError(f"`method` must be one of {DECODERS}. Received: {method!r}")
    maps = ops.cast(maps, "float32")
    x, y = peak_cells(maps)
    if method == "argmax":
        return ops.stack([x, y], axis=-1) + 0.5
    columns, rows = _cell_indices(maps)
    if method == "quadratic":
        # One row and one column through the peak, as sums over one-hot masks.
        row = ops.sum(maps * _equal(rows, y), axis=1)
        column = ops.sum(maps * _equal(columns, x), axis=2)
        dx = _parabola_top(row, x)
        dy = _parabola_top(column, y)
        return ops.stack([x + dx, y + dy], axis=-1) + 0.5
    near = _within(columns, x, radius) * _within(rows, y, radius)
    weight = spatial_softmax(maps) * near
    total = ops.sum(weight, axis=(1, 2))
    mean_x = ops.sum(weight * columns, axis=(1, 2)) / total
    mean_y = ops.sum(weight * rows, axis=(1, 2)) / total
    return ops.stack([mean_x, mean_y], axis=-1) + 0.5


def mass_within(probabilities, keypoints, radius):
    """Probability within a radius of each keypoint.

    Args:
        probabilities: `(N, H, W, K)`, each map sums to 1.
        keypoints: `(N, K, 2)` in map pixels.
        radius: `(N,)` or float, in map pixels.

    Returns:
        `(N, K)` float32 in [0, 1].
    """
    columns, rows = _cell_indices(probabilities)
    dx = columns + 0.5 - keypoints[:, None, None, :, 0]
    dy = rows + 0.5 - keypoints[:, None, None, :, 1]
    limit = ops.reshape(ops.cast(radius, "float32"), (-1, 1, 1, 1))
    near = ops.cast(dx * dx + dy * dy <= limit * limit, "float32")
    return ops.sum(probabilities * near, axis=(1, 2))


def normalizing_distance(keypoints, layout):
    """The unit of each face's errors: of a face the distance between its eye centres.

    Args:
        keypoints: `(N, K, 2)`.
        layout: `KeypointLayout` of K keypoints, whose `normalizer` it is.

    Returns:
        `(N,)`, in the unit of the keypoints; NaN where a point that it takes is, and
        by the rule "box" where fewer than two points are known.

    Raises:
        ValueError: if the layout is of another number of keypoints.
    """
    if keypoints.shape[1] != layout.count:
        raise ValueError(
            f"`keypoints` must be the {layout.count} of the layout {layout.name!r}. "
            f"Received: {keypoints.shape[1]}"
        )
    if layout.normalizer == "box":
        unknown = ops.isnan(keypoints)
        first = ops.min(ops.where(unknown, np.inf, keypoints), axis=1)
        second = ops.max(ops.where(unknown, -np.inf, keypoints), axis=1)
        known = ops.sum(1.0 - ops.cast(unknown, "float32"), axis=1)
        first = ops.where(known < 2, np.nan, first)
    else:
        first, second = (
            sum(keypoints[:, index] for index in group) / len(group)
            for group in layout.normalizer
        )
    return ops.sqrt(ops.sum((first - second) ** 2, axis=-1))


def confidence(maps, keypoints, layout, slope=1.0, offset=0.0):
    """Estimated chance that a keypoint is within 10 % of the normalising distance.

    The probability mass within that radius of the decoded keypoint (the distance taken
    between decoded points, at least 10 pixels), put on a straight line in log odds
    whose two numbers are fitted on the validation split.

    Args:
        maps: `(N, H, W, K)` pre-softmax maps.
        keypoints: `(N, K, 2)` decoded keypoints in map pixels.
        layout: `KeypointLayout` of K keypoints.
        slope, offset: floats, the fitted line; 1 and 0 give the bare mass.

    Returns:
        `(N, K)` float32 in [0, 1].
    """
    probabilities = spatial_softmax(maps)
    distance = normalizing_distance(keypoints, layout)
    radius = 0.1 * ops.maximum(distance, 10.0)
    mass = ops.clip(mass_within(probabilities, keypoints, radius), 1e-6, 1 - 1e-6)
    return ops.sigmoid(slope * (ops.log(mass) - ops.log(1 - mass)) + offset)


def _cell_indices(maps):
    height, width = maps.shape[1:3]
    columns = ops.reshape(ops.arange(width, dtype="float32"), (1, 1, width, 1))
    rows = ops.reshape(ops.arange(height, dtype="float32"), (1, height, 1, 1))
    return columns, rows


def _within(cells, center, radius):
    return ops.cast(ops.abs(cells - center[:, None, None, :]) <= radius, "float32")


def _equal(cells, center):
    return _within(cells, center, 0.5)


def _parabola_top(line, peak):
    """Offset of the top from the peak: `line` `(N, L, K)`, `peak` `(N, K)`."""
    length = line.shape[1]
    cells = ops.reshape(ops.arange(length, dtype="float32"), (1, length, 1))

    def value(at):
        return ops.sum(
            line * ops.cast(ops.equal(cells, at[:, None, :]), "float32"), axis=1
        )

    before, middle, after = value(peak - 1), value(peak), value(peak + 1)
    bend = 2 * middle - before - after
    top = 0.5 * (after - before) / ops.maximum(bend, 1e-6)
    inner = ops.logical_and(peak > 0, peak < length - 1)
    return ops.where(inner, ops.clip(top, -0.5, 0.5), 0.0)
