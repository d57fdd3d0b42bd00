"""What the scripts for one's own keypoints compute and say."""

import numpy as np
import own_contours
import own_keypoints
import pytest

from rcn_keras.errors import InputError
from rcn_keras.layout import KeypointLayout

# Five on a line that climbs by 45 degrees, a corner, and two far away.
SHAPE = np.array([[0, 0], [1, 1], [2, 2], [3, 3], [4, 4], [5, 3], [20, 3], [20, 40]])


def test_inner_points_of_a_line_lie_on_it_and_ends_and_corners_do_not():
    faces = SHAPE + np.random.default_rng(0).normal(0, 0.01, (6, 8, 2))
    assert own_contours.lines(faces).nonzero()[0].tolist() == [1, 2, 3]


def test_errors_are_split_by_the_direction_of_the_line():
    layout = KeypointLayout("line", tuple("abcdefgh"), normalizer=((0,), (6,)))
    true = np.tile(SHAPE.astype("float32"), (2, 1, 1))
    error = np.zeros_like(true)
    error[:, 1:4] = [0.3, 0.3]  # along
    error[1, 1:4] = [0.4, -0.4]  # across
    error[:, 7] = [0, 3]
    row = own_contours.split(true, true + error, layout)
    unit = 100 / np.hypot(20, 3)
    root = np.sqrt(2)
    expected = {
        "on_lines": 3,
        "on_lines_nme": round(0.35 * root * unit, 3),
        "along": round(0.15 * root * unit, 3),
        "across": round(0.2 * root * unit, 3),
        "others_nme": round(3 / 5 * unit, 3),
        "above_2": 4,
    }
    assert {key: row[key] for key in expected} == expected
    assert row["worst"].split()[0] == "h" and len(row["worst"].split()) == 8


def test_a_command_that_fails_is_one_line_and_ends_the_script():
    with pytest.raises(InputError, match="^rcn-keras train: exit code 2$"):
        own_keypoints.rcn_keras("train", "no_such_recipe")
