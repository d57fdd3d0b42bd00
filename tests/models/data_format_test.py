import keras
import numpy as np
import pytest

import rcn_keras
from rcn_keras.layers import LargeKernelConv2D, TilingConv2D, TilingUpsampling2D

BUILDERS = {
    "rcn": lambda: rcn_keras.build_rcn(branches=4),
    "rcn_with_skip": lambda: rcn_keras.build_rcn(branches=6, skip=True),
    "rcn_bilinear": lambda: rcn_keras.build_rcn(branches=4, upsampling="bilinear"),
    "sumnet": lambda: rcn_keras.build_sumnet(branches=6, upsampling="bilinear"),
    "tcdcn": lambda: rcn_keras.build_tcdcn(),
    "denoiser": lambda: rcn_keras.build_denoiser(
        keypoints=5, pooling=2, filters=(4,), kernel_size=5
    ),
    "denoiser_factorised": lambda: rcn_keras.build_denoiser(
        keypoints=5, pooling=2, filters=(4,), kernel_size=5, factorised=True
    ),
}


@pytest.fixture
def channels_first():
    keras.config.set_image_data_format("channels_first")
    yield
    keras.config.set_image_data_format("channels_last")


@pytest.mark.parametrize("name", BUILDERS)
def test_a_network_is_the_same_under_channels_first(name, request):
    keras.utils.set_random_seed(0)
    expected = BUILDERS[name]()
    request.getfixturevalue("channels_first")
    keras.utils.set_random_seed(0)
    model = BUILDERS[name]()
    assert model.output_shape == expected.output_shape
    inputs = np.random.default_rng(0).random((2, *model.input_shape[1:]), "float32")
    found, wanted = model(inputs), expected(inputs)
    if not isinstance(wanted, dict):
        found, wanted = {"maps": found}, {"maps": wanted}
    for key in wanted:
        found[key], wanted[key] = map(
            keras.ops.convert_to_numpy, (found[key], wanted[key])
        )
        np.testing.assert_allclose(found[key], wanted[key], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("layer", [LargeKernelConv2D(3, 9), TilingUpsampling2D(2)])
def test_a_layer_takes_channels_last_under_channels_first(layer, channels_first):
    assert layer(np.zeros((1, 10, 12, 2), "float32")).shape[-1] in (2, 3)
    assert layer.compute_output_shape((1, 10, 12, 2))[-1] in (2, 3)


def test_the_combined_convolution_under_channels_first(channels_first):
    fine, coarse = np.ones((1, 10, 12, 2), "float32"), np.ones((1, 5, 6, 3), "float32")
    layer = TilingConv2D(4, 3, padding="same")
    assert layer([fine, coarse]).shape == (1, 10, 12, 4)


def test_a_preset_under_channels_first(channels_first):
    maps = rcn_keras.from_preset("rcn6_mtfl")(np.zeros((1, 80, 80, 1), "float32"))
    assert maps.shape == (1, 80, 80, 5)
