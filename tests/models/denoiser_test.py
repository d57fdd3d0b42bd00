import keras
import numpy as np
import pytest
from layer_checks import to_numpy
from model_checks import conv

from rcn_keras import SpatialCrossentropy, build_denoiser

SMALL = {"keypoints": 5, "filters": (3, 4), "kernel_size": 5, "size": 8}


def _keypoints(count, keypoints=5, size=8, seed=0):
    rng = np.random.default_rng(seed)
    return rng.uniform(0, size, (count, keypoints, 2)).astype("float32")


def _one_hot(keypoints, size):
    maps = np.zeros((len(keypoints), size, size, keypoints.shape[1]), "float32")
    for n, face in enumerate(keypoints):
        for k, (x, y) in enumerate(np.floor(face).astype(int)):
            maps[n, y, x, k] = 1
    return maps


def test_the_papers_network():
    model = build_denoiser()
    assert model.count_params() == 25_406_212
    assert model.input_shape == model.output_shape == (None, 80, 80, 68)


def test_smaller_ones():
    narrow = build_denoiser(filters=(8, 16), kernel_size=23, pooling=2)
    assert narrow.count_params() == conv(23, 68, 8, 16) + conv(1, 16, 68)
    assert narrow.output_shape == (None, 80, 80, 68)
    factorised = build_denoiser(filters=(8, 16), kernel_size=23, factorised=True)
    layers = 23 * (68 * 8 + 8 * 8) + 8 + 23 * (8 * 16 + 16 * 16) + 16
    assert factorised.count_params() == layers + conv(1, 16, 68)


@pytest.mark.parametrize("pooling", [1, 2])
def test_keypoints_and_their_maps_are_the_same_input(pooling):
    keypoints = _keypoints(3)
    drawn = build_denoiser(**SMALL, pooling=pooling)
    inside = build_denoiser(**SMALL, pooling=pooling, from_keypoints=True)
    inside.set_weights(drawn.get_weights())
    np.testing.assert_allclose(
        to_numpy(inside(keypoints)), to_numpy(drawn(_one_hot(keypoints, 8))), atol=1e-5
    )


def test_weights_of_one_form_load_into_the_other(tmp_path):
    drawn = build_denoiser(**SMALL, pooling=2)
    inside = build_denoiser(**SMALL, pooling=2, from_keypoints=True)
    inside.save_weights(tmp_path / "d.weights.h5")
    drawn.load_weights(tmp_path / "d.weights.h5")
    for a, b in zip(drawn.get_weights(), inside.get_weights()):
        np.testing.assert_array_equal(a, b)


def test_both_ways_to_convolve_agree():
    fft, direct = build_denoiser(**SMALL), build_denoiser(**SMALL, method="direct")
    direct.set_weights(fft.get_weights())
    maps = _one_hot(_keypoints(2), 8)
    expected = to_numpy(direct(maps))
    scale = np.abs(expected).max()
    np.testing.assert_allclose(to_numpy(fft(maps)), expected, atol=1e-5 * scale)


def test_it_learns_a_fixed_shape():
    """Where points never move, the others tell where a lost one is."""
    rng = np.random.default_rng(0)
    shape = rng.integers(0, 8, (1, 5, 2)) + 0.5
    corrupted = np.repeat(shape, 64, axis=0).astype("float32")
    true = np.full_like(corrupted, np.nan)
    corrupted[:, 2] = rng.integers(0, 8, (64, 2)) + 0.5
    true[:, 2] = shape[0, 2]
    model = build_denoiser(**SMALL, from_keypoints=True)
    adam = keras.optimizers.Adam(0.02)
    model.compile(adam, SpatialCrossentropy(), jit_compile=False)
    losses = [float(model.train_on_batch(corrupted, true)) for _ in range(60)]
    assert losses[-1] < 0.3 * losses[0]


def test_saving(tmp_path):
    model = build_denoiser(**SMALL)
    model.save(tmp_path / "d.keras")
    maps = _one_hot(_keypoints(2), 8)
    loaded = keras.saving.load_model(tmp_path / "d.keras")
    np.testing.assert_array_equal(to_numpy(loaded(maps)), to_numpy(model(maps)))


def test_pooling_must_divide():
    with pytest.raises(ValueError, match="`pooling` must divide.*pooling=3"):
        build_denoiser(pooling=3)
