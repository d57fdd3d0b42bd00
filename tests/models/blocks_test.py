import keras
import numpy as np
import pytest
from layer_checks import to_numpy

from rcn_keras.models import BranchSpec, blocks


def levels(*resolutions):
    return [BranchSpec(resolution, 2, (2,), (3,)) for resolution in resolutions]


def test_active_specs_begin_at_the_coarsest_active():
    specs = levels(10, 20, 40)
    found = blocks.active_specs(specs, (0, 1, 0))
    assert found == [(specs[1], True), (specs[2], False)]
    assert blocks.active_specs(specs, None) == [(spec, True) for spec in specs]


@pytest.mark.parametrize("mask", [(1, 1), (0, 0, 0), (1, 2, 0)])
def test_wrong_masks(mask):
    with pytest.raises(ValueError, match="`mask` must hold 3 values of 0 or 1"):
        blocks.active_specs(levels(10, 20, 40), mask)


@pytest.mark.parametrize("resolutions", [(20, 10), (10, 10)])
def test_wrong_order(resolutions):
    with pytest.raises(ValueError, match="coarse to fine. Received resolutions"):
        blocks.active_specs(levels(*resolutions), None)


@pytest.mark.parametrize("finer, coarser", [(80, 40), (10, 5), (5, 2), (2, 1)])
def test_pooled(finer, coarser):
    x = np.random.default_rng(0).random((1, finer, finer, 1), "float32")
    window = 3 if finer == 5 else 2
    starts = range(0, finer - window + 1, 2)
    expected = [
        [x[0, i : i + window, j : j + window].max() for j in starts] for i in starts
    ]
    out = to_numpy(blocks.pooled(x, finer, coarser))
    np.testing.assert_array_equal(out[0, :, :, 0], expected)


@pytest.mark.parametrize("coarser", [3, 20, 80])
def test_pooled_to_another_size(coarser):
    with pytest.raises(ValueError, match=f"Received: 80 to {coarser}"):
        blocks.pooled(keras.Input((80, 80, 1)), 80, coarser)


@pytest.mark.parametrize("upsampling", ["tiling", "bilinear"])
@pytest.mark.parametrize("coarser, finer", [(10, 20), (10, 80), (2, 5)])
def test_upsampled(upsampling, coarser, finer):
    x = np.random.default_rng(0).random((1, coarser, coarser, 1), "float32")
    out = to_numpy(blocks.upsampled(x, coarser, finer, upsampling, "up"))
    factor = -(-finer // coarser)
    if upsampling == "bilinear":
        out, x = out[0, :, :, 0], x[0, :, :, 0]
        place = np.clip((np.arange(finer) + 0.5) / factor - 0.5, 0, coarser - 1)
        rows = [np.interp(place, np.arange(coarser), row) for row in x]
        cells = np.arange(coarser)
        expected = np.stack([np.interp(place, cells, c) for c in np.transpose(rows)], 1)
        np.testing.assert_allclose(out, expected, atol=1e-6)
    else:
        expected = x.repeat(factor, axis=1).repeat(factor, axis=2)
        np.testing.assert_array_equal(out, expected[:, :finer, :finer])


def test_unknown_options():
    x = keras.Input((4, 4, 1))
    with pytest.raises(ValueError, match="Received: upsampling='cubic'"):
        blocks.upsampled(x, 4, 8, "cubic", "up")
    with pytest.raises(ValueError, match="Received: normalization='batch'"):
        blocks.image_input(8, 1, "batch")


def test_image_without_local_contrast_is_divided_by_255():
    image, x = blocks.image_input(8, 3, None)
    assert image.shape == (None, 8, 8, 3)
    out = keras.Model(image, x)(np.full((1, 8, 8, 3), 51.0, "float32"))
    np.testing.assert_allclose(to_numpy(out), 0.2, atol=1e-6)


def test_trunk_is_named_by_resolution():
    x = keras.Input((8, 8, 1))
    maps = blocks.trunk(x, levels(4, 8), 0.0, "he_normal")
    assert {side: m.shape for side, m in maps.items()} == {
        8: (None, 8, 8, 2),
        4: (None, 4, 4, 2),
    }


def test_maps_stay_in_float32_under_mixed_precision():
    from layer_checks import dtype_policy

    x = keras.Input((8, 8, 1))
    with dtype_policy("mixed_bfloat16"):
        inner = blocks.convolution(x, 2, 3, "inner", 0, "he_normal")
        last = blocks.convolution(x, 2, 3, "last", 0, "he_normal", activation=None)
    assert (inner.dtype, last.dtype) == ("bfloat16", "float32")
