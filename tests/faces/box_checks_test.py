import numpy as np
import pytest

from rcn_keras.errors import InputError
from rcn_keras.faces.box_checks import box_fault, given_boxes


@pytest.mark.parametrize(
    "box, reason",
    [
        ([10, 10, 60, 60], None),
        ([-40, -40, 1, 1], None),
        ([10, 10, 10.5, 60], "x1 > x0"),
        ([60, 10, 10, 60], "x1 > x0"),
        ([10, np.nan, 60, 60], "x1 > x0"),
        ([-np.inf, 10, np.inf, 60], "x1 > x0"),
        ([-900, -900, 900, 900], "more than 10 times the picture of 100x80"),
        ([100, 10, 160, 60], "outside the picture of 100x80"),
        ([10, -60, 60, 0], "outside the picture of 100x80"),
    ],
)
def test_box_fault(box, reason):
    found = box_fault(box, 100, 80)
    assert found is None if reason is None else reason in found


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([1, 2, 30, 40], [[1, 2, 30, 40]]),
        ([[1, 2, 30, 40], (5, 6, 70, 80)], [[1, 2, 30, 40], [5, 6, 70, 80]]),
        (np.array([[1, 2, 30, 40]], "uint8"), [[1, 2, 30, 40]]),
        ([], np.zeros((0, 4))),
        (np.zeros((0, 4)), np.zeros((0, 4))),
    ],
)
def test_given_boxes_are_one_or_many(given, expected):
    found = given_boxes(given, "x.jpg", 100, 90)
    np.testing.assert_array_equal(found, np.reshape(expected, (-1, 4)))
    assert found.shape[1:] == (4,) and found.dtype == np.float64


@pytest.mark.parametrize(
    "given",
    [
        np.array([[1, 2], [30, 40]]),
        np.ones((1, 2, 4)),
        np.ones((2, 5)),
        [[1, 2, 30, 40], [5, 6, 70]],
        5,
        "boxes",
        {"box": [1, 2, 30, 40]},
    ],
)
def test_boxes_of_another_shape_are_refused(given):
    with pytest.raises(InputError, match=r"^x.jpg: boxes must be \[\[x0.*Received: ."):
        given_boxes(given, "x.jpg", 100, 90)


def test_given_boxes_that_cannot_be_used_are_refused():
    with pytest.raises(InputError, match=r"x.jpg: the box \[200.*outside the picture"):
        given_boxes([[1, 2, 30, 40], [200, 2, 230, 40]], "x.jpg", 100, 90)


@pytest.mark.parametrize(
    "box, fault",
    [
        ([10, 10, 11, 11], None),  # just a pixel
        ([10, 10, 11, 10.9], "x1 > x0"),
        ([0, 0, 1000, 800], None),  # just ten times the picture
        ([0, 0, 1001, 800], "more than 10 times"),
        ([99, 10, 160, 60], None),
        ([100, 10, 160, 60], "outside"),
        ([-60, 10, 0, 60], "outside"),
    ],
)
def test_the_limits_of_boxes(box, fault):
    reason = box_fault(box, 100, 80)
    assert reason is None if fault is None else fault in reason
