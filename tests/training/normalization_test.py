import keras
import numpy as np
import pytest
from keras import ops

from rcn_keras.data.batches import input_images
from rcn_keras.layers.tiling_conv2d import untiled
from rcn_keras.models import build_rcn, build_sumnet, build_tcdcn
from rcn_keras.training.normalization import (
    FusedBatchNormalization,
    fold,
    normalized,
    unfold,
)

UNTRAINED = {"mask": (0, 1, 0, 0), "masked": "untrained"}
NETWORKS = {
    "rcn": lambda: build_rcn(branches=6),
    "sumnet": lambda: build_sumnet(branches=6, upsampling="bilinear"),
    "rcn of 68 points": lambda: build_rcn(branches=5, keypoints=68),
    "skip": lambda: build_rcn(branches=4, skip=True),
    "rcn, untrained branches": lambda: build_rcn(4, **UNTRAINED),
    "sumnet, untrained branches": lambda: build_sumnet(4, **UNTRAINED),
}


@pytest.fixture(scope="module")
def images(crops):
    return input_images(crops)[0][:8].astype("float32")


def shaken(model):
    """The model with statistics and scales as a training would leave them."""
    generator = np.random.default_rng(0)
    for layer in model.layers:
        if isinstance(layer, FusedBatchNormalization):
            gamma, beta, mean, variance = layer.get_weights()
            draw = generator.normal(size=gamma.shape)
            weights = gamma * (1 + 0.3 * draw), draw / 5, draw / 3, np.exp(draw / 2)
            layer.set_weights(weights)
    return model


@pytest.mark.parametrize("build", NETWORKS.values(), ids=NETWORKS)
def test_folded_is_the_same_function_on_the_plain_graph(build, images):
    model, untouched = build(), build()
    trained = shaken(normalized(model))
    fold(trained, model)
    wanted = ops.convert_to_numpy(trained(images, training=False))
    maps = ops.convert_to_numpy(model(images))
    assert np.abs(maps - wanted).max() < 1e-4 * max(1, np.abs(wanted).max())
    assert [w.path.split("/", 1)[-1] for w in model.weights] == [
        w.path.split("/", 1)[-1] for w in untouched.weights
    ]


def test_folding_leaves_the_paper_s_number_of_parameters():
    model = build_rcn(branches=6)
    trained = normalized(model)
    assert trained.count_params() > model.count_params() == 310_229
    names = {layer.name for layer in trained.layers}
    assert {layer.name for layer in model.layers} <= names


@pytest.mark.parametrize("build", [build_rcn, build_sumnet])
@pytest.mark.parametrize("tiles", [True, False])
def test_what_is_not_trained_is_neither_normalised_nor_changed(build, tiles, images):
    model = build(4, **UNTRAINED)
    frozen = [layer for layer in model.layers if not layer.trainable]
    before = {layer.name: layer.get_weights() for layer in frozen}
    trained = normalized(model if tiles else untiled(model))
    names = {layer.name for layer in trained.layers}
    trained.compile(keras.optimizers.SGD(0.1), "mse", jit_compile=False)
    trained.train_on_batch(images, np.ones((8, 80, 80, 5)))
    fold(trained, model)
    assert len(before) > 4
    for name, weights in before.items():
        assert f"{name}_normalization" not in names
        assert not trained.get_layer(name).trainable
        for network in (trained, model):
            for old, new in zip(weights, network.get_layer(name).get_weights()):
                np.testing.assert_array_equal(new, old)
    wanted = ops.convert_to_numpy(trained(images, training=False))
    maps = ops.convert_to_numpy(model(images))
    assert np.abs(maps - wanted).max() < 1e-3 * max(1, np.abs(wanted).max())


def test_unfolding_starts_from_the_plain_network_s_function(images):
    model = build_rcn(branches=5)
    trained = normalized(model)
    unfold(model, trained, images)
    wanted = ops.convert_to_numpy(model(images))
    scale = np.abs(wanted).max()
    # At inference, and with the statistics of the very images it was unfolded on.
    for training in (False, True):
        maps = ops.convert_to_numpy(trained(images, training=training))
        assert np.abs(maps - wanted).max() < 1e-3 * scale


def test_unfolding_and_folding_give_the_weights_back(images):
    model, twin = build_sumnet(branches=4), build_sumnet(branches=4)
    trained = normalized(model)
    unfold(model, trained, images)
    fold(trained, twin)
    for before, after in zip(model.get_weights(), twin.get_weights()):
        np.testing.assert_allclose(after, before, atol=2e-5)


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_the_fused_kernel_is_batch_normalization(dtype):
    x = np.random.default_rng(1).normal(2, 3, (4, 6, 6, 5)).astype("float32")
    fused = FusedBatchNormalization(dtype=dtype)
    fused.build(x.shape)
    outputs = ops.convert_to_numpy(ops.cast(fused(x, training=True), "float32"))
    mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
    wanted = (x - mean) / np.sqrt(variance + fused.epsilon)
    tolerance = 1e-5 if dtype == "float32" else 0.02
    np.testing.assert_allclose(outputs, wanted, atol=tolerance)
    moved = ops.convert_to_numpy(fused.moving_mean)
    np.testing.assert_allclose(moved, mean * 0.01, rtol=100 * tolerance)
    moved = ops.convert_to_numpy(fused.moving_variance)
    # TensorFlow's kernel gives the variance of a sample: n / (n - 1) times numpy's.
    np.testing.assert_allclose(moved, 0.99 + variance * 0.01, rtol=1e-3)


def test_a_frozen_normalization_keeps_its_statistics():
    x = np.random.default_rng(1).normal(2, 3, (4, 6, 6, 5)).astype("float32")
    fused = FusedBatchNormalization(trainable=False)
    fused.build(x.shape)
    outputs = ops.convert_to_numpy(fused(x, training=True))
    # The statistics of a new layer are 0 and 1.
    np.testing.assert_allclose(outputs, x / np.sqrt(1 + fused.epsilon), rtol=1e-5)
    assert not ops.convert_to_numpy(fused.moving_mean).any()


def test_the_fused_kernel_trains_and_reloads(tmp_path):
    model = keras.Sequential([keras.Input((6, 6, 2)), FusedBatchNormalization()])
    model.compile("sgd", "mse", jit_compile=False)
    x = np.random.default_rng(2).normal(size=(8, 6, 6, 2)).astype("float32")
    model.fit(x, 2 * x + 1, epochs=2, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.predict(x[:2], verbose=0), model(x[:2]))


def test_a_network_without_relu_convolutions_is_refused():
    model = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Conv2D(2, 3)])
    with pytest.raises(ValueError, match="activation='relu'"):
        normalized(model)


def test_convolutions_without_padding_fold_and_unfold(images):
    model, twin = (build_tcdcn(activation="relu", attributes=False) for _ in range(2))
    trained = normalized(model)
    unfold(model, trained, images)
    fold(trained, twin)
    wanted = ops.convert_to_numpy(model(images)["keypoints"])
    found = ops.convert_to_numpy(twin(images)["keypoints"])
    np.testing.assert_allclose(found, wanted, atol=1e-3)
