"""Exports of a network of larger inputs, whose decoder takes wider windows."""

import keras
import numpy as np
import pytest

import rcn_keras
from rcn_keras import codec
from rcn_keras.layout import KeypointLayout
from rcn_keras.models import KeypointModel

LAYOUT = KeypointLayout("three", ("a", "b", "c"))


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    images = keras.Input((160, 160, 1))
    maps = keras.layers.Conv2D(3, 5, padding="same")(images / 255)
    return KeypointModel(images, maps, LAYOUT, name="fine")


def run_onnx(path, images):
    import onnxruntime

    session = onnxruntime.InferenceSession(path)
    return session.run(["keypoints"], {"images": images})[0]


def run_litert(path, images):
    from ai_edge_litert.interpreter import Interpreter

    runner = Interpreter(str(path)).get_signature_runner("serving_default")
    return runner(images=images)["keypoints"]


def run_saved_model(path, images):
    import tensorflow as tf

    signature = tf.saved_model.load(path).signatures["serving_default"]
    return signature(images=tf.constant(images))["keypoints"].numpy()


RUN = {"onnx": run_onnx, "litert": run_litert, "saved_model": run_saved_model}


@pytest.mark.parametrize("format", RUN)
def test_keypoints_of_large_maps_as_keras(model, tmp_path, format):
    images = np.random.default_rng(0).uniform(0, 255, (4, 160, 160, 1))
    images = images.astype("float32")
    expected = np.asarray(model.locate(images)["keypoints"])
    narrow = np.asarray(codec.decode(model(images), radius=3))
    assert np.abs(expected - narrow).max() > 0.1  # so that the width is tested
    path = rcn_keras.export_model(model, tmp_path, format)
    np.testing.assert_allclose(RUN[format](path, images), expected, atol=1e-3)
