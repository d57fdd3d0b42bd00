"""What stands in saved_models/: as the presets are now, and as a server reads it."""

import pathlib

import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import text_format

import rcn_keras
from rcn_keras.faces.images import read_image

FOLDER = pathlib.Path("saved_models")
PHOTO = "examples/astronaut.jpg"
NAMES = sorted(path.parent.name for path in FOLDER.glob("*/1"))


@pytest.mark.parametrize("name", NAMES)
def test_exports_are_of_the_presets(name):
    faces = tf.saved_model.load(FOLDER / name / "1").signatures["faces"]
    # A box from which the second pass is needed, which older exports always made.
    data, box = pathlib.Path(PHOTO).read_bytes(), [165, 45, 285, 195]
    found = faces(image_bytes=tf.constant([data]), boxes=tf.constant([box], "float32"))
    (expected,) = rcn_keras.Predictor.from_preset(name)(read_image(PHOTO), [box])
    # Another JPEG decoder and another crop make other pixels, by a grey level here and
    # there. In a joint model that can move a peak of the first network to the next
    # cell, and with it what the denoiser makes of the keypoints around.
    joint = name.startswith("joint")
    apart = np.abs(found["keypoints"][0] - expected.keypoints)
    assert np.quantile(apart, 0.9) < 0.1 and apart.max() < (0.5 if joint else 0.1)
    surer = np.abs(found["confidence"][0] - expected.confidence)
    assert surer.max() < (0.1 if joint else 0.02)


def test_the_server_finds_them():
    from tensorflow_serving.config import model_server_config_pb2

    text = (FOLDER / "models.config").read_text()
    config = text_format.Parse(text, model_server_config_pb2.ModelServerConfig())
    models = {m.name: m.base_path for m in config.model_config_list.config}
    assert models == {name: f"/models/{name}" for name in NAMES}


def test_batches_are_no_larger_than_the_clients():
    text = (FOLDER / "batching.config").read_text()
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    values = {line.split()[0]: int(line.split()[3]) for line in lines}
    assert values["max_batch_size"] == 64
    assert set(values) == {
        "max_batch_size",
        "batch_timeout_micros",
        "num_batch_threads",
        "max_enqueued_batches",
    }
