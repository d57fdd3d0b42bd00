"""Exports of a network of larger inputs, whose decoder takes wider windows."""

import keras
import numpy as np
import pytest

import rcn_keras
from rcn_keras import codec
from rcn_keras.data.synthetic import draw_crop
from rcn_keras.export.saved_model import WARMUP
from rcn_keras.layout import KeypointLayout
from rcn_keras.models import KeypointModel

LAYOUT = KeypointLayout("three", ("a", "b", "c"))


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    images = keras.Input((160, 160, 1))
    # LiteRT leaves layers of fewer than 1024 weights as they are.
    maps = keras.layers.Conv2D(3, 19, padding="same")(images / 255)
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


def drawn_crops(count):
    return np.stack([draw_crop(seed, LAYOUT, 160)[-1] for seed in range(count)])


@pytest.mark.parametrize("format", ["onnx", "litert"])
def test_8_bits_of_ones_own_keypoints_take_training_crops(model, tmp_path, format):
    crops = drawn_crops(16)
    with pytest.raises(ValueError, match=f"8-bit {format} needs .* `calibration`"):
        rcn_keras.export_model(model, tmp_path, format, quantize=True)
    path = rcn_keras.export_model(
        model, tmp_path, format, quantize=True, calibration=crops
    )
    images = crops.astype("float32")
    expected = np.asarray(model.locate(images)["keypoints"])
    apart = np.linalg.norm(RUN[format](path, images) - expected, axis=-1)
    assert 0 < np.median(apart) < 1


def test_a_server_is_warmed_up_with_crops_of_its_size(model, tmp_path):
    import tensorflow as tf
    from tensorflow_serving.apis import prediction_log_pb2

    path = rcn_keras.export_model(model, tmp_path)
    signatures = tf.saved_model.load(path).signatures
    requests = 0
    for record in tf.data.TFRecordDataset(str(path / "assets.extra" / WARMUP)):
        log = prediction_log_pb2.PredictionLog.FromString(record.numpy())
        request = log.predict_log.request
        inputs = {k: tf.make_ndarray(v) for k, v in request.inputs.items()}
        tensors = {name: tf.constant(value) for name, value in inputs.items()}
        name = request.model_spec.signature_name
        found = signatures[name](**tensors)["keypoints"]
        assert found.shape == (len(next(iter(inputs.values()))), 3, 2)
        requests += 1
    assert requests > 3


@pytest.mark.parametrize("format", RUN)
def test_keypoints_of_large_maps_as_keras(model, tmp_path, format):
    images = np.random.default_rng(0).uniform(0, 255, (4, 160, 160, 1))
    images = images.astype("float32")
    expected = np.asarray(model.locate(images)["keypoints"])
    narrow = np.asarray(codec.decode(model(images), radius=3))
    assert np.abs(expected - narrow).max() > 0.1  # so that the width is tested
    path = rcn_keras.export_model(model, tmp_path, format)
    np.testing.assert_allclose(RUN[format](path, images), expected, atol=1e-3)
