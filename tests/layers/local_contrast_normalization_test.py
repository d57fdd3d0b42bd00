import numpy as np
import pytest
from layer_checks import assert_same, run_layer_test, to_numpy

from rcn_keras.layers import LocalContrastNormalization


def gaussian(size, sigma):
    i = np.arange(size) - size // 2
    window = np.exp(-(i[:, None] ** 2 + i[None, :] ** 2) / (2 * sigma**2))
    return window / window.sum()


def convolved(image, window):
    """`(H, W)` with a window, zeros outside, one tap after another."""
    half = len(window) // 2
    height, width = image.shape
    padded = np.pad(image, half)
    return sum(
        window[i, j] * padded[i : i + height, j : j + width]
        for i in range(len(window))
        for j in range(len(window))
    )


def normalized(image, size=9, sigma=1.591):
    window = gaussian(size, sigma)
    v = image - convolved(image, window)
    s = np.sqrt(convolved(v * v, window))
    return (v / np.maximum(s, s.mean()) + 2.5) / 5


def test_window_is_the_originals():
    window = gaussian(9, 1.591)
    assert window[4, 4] == pytest.approx(0.063386, abs=5e-7)
    assert window[0, 0] == pytest.approx(0.000113987, abs=5e-10)
    assert LocalContrastNormalization().get_config()["sigma"] == 1.591


@pytest.mark.parametrize("size, sigma", [(9, 1.591), (3, 0.8)])
def test_equals_numpy(size, sigma, tmp_path):
    images = np.random.default_rng(0).uniform(0, 255, (2, 12, 14, 2)).astype("float32")
    images[1] = images[1] / 50 + 3  # Low contrast: another mean(s) in the same batch.
    arguments = {"size": size, "sigma": sigma}
    out = run_layer_test(LocalContrastNormalization, arguments, images, tmp_path)
    for n, channel in np.ndindex(2, 2):
        expected = normalized(images[n, :, :, channel].astype("float64"), size, sigma)
        np.testing.assert_allclose(out[n, :, :, channel], expected, atol=2e-5)


def test_no_image_depends_on_its_batch():
    images = np.random.default_rng(1).uniform(0, 255, (2, 20, 20, 1)).astype("float32")
    images[1] /= 40
    layer = LocalContrastNormalization()
    together = to_numpy(layer(images))
    alone = np.concatenate([to_numpy(layer(images[n : n + 1])) for n in range(2)])
    assert_same(together, alone, atol=1e-6)


@pytest.mark.parametrize("grey", [0.0, 255.0])
def test_finite_on_a_constant_image(grey):
    out = to_numpy(
        LocalContrastNormalization()(np.full((1, 80, 80, 1), grey, "float32"))
    )
    assert np.isfinite(out).all()
    # Away from the zero padding there is no contrast: mid-grey.
    np.testing.assert_allclose(out[0, 8:-8, 8:-8], 0.5, atol=1e-4)


@pytest.mark.parametrize("size", [0, 4, -3])
def test_errors(size):
    with pytest.raises(ValueError, match=f"odd and positive. Received: size={size}"):
        LocalContrastNormalization(size)
