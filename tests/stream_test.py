import threading

import numpy as np
import pytest

from rcn_keras import stream
from rcn_keras.errors import InputError
from rcn_keras.predictor import Predictor
from rcn_keras.stream import predictions

BOX = [4, 4, 20, 20]


class Locator:
    """Keypoints are the number of the picture; a call with a bad one fails."""

    layout = None

    def __init__(self, bad=()):
        self.bad, self.calls = bad, []

    def picture(self, image, name):
        if image.shape[0] < 30:
            raise InputError(f"{name}: too small")
        return image, image

    def locate(self, pictures, boxes):
        numbers = np.array([picture[0, 0, 0] for picture in pictures], "float64")
        self.calls.append(len(pictures))
        if set(numbers) & set(self.bad):
            raise InputError("a picture that cannot be located")
        keypoints = np.tile(numbers[:, None, None], (1, 5, 2))
        return keypoints, np.ones((len(numbers), 5)), np.ones(len(numbers))


def pictures(count):
    return [np.full((30, 30, 3), number, "uint8") for number in range(count)]


def detector(image):
    """As many faces as the number of the picture has ones in binary."""
    faces = int(image[0, 0, 0]).bit_count()
    return np.float32([BOX] * faces), np.ones(faces, "float32")


def test_answers_are_those_of_one_by_one_in_order():
    locator = Locator()
    predictor = Predictor(locator, detector)
    images = pictures(100)
    answers = list(predictions(predictor, images))
    assert len(answers) == 100
    for number, (image, faces) in enumerate(answers):
        assert (image == number).all() and len(faces) == number.bit_count()
        assert all((face.keypoints == number).all() for face in faces)
    faces = sum(number.bit_count() for number in range(100))
    assert (
        sum(locator.calls) == faces and len(locator.calls) <= faces / stream.FACES + 1
    )


def test_one_that_fails_leaves_the_others_alone():
    images = pictures(12)
    images[3] = images[3][:20]
    predictor = Predictor(Locator(bad=[5]), lambda image: ([BOX], [1.0]))
    answers = list(predictions(predictor, images))
    failed = [
        n for n, (_, faces) in enumerate(answers) if isinstance(faces, InputError)
    ]
    assert failed == [3, 5]
    assert answers[3][0] is None and "too small" in str(answers[3][1])
    assert all(
        len(faces) == 1 for n, (_, faces) in enumerate(answers) if n not in failed
    )


def test_another_error_ends_it():
    def failing(image):
        raise RuntimeError("a detector that is broken")

    with pytest.raises(RuntimeError, match="broken"):
        list(predictions(Predictor(Locator(), failing), pictures(3)))


@pytest.mark.parametrize("limit", ["FACES", "PIXELS"])
def test_few_photographs_are_in_memory_at_once(monkeypatch, limit):
    monkeypatch.setattr(stream, limit, 4 * {"FACES": 1, "PIXELS": 30 * 30 * 3}[limit])
    taken, most, answered = 0, 0, 0

    def photographs():
        nonlocal taken, most
        for image in pictures(60):
            taken += 1
            most = max(most, taken - answered)
            yield image

    predictor = Predictor(Locator(), lambda image: ([BOX], [1.0]))
    for _ in predictions(predictor, photographs()):
        answered += 1
    assert answered == 60 and most <= stream.AHEAD + 4 + 1


def test_photographs_are_read_in_threads():
    names = set()

    def find(image):
        names.add(threading.current_thread())
        return predictor.find(image, [BOX])

    predictor = Predictor(Locator())
    assert len(list(predictions(predictor, pictures(5), find))) == 5
    assert threading.main_thread() not in names
    assert list(predictions(predictor, [])) == []
