import csv

import numpy as np
import pytest

from rcn_keras.data.face_shape import random_shape
from rcn_keras.errors import InputError
from rcn_keras.faces.pose import (
    MEAN_FACE,
    MEAN_FIVE,
    angles,
    face_measures,
    head_pose,
    rotation_matrix,
)

SIZE = (640, 480)


def projected(points, turn, focal_length=640, shift=(0.3, -0.2, 8)):
    """Points of a head in the picture of a camera."""
    placed = np.asarray(points) @ turn.T + shift
    return focal_length * placed[:, :2] / placed[:, 2:] + np.array(SIZE) / 2


def of_68(points):
    keypoints = np.zeros((68, 2))
    keypoints[[*MEAN_FACE]] = points
    return keypoints


def test_angles_are_those_of_the_rotation():
    rng = np.random.default_rng(0)
    for _ in range(100):
        given = rng.uniform([-85, -80, -170], [85, 80, 170])
        rotation = rotation_matrix(*given)
        np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
        np.testing.assert_allclose(angles(rotation), given, atol=1e-9)


def test_the_nose_points_where_the_angles_say():
    nose = np.array([0, 0, -1.0])  # towards the viewer
    assert (rotation_matrix(30, 0, 0) @ nose)[0] > 0.4  # right
    assert (rotation_matrix(0, 30, 0) @ nose)[1] < -0.4  # up
    forehead = rotation_matrix(0, 0, 30) @ [0, -1.0, 0]
    assert forehead[0] > 0.4  # clockwise


@pytest.mark.parametrize("model", ["68 points", "5 points"])
def test_known_rotations_of_the_mean_face_are_recovered(model):
    rng = np.random.default_rng(1)
    for _ in range(50):
        given = rng.uniform([-60, -40, -90], [60, 40, 90])
        turn = rotation_matrix(*given)
        if model == "68 points":
            keypoints = of_68(projected([*MEAN_FACE.values()], turn))
        else:
            keypoints = projected(MEAN_FIVE, turn)
        pose = head_pose(keypoints, SIZE)
        found = [pose.yaw, pose.pitch, pose.roll]
        np.testing.assert_allclose(found, given, atol=0.05)
        np.testing.assert_allclose(pose.translation, [0.3, -0.2, 8], atol=0.01)
        back = pose.project([*MEAN_FACE.values()])
        np.testing.assert_allclose(
            back, projected([*MEAN_FACE.values()], turn), atol=0.05
        )


@pytest.mark.parametrize("points", [68, 5])
def test_drawn_faces_of_known_rotation(points):
    # They are flatter than people, and each is drawn as another person with another
    # expression: what is left over is the mean face's error.
    rng, errors = np.random.default_rng(2), []
    for _ in range(200):
        shape, _ = random_shape(rng)
        given = rng.uniform([-32, -12, -30], [32, 12, 30])
        turn = rotation_matrix(*given)
        keypoints = projected(shape[:68] * [1, 1, -1], turn, 4000, (0, 0, 40))
        if points == 5:
            eyes = [keypoints[36:42].mean(axis=0), keypoints[42:48].mean(axis=0)]
            keypoints = np.array([*eyes, *keypoints[[30, 48, 54]]])
        pose = head_pose(keypoints, SIZE, 4000)
        errors.append(np.subtract([pose.yaw, pose.pitch, pose.roll], given))
    error = np.abs(errors).mean(axis=0)
    print(f"{points} points, mean error of yaw, pitch, roll: {error.round(2)} degrees")
    assert np.less(error, [7, 12, 2]).all()


def test_measures_of_an_open_and_a_shut_face():
    points = np.zeros((68, 2))
    for start, x in ((36, 100), (42, 160)):
        points[start : start + 6] = [
            [x, 100], [x + 10, 96], [x + 20, 96], [x + 30, 100],
            [x + 20, 104], [x + 10, 104],
        ]  # fmt: skip
    points[60:68] = [
        [120, 150], [130, 145], [140, 145], [150, 145],
        [160, 150], [150, 155], [140, 165], [130, 155],
    ]  # fmt: skip
    measures = face_measures(points)
    assert measures.interocular == pytest.approx(60)
    assert measures.left_eye == pytest.approx(8 / 30) == measures.right_eye
    assert measures.mouth == pytest.approx((10 + 20 + 10) / 3 / 40)
    points[42:48, 1] = 100
    assert face_measures({"keypoints": points}).right_eye == 0
    coarse = face_measures(points[:5])
    assert np.isnan(coarse.left_eye) and np.isfinite(coarse.interocular)


def test_numbers_of_the_mean_face_are_those_of_the_results():
    with open("results/mean_face.csv", newline="") as file:
        rows = {int(row["index"]): row for row in csv.DictReader(file)}
    for index, place in MEAN_FACE.items():
        written = [float(rows[index][axis]) for axis in "xyz"]
        np.testing.assert_allclose(place, written, atol=1e-9)


@pytest.mark.parametrize(
    "keypoints, arguments, reason",
    [
        (np.full((68, 2), np.nan), {}, "finite keypoints"),
        (np.ones((5, 2)), {}, "not on one spot"),
        (np.ones((9, 2)), {}, "5 or 68 keypoints"),
        (np.eye(5)[:, :2], {"focal_length": 0}, "above 0 pixels"),
    ],
)
def test_what_has_no_pose_is_named(keypoints, arguments, reason):
    with pytest.raises(InputError, match=reason):
        head_pose(keypoints, SIZE, **arguments)
