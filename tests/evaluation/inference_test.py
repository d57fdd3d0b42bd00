import numpy as np
import pytest
from layer_checks import to_numpy
from model_checks import SMALL

from rcn_keras import codec
from rcn_keras.evaluation.inference import decoded_model, run
from rcn_keras.models import build_rcn, build_tcdcn


@pytest.fixture(scope="module")
def model():
    return build_rcn(branch_specs=SMALL)


def images(count):
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (count, 8, 8, 1)).astype("uint8")


@pytest.mark.parametrize("count", [1, 4, 5, 8, 11])
def test_equals_decoding_the_maps(model, count):
    x = images(count)
    found = run(decoded_model(model), x, batch_size=4)
    maps = model(x.astype("float32"))
    assert set(found) == set(codec.DECODERS)
    for method, keypoints in found.items():
        assert keypoints.shape == (count, 5, 2)
        expected = to_numpy(codec.decode(maps, method))
        np.testing.assert_allclose(keypoints, expected, atol=1e-4)


def test_batches_have_one_size(model):
    sizes = []

    class Recorder:
        def predict_on_batch(self, batch):
            sizes.append(batch.shape)
            assert batch.dtype == "float32"
            return {"sum": batch.sum(axis=(1, 2, 3))}

    x = images(10)
    found = run(Recorder(), x, batch_size=4)["sum"]
    assert sizes == [(4, 8, 8, 1)] * 3
    np.testing.assert_array_equal(found, x.sum(axis=(1, 2, 3)))


def test_regressed_keypoints_are_every_rules_answer():
    model = build_tcdcn()
    x = np.random.default_rng(0).integers(0, 256, (3, 80, 80, 1)).astype("uint8")
    found = run(decoded_model(model), x, batch_size=2)
    expected = to_numpy(model(x.astype("float32")))["keypoints"]
    assert set(found) == set(codec.DECODERS)
    for keypoints in found.values():
        np.testing.assert_allclose(keypoints, expected, atol=1e-3)
