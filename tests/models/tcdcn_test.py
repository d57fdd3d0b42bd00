import keras
import numpy as np
import pytest
from layer_checks import to_numpy
from model_checks import conv, feature_maps, images

import rcn_keras
from rcn_keras.attributes import ATTRIBUTES
from rcn_keras.dtype_policy import dtype_policy
from rcn_keras.losses import KeypointDistance
from rcn_keras.models import build_tcdcn

# Convolutions without padding, pooling after the first three, from side 40:
# 40 -5x5-> 36 -> 18 -3x3-> 16 -> 8 -3x3-> 6 -> 3 -2x2-> 2.
TRUNK = conv(5, 1, 16) + conv(3, 16, 48, 64) + conv(2, 64, 64)
FEATURES_40 = (2 * 2 * 64 + 1) * 100
# 80 -5x5-> 76 -> 38 -3x3-> 36 -> 18 -3x3-> 16 -> 8 -2x2-> 7.
FEATURES_80 = (7 * 7 * 64 + 1) * 100
POINTS_5, TOLD = 101 * 2 * 5, 101 * (2 + 2 + 2 + 5)


@pytest.mark.parametrize(
    "arguments, count",
    [
        ({}, TRUNK + FEATURES_80 + POINTS_5 + TOLD),
        ({"attributes": False}, TRUNK + FEATURES_80 + POINTS_5),
        ({"size": 40}, TRUNK + FEATURES_40 + POINTS_5 + TOLD),
        ({"keypoints": 68}, TRUNK + FEATURES_80 + 101 * 2 * 68 + TOLD),
        ({"channels": 3}, TRUNK + 2 * 25 * 16 + FEATURES_80 + POINTS_5 + TOLD),
        ({"activation": "relu"}, 367_357),
    ],
)
def test_parameters_and_shapes(arguments, count):
    model = build_tcdcn(**arguments)
    assert model.count_params() == count
    assert model.input_shape == (None, 80, 80, arguments.get("channels", 1))
    expected = {"keypoints": (None, arguments.get("keypoints", 5), 2)}
    if arguments.get("attributes", True):
        expected |= {name: (None, classes) for name, classes in ATTRIBUTES.items()}
    assert {name: x.shape for name, x in model.output.items()} == expected


def test_is_public():
    assert rcn_keras.build_tcdcn is build_tcdcn
    assert build_tcdcn().count_params() == 367_357
    assert build_tcdcn(size=40).count_params() == 79_357


def test_image_is_averaged_and_activation_is_the_absolute_tanh():
    model, x = build_tcdcn(size=40), images(2)
    normalized = feature_maps(model, "local_contrast_normalization", x)
    reduced = feature_maps(model, "reduced", x)
    averages = normalized.reshape(2, 40, 2, 40, 2, 1).mean((2, 4))
    np.testing.assert_allclose(reduced, averages, atol=1e-6)
    kernel, bias = (to_numpy(w) for w in model.get_layer("conv_1").weights)
    patch = reduced[:, 7:12, 3:8, 0].reshape(2, 25)
    expected = np.abs(np.tanh(patch @ kernel.reshape(25, 16) + bias))
    found = feature_maps(model, "conv_1", x)[:, 7, 3]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_heads_are_linear_in_the_shared_features():
    model, x = build_tcdcn(), images(3)
    features = feature_maps(model, "features", x)
    assert features.shape == (3, 100) and features.min() >= 0
    found = to_numpy(model(x))

    def head(name):
        kernel, bias = map(to_numpy, model.get_layer(name).weights)
        return features @ kernel + bias

    for name in ATTRIBUTES:
        np.testing.assert_allclose(found[name], head(name), atol=1e-5)
    points = head("coordinates").reshape(3, 5, 2) * 40 + 40  # -1...1 is the frame
    np.testing.assert_allclose(found["keypoints"], points, atol=1e-3)


def test_one_step_moves_every_weight():
    model = build_tcdcn()
    entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    losses = {
        "keypoints": KeypointDistance(),
        **dict.fromkeys(ATTRIBUTES, entropy),
    }
    model.compile(keras.optimizers.SGD(0.01), losses, run_eagerly=True)
    rng = np.random.default_rng(0)
    y = {n: rng.integers(0, c, 2).astype("int32") for n, c in ATTRIBUTES.items()}
    y["keypoints"] = rng.uniform(0, 80, (2, 5, 2)).astype("float32")
    before = [to_numpy(weight) for weight in model.trainable_weights]
    entropy = model.train_on_batch(images(2), y, return_dict=True)
    assert np.isfinite(entropy["loss"])
    for weight, old in zip(model.trainable_weights, before):
        assert (to_numpy(weight) != old).any(), weight.path


def test_float32_outputs_under_mixed_precision():
    with dtype_policy("mixed_bfloat16"):
        model = build_tcdcn()
        assert model.get_layer("features").compute_dtype == "bfloat16"
        found = to_numpy(model(images(2)))
    assert {str(values.dtype) for values in found.values()} == {"float32"}


@pytest.mark.parametrize("activation", ["absolute_tanh", "relu"])
def test_saving(activation, tmp_path):
    model, x = build_tcdcn(activation=activation), images(2)
    model.save(tmp_path / "model.keras")
    loaded = to_numpy(keras.saving.load_model(tmp_path / "model.keras")(x))
    for name, values in to_numpy(model(x)).items():
        np.testing.assert_array_equal(loaded[name], values)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"size": 60}, "must be 40 or 80. Received: size=60"),
        ({"activation": "tanh"}, "Received: activation='tanh'"),
        ({"normalization": "batch"}, "Received: normalization='batch'"),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        build_tcdcn(**arguments)
