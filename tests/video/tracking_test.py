import dataclasses

import numpy as np
import pytest
from video_checks import SHAPE, KnownFaces, frame

from rcn_keras.errors import InputError
from rcn_keras.faces import boxes
from rcn_keras.layout import FACE_5
from rcn_keras.video import Tracker, track
from rcn_keras.video.tracking import overlap


def still(number):
    return 160, 100, 30


def run(predictor, frames, **arguments):
    tracker = Tracker(predictor, **arguments)
    return [tracker(frame(number), number / 25) for number in frames]


def test_a_face_at_rest_keeps_its_identity_and_is_detected_now_and_then():
    predictor = KnownFaces(still)
    frames = run(predictor, range(31), detect_every=10, smoothing=False)
    assert [[face.id for face in faces] for faces in frames] == [[0]] * 31
    assert predictor.detections == 4
    face = frames[-1][0]
    np.testing.assert_allclose(face.keypoints, predictor.truth(30)[0], atol=1e-9)
    assert face.as_dict()["id"] == 0 and face.score == 0.9
    assert face.as_dict()["face_score"] == 0.95


def test_the_box_moves_and_grows_with_the_face():
    predictor = KnownFaces(lambda n: (100 + 3 * n, 100 + n, 30 + n))
    frames = run(predictor, range(9), detect_every=100, smoothing=False)
    truth = predictor.find(frame(8)).boxes[0]
    np.testing.assert_allclose(frames[-1][0].box, truth, atol=1e-6)


def test_a_fast_face_is_followed_without_the_detector():
    predictor = KnownFaces(lambda n: (40 + 8 * n, 100, 30))
    frames = run(predictor, range(30), detect_every=1000, smoothing=False)
    assert [[face.id for face in faces] for faces in frames] == [[0]] * 30
    assert predictor.detections == 1


@pytest.mark.parametrize("speed", [1.5, 4])
def test_identities_are_kept_through_a_crossing(speed):
    middle = 100 / speed
    there = lambda n: (60 + speed * n, 100, 30)  # noqa: E731
    back = lambda n: (260 - speed * n, 102, 30)  # noqa: E731
    predictor = KnownFaces(there, back, noise=0.3)
    frames = run(predictor, range(int(2 * middle)), smoothing=False)
    for number in (0, 5, int(2 * middle) - 1):
        places = {face.id: face.keypoints[:, 0].mean() for face in frames[number]}
        assert set(places) == {0, 1}
        by_start = sorted(frames[0], key=lambda face: face.keypoints[:, 0].mean())
        first, second = (face.id for face in by_start)
        assert abs(places[first] - there(number)[0]) < 2
        assert abs(places[second] - back(number)[0]) < 2
    assert min(map(len, frames)) == 1  # one was hidden for a while


class Covered(KnownFaces):
    """As a network has it, the points of the face behind, half covered, stay at the
    edge of the other and spread, and it is less and less sure of them."""

    def locate(self, images, squares, second_pass=True):
        found, confidence, face_score = super().locate(images, squares)
        front = self.truth(int(images[0][0, 0, 0]))[0].mean(axis=0)
        for points, certainty in zip(found, confidence):
            away = points.mean(axis=0) - front
            near = 2.8 - np.hypot(*away) / 30
            if 0 < near < 1.8 and certainty[0] > 0.5:
                middle = points.mean(axis=0)
                points[:] = (
                    (points - middle) * (1 + near / 4)
                    + front
                    + away * (2.8 / (2.8 - near))
                )
                certainty[:] = 0.95 - 0.2 * near
        return found, confidence, face_score


def test_half_covered_points_cost_no_identity():
    front = lambda n: (40 + 2.5 * n, 100, 30)  # noqa: E731
    behind = lambda n: (290 - 2.5 * n, 110, 30)  # noqa: E731
    frames = run(Covered(front, behind), range(100), smoothing=False)
    places = [{f.id: f.keypoints[:, 0].mean() for f in faces} for faces in frames]
    first, second = sorted(places[0], key=lambda identity: places[0][identity])
    assert abs(places[-1][first] - front(99)[0]) < 2
    assert abs(places[-1][second] - behind(99)[0]) < 2
    assert set().union(*places) == {first, second}


@pytest.mark.parametrize("distance, least", [(60, 1), (120, 2)])
def test_a_doubtful_face_is_hidden_where_it_meets_another(distance, least):
    class Doubtful(KnownFaces):
        def locate(self, images, squares, second_pass=True):
            found, confidence, face_score = super().locate(images, squares)
            confidence[found[:, 0, 0] > 120] = 0.7  # of the face on the right
            return found, confidence, face_score

    right = lambda n: (100 + distance, 100, 30)  # noqa: E731
    frames = run(Doubtful(lambda n: (100, 100, 30), right), range(12))
    assert min(map(len, frames)) == least
    assert all(faces[0].id == 0 for faces in frames)


def test_a_lost_face_ends_and_a_new_one_gets_another_identity():
    def comes_and_goes(number):
        return None if 20 <= number < 90 else (160, 100, 30)

    frames = run(KnownFaces(comes_and_goes), range(110))
    ids = [[face.id for face in faces] for faces in frames]
    assert ids[:20] == [[0]] * 20 and ids[20:90] == [[]] * 70
    assert ids[-1] == [1]


def test_a_short_absence_keeps_the_identity():
    def blinks(number):
        return None if 20 <= number < 30 else (160, 100, 30)

    frames = run(KnownFaces(blinks), range(40))
    assert [face.id for face in frames[25]] == []
    assert [face.id for face in frames[-1]] == [0]


def test_a_second_face_is_found_by_the_next_detection():
    late = lambda n: (60, 60, 30) if n >= 13 else None  # noqa: E731
    frames = run(KnownFaces(still, late), range(25), detect_every=10)
    assert [len(faces) for faces in frames] == [1] * 20 + [2] * 5


def test_smoothing_lowers_the_jitter():
    def second_differences(smoothing):
        frames = run(KnownFaces(still, noise=0.4), range(100), smoothing=smoothing)
        points = np.array([faces[0].keypoints for faces in frames[20:]])
        return np.sqrt((np.diff(points, 2, axis=0) ** 2).mean())

    assert second_differences(False) > 5 * second_differences(True)


def test_another_size_of_frames_starts_anew():
    tracker = Tracker(KnownFaces(still))
    assert [face.id for face in tracker(frame(0), 0)] == [0]
    assert [face.id for face in tracker(frame(1, (400, 240)), 0.04)] == [1]


def test_squares_move_on_with_a_velocity_that_is_followed_by_two_fifths():
    class Recorded(KnownFaces):
        def locate(self, images, squares, second_pass=True):
            self.squares = np.array(squares)
            return super().locate(images, squares, second_pass)

    predictor = Recorded(lambda n: (60.3 + 20 * n, 100, 30))
    tracker, velocity = Tracker(predictor, detect_every=100, smoothing=False), 0.0
    tracker(frame(0), 0)
    for number in range(1, 6):
        tracker(frame(number), number / 25)
        expected = SHAPE * 30 + [60.3 + 20 * (number - 1) + velocity, 100]
        square = boxes.training_square(expected, FACE_5, 320, 240)
        np.testing.assert_allclose(predictor.squares, [square], atol=1e-6)
        velocity = 0.6 * velocity + 0.4 * 20  # pixels a frame


@pytest.mark.parametrize(
    "factor, detections", [(0.7, 2), (0.8, 1), (1.25, 1), (1.4, 2)]
)
def test_a_face_that_grows_or_shrinks_at_once_is_detected_anew(factor, detections):
    predictor = KnownFaces(lambda n: (160, 100, 30 * (1 if n < 5 else factor)))
    frames = run(predictor, range(8), detect_every=100, smoothing=False)
    assert predictor.detections == detections
    assert [[face.id for face in faces] for faces in frames] == [[0]] * 8


def test_a_face_out_of_sight_is_looked_for_every_third_frame():
    predictor = KnownFaces(lambda n: (160, 100, 30) if n < 10 else None)
    frames = run(predictor, range(23), detect_every=100)
    assert [len(faces) for faces in frames] == [1] * 10 + [0] * 13
    assert predictor.detections == 1 + 5  # frames 10, 13, 16, 19 and 22


def test_a_face_that_five_detections_do_not_find_ends():
    class Once(KnownFaces):
        def find(self, image):
            found = super().find(image)
            keep = slice(None if self.detections == 1 else 0)
            return dataclasses.replace(found, boxes=found.boxes[keep])

    frames = run(Once(still), range(14), detect_every=2)
    assert [len(faces) for faces in frames] == [1] * 10 + [0] * 4


@pytest.mark.parametrize("shift, identity", [(0.55, 0), (0.75, 1)])
def test_a_face_may_come_back_half_a_square_away(shift, identity):
    # The detector's box of it then overlaps by 0.17 and by 0.06.
    side = boxes.training_square(SHAPE * 30 + [100, 100], FACE_5, 320, 240)[2]

    def elsewhere(number):
        return (100 + shift * side * (number > 20), 100, 30) if number != 20 else None

    frames = run(KnownFaces(elsewhere), range(30), detect_every=100)
    assert [face.id for face in frames[-1]] == [identity]


def test_a_video_frame_by_frame(video):
    class Blind(KnownFaces):
        def truth(self, number):
            return super().truth(0)

    frames = list(track(video(frames=5), Blind(lambda number: (32, 15, 10))))
    assert [each.number for each in frames] == [0, 1, 2, 3, 4]
    assert [[face.id for face in each.faces] for each in frames] == [[0]] * 5
    assert frames[2].image.shape == (48, 64, 3) and frames[2].seconds == 0.08


def test_overlap_of_squares():
    assert overlap((0, 0, 10), (0, 0, 10)) == pytest.approx(1)
    assert overlap((0, 0, 10), (5, 0, 10)) == pytest.approx(1 / 3)
    assert overlap((0, 0, 10), (20, 0, 10)) == 0


def test_arguments_that_cannot_be_used():
    with pytest.raises(InputError, match="at least 1. Received: 0"):
        Tracker(KnownFaces(still), detect_every=0)
    with pytest.raises(InputError, match="between 0 and 1. Received: 2"):
        Tracker(KnownFaces(still), least_confidence=2)
