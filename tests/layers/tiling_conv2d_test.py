import keras
import numpy as np
import pytest
from keras import ops
from layer_checks import to_numpy

from rcn_keras.layers import TilingConv2D, TilingUpsampling2D
from rcn_keras.layers.tiling_conv2d import untiled
from rcn_keras.models import build_rcn, build_sumnet


def both(kernel, **settings):
    """The layer and `Conv2D` over tiled and concatenated maps, of the same weights."""
    rng = np.random.default_rng(0)
    fine = rng.normal(size=(2, 6, 10, 3)).astype("float32")
    coarse = rng.normal(size=(2, 3, 5, 4)).astype("float32")
    layer = TilingConv2D(5, kernel, **settings)
    plain = keras.layers.Conv2D(5, kernel, padding="same", **settings)
    tiled = TilingUpsampling2D(2)
    found = layer([fine, coarse])
    plain.build((None, 6, 10, 7))
    plain.set_weights(layer.get_weights())
    wanted = plain(ops.concatenate([fine, tiled(coarse)], axis=-1))
    return to_numpy(found), to_numpy(wanted)


@pytest.mark.parametrize("kernel", [1, 3, 5, (3, 5)])
@pytest.mark.parametrize("settings", [{}, {"use_bias": False, "activation": "relu"}])
def test_it_is_the_convolution_over_tiled_maps_up_to_the_border(kernel, settings):
    found, wanted = both(kernel, bias_initializer="normal", **settings)
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="maps of half their size"):
        TilingConv2D(2, 3)([np.zeros((1, 6, 6, 1)), np.zeros((1, 2, 2, 1))])
    with pytest.raises(ValueError, match="must be odd"):
        TilingConv2D(2, 4)


@pytest.mark.parametrize(
    "network, layers",
    [
        # 10 to 20, 20 to 40, 40 to 80; 5 to 10, 1 to 2; 2 to 5 is cropped.
        ({"branches": 4}, 3),
        ({"branches": 7}, 5),
        ({"branches": 5, "keypoints": 68}, 4),
        ({"branches": 5, "mask": (1, 0, 0, 1, 1)}, 2),
        ({"branches": 4, "upsampling": "bilinear"}, 0),
    ],
)
def test_a_network_without_tiles_is_the_same_network(network, layers):
    model = build_rcn(**network)
    twin = untiled(model)
    assert sum(isinstance(layer, TilingConv2D) for layer in twin.layers) == layers
    assert twin.count_params() == model.count_params()
    images = np.random.default_rng(1).uniform(0, 255, (2, 80, 80, 1)).astype("float32")
    wanted = to_numpy(model(images))
    np.testing.assert_allclose(to_numpy(twin(images)), wanted, atol=2e-4)
    for layer in twin.layers:
        for a, b in zip(layer.get_weights(), model.get_layer(layer.name).get_weights()):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    "model", [build_sumnet(branches=4), build_rcn(branches=4, skip=True)]
)
def test_tiles_that_are_needed_elsewhere_stay(model):
    twin = untiled(model)
    images = np.random.default_rng(1).uniform(0, 255, (1, 80, 80, 1)).astype("float32")
    np.testing.assert_allclose(
        to_numpy(twin(images)), to_numpy(model(images)), atol=2e-4
    )


def test_cropped_tiles_stay():
    fine, coarse = keras.Input((3, 3, 1)), keras.Input((2, 2, 1))
    tiled = TilingUpsampling2D(2, crop=1)(coarse)
    maps = keras.layers.Concatenate()([fine, tiled])
    maps = keras.layers.Conv2D(2, 3, padding="same")(maps)
    model = keras.Model([fine, coarse], maps)
    assert untiled(model) is model


def test_it_learns_as_the_plain_network_and_is_saved(tmp_path):
    model = build_rcn(branches=4)
    twin = untiled(model)
    rng = np.random.default_rng(1)
    x = rng.uniform(0, 255, (4, 80, 80, 1)).astype("float32")
    y = rng.normal(size=(4, 80, 80, 5)).astype("float32")
    for each in (model, twin):
        each.compile(keras.optimizers.SGD(1e-3), "mse", jit_compile=False)
        each.fit(x, y, epochs=2, verbose=0, shuffle=False)
    for layer in twin.layers:
        for a, b in zip(layer.get_weights(), model.get_layer(layer.name).get_weights()):
            np.testing.assert_allclose(a, b, atol=1e-4)
    twin.save(tmp_path / "twin.keras")
    again = keras.saving.load_model(tmp_path / "twin.keras")
    np.testing.assert_allclose(to_numpy(again(x)), to_numpy(twin(x)), atol=1e-5)
