import numpy as np
import pytest

from rcn_keras.faces.boxes import refined_squares, square_movement
from rcn_keras.faces.crop import to_crop, to_photograph
from rcn_keras.layout import FACE_5
from rcn_keras.predictor import Locator, Predictor
from rcn_keras.runtime.locator import BATCH, LocalLocator
from rcn_keras.serving.client import Client

POINTS = np.float64([[160, 180], [240, 180], [200, 220], [170, 260], [230, 260]])
SIZE = np.array([[400, 400]])
# The square that the training rule draws around the points: the second pass keeps it.
(SQUARE,) = refined_squares(POINTS[None], FACE_5, np.zeros((1, 3)), SIZE)
(CENTERED,) = to_crop(POINTS[None], SQUARE[None], 80).astype("float32")


class DrawnNetwork:
    """Gives the same points for every crop, moved in black ones, whose face score is
    0.6 and that of others 0.1; counts its crops."""

    name, input_size = "drawn", 80

    def __init__(self, move):
        self.move, self.batches = move, []

    def __call__(self, crops):
        self.batches.append(len(crops))
        black = ~crops.any(axis=(1, 2, 3))
        keypoints = CENTERED + self.move * black[:, None, None]
        confidence = np.full(keypoints.shape[:2], 0.5, "float32")
        return keypoints.astype("float32"), confidence, np.float32(0.1 + 0.5 * black)


def located(move, count=2, **options):
    """The network, and what is located of `count` pictures, black and white in turn."""
    network = DrawnNetwork(move)
    pictures = [np.full((400, 400, 3), 255 * (i % 2), "uint8") for i in range(count)]
    locator = LocalLocator(network, FACE_5, **options)
    return network, *locator.locate_in_squares(pictures, np.tile(SQUARE, (count, 1)))


def test_the_second_pass_runs_on_the_faces_whose_square_moves():
    network, keypoints, confidence, face_score = located(move=10)
    assert network.batches == [2, 1] and confidence.shape == (2, 5)
    np.testing.assert_allclose(face_score, [0.6, 0.1])
    np.testing.assert_allclose(keypoints[1], POINTS, atol=1e-4)
    first = to_photograph(CENTERED[None] + 10, SQUARE[None], 80)
    second = refined_squares(first, FACE_5, SQUARE[None], SIZE)
    assert 0.1 < square_movement(SQUARE[None], second).item() < 0.15
    expected = to_photograph(CENTERED[None] + 10, second, 80)
    np.testing.assert_allclose(keypoints[:1], expected, atol=1e-4)


def test_a_square_that_hardly_moves_needs_no_second_pass():
    network, keypoints, *_ = located(move=2)
    assert network.batches == [2]
    np.testing.assert_allclose(keypoints[0] - POINTS, 2 * SQUARE[2] / 80, atol=1e-4)
    network, *_ = located(move=10, refinements=0)
    assert network.batches == [2]


def test_any_number_of_faces_goes_in_bounded_batches():
    network, keypoints, *_ = located(move=0, count=BATCH + 3)
    assert network.batches == [BATCH, 3] and keypoints.shape == (BATCH + 3, 5, 2)
    network, keypoints, confidence, face_score = located(move=0, count=0)
    assert network.batches == [] and keypoints.shape == (0, 5, 2)
    assert confidence.shape == (0, 5) and face_score.shape == (0,)


def test_movement_is_in_sides_of_the_first_square():
    squares = np.float64([[0, 0, 10]] * 4)
    others = np.float64([[0, 0, 10], [2, -1, 10], [0, 0, 12], [-1, -1, 12]])
    np.testing.assert_allclose(square_movement(squares, others), [0, 0.2, 0.2, 0.2])


def test_a_predictor_takes_any_locator():
    locator = LocalLocator(DrawnNetwork(0), FACE_5, refinements=0)
    (face,) = Predictor(locator)(np.zeros((400, 400, 3), "uint8"), [[9, 9, 99, 99]])
    assert face.keypoints.shape == (5, 2)
    assert face.face_score == pytest.approx(0.6)
    assert face.as_dict()["face_score"] == 0.6
    assert isinstance(Client("http://127.0.0.1:1"), Locator)
    assert Predictor(locator).layout == FACE_5


def test_faces_are_compared_by_identity():
    locator = LocalLocator(DrawnNetwork(0), FACE_5)
    image, box = np.zeros((400, 400, 3), "uint8"), [9, 9, 99, 99]
    face, other = Predictor(locator)(image, [box, box])
    assert face == face and face != other and len({face, other}) == 2
