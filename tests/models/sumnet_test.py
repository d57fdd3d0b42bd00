import keras
import numpy as np
import pytest
from layer_checks import to_numpy
from model_checks import (
    MASKS,
    SMALL,
    check_batch_independence,
    check_l2,
    check_one_step,
    check_saving,
    check_untrained,
    feature_maps,
    images,
)

import rcn_keras
from rcn_keras.dtype_policy import dtype_policy
from rcn_keras.models import branch_maps, build_rcn, build_sumnet


@pytest.mark.parametrize(
    "arguments, count",
    [
        ({"branches": 4}, 99_112),
        ({"branches": 5}, 142_850),
        ({"branches": 6}, 186_588),
        ({}, 186_588),
        ({"branches": 5, "keypoints": 68}, 603_368),
        ({"branches": 6, "keypoints": 68}, 716_528),
        ({"branches": 5, "weight_per_pixel": True}, 142_825 + 160_000),
        ({"branches": 4, "channels": 3}, 99_112 + 2 * 9 * 16),
    ],
)
def test_parameters_and_shape(arguments, count):
    model = build_sumnet(**arguments)
    assert model.count_params() == count
    assert model.input_shape == (None, 80, 80, arguments.get("channels", 1))
    assert model.output_shape == (None, 80, 80, arguments.get("keypoints", 5))


def test_is_public():
    assert rcn_keras.build_sumnet is build_sumnet


@pytest.mark.parametrize("mask", MASKS)
def test_one_step_under_every_mask(mask):
    model = build_sumnet(4, mask=mask)
    assert model.output_shape == (None, 80, 80, 5)
    check_one_step(model)


def test_one_step_with_a_weight_per_pixel():
    check_one_step(build_sumnet(6, weight_per_pixel=True))


@pytest.mark.parametrize("mask", [(1, 0, 0, 1), (0, 1, 1, 0), (1, 0, 0, 0)])
def test_a_masked_branch_contributes_nothing(mask):
    full, masked, x = build_sumnet(4), build_sumnet(4, mask=mask), images(2)
    active = np.array(mask, bool)
    alpha = to_numpy(full.get_layer("maps").alpha).copy()
    full.get_layer("maps").alpha.assign(alpha * active[:, None, None, None])
    for layer in masked.layers:
        if layer.weights and layer.name != "maps":
            layer.set_weights(full.get_layer(layer.name).get_weights())
    masked.get_layer("maps").alpha.assign(alpha[active])
    np.testing.assert_allclose(to_numpy(masked(x)), to_numpy(full(x)), atol=1e-5)


@pytest.mark.parametrize(
    "mask, frozen",
    [
        ((1, 0, 0, 0), ["20_1", "40_1", "80_1"]),
        ((0, 0, 1, 0), ["10_1", "20_1", "80_1"]),
        ((0, 0, 0, 1), ["10_1", "20_1", "40_1"]),
        ((1, 1, 1, 1), []),
    ],
)
def test_untrained_branches(mask, frozen):
    # As the original code's list of parameters: a masked branch's own, and the trunk
    # that is coarser than the coarsest kept branch.
    coarser = (10, 20, 40, 80)[: mask.index(1)]
    frozen = [f"branch_{name}" for name in frozen]
    frozen += [name.replace("branch", "maps")[:-2] for name in frozen]
    frozen += [f"trunk_{side}" for side in coarser]
    check_untrained(build_sumnet, mask, set(frozen), ["maps", "trunk_80"])


def test_every_alpha_of_untrained_branches_is_trained():
    mask = (1, 0, 0, 1)
    model = build_sumnet(4, mask=mask, masked="untrained", weight_per_pixel=True)
    assert model.get_layer("maps").alpha.shape == (4, 80, 80, 5)
    assert model.get_layer("maps").trainable
    assert len(branch_maps(model).output) == 4
    check_one_step(model)


def test_sums_tiled_maps():
    model, x = build_sumnet(6), images(2)
    sides = [2, 5, 10, 20, 40, 80]
    maps = [feature_maps(model, f"maps_{side}", x) for side in sides]
    alpha = to_numpy(model.get_layer("maps").alpha)
    expected = 0
    for side, weight, part in zip(sides, alpha, maps):
        assert part.shape == (2, side, side, 5)
        expected = expected + weight * part.repeat(80 // side, 1).repeat(80 // side, 2)
    np.testing.assert_allclose(to_numpy(model(x)), expected, atol=1e-5)


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"weight_per_pixel": True},
        {"mask": (0, 1)},
    ],
)
def test_branch_maps(arguments, tmp_path):
    model, x = build_sumnet(branch_specs=SMALL, **arguments), images(2, 8)
    sides = [spec.resolution for spec in SMALL][-sum(arguments.get("mask", (1, 1))) :]
    model.save(tmp_path / "sumnet.keras")
    loaded = keras.saving.load_model(tmp_path / "sumnet.keras")
    with dtype_policy("mixed_bfloat16"):
        parts = branch_maps(loaded)
    assert parts.count_params() == loaded.count_params()
    parts.save(tmp_path / "parts.keras")
    for network in (parts, keras.saving.load_model(tmp_path / "parts.keras")):
        alpha = to_numpy(loaded.get_layer("maps").alpha)
        got = network.predict_on_batch(x)
        assert list(got) == ["branch_1", "branch_2"][: len(sides)]
        for side, weight, part in zip(sides, alpha, got.values()):
            maps = feature_maps(loaded, f"maps_{side}", x)
            tiled = maps.repeat(8 // side, 1).repeat(8 // side, 2)
            np.testing.assert_allclose(to_numpy(part), weight * tiled, atol=1e-5)


def test_branch_maps_of_what_is_no_sumnet():
    with pytest.raises(ValueError, match="with one `BranchSum` layer. Received: 'rcn'"):
        branch_maps(build_rcn(4))


def test_bilinear():
    tiled = build_sumnet(branch_specs=SMALL)
    smooth = build_sumnet(branch_specs=SMALL, upsampling="bilinear")
    smooth.set_weights(tiled.get_weights())
    x = images(1, 8)
    assert np.abs(to_numpy(tiled(x)) - to_numpy(smooth(x))).max() > 1e-3


def test_float32_maps_under_mixed_precision():
    with dtype_policy("mixed_bfloat16"):
        model = build_sumnet(branch_specs=SMALL)
        assert to_numpy(model(images(2, 8))).dtype == "float32"
        # Backwards a cell's 1,600 copies are added up: in bfloat16 trainings diverged.
        assert model.get_layer("upsample_4").compute_dtype == "float32"


def test_l2():
    check_l2(build_sumnet)


def test_saving(tmp_path):
    check_saving(build_sumnet(6), tmp_path)
    check_saving(build_sumnet(4, mask=(1, 0, 0, 1), weight_per_pixel=True), tmp_path)
    check_saving(build_sumnet(4, mask=(0, 1, 0, 0), masked="untrained"), tmp_path)


def test_batch_independence():
    check_batch_independence(build_sumnet(5))


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"branches": 7}, "between 4 and 6. Received: branches=7"),
        ({"mask": (0,) * 6}, r"at least one 1. Received: mask=\(0, 0, 0, 0, 0, 0\)"),
        ({"masked": "gone"}, "one of .'absent', 'untrained'.. Received: 'gone'"),
        ({"upsampling": "cubic"}, "Received: upsampling='cubic'"),
        ({"normalization": "batch"}, "Received: normalization='batch'"),
        ({"keypoints": 98}, "a `layout` .* is needed .* Received: keypoints=98"),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        build_sumnet(**arguments)
