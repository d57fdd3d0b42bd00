"""Squares around faces: the paper's rules from keypoints, and from a detector's box.

A square is `(left, top, side)` in continuous pixels.
"""

import math

import numpy as np

OUTER_RATIO = 1.25  # margin of the stored crop, in eye or eye-mouth distances
INNER_RATIO = 0.95  # margin of the network's input
OUTER_SCALE = 1.7  # side of the stored crop, in sides of the square around 68 points
INNER_SCALE = 1.3  # side of the network's input
CROP_SIZE = 160  # side of the stored crop in pixels
INPUT_SIZE = 80  # side of the network's input in pixels

# By the number of keypoints: the side of the outer square over that of the inner one,
# where the inner is given and the outer only has to hold what lies around it (5 points:
# median of the MTFL training split).
CONTEXT = {5: 1.2, 68: OUTER_SCALE / INNER_SCALE}

# Edges of a picture as bits (`border_flags`).
LEFT, TOP, RIGHT, BOTTOM = 1, 2, 4, 8

# From MTCNN's box to the square, by the number of keypoints: shift of the centre in x
# and y and side, in box sizes (`detector_square`). Fitted on the training splits by
# benchmarks/fit_detector_box.py.
MTCNN_CONSTANTS = {5: (0.002, 0.077, 1.260), 68: (0.011, 0.156, 1.228)}


def keypoint_square(keypoints, ratio, width, height):
    """The paper's square around a face of 5 keypoints, kept inside the picture.

    The bounding box of eyes and mouth corners (the nose does not count), whole pixels,
    is made square, widened on all sides by `ratio` times the larger of the eye distance
    and the distance between eye centre and mouth centre, moved back inside the picture,
    and shrunk if it is larger than the picture.

    Args:
        keypoints: `(5, 2)` in pixels: left eye, right eye, nose, left and right mouth
            corner.
        ratio: float, the margin.
        width, height: ints, size of the picture in pixels.

    Returns:
        `(left, top, side)` ints.

    Raises:
        ValueError: if there are not 5 finite keypoints.
    """
    keypoints = np.asarray(keypoints, "float64")
    if keypoints.shape != (5, 2) or not np.isfinite(keypoints).all():
        raise ValueError(
            "`keypoints` must be (5, 2) and finite. "
            f"Received: shape {keypoints.shape}, {keypoints.tolist()}"
        )
    four = keypoints[[0, 1, 3, 4]]
    (left, top), (right, bottom) = four.min(0).astype(int), four.max(0).astype(int)
    left, right, top, bottom = _squared(left, right, top, bottom)
    eyes, mouth = keypoints[:2].mean(0), keypoints[3:].mean(0)
    reach = max(
        np.linalg.norm(keypoints[0] - keypoints[1]), np.linalg.norm(eyes - mouth)
    )
    margin = int(ratio * reach)
    left, right, fits_x = _moved_inside(left - margin, right + margin, width)
    top, bottom, fits_y = _moved_inside(top - margin, bottom + margin, height)
    if not (fits_x and fits_y):
        side = min(right - left, bottom - top)
        left, right = _shrunk(left, right, side)
        top, bottom = _shrunk(top, bottom, side)
    return int(left), int(top), int(right - left)


def bounding_square(keypoints, scale):
    """The paper's square around a face of 68 points; it may leave the picture.

    The bounding box of all points, rounded outwards to whole pixels, is made square and
    enlarged about its centre.

    Args:
        keypoints: `(68, 2)` in pixels.
        scale: float, side of the square in sides of the one around the points.

    Returns:
        `(left, top, side)` ints.

    Raises:
        ValueError: if the keypoints are not finite, or lie within one pixel.
    """
    keypoints = np.asarray(keypoints, "float64")
    if not np.isfinite(keypoints).all():
        raise ValueError(f"`keypoints` must be finite. Received: {keypoints.tolist()}")
    if np.ptp(keypoints, axis=0).max() < 1:
        raise ValueError("the keypoints lie within one pixel and leave no square")
    (left, top), (right, bottom) = np.floor(keypoints.min(0)), np.ceil(keypoints.max(0))
    left, right, top, bottom = map(int, _squared(left, right, top, bottom))
    # Whole margins stay as they are: 0.3 / 2 of 20 is a little above 3 in binary.
    margin = math.ceil((right - left) * (scale - 1) / 2 - 1e-6)
    return left - margin, top - margin, right - left + 2 * margin


def _squared(left, right, top, bottom):
    difference = (right - left) - (bottom - top)
    before, after = math.ceil(abs(difference) / 2), abs(difference) // 2
    if difference < 0:
        return left - before, right + after, top, bottom
    return left, right, top - before, bottom + after


def _moved_inside(start, end, length):
    if start < 0:
        start, end = 0, end - start
    if end > length:
        start, end = start - (end - length), length
    return max(start, 0), end, start >= 0


def _shrunk(start, end, side):
    extra = (end - start) - side
    return start + math.ceil(extra / 2), end - extra // 2


def training_squares(keypoints, width, height):
    """Both squares of the paper's crop: the stored one and the network's input in it.

    Of 5 keypoints the squares are kept inside the photograph (`keypoint_square`); of 68
    they may leave it (`bounding_square`), and the crop is black there. The inner square
    lies inside the crop by either rule: 68 points leave 32 pixels of the crop on every
    side, and at most 18 are taken.

    Args:
        keypoints: `(5, 2)` or `(68, 2)` in photograph pixels.
        width, height: ints, size of the photograph.

    Returns:
        outer: `(left, top, side)` in photograph pixels; it is resampled to 160x160.
        inner: `(left, top, side)` in pixels of that crop; it is resampled to 80x80.

    Raises:
        ValueError: if the face is too small for a square of one pixel, or if there are
            neither 5 nor 68 finite keypoints.
    """
    if len(keypoints) == 68:
        outer = bounding_square(keypoints, OUTER_SCALE)
        return outer, bounding_square(_in_crop(keypoints, outer), INNER_SCALE)
    outer = keypoint_square(keypoints, OUTER_RATIO, width, height)
    if outer[2] < 1:
        raise ValueError(
            f"the keypoints leave no square in a picture of {width}x{height}"
        )
    in_crop = _in_crop(keypoints, outer)
    inner = keypoint_square(in_crop, INNER_RATIO, CROP_SIZE, CROP_SIZE)
    if inner[2] < 1:
        raise ValueError("the keypoints leave no square inside their own crop")
    return outer, inner


def _in_crop(keypoints, outer):
    return (np.asarray(keypoints) - outer[:2]) * (CROP_SIZE / outer[2])


def training_square(keypoints, width, height):
    """The network's input square for these keypoints, in photograph pixels."""
    outer, inner = training_squares(keypoints, width, height)
    step = outer[2] / CROP_SIZE
    return outer[0] + inner[0] * step, outer[1] + inner[1] * step, inner[2] * step


def border_flags(keypoints, width, height):
    """Which keypoints of a face lie at an edge of the picture that cuts it off.

    Annotators put what lies outside the picture on its edge: such a point is no true
    one. A point counts that is less than 10 pixels from the left or the top edge, or at
    most 3 from the right or the bottom one, where the network's input reaches over that
    edge; by the rule of 5 keypoints it never does.

    Args:
        keypoints: `(K, 2)` in photograph pixels, K 5 or 68.
        width, height: ints, size of the photograph.

    Returns:
        `(K,)` uint8, the sum of `LEFT` 1, `TOP` 2, `RIGHT` 4 and `BOTTOM` 8.
    """
    x, y = np.asarray(keypoints).T
    near = np.stack([x < 10, y < 10, width - x <= 3, height - y <= 3], axis=1)
    left, top, side = training_square(keypoints, width, height)
    free = np.array([left, top, width - left - side, height - top - side])
    cut = free < -1e-6  # what rounding alone puts outside is not
    return (near & cut) @ np.array([LEFT, TOP, RIGHT, BOTTOM], "uint8")


def detector_square(box, constants):
    """A detector's box as the network's input square.

    Args:
        box: `[x0, y0, x1, y1]` in photograph pixels.
        constants: `(shift_x, shift_y, scale)`: how far the square's centre lies from
            the box's, and the square's side, both in box sizes (the mean of the box's
            sides); fitted on the training split.

    Returns:
        `(left, top, side)` floats.
    """
    x0, y0, x1, y1 = box
    size = ((x1 - x0) + (y1 - y0)) / 2
    shift_x, shift_y, scale = constants
    side = scale * size
    center_x = (x0 + x1) / 2 + shift_x * size
    center_y = (y0 + y1) / 2 + shift_y * size
    return center_x - side / 2, center_y - side / 2, side
