import keras
import numpy as np
import pytest
from layer_checks import run_layer_test, to_numpy

from rcn_keras.dtype_policy import dtype_policy
from rcn_keras.layers import PeakOneHot
from rcn_keras.layers.peak_one_hot import one_hot_maps


def oracle(maps):
    found = np.zeros(maps.shape, "float32")
    for n, k in np.ndindex(maps.shape[0], maps.shape[3]):
        peak = np.unravel_index(maps[n, :, :, k].argmax(), maps.shape[1:3])
        found[(n, *peak, k)] = 1
    return found


def test_equals_numpy(tmp_path):
    maps = np.random.default_rng(0).normal(0, 5, (3, 6, 7, 4)).astype("float32")
    out = run_layer_test(PeakOneHot, {}, maps, tmp_path)
    np.testing.assert_array_equal(out, oracle(maps))


def test_the_first_of_equal_cells_counts():
    maps = np.zeros((1, 4, 5, 2), "float32")
    maps[0, 2, 3, 1] = maps[0, 2, 4, 1] = maps[0, 3, 0, 1] = 1
    out = to_numpy(PeakOneHot()(maps))
    np.testing.assert_array_equal(out, oracle(maps))
    assert out[0, 0, 0, 0] == out[0, 2, 3, 1] == 1


def test_a_mixed_policy_does_not_round_the_maps():
    maps = np.zeros((1, 4, 5, 1), "float32")
    maps[0, 1, 1], maps[0, 2, 2] = 1.0, 1.0001  # one number in bfloat16
    with dtype_policy("mixed_bfloat16"):
        np.testing.assert_array_equal(to_numpy(PeakOneHot()(maps)), oracle(maps))


@pytest.mark.filterwarnings("ignore:Gradients do not exist")
def test_no_gradient_passes():
    inputs = keras.Input((4, 5, 2))
    ahead, beside = keras.layers.Dense(2), keras.layers.Dense(2)
    model = keras.Model(inputs, PeakOneHot()(ahead(inputs)) + beside(inputs))
    model.compile("sgd", "mse", jit_compile=keras.backend.backend() == "jax")
    before = [ahead.get_weights()[0], beside.get_weights()[0]]
    maps = np.random.default_rng(0).normal(size=(2, 4, 5, 2)).astype("float32")
    model.train_on_batch(maps, np.zeros_like(maps))
    np.testing.assert_array_equal(ahead.get_weights()[0], before[0])
    assert np.abs(beside.get_weights()[0] - before[1]).max() > 1e-3


def test_keypoints_as_maps():
    keypoints = np.array([[[0.0, 0.0], [4.9, 3.2], [1, 2], [2.5, 0.999]]], "float32")
    out = to_numpy(one_hot_maps(keypoints[..., 0], keypoints[..., 1], 4, 5))
    assert out.dtype == "float32" and out.shape == (1, 4, 5, 4)
    cells = [(0, 0), (3, 4), (2, 1), (0, 2)]
    for k, cell in enumerate(cells):
        assert out[(0, *cell, k)] == out[0, :, :, k].sum() == 1


@pytest.mark.parametrize(
    "x, y",
    [(-0.1, 1), (5, 1), (1, 4), (1, -1e9), (np.nan, 1), (1, np.nan), (np.inf, 1)],
)
def test_a_cell_outside_is_nowhere(x, y):
    x, y = np.float32([[x]]), np.float32([[y]])
    assert not to_numpy(one_hot_maps(x, y, 4, 5)).any()


def test_rank_is_checked():
    with pytest.raises(ValueError, match="ndim=4"):
        PeakOneHot()(keras.Input((80, 80)))
