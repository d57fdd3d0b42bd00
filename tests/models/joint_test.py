import keras
import numpy as np
import pytest
from layer_checks import to_numpy
from model_checks import images

from rcn_keras import JointModel, SpatialCrossentropy, build_denoiser, build_rcn
from rcn_keras.models import BUILDERS, BranchSpec
from rcn_keras.models.joint import joint_networks

SPECS = [BranchSpec(8, 3, (3, 4), (3, 3)), BranchSpec(16, 2, (2,), (3,))]


def _parts(keypoints=5):
    rcn = build_rcn(branch_specs=SPECS, keypoints=keypoints)
    denoiser = build_denoiser(keypoints=keypoints, filters=(4,), kernel_size=7, size=16)
    return rcn, denoiser


def _peaks(maps):
    out = np.zeros_like(maps)
    for n in range(len(maps)):
        for k in range(maps.shape[-1]):
            y, x = np.unravel_index(maps[n, :, :, k].argmax(), maps.shape[1:3])
            out[n, y, x, k] = 1
    return out


@pytest.mark.parametrize("iterations", [1, 2])
@pytest.mark.parametrize("keypoints", [5, 68])
def test_the_sum_by_hand(keypoints, iterations):
    rcn, denoiser = _parts(keypoints)
    joint = JointModel(rcn, denoiser, iterations=iterations, denoiser_weight=0.5)
    x = images(2, 16)
    seen = summed = to_numpy(rcn(x))
    for _ in range(iterations):
        summed = seen + 0.5 * to_numpy(denoiser(_peaks(summed)))
    np.testing.assert_allclose(to_numpy(joint(x)), summed, atol=1e-4)
    out = to_numpy(joint.locate(x))
    assert out["keypoints"].shape == (2, keypoints, 2)
    assert out["confidence"].shape == (2, keypoints)
    assert ((out["confidence"] >= 0) & (out["confidence"] <= 1)).all()


def test_without_the_denoiser_it_is_rcn():
    rcn, denoiser = _parts()
    joint = JointModel(rcn, denoiser, denoiser_weight=0.0)
    x = images(2, 16)
    np.testing.assert_array_equal(to_numpy(joint(x)), to_numpy(rcn(x)))


def test_saving(tmp_path):
    joint = JointModel(*_parts(), 2, 0.7, decoder="argmax", calibration=(0.5, 0.1))
    joint.save(tmp_path / "joint.keras")
    loaded = keras.saving.load_model(tmp_path / "joint.keras")
    assert isinstance(loaded, JointModel)
    for name in ("iterations", "denoiser_weight", "decoder", "calibration", "name"):
        assert loaded.get_config()[name] == joint.get_config()[name]
    x = images(2, 16)
    np.testing.assert_array_equal(to_numpy(loaded(x)), to_numpy(joint(x)))
    for name, value in to_numpy(joint.locate(x)).items():
        np.testing.assert_array_equal(to_numpy(loaded.locate(x)[name]), value)


def test_weights_go_to_a_joint_model_built_from_arguments(tmp_path):
    arguments = {
        "rcn": {"branches": 4},
        "denoiser": {"keypoints": 5, "filters": (2,), "kernel_size": 3, "pooling": 4},
    }
    one, other = (BUILDERS["joint"](**arguments) for _ in range(2))
    assert one.count_params() == one.rcn.count_params() + one.denoiser.count_params()
    one.save_weights(tmp_path / "joint.weights.h5")
    other.load_weights(tmp_path / "joint.weights.h5")
    for a, b in zip(one.get_weights(), other.get_weights()):
        np.testing.assert_array_equal(a, b)


def test_denoiser_alone_sees_the_cells_of_rcn_and_nothing_else():
    joint = JointModel(*_parts(), denoiser_weight=0.5)
    networks, x = joint_networks(joint), images(1, 16)
    rcn, alone, both = (
        to_numpy(networks[name](x)) for name in ("rcn", "denoiser", "joint")
    )
    np.testing.assert_allclose(both, rcn + 0.5 * alone, atol=1e-4)


def test_it_is_trained_saved_and_trained_on_like_any_model(tmp_path):
    joint, x = JointModel(*_parts()), images(2, 16)
    joint.compile("adam", SpatialCrossentropy())
    before = joint.rcn.get_weights()
    y = np.random.default_rng(0).uniform(0, 16, (2, 5, 2)).astype("float32")
    joint.fit(x, y, verbose=0)
    assert any((a != b).any() for a, b in zip(before, joint.rcn.get_weights()))
    joint.save(tmp_path / "joint.keras")
    loaded = keras.saving.load_model(tmp_path / "joint.keras")
    losses = [m.fit(x, y, verbose=0).history["loss"][0] for m in (joint, loaded)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_what_does_not_fit_is_refused():
    rcn, denoiser = _parts()
    with pytest.raises(ValueError, match="`denoiser` must take.*16, 16, 5"):
        JointModel(rcn, build_denoiser(keypoints=5, filters=(2,), kernel_size=3))
    with pytest.raises(ValueError, match="`iterations` must be a whole number"):
        JointModel(rcn, denoiser, iterations=0)
