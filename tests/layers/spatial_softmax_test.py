import keras
import numpy as np
import pytest
from layer_checks import run_layer_test, to_numpy

from rcn_keras.dtype_policy import dtype_policy
from rcn_keras.layers import SpatialSoftmax


def softmax(maps):
    exponential = np.exp(maps.astype("float64") - maps.max(axis=(1, 2), keepdims=True))
    return exponential / exponential.sum(axis=(1, 2), keepdims=True)


@pytest.mark.parametrize("temperature", [1.0, 0.5, 4.0])
def test_equals_numpy(temperature, tmp_path):
    maps = np.random.default_rng(0).normal(0, 5, (2, 6, 7, 3)).astype("float32")
    arguments = {"temperature": temperature}
    out = run_layer_test(SpatialSoftmax, arguments, maps, tmp_path)
    np.testing.assert_allclose(out, softmax(maps / temperature), atol=1e-6)


def test_sums_to_one_under_float16():
    maps = np.random.default_rng(0).normal(0, 2, (2, 80, 80, 5)).astype("float16")
    with dtype_policy("mixed_float16"):
        out = to_numpy(SpatialSoftmax()(maps))
    assert out.dtype == "float32"
    np.testing.assert_allclose(out.sum((1, 2), "float64"), 1, atol=1e-6)


def test_a_mixed_policy_does_not_round_the_maps():
    maps = np.random.default_rng(0).normal(0, 5, (2, 6, 7, 3)).astype("float32")
    with dtype_policy("mixed_bfloat16"):
        out = to_numpy(SpatialSoftmax(1.5)(maps))
    np.testing.assert_allclose(out, softmax(maps / 1.5), atol=1e-6)


def test_large_values_stay_finite():
    maps = np.zeros((1, 4, 4, 1), "float32")
    maps[0, 1, 2, 0] = 1e30
    out = to_numpy(SpatialSoftmax()(maps))
    assert out[0, 1, 2, 0] == 1 and out.sum() == 1


@pytest.mark.parametrize("temperature", [0, -1.0, float("nan")])
def test_errors(temperature):
    with pytest.raises(ValueError, match="positive. Received: temperature="):
        SpatialSoftmax(temperature)


def test_rank_is_checked():
    with pytest.raises(ValueError, match="ndim=4"):
        SpatialSoftmax()(keras.Input((80, 80)))
