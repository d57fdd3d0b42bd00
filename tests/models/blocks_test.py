import keras
import numpy as np
import pytest
from layer_checks import to_numpy

from rcn_keras.models import BranchSpec, blocks


def levels(*resolutions):
    return [BranchSpec(resolution, 2, (2,), (3,)) for resolution in resolutions]


def test_levels_begin_at_the_coarsest_kept_branch():
    specs = levels(10, 20, 40)
    found = blocks.masked_levels(specs, (0, 1, 0), "absent")
    assert found == [(specs[1], True, True, True), (specs[2], False, False, True)]
    every = [(spec, True, True, True) for spec in specs]
    for masked in blocks.MASKED:
        assert blocks.masked_levels(specs, None, masked) == every


def test_untrained_levels_are_all_there():
    specs = levels(10, 20, 40)
    assert blocks.masked_levels(specs, (0, 1, 0), "untrained") == [
        (specs[0], True, False, False),
        (specs[1], True, True, True),
        (specs[2], True, False, True),
    ]
    with pytest.raises(ValueError, match="`masked` must be one of .* Received: 'no'"):
        blocks.masked_levels(specs, None, "no")


@pytest.mark.parametrize("mask", [(1, 1), (0, 0, 0), (1, 2, 0)])
def test_wrong_masks(mask):
    with pytest.raises(ValueError, match="`mask` must hold 3 values of 0 or 1"):
        blocks.masked_levels(levels(10, 20, 40), mask, "absent")


@pytest.mark.parametrize("resolutions", [(20, 10), (10, 10)])
def test_wrong_order(resolutions):
    with pytest.raises(ValueError, match="coarse to fine. Received resolutions"):
        blocks.masked_levels(levels(*resolutions), None, "absent")


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
    specs = blocks.masked_levels(levels(4, 8), None, "absent")
    maps = blocks.trunk(x, specs, 0.0, "he_normal")
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
