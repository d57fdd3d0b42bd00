"""Squares around faces: the paper's rules from keypoints, and from a detector's box.

A square is `(left, top, side)` in continuous pixels. `xp` is the module that computes:
the rules use what `numpy` and `keras.ops` both have, so that the predictor and an
exported graph share them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rcn_keras._types import Tensor

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from rcn_keras.layout import KeypointLayout


CROP_SIZE = 160  # side of the stored crop in pixels
INPUT_SIZE = 80  # side of the network's input in pixels

# A square that moves by no more than this part of its side gains nothing measurable
# from a second pass (benchmarks/refinement_threshold.py, MTFL's validation faces).
STILL = 0.05


def keypoint_square(
    keypoints: Tensor, ratio: float, size: Tensor, xp: Any = np
) -> Tensor:
    """The paper's square around a face of 5 keypoints, kept inside the picture.

    The bounding box of eyes and mouth corners (the nose does not count), whole pixels,
    is made square, widened on all sides by `ratio` times the larger of the eye distance
    and the distance between eye centre and mouth centre, moved back inside the picture,
    and shrunk if it is larger than the picture.

    Args:
        keypoints: `(..., 5, 2)` in pixels: left eye, right eye, nose, left and right
            mouth corner.
        ratio: float, the margin.
        size: `(..., 2)`, width and height of the picture in pixels.
        xp: `numpy`, or `keras.ops` in a graph.

    Returns:
        `(..., 3)`, left, top and side, whole numbers.
    """
    four = xp.take(keypoints, np.array([0, 1, 3, 4]), axis=-2)
    low, high = xp.trunc(xp.min(four, axis=-2)), xp.trunc(xp.max(four, axis=-2))
    low, high = _squared(low, high, xp)
    eyes = xp.mean(keypoints[..., :2, :], axis=-2)
    mouth = xp.mean(keypoints[..., 3:, :], axis=-2)
    between = xp.stack([keypoints[..., 0, :] - keypoints[..., 1, :], eyes - mouth])
    reach = xp.max(xp.sqrt(xp.sum(between**2, axis=-1)), axis=0)
    margin = xp.trunc(ratio * reach)[..., None]
    low, high = low - margin, high + margin
    # Moved from beyond the left and top edge, then from beyond the others; what is
    # larger than the picture is cut.
    move = xp.maximum(-low, 0.0)
    move = move - xp.maximum(high + move - size, 0.0)
    low, high = xp.maximum(low + move, 0.0), high + move
    side = xp.min(high - low, axis=-1, keepdims=True)
    return xp.concatenate([low + xp.ceil((high - low - side) / 2), side], axis=-1)


def bounding_square(keypoints: Tensor, scale: float, xp: Any = np) -> Tensor:
    """The paper's square around all points (68 there); it may leave the picture.

    The bounding box of all points, rounded outwards to whole pixels, is made square and
    enlarged about its centre.

    Args:
        keypoints: `(..., K, 2)` in pixels.
        scale: float, side of the square in sides of the one around the points.
        xp: `numpy`, or `keras.ops` in a graph.

    Returns:
        `(..., 3)`, left, top and side, whole numbers.
    """
    low, high = (
        xp.floor(xp.min(keypoints, axis=-2)),
        xp.ceil(xp.max(keypoints, axis=-2)),
    )
    low, high = _squared(low, high, xp)
    side = (high - low)[..., :1]
    # Whole margins stay as they are: 0.3 / 2 of 20 is a little above 3 in binary.
    margin = xp.ceil(side * (scale - 1) / 2 - 1e-6)
    return xp.concatenate([low - margin, side + 2 * margin], axis=-1)


def _squared(low, high, xp):
    """The shorter side of boxes `(..., 2)` widened, the odd pixel at its start."""
    side = high - low
    missing = xp.max(side, axis=-1, keepdims=True) - side
    return low - xp.ceil(missing / 2), high + xp.floor(missing / 2)


def _squares(keypoints, rule, size, xp):
    """`training_squares` without its checks, of any number of faces: `(..., 3)` each,
    and whether there are such squares."""
    if rule.kind == "points":
        extent = xp.max(keypoints, axis=-2) - xp.min(keypoints, axis=-2)
        outer = bounding_square(keypoints, rule.outer, xp)
        inner = bounding_square(_in_crop(keypoints, outer, xp), rule.inner, xp)
        return outer, inner, xp.max(extent, axis=-1) >= 1
    outer = keypoint_square(keypoints, rule.outer, size, xp)
    whole_crop = np.array([CROP_SIZE, CROP_SIZE])
    in_crop = _in_crop(keypoints, outer, xp)
    inner = keypoint_square(in_crop, rule.inner, whole_crop, xp)
    return outer, inner, xp.minimum(outer[..., 2], inner[..., 2]) >= 1


def _in_crop(keypoints, outer, xp):
    side = xp.maximum(outer[..., None, 2:], 1.0)  # A smaller one is of no use.
    return (keypoints - outer[..., None, :2]) * (CROP_SIZE / side)


def training_squares(
    keypoints: ArrayLike,
    layout: KeypointLayout,
    width: int,
    height: int,
    box: ArrayLike | None = None,
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Both squares of the paper's crop: the stored one and the network's input in it.

    By the rule "eyes_mouth" the squares are kept inside the photograph
    (`keypoint_square`); by the rule "points" they may leave it (`bounding_square`), and
    the crop is black there. The inner square lies inside the crop by either rule: 68
    points leave 32 pixels of the crop on every side, and at most 18 are taken.

    Args:
        keypoints: `(K, 2)` in photograph pixels. By the rule "points" some may be NaN,
            unknown: the square is that of the others.
        layout: their `KeypointLayout`.
        width, height: ints, size of the photograph.
        box: `None`, or `(x0, y0, x1, y1)`. Of a layout without constants of a detector
            the squares are then those of the box, as in `box_squares`.

    Returns:
        outer: `(left, top, side)` in photograph pixels; it is resampled to 160x160.
        inner: `(left, top, side)` in pixels of that crop; it is resampled to 80x80.

    Raises:
        ValueError: if the face is too small for a square of one pixel, or if there are
            not K keypoints, finite where they must be.
    """
    keypoints = np.asarray(keypoints, "float64")
    shape, by_points = (layout.count, 2), layout.square.kind == "points"
    known = np.isfinite(keypoints).all(axis=-1)
    if keypoints.shape != shape or not (known.any() if by_points else known.all()):
        raise ValueError(
            f"`keypoints` must be {shape} and finite. "
            f"Received: shape {keypoints.shape}, {keypoints.tolist()}"
        )
    points = keypoints[known]
    if box is not None and layout.detector_square is None:
        points = np.reshape(np.asarray(box, "float64"), (2, 2))
    size = np.array([width, height])
    outer, inner, exists = _squares(points, layout.square, size, np)
    if not exists:
        raise ValueError(
            f"the keypoints leave no square of a pixel in a picture of {width}x{height}"
        )
    return tuple(map(int, outer)), tuple(map(int, inner))


def training_square(
    keypoints: ArrayLike, layout: KeypointLayout, width: int, height: int
) -> tuple[float, ...]:
    """The network's input square for these keypoints, in photograph pixels."""
    outer, inner = training_squares(keypoints, layout, width, height)
    return tuple(_inner_in_photograph(np.array(outer), np.array(inner), np).tolist())


def _inner_in_photograph(outer, inner, xp):
    step = outer[..., 2:] / CROP_SIZE
    place = outer[..., :2] + inner[..., :2] * step
    return xp.concatenate([place, inner[..., 2:] * step], axis=-1)


def refined_squares(
    keypoints: Tensor,
    layout: KeypointLayout,
    squares: Tensor,
    sizes: Tensor,
    xp: Any = np,
) -> Tensor:
    """The network's input squares of a second pass: the training rule's around what the
    first pass found, or the old one where there is none (points on one spot).

    Args:
        keypoints: `(N, K, 2)` float64 in photograph pixels.
        layout: their `KeypointLayout`.
        squares: `(N, 3)` float64, left, top, side of the first pass.
        sizes: `(N, 2)` float64, width and height of each photograph.
        xp: `numpy`, or `keras.ops` in a graph.

    Returns:
        `(N, 3)` float64.
    """
    outer, inner, exists = _squares(keypoints, layout.square, sizes, xp)
    return xp.where(exists[:, None], _inner_in_photograph(outer, inner, xp), squares)


def second_squares(
    keypoints: Tensor,
    layout: KeypointLayout,
    squares: Tensor,
    sizes: Tensor,
    xp: Any = np,
) -> Tensor:
    """`refined_squares` of those faces whose square moves; the others keep theirs."""
    refined = refined_squares(keypoints, layout, squares, sizes, xp)
    moved = square_movement(squares, refined, xp) > STILL
    return xp.where(moved[:, None], refined, squares)


def square_movement(squares: Tensor, others: Tensor, xp: Any = np) -> Tensor:
    """How far squares lie from others: the larger of the shift of the centre along x or
    y and the change of side, in sides.

    Args:
        squares, others: `(N, 3)`, left, top, side.
        xp: `numpy`, or `keras.ops` in a graph.

    Returns:
        `(N,)`.
    """
    side = squares[:, 2:]
    shift = (others[:, :2] + others[:, 2:] / 2) - (squares[:, :2] + side / 2)
    change = xp.concatenate([shift, others[:, 2:] - side], axis=1)
    return xp.max(xp.abs(change) / side, axis=1)


def box_squares(boxes: Tensor, layout: KeypointLayout, xp: Any = np) -> Tensor:
    """Boxes as the network's input squares.

    By `layout.detector_square`, `(shift_x, shift_y, scale)`: how far the square's
    centre lies from the box's, and the square's side, both in box sizes (the mean of
    the box's sides); fitted on the training split. Where a layout has none, a box is
    one around the points, and the square that of the layout's rule.

    Args:
        boxes: `(N, 4)` float64, `[x0, y0, x1, y1]` in photograph pixels.
        layout: `KeypointLayout`.
        xp: `numpy`, or `keras.ops` in a graph.

    Returns:
        `(N, 3)` float64, left, top, side.
    """
    corner, opposite = boxes[:, :2], boxes[:, 2:]
    constants = layout.detector_square
    if constants is None:
        corners = xp.stack([corner, opposite], axis=1)
        outer, inner, _ = _squares(corners, layout.square, None, xp)
        return _inner_in_photograph(outer, inner, xp)
    size = xp.mean(opposite - corner, axis=1, keepdims=True)
    side = constants[2] * size
    center = (corner + opposite) / 2 + np.array(constants[:2]) * size
    return xp.concatenate([center - side / 2, side], axis=1)
