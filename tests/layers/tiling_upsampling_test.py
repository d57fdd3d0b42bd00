import numpy as np
import pytest
from layer_checks import run_layer_test, to_numpy

from rcn_keras.layers import TilingUpsampling2D


@pytest.mark.parametrize("size, crop", [(1, 0), (2, 0), (3, 1), (4, 3)])
def test_equals_repeat(size, crop, tmp_path):
    x = np.random.default_rng(0).random((2, 3, 5, 4), "float32")
    arguments = {"size": size, "crop": crop}
    out = run_layer_test(TilingUpsampling2D, arguments, x, tmp_path, float32=False)
    expected = x.repeat(size, axis=1).repeat(size, axis=2)
    expected = expected[:, : 3 * size - crop, : 5 * size - crop]
    np.testing.assert_array_equal(out, expected)


def test_two_to_five():
    x = np.array([[1.0, 2.0], [3.0, 4.0]], "float32").reshape(1, 2, 2, 1)
    out = to_numpy(TilingUpsampling2D(3, crop=1)(x))[0, :, :, 0]
    upper, lower = [1, 1, 1, 2, 2], [3, 3, 3, 4, 4]
    np.testing.assert_array_equal(out, [upper] * 3 + [lower] * 2)


def test_unknown_sides_stay_unknown():
    shape = TilingUpsampling2D(3, crop=1).compute_output_shape((None, None, 4, 7))
    assert shape == (None, None, 11, 7)


def test_errors():
    with pytest.raises(ValueError, match="at least 1. Received: size=0"):
        TilingUpsampling2D(0)
    for crop in (-1, 2):
        with pytest.raises(ValueError, match=f"Received: crop={crop}, size=2"):
            TilingUpsampling2D(2, crop=crop)
    with pytest.raises(ValueError, match="ndim=4"):
        TilingUpsampling2D(2)(np.zeros((2, 3, 4), "float32"))
