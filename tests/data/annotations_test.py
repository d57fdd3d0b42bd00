import numpy as np
import pytest

from rcn_keras.data import synthetic
from rcn_keras.data.annotations import FLIP_PAIRS, KEYPOINT_NAMES


@pytest.mark.parametrize("keypoints", [5, 68])
def test_flip_pairs_mirror_a_face(keypoints):
    points = np.zeros((68, 3))
    half = np.array(synthetic.HALF.split(), float).reshape(-1, 3)
    for index, place in ((synthetic.LEFT, half), (synthetic.RIGHT, half * [-1, 1, 1])):
        for i, at in zip(index, place):
            if i < 68:
                points[i] = at
    if keypoints == 5:
        eyes = points[36:42].mean(axis=0), points[42:48].mean(axis=0)
        points = np.stack([*eyes, *points[[30, 48, 54]]])
    order = np.arange(keypoints)
    for left, right in FLIP_PAIRS[keypoints]:
        order[[left, right]] = right, left
        assert points[left, 0] < points[right, 0]
    np.testing.assert_allclose(points[order] * [-1, 1, 1], points, atol=1e-9)


def test_names():
    assert all(len(names) == count for count, names in KEYPOINT_NAMES.items())
    for left, right in FLIP_PAIRS[5]:
        names = KEYPOINT_NAMES[5]
        assert names[left].replace("left", "right") == names[right]
