import importlib.util
import pathlib
import subprocess
import sys

import cv2
import keras
import numpy as np
import pytest

from rcn_keras.errors import InputError
from rcn_keras.faces import detect

ASTRONAUT = pathlib.Path(__file__).parents[2] / "examples" / "astronaut.jpg"
EYES_AND_MOUTH = np.array(
    [[204.5, 101], [245, 104], [225, 127], [202, 140], [244, 142]]
)  # by eye, to 3 pixels


@pytest.fixture(scope="module")
def photograph():
    return cv2.imread(str(ASTRONAUT))[:, :, ::-1]


@pytest.fixture(scope="module")
def mtcnn():
    pytest.importorskip("mtcnn")
    if keras.config.backend() != "tensorflow":
        pytest.skip("MTCNN needs Keras' TensorFlow backend")
    return detect.MTCNN()


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


def test_mtcnn_finds_the_one_face(mtcnn, photograph):
    boxes, scores = mtcnn(photograph)
    assert_contract(boxes, scores, count=1)
    assert_face(boxes[0], EYES_AND_MOUTH)
    assert scores[0] > 0.99


def test_mtcnn_is_silent(mtcnn, photograph, capfd):
    mtcnn(photograph)
    mtcnn(np.zeros((64, 64, 3), "uint8"))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 3000), (12, 12), (13, 200), (20, 20), (30, 40), (300, 200)]
)
@pytest.mark.parametrize("value", [0, 128, 255])
def test_mtcnn_finds_none_in_blank_or_tiny_images(mtcnn, shape, value):
    assert_contract(*mtcnn(np.full((*shape, 3), value, "uint8")), count=0)


def test_mtcnn_maps_a_large_photograph_back(mtcnn, photograph):
    face = cv2.resize(photograph, (1500, 1500), interpolation=cv2.INTER_LINEAR)
    large = np.full((3000, 4000, 3), 90, "uint8")
    large[1200:2700, 2300:3800] = face
    boxes, scores = mtcnn(large)
    assert_contract(boxes, scores, count=1)
    assert_face(boxes[0], EYES_AND_MOUTH * 1500 / 512 + [2300, 1200])


def test_mtcnn_box_moves_with_the_face(mtcnn, photograph):
    there = mtcnn(photograph)[0][0]
    cut = mtcnn(photograph[40:240, 130:330])[0][0]
    np.testing.assert_allclose(cut + [130, 40, 130, 40], there, atol=6)


def test_mtcnn_finds_a_face_that_fills_the_photograph(mtcnn, photograph):
    boxes, scores = mtcnn(photograph[62:178, 176:268])
    assert_contract(boxes, scores, count=1)
    assert_face(boxes[0], EYES_AND_MOUTH - [176, 62])


def test_mtcnn_sorts_several_faces(mtcnn, photograph):
    row = np.zeros((400, 900, 3), "uint8")
    for left, side in ((0, 400), (420, 250), (700, 120)):
        row[:side, left : left + side] = cv2.resize(
            photograph, (side, side), interpolation=cv2.INTER_AREA
        )
    boxes, scores = mtcnn(row)
    assert_contract(boxes, scores, count=3)
    for left, side in ((0, 400), (420, 250), (700, 120)):
        points = EYES_AND_MOUTH * side / 512 + [left, 0]
        middle = points.mean(axis=0)
        box = [box for box in boxes if np.all((box[:2] < middle) & (middle < box[2:]))]
        assert len(box) == 1
        assert_face(box[0], points)


@pytest.mark.parametrize(
    ("min_face_size", "count"), [(10, 1), (40, 1), (70, 1), (250, 0)]
)
def test_mtcnn_smallest_face(mtcnn, photograph, min_face_size, count):
    """The package itself finds nothing from 30 pixels up."""
    detector = detect.MTCNN(min_face_size=min_face_size)
    detector._cascade = mtcnn._cascade or detect._build_cascade()
    boxes, scores = detector(photograph)
    assert_contract(boxes, scores, count)
    if count:
        assert_face(boxes[0], EYES_AND_MOUTH)


def test_mtcnn_ignores_a_mixed_policy(mtcnn, photograph):
    expected = mtcnn(photograph)
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        boxes, scores = detect.MTCNN()(photograph)
        assert keras.config.dtype_policy().name == "mixed_float16"
    finally:
        keras.config.set_dtype_policy(policy)
    np.testing.assert_allclose(boxes, expected[0], atol=1e-3)
    np.testing.assert_allclose(scores, expected[1], atol=1e-5)


def test_mtcnn_without_the_package_names_the_command(monkeypatch):
    if keras.config.backend() != "tensorflow":
        pytest.skip("MTCNN needs Keras' TensorFlow backend")
    monkeypatch.setitem(sys.modules, "mtcnn.stages", None)
    with pytest.raises(ImportError, match=r"pip install 'rcn-keras\[tensorflow\]'"):
        detect.MTCNN()(np.zeros((64, 64, 3), "uint8"))


def test_mtcnn_under_another_backend_says_so(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(InputError, match="Keras here on jax: give boxes"):
        detect.MTCNN()


def test_min_face_size_is_checked():
    with pytest.raises(ValueError, match="Received: 0"):
        detect.MTCNN(min_face_size=0)


def test_yunet_without_its_file():
    with pytest.raises(FileNotFoundError, match=r"no/such\.onnx.*opencv_zoo"):
        detect.YuNet("no/such.onnx")


def test_yunet_with_a_damaged_file(tmp_path):
    (tmp_path / "yunet.onnx").write_bytes(b"not a network")
    with pytest.raises(ValueError, match="yunet.onnx"):
        detect.YuNet(tmp_path / "yunet.onnx")


class FakeFaceDetectorYN:
    """As cv2.FaceDetectorYN: rows of x, y, width, height, five keypoints, score."""

    rows = None

    def setInputSize(self, size):
        self.size = size

    def detect(self, image):
        assert (
            image.shape[1],
            image.shape[0],
        ) == self.size and image.flags.c_contiguous
        assert image[0, 0].tolist() == [3, 2, 1]  # BGR
        return 1, self.rows


@pytest.fixture
def yunet(monkeypatch, tmp_path):
    (tmp_path / "yunet.onnx").touch()
    monkeypatch.setattr(
        cv2.FaceDetectorYN, "create", lambda *arguments: FakeFaceDetectorYN()
    )
    return detect.YuNet(tmp_path / "yunet.onnx", max_side=100)


def test_yunet_boxes(yunet):
    first = [10, 20, 30, 40, *range(10), 0.7]
    second = [1, 2, 3, 4, *range(10), 0.9]
    yunet._detector.rows = np.array([first, second], "float32")
    boxes, scores = yunet(np.full((100, 200, 3), (1, 2, 3), "uint8"))
    assert_contract(boxes, scores, count=2)
    np.testing.assert_allclose(scores, [0.9, 0.7])
    np.testing.assert_allclose(boxes, [[2, 4, 8, 12], [20, 40, 80, 120]])


def test_yunet_finds_none(yunet):
    assert_contract(*yunet(np.full((30, 40, 3), (1, 2, 3), "uint8")), count=0)


def test_get_detector(tmp_path):
    assert isinstance(detect.get_detector(), detect.MTCNN)
    assert isinstance(detect.get_detector("mtcnn"), detect.MTCNN)
    assert detect.get_detector(len) is len
    with pytest.raises(FileNotFoundError):
        detect.get_detector(tmp_path / "yunet.onnx")
    with pytest.raises(ValueError, match="Received: detector='dlib'"):
        detect.get_detector("dlib")


def test_import_is_light():
    """Keras itself imports OpenCV where it finds it: what comes after counts."""
    code = (
        "import keras, sys; before = set(sys.modules); import rcn_keras.faces.detect; "
        "print({'cv2', 'mtcnn', 'joblib'} & (set(sys.modules) - before))"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize("value", ["1", "True", "true"])
def test_mtcnn_says_what_to_unset_under_legacy_keras(monkeypatch, value):
    monkeypatch.setenv("TF_USE_LEGACY_KERAS", value)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="unset TF_USE_LEGACY_KERAS"):
        detect.MTCNN()
