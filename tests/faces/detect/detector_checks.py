"""What every detector must do with the shipped photograph."""

import pathlib

import cv2
import numpy as np

ASTRONAUT = pathlib.Path(__file__).parents[3] / "examples" / "astronaut.jpg"
EYES_AND_MOUTH = np.array(
    [[204.5, 101], [245, 104], [225, 127], [202, 140], [244, 142]]
)  # by eye, to 3 pixels


def astronaut():
    return cv2.imread(str(ASTRONAUT))[:, :, ::-1]


def assert_contract(boxes, scores, count):
    assert boxes.shape == (count, 4) and boxes.dtype == np.float32
    assert scores.shape == (count,) and scores.dtype == np.float32
    assert np.all(np.diff(scores) <= 0)
    assert np.all(boxes[:, :2] < boxes[:, 2:])


def assert_face(box, points):
    """The box holds the points, all in its middle part, and is no more than a face."""
    position = (points - box[:2]) / (box[2:] - box[:2])
    assert np.all((position > 0.1) & (position < 0.9))
    assert np.ptp(position[:, 0]) > 0.4


def assert_faces_of_three_sizes(detector, sides=(400, 250, 120)):
    row = np.zeros((400, 900, 3), "uint8")
    lefts = (0, 420, 700)
    for left, side in zip(lefts, sides):
        row[:side, left : left + side] = cv2.resize(
            astronaut(), (side, side), interpolation=cv2.INTER_AREA
        )
    boxes, scores = detector(row)
    assert_contract(boxes, scores, count=3)
    for left, side in zip(lefts, sides):
        points = EYES_AND_MOUTH * side / 512 + [left, 0]
        middle = points.mean(axis=0)
        box = [box for box in boxes if np.all((box[:2] < middle) & (middle < box[2:]))]
        assert len(box) == 1
        assert_face(box[0], points)
