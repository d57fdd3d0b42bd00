"""The endpoint that finds the faces too, by the loader that a model server uses."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image
from saved_model_session import run_in_fresh_process

import rcn_keras
from rcn_keras.errors import InputError
from rcn_keras.export import graph
from rcn_keras.faces.images import decode_image, read_image

PHOTO = "examples/astronaut.jpg"
FOUND = ("boxes", "scores", "keypoints", "confidence", "face_score")


def encoded(image, format="JPEG"):
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, format)
    return buffer.getvalue()


def pictures(count):
    """Files of the photograph turned, scaled and dimmed; of some two, of some none."""
    rng, photograph, files = np.random.default_rng(0), read_image(PHOTO), []
    for number in range(count):
        size = rng.integers(200, 900, 2).tolist()
        scale = rng.uniform(0.4, 1.6)
        matrix = cv2.getRotationMatrix2D((225, 120), rng.uniform(-20, 20), scale)
        matrix[:, 2] += [size[0] / 2 - 225, size[1] / 2 - 120]
        image = cv2.warpAffine(photograph, matrix, size, borderValue=(90, 120, 60))
        image = (image * rng.uniform(0.5, 1)).astype("uint8")
        if number % 8 == 1:
            image = np.concatenate([image, image[:, ::-1]], axis=1)
        if number % 8 == 2:
            image = np.full_like(image, 127)
        files.append(encoded(image, "PNG" if number % 4 == 3 else "JPEG"))
    return files


@pytest.fixture(scope="module")
def files():
    return pictures(64)


@pytest.fixture(scope="module")
def answers(rcn_saved_model, files):
    """Of all, of each alone or with damaged ones, by a process without TensorFlow."""
    damaged = list(files)
    for row, bad in BAD.items():
        damaged[row] = bad(files[row])
    cases = {"all": files, "damaged": damaged, "one": files[9:10]}
    cases = {
        name: {"photographs": {"image_bytes": np.array(data, "object")}}
        for name, data in cases.items()
    }
    found = run_in_fresh_process(rcn_saved_model, cases)
    return {name: answer["photographs"] for name, answer in found.items()}


def header_of_a_huge_png(data):
    size = np.array([60000, 60000], ">u4").tobytes()
    return encoded(np.zeros((4, 4, 3), "uint8"), "PNG")[:16] + size + bytes(9) + data


BAD = {
    0: lambda data: b"no picture at all",
    5: lambda data: b"",
    10: lambda data: data[: len(data) // 2],
    20: header_of_a_huge_png,
}


def of_picture(answer, number):
    rows = answer["image_index"] == number
    return {name: values[rows] for name, values in answer.items()}


def test_faces_are_those_of_the_predictor(answers, files):
    predictor = rcn_keras.Predictor("rcn6_mtfl", detector="mtcnn", runtime="keras")
    expected = predictor([decode_image(data) for data in files])
    assert sum(map(len, expected)) > 40
    for number, faces in enumerate(expected):
        found = of_picture(answers["all"], number)
        if not faces:
            assert found["scores"].tolist() == [0]
            continue
        for name in FOUND:
            attribute = {"boxes": "box", "scores": "score"}.get(name, name)
            wanted = np.stack([getattr(face, attribute) for face in faces])
            within = 2e-3 if name in ("confidence", "face_score") else 0.01
            np.testing.assert_allclose(found[name], wanted, atol=within)


def test_a_picture_alone_has_the_same_faces(answers):
    alone, among = answers["one"], of_picture(answers["all"], 9)
    assert len(alone["scores"]) == 2
    for name in FOUND:
        np.testing.assert_allclose(alone[name], among[name], atol=1e-4)


def test_bad_pictures_have_a_row_that_says_so(answers):
    for number in range(64):
        found = of_picture(answers["damaged"], number)
        if number in BAD:
            assert found["scores"].tolist() == [-1]
            assert not any(found[name].any() for name in FOUND if name != "scores")
        else:
            expected = of_picture(answers["all"], number)
            for name in FOUND:
                np.testing.assert_allclose(found[name], expected[name], atol=1e-4)
    assert all(np.isfinite(values).all() for values in answers["damaged"].values())


def test_faces_and_pixels_are_bounded(monkeypatch):
    import tensorflow as tf

    monkeypatch.setattr(graph, "MOST_FACES", 3)
    monkeypatch.setattr(graph, "MOST_PIXELS", 400)
    boxes = tf.constant(np.tile([[2.0, 2, 9, 9]], (5, 1)), tf.float32)

    def run(crops):
        number = tf.shape(crops)[0]
        return {
            "keypoints": tf.ones((number, 5, 2)) * tf.constant([[40.0, 40]]),
            "confidence": tf.ones((number, 5)),
            "face_score": tf.fill([number], 0.7),
        }

    photographs = graph.photographs_function(
        run, rcn_keras.FACE_5, lambda image: (boxes, tf.linspace(0.9, 0.8, 5)), 0
    )
    small, large = (encoded(np.zeros((20, s, 3), "uint8"), "PNG") for s in (20, 21))
    found = photographs(tf.constant([small, large, small]))
    assert found["image_index"].numpy().tolist() == [0, 0, 0, 1, 2, 2, 2]
    np.testing.assert_allclose(
        found["scores"], [0.9, 0.875, 0.85, -1, 0.9, 0.875, 0.85], atol=1e-6
    )
    is_face = np.array([1, 1, 1, 0, 1, 1, 1])
    np.testing.assert_allclose(found["face_score"], 0.7 * is_face, atol=1e-6)


def test_only_mtcnn_and_a_saved_model_have_it(tmp_path):
    for detector, format in (("yunet", "saved_model"), ("mtcnn", "onnx")):
        with pytest.raises(ValueError, match="`detector` must be mtcnn"):
            rcn_keras.export_model(
                "rcn6_mtfl", tmp_path, format=format, detector=detector
            )
    with pytest.raises(InputError, match="is there already"):
        (tmp_path / "1").mkdir()
        rcn_keras.export_model("rcn6_mtfl", tmp_path, detector="mtcnn")
