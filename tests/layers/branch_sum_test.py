import numpy as np
import pytest
from layer_checks import run_layer_test, to_numpy

from rcn_keras.layers import BranchSum


@pytest.mark.parametrize("per_pixel", [False, True])
def test_equals_numpy(per_pixel, tmp_path):
    rng = np.random.default_rng(0)
    maps = [rng.normal(size=(2, 4, 3, 5)).astype("float32") for _ in range(3)]
    arguments = {"per_pixel": per_pixel}
    run_layer_test(BranchSum, arguments, maps, tmp_path, float32=False)
    layer = BranchSum(per_pixel)
    layer(maps)
    shape = (3, 4, 3, 5) if per_pixel else (3, 1, 1, 5)
    assert layer.alpha.shape == shape and len(layer.weights) == 1
    alpha = rng.normal(size=shape).astype("float32")
    layer.alpha.assign(alpha)
    expected = (alpha[:, None] * np.stack(maps)).sum(axis=0)
    np.testing.assert_allclose(to_numpy(layer(maps)), expected, atol=1e-6)
    terms = BranchSum(per_pixel, summed=False)
    shapes = terms.compute_output_shape([part.shape for part in maps])
    assert [part.shape for part in terms(maps)] == shapes == [(2, 4, 3, 5)] * 3
    terms.alpha.assign(alpha)
    np.testing.assert_allclose(sum(map(to_numpy, terms(maps))), expected, atol=1e-6)
    assert not BranchSum.from_config(terms.get_config()).summed


def test_starts_between_zero_and_one():
    layer = BranchSum(per_pixel=True)
    layer.build([(None, 20, 20, 5)] * 2)
    alpha = to_numpy(layer.alpha)
    assert alpha.min() >= 0 and alpha.max() < 1
    assert abs(alpha.mean() - 0.5) < 0.05


@pytest.mark.parametrize(
    "shapes", [(1, 4, 4, 5), [(1, 4, 4, 5), (1, 2, 2, 5)], [(1, 4, 4, 5), (1, 4, 4, 6)]]
)
def test_errors(shapes):
    with pytest.raises(ValueError, match="a list of maps of one shape. Received"):
        BranchSum().build(shapes)
