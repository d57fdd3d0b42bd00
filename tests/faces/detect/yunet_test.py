import copy
import os
import pathlib

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
from rcn_keras.faces.detect.yunet import YuNet


def test_without_its_file_the_command_that_fetches_it_is_named():
    with pytest.raises(InputError, match=r"no/such\.onnx.*rcn-keras download yunet"):
        YuNet("no/such.onnx")


def test_without_any_file_at_hand_too(monkeypatch, tmp_path):
    monkeypatch.delenv("RCN_KERAS_YUNET", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(InputError, match="yunet.*onnx.*rcn-keras download yunet"):
        YuNet()


def test_a_damaged_file_is_named_and_nothing_else_is_written(tmp_path, capfd):
    (tmp_path / "yunet.onnx").write_bytes(b"not a network")
    with pytest.raises(InputError, match="yunet.onnx: not YuNet's"):
        YuNet(tmp_path / "yunet.onnx")
    assert capfd.readouterr() == ("", "")


def test_another_network_is_named(capfd):
    with pytest.raises(InputError, match="model.onnx: not YuNet's"):
        YuNet("rcn_keras/presets/rcn6_mtfl/model.onnx")
    assert capfd.readouterr() == ("", "")


class FakeFaceDetectorYN:
    """As cv2.FaceDetectorYN: rows of x, y, width, height, five keypoints, score."""

    rows, size = None, (320, 320)

    def setInputSize(self, size):
        self.size = size

    def detect(self, image):
        assert image.shape[1::-1] == self.size and image.flags.c_contiguous
        if not image.any():  # what the constructor tries it on
            return 1, None
        assert image[0, 0].tolist() == [3, 2, 1]  # BGR
        return 1, self.rows


@pytest.fixture
def yunet(monkeypatch, tmp_path):
    (tmp_path / "yunet.onnx").touch()
    monkeypatch.setattr(
        cv2.FaceDetectorYN, "create", lambda *arguments: FakeFaceDetectorYN()
    )
    detector = YuNet(tmp_path / "yunet.onnx", max_side=100)
    detector.box_constants = (0, 0, 1)
    return detector


def test_boxes_are_those_of_the_whole_photograph_by_falling_score(yunet):
    first = [10, 20, 30, 40, *range(10), 0.7]
    second = [1, 2, 3, 4, *range(10), 0.9]
    yunet._detector.rows = np.array([first, second], "float32")
    boxes, scores = yunet(np.full((100, 200, 3), (1, 2, 3), "uint8"))
    assert_contract(boxes, scores, count=2)
    np.testing.assert_allclose(scores, [0.9, 0.7])
    np.testing.assert_allclose(boxes, [[2, 4, 8, 12], [20, 40, 80, 120]])


def test_boxes_are_moved_to_where_mtcnn_draws_them(yunet):
    yunet.box_constants = (0.1, -0.2, 1.5)
    yunet._detector.rows = np.array([[10, 20, 30, 50, *range(10), 0.7]], "float32")
    boxes, _ = yunet(np.full((100, 100, 3), (1, 2, 3), "uint8"))
    # Size 40, centre (25, 45), moved to (29, 37).
    np.testing.assert_allclose(boxes, [[6.5, -0.5, 51.5, 74.5]])


def test_finds_none(yunet):
    assert_contract(*yunet(np.full((30, 40, 3), (1, 2, 3), "uint8")), count=0)


# The file is OpenCV's and not part of the package.
needs_file = pytest.mark.skipif(
    not os.environ.get("RCN_KERAS_YUNET"), reason="RCN_KERAS_YUNET names no model file"
)


@needs_file
def test_the_real_one_finds_the_one_face_silently(capfd):
    detector = copy.deepcopy(YuNet(pathlib.Path(os.environ["RCN_KERAS_YUNET"])))
    boxes, scores = detector(astronaut())
    assert_contract(boxes, scores, count=1)
    assert_face(boxes[0], EYES_AND_MOUTH)
    assert_contract(*detector(np.zeros((40, 60, 3), "uint8")), count=0)
    assert capfd.readouterr() == ("", "")


@needs_file
def test_the_real_one_finds_three_sizes():
    assert_faces_of_three_sizes(YuNet())
