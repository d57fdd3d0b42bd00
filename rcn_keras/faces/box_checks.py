"""Whether boxes can be used: a detector's, and those that a user gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rcn_keras._types import Tensor
from rcn_keras.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def box_checks(
    boxes: Tensor, sizes: Tensor, xp: Any = np
) -> tuple[Tensor, Tensor, Tensor]:
    """What must hold of boxes that are to be used.

    Args:
        boxes: `(N, 4)` float64, `[x0, y0, x1, y1]` in photograph pixels.
        sizes: `(N, 2)`, width and height of each photograph.
        xp: `numpy`, or `keras.ops` in a graph.

    Returns:
        formed: `(N,)` bool, finite and at least one pixel wide and high.
        sensible: `(N,)` bool, at most 10 times as large as the photograph.
        touching: `(N,)` bool, on the photograph at least in part.
    """
    corner, opposite = boxes[:, :2], boxes[:, 2:]
    formed = xp.logical_and(
        xp.all(xp.isfinite(boxes), axis=1), xp.all(opposite >= corner + 1, axis=1)
    )
    longest = xp.max(opposite - corner, axis=1)
    sensible = longest <= 10 * xp.max(sizes, axis=1)
    on_it = xp.logical_and(opposite > 0, corner < sizes)
    return formed, sensible, xp.all(on_it, axis=1)


def box_fault(box: ArrayLike, width: int, height: int) -> str | None:
    """Why a box cannot be used on a photograph of this size, or `None`.

    Args:
        box: `[x0, y0, x1, y1]` in photograph pixels.
        width, height: ints.
    """
    box = np.asarray(box, "float64")
    with np.errstate(all="ignore"):
        formed, sensible, touching = box_checks(box[None], np.array([[width, height]]))
    text = f"the box {[round(value, 2) for value in box.tolist()]}"
    if not formed:
        return f"{text} is not [x0, y0, x1, y1] with x1 > x0 and y1 > y0"
    if not sensible:
        return f"{text} is more than 10 times the picture of {width}x{height} pixels"
    if not touching:
        return f"{text} lies outside the picture of {width}x{height} pixels"
    return None


def given_boxes(boxes: ArrayLike, name: str, width: int, height: int) -> np.ndarray:
    """A user's boxes of a photograph called `name`, `(M, 4)` or one `(4,)`, checked.

    Returns:
        `(M, 4)` float64.

    Raises:
        InputError: for anything else, or a box that cannot be used.
    """
    try:
        array = np.asarray(boxes, "float64")
        if array.ndim and not len(array):
            return np.zeros((0, 4))
        if (4,) not in (array.shape, array.shape[1:]):
            raise ValueError
    except (ValueError, TypeError):
        raise InputError(
            f"{name}: boxes must be [[x0, y0, x1, y1], ...]. "
            f"Received: {' '.join(str(boxes).split())[:100]}"
        ) from None
    array = array.reshape(-1, 4)
    for box in array:
        if fault := box_fault(box, width, height):
            raise InputError(f"{name}: {fault}")
    return array


def given_squares(squares: ArrayLike, count: int) -> np.ndarray:
    """A user's squares of `count` photographs, one for each, checked.

    Returns:
        `(count, 3)` float64, left, top and side.

    Raises:
        InputError: for anything else.
    """
    try:
        array = np.asarray(squares, "float64")
        usable = array.shape == (count, 3) and np.isfinite(array).all()
        if not (usable and (array[:, 2] > 0).all()):
            raise ValueError
    except (ValueError, TypeError):
        raise InputError(
            "`squares` must be [left, top, side], finite and with a side above 0, one "
            f"for each of {count} images. Received: "
            f"{' '.join(str(squares).split())[:100]}"
        ) from None
    return array
