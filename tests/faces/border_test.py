import numpy as np

from rcn_keras.faces import boxes
from rcn_keras.faces.border import border_flags
from rcn_keras.layout import FACE_5, FACE_68

FACE = np.array([[100, 90], [130, 90], [900, 900], [105, 125], [125, 125]])


def whole(left, top, right, bottom):
    """68 points of which the first two span this box."""
    points = np.random.default_rng(0).uniform([left, top], [right, bottom], (68, 2))
    points[:2] = [left, top], [right, bottom]
    return points


def test_border_flags():
    # A face that fills its picture of 100 x 120: the square reaches over every edge.
    points = np.full((68, 2), 50.0)
    expected = {
        (5, 50): 1,
        (50, 5): 2,
        (98, 50): 4,
        (50, 119): 8,
        (5, 5): 3,
        (98, 5): 6,
        (98, 118): 12,
        (5, 118): 9,
        (-1, 50): 1,
        (9.9, 9.9): 3,
        (10, 10): 0,
        (97, 117): 12,  # 3 pixels from either edge.
        (96.9, 116.9): 0,
    }
    points[: len(expected)] = list(expected)
    found = border_flags(points, FACE_68, 100, 120)
    assert found.dtype == "uint8"
    assert found.tolist() == [*expected.values()] + [0] * (68 - len(expected))


def test_no_flags_where_the_input_does_not_reach_over_the_edge():
    points = whole(9, 9, 49, 49)
    (left, top, _), _ = boxes.training_squares(points, FACE_68, 52, 52)
    assert left < 0 and top < 0  # The stored crop does.
    assert min(boxes.training_square(points, FACE_68, 52, 52)[:2]) > 0
    # The right and the bottom edge are 3 pixels off, and reached over.
    assert border_flags(points, FACE_68, 52, 52)[:2].tolist() == [0, 12]
    assert border_flags(points, FACE_68, 52, 300)[:2].tolist() == [0, 4]
    assert border_flags(points, FACE_68, 300, 52)[:2].tolist() == [0, 8]
    assert not border_flags(points, FACE_68, 300, 300).any()


def test_5_keypoints_have_no_flags():
    for width, height in ((300, 300), (160, 160), (132, 127)):
        assert not border_flags(FACE, FACE_5, width, height).any()
