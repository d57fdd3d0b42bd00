import importlib.util
import pickle

import cv2
import keras
import numpy as np
import pytest
import tensorflow as tf
from detector_checks import (
    EYES_AND_MOUTH,
    assert_contract,
    assert_face,
    assert_faces_of_three_sizes,
    astronaut,
)

from rcn_keras.faces.detect import mtcnn_graph
from rcn_keras.faces.detect.mtcnn import MTCNN


@pytest.fixture(scope="module")
def photograph():
    return astronaut()


@pytest.fixture(scope="module")
def mtcnn():
    pytest.importorskip("mtcnn")
    return MTCNN()


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


def test_mtcnn_sorts_several_faces(mtcnn):
    assert_faces_of_three_sizes(mtcnn)


@pytest.mark.parametrize(
    ("min_face_size", "count"), [(10, 1), (40, 1), (70, 1), (250, 0)]
)
def test_mtcnn_smallest_face(photograph, min_face_size, count):
    """The package itself finds nothing from 30 pixels up."""
    detector = MTCNN(min_face_size=min_face_size)
    boxes, scores = detector(photograph)
    assert_contract(boxes, scores, count)
    if count:
        assert_face(boxes[0], EYES_AND_MOUTH)


def test_mtcnn_ignores_a_mixed_policy(mtcnn, photograph):
    expected = mtcnn(photograph)
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        boxes, scores = MTCNN()(photograph)
        assert keras.config.dtype_policy().name == "mixed_float16"
    finally:
        keras.config.set_dtype_policy(policy)
    np.testing.assert_allclose(boxes, expected[0], atol=1e-3)
    np.testing.assert_allclose(scores, expected[1], atol=1e-5)


@pytest.mark.parametrize("package", ["mtcnn", "tensorflow"])
def test_mtcnn_without_a_package_names_the_command(monkeypatch, package):
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == package else name
    )
    with pytest.raises(ImportError, match=r"pip install '.\[tensorflow\]'"):
        MTCNN()


def package_faces(image):
    """Boxes and scores by the stages of the package `mtcnn`."""
    from mtcnn.stages import StageONet, StagePNet, StageRNet

    image, rows = ((image.astype("float32") - 127.5) / 128)[None], None
    for stage in (StagePNet(), StageRNet(), StageONet()):
        rows = stage(image, images_oshapes=[image.shape[1:]], bboxes_batch=rows)
    return rows[:, 1:5], rows[:, 5]


def test_mtcnn_finds_what_the_package_finds(mtcnn, photograph):
    group = np.tile(photograph, (1, 2, 1))[20:320, 60:700]
    for image in (photograph, group):
        boxes, scores = mtcnn(image)
        expected, wanted = package_faces(image)
        np.testing.assert_allclose(boxes, expected, atol=2e-3)
        np.testing.assert_allclose(scores, wanted, atol=1e-5)


def test_mtcnn_bounds_its_boxes(photograph, monkeypatch):
    """Their overlaps take memory by the square of their number."""
    monkeypatch.setattr(mtcnn_graph, "MOST", 9)
    sizes, overlaps = [], mtcnn_graph._without_overlaps

    def counted(boxes, *arguments, **options):
        tf.numpy_function(lambda rows: sizes.append(len(rows)), [boxes], [])
        return overlaps(boxes, *arguments, **options)

    monkeypatch.setattr(mtcnn_graph, "_without_overlaps", counted)
    assert_contract(*MTCNN()(photograph), count=1)
    assert max(sizes) == 9


def test_numpy_may_raise_whatever_it_meets(photograph):
    with np.errstate(all="raise"):
        assert_contract(*MTCNN()(photograph), count=1)


def test_min_face_size_is_checked():
    with pytest.raises(ValueError, match="Received: 0"):
        MTCNN(min_face_size=0)


def test_mtcnn_is_built_channels_last_whatever_is_set(mtcnn, photograph):
    expected = mtcnn(photograph)
    keras.config.set_image_data_format("channels_first")
    try:
        detector = MTCNN()
        found = detector(photograph)
        assert keras.config.image_data_format() == "channels_first"
    finally:
        keras.config.set_image_data_format("channels_last")
    np.testing.assert_allclose(found[0], expected[0], atol=1e-3)


def test_mtcnn_is_copied_and_pickled_after_its_first_photograph(mtcnn, photograph):
    expected = mtcnn(photograph)
    copied = pickle.loads(pickle.dumps(mtcnn))
    np.testing.assert_allclose(copied(photograph)[0], expected[0], atol=1e-3)
