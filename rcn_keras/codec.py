"""Keypoints to cells and maps, and back: one place for training and prediction.

Coordinates are continuous pixels of the map: cell (i, j) covers [i, i+1) x [j, j+1) and
decodes to its centre. Nothing here uses `keras.ops.argmax`, which exports to ONNX and
LiteRT files that their plain runtimes refuse.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from keras import ops

from rcn_keras._types import Tensor

if TYPE_CHECKING:
    from rcn_keras.layout import KeypointLayout


DECODERS = ("argmax", "quadratic", "local_mean")


def encode(keypoints: Tensor, height: int, width: int) -> Tensor:
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


def spatial_softmax(maps: Tensor) -> Tensor:
    """Softmax over all cells of each map, `(N, H, W, K)`, in float32."""
    maps = ops.cast(maps, "float32")
    exponentials = _exponentials(maps, ops.max(maps, axis=(1, 2), keepdims=True))
    # Rows first: thousands of cells added one by one lose the sixth digit.
    rows = ops.sum(exponentials, axis=2, keepdims=True)
    return exponentials / ops.sum(rows, axis=1, keepdims=True)


def peak_cells(maps: Tensor, tile: int = 1) -> tuple[Tensor, Tensor]:
    """Column and row of the largest value of each map, the first one if several.

    Args:
        maps: `(N, H, W, K)`.
        tile: int, a divisor of H; see `tile_rows`.

    Returns:
        x, y: two `(N, K)` float32 of whole numbers.
    """
    _, x, y = _peaks(tile_rows(maps, tile))
    return x, y


def tile_rows(maps: Tensor, tile: int) -> Tensor:
    """Maps as `(N, K, H / tile, tile, W)` float32, the rows of each tile together.

    All that take the same maps by the same tiles share this array in an exported graph:
    most runtimes' convolutions leave the channels last, and to copy large maps into
    this order takes as long as some convolutions.
    """
    planes = _planes(maps)
    _, count, height, width = planes.shape
    return ops.reshape(planes, (-1, count, height // tile, tile, width))


def decode(
    maps: Tensor, method: str = "local_mean", radius: int | None = None
) -> Tensor:
    """Keypoints from pre-softmax maps.

    Args:
        maps: `(N, H, W, K)` pre-softmax maps.
        method: `"argmax"`, the centre of the likeliest cell (the paper);
            `"quadratic"`, the top of the parabola through the peak of the log
            probability and its two neighbours, along each axis; `"local_mean"`, the
            mean position of the probability within `radius` cells of the peak.
        radius: int, half side of that window in cells; `None` for 3 of 80, in
            proportion on larger maps, whose peaks are as wide in the picture.

    Returns:
        `(N, K, 2)` float32, (x, y) in map pixels.

    Raises:
        ValueError: if `method` is none of these.
    """
    if method not in DECODERS:
        raise ValueError(f"`method` must be one of {DECODERS}. Received: {method!r}")
    planes = _planes(maps)
    peak, x, y = _peaks(planes)
    if method == "argmax":
        return ops.stack([x, y], axis=-1) + 0.5
    if radius is None:
        radius = max(3, round(3 * max(planes.shape[2:]) / 80))
    half = radius if method == "local_mean" else 1
    window, rows, columns = _window(planes, x, y, half)
    dx, dy = columns - x[..., None], rows - y[..., None]
    if method == "quadratic":
        middle = ops.cast(ops.equal(dy, 0), "float32")[..., :, None]
        line = ops.sum(window * middle, axis=2)
        x = x + _parabola_top(line, dx)
        middle = ops.cast(ops.equal(dx, 0), "float32")[..., None, :]
        line = ops.sum(window * middle, axis=3)
        y = y + _parabola_top(line, dy)
        return ops.stack([x, y], axis=-1) + 0.5
    # At the border of the map the window reaches farther to the other side.
    near = ops.abs(dy)[..., :, None] <= radius
    near = ops.logical_and(near, ops.abs(dx)[..., None, :] <= radius)
    weight = ops.where(near, _exponentials(window, peak[..., None]), 0.0)
    by_row, by_column = ops.sum(weight, axis=3), ops.sum(weight, axis=2)
    total = ops.sum(by_row, axis=2)
    x = x + ops.sum(by_column * dx, axis=2) / total
    y = y + ops.sum(by_row * dy, axis=2) / total
    return ops.stack([x, y], axis=-1) + 0.5


def mass_within(probabilities: Tensor, keypoints: Tensor, radius: Any) -> Tensor:
    """Probability within a radius of each keypoint.

    Args:
        probabilities: `(N, H, W, K)`, each map sums to 1.
        keypoints: `(N, K, 2)` in map pixels.
        radius: `(N,)` or float, in map pixels.

    Returns:
        `(N, K)` float32 in [0, 1].
    """
    planes = _planes(probabilities)
    rows, columns = (np.arange(side, dtype="float32") for side in planes.shape[2:])
    return _sum_within(planes, rows, columns, keypoints, radius)


def normalizing_distance(keypoints: Tensor, layout: KeypointLayout) -> Tensor:
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


def mass_log_odds(maps: Tensor, keypoints: Tensor, layout: KeypointLayout) -> Tensor:
    """How sharp each map is: the log odds of its probability mass within 10 % of the
    normalising distance of the decoded keypoint (the distance taken between decoded
    points, at least 10 pixels).

    Args:
        maps: `(N, H, W, K)` pre-softmax maps.
        keypoints: `(N, K, 2)` decoded keypoints in map pixels.
        layout: `KeypointLayout` of K keypoints.

    Returns:
        `(N, K)` float32, of a mass between 1e-6 and 1 - 1e-6.
    """
    planes = _planes(maps)
    peak, _, _ = _peaks(planes)
    # One line of cells a map: else OpenVINO takes the maps in turns, cell by cell.
    cells = ops.reshape(planes, (-1, layout.count, math.prod(planes.shape[2:])))
    cells = ops.reshape(_exponentials(cells, peak), (-1, *planes.shape[1:]))
    # Rows first, as in `spatial_softmax`.
    total = ops.sum(ops.sum(cells, axis=3), axis=2)
    distance = normalizing_distance(keypoints, layout)
    radius = 0.1 * ops.maximum(distance, 10.0)
    # No distance between points of the map is longer than its diagonal.
    half = math.ceil(0.1 * max(math.hypot(*planes.shape[2:]), 10.0) - 0.5)
    x, y = ops.floor(keypoints[..., 0]), ops.floor(keypoints[..., 1])
    window, rows, columns = _window(planes, x, y, half)
    near = _exponentials(window, peak[..., None])
    mass = _sum_within(near, rows, columns, keypoints, radius) / total
    mass = ops.clip(mass, 1e-6, 1 - 1e-6)
    return ops.log(mass) - ops.log(1 - mass)


def confidence(log_odds: Tensor, slope: float = 1.0, offset: float = 0.0) -> Tensor:
    """Estimated chance that a keypoint is within 10 % of the normalising distance.

    Args:
        log_odds: `(N, K)`, from `mass_log_odds`.
        slope, offset: floats, a straight line in log odds, fitted on validation faces
            (`training.calibration`); 1 and 0 give the bare mass.

    Returns:
        `(N, K)` float32 in [0, 1].
    """
    return ops.sigmoid(slope * log_odds + offset)


def face_score(log_odds: Tensor, slope: float, offset: float) -> Tensor:
    """Estimated chance that there is a face: how sharp the maps are in the mean.

    Args:
        log_odds: `(N, K)`, from `mass_log_odds`.
        slope, offset: floats, a straight line in log odds, fitted on validation faces
            and the backgrounds of their photographs (`training.calibration`).

    Returns:
        `(N,)` float32 in [0, 1].
    """
    return ops.sigmoid(slope * ops.mean(log_odds, axis=-1) + offset)


def _planes(maps):
    """Maps as `(N, K, H, W)` float32: so most runtimes' convolutions leave them."""
    return ops.transpose(ops.cast(maps, "float32"), (0, 3, 1, 2))


def _exponentials(maps, peak):
    """Bounded, so that none is too small for float32."""
    return ops.exp(ops.maximum(maps - peak, -60.0))


def _peaks(planes):
    """Largest value `(N, K, 1)`, and its column and row, both `(N, K)` float32.

    Args:
        planes: `(N, K, H, W)`, or as `tile_rows` gives them.
    """
    _, count, *rows, width = planes.shape
    by_row = ops.reshape(ops.max(planes, axis=-1), (-1, count, math.prod(rows)))
    peak = ops.max(by_row, axis=2, keepdims=True)
    y = _first(ops.equal(by_row, peak))
    columns = np.arange(width, dtype="float32")[None, None]
    line = _cells(planes, y[..., None], columns)[:, :, 0]
    return peak, _first(ops.equal(line, peak)), y


def _first(flags):
    """Index of the first true one of each row, the last index where there is none."""
    last = flags.shape[-1] - 1
    index = np.arange(last + 1, dtype="float32")
    return ops.min(ops.where(flags, index, np.float32(last)), axis=-1)


def _window(planes, x, y, half):
    """Cells around `(x, y)`, both `(N, K)` of whole numbers, as far as the map reaches.

    Returns:
        window: `(N, K, R, C)`; rows: `(N, K, R)`; columns: `(N, K, C)` float32.
    """
    rows, columns = (
        _span(center, half, length) for center, length in zip((y, x), planes.shape[2:])
    )
    return _cells(planes, rows, columns), rows, columns


def _span(center, half, length):
    size = min(2 * half + 1, length)
    start = center - half
    start = ops.where(start > 0, start, 0.0)  # NaN too: some cell must be taken
    start = ops.minimum(start, np.float32(length - size))
    return start[..., None] + np.arange(size, dtype="float32")


def _cells(planes, rows, columns):
    """Values `(N, K, R, C)` at rows `(N, K, R)` and columns `(N, K, C)`."""
    _, count, *tiles, width = planes.shape
    height = math.prod(tiles)
    maps = ops.arange(ops.shape(planes)[0] * count, dtype="int32")
    first = ops.reshape(maps * (height * width), (-1, count, 1, 1))
    index = rows[..., :, None] * width + columns[..., None, :]
    index = ops.cast(index, "int32") + first
    return ops.take(ops.reshape(planes, (-1,)), index)


def _sum_within(window, rows, columns, keypoints, radius):
    """Sum `(N, K)` of a window's cells within a radius of each keypoint."""
    dx = columns + 0.5 - keypoints[..., :1]
    dy = rows + 0.5 - keypoints[..., 1:]
    limit = ops.reshape(ops.cast(radius, "float32"), (-1, 1, 1, 1))
    squared = (dx * dx)[..., None, :] + (dy * dy)[..., :, None]
    near = ops.where(squared <= limit * limit, window, 0.0)
    return ops.sum(ops.sum(near, axis=3), axis=2)


def _parabola_top(line, offsets):
    """Offset of the top from the peak, which is where `offsets` `(N, K, L)` are 0."""

    def value(offset):
        return ops.sum(ops.where(ops.equal(offsets, offset), line, 0.0), axis=2)

    before, middle, after = value(-1.0), value(0.0), value(1.0)
    bend = 2 * middle - before - after
    top = 0.5 * (after - before) / ops.maximum(bend, 1e-6)
    inner = ops.logical_and(offsets[..., 0] < 0, offsets[..., -1] > 0)
    return ops.where(inner, ops.clip(top, -0.5, 0.5), 0.0)
