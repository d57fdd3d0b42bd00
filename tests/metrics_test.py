import keras
import numpy as np
import pytest

from rcn_keras import codec
from rcn_keras.layout import FACE_5, FACES
from rcn_keras.metrics import NormalizedMeanError


def case(seed=0, batch=4, keypoints=5):
    rng = np.random.default_rng(seed)
    y = rng.uniform(0, 20, (batch, keypoints, 2)).astype("float32")
    maps = rng.normal(0, 3, (batch, 20, 20, keypoints)).astype("float32")
    return y, maps


def errors(y, maps, decoder):
    """`(N, K)` by numpy."""
    found = np.asarray(codec.decode(maps, decoder))
    if y.shape[1] == 68:
        eyes = y[:, [36, 42]] / 2 + y[:, [39, 45]] / 2
    else:
        eyes = y[:, :2]
    distance = np.hypot(*(eyes[:, 0] - eyes[:, 1]).T)
    return np.hypot(*np.moveaxis(found - y, -1, 0)) / distance[:, None]


@pytest.mark.parametrize("keypoints", [5, 68])
@pytest.mark.parametrize("decoder", codec.DECODERS)
def test_equals_numpy_over_batches(keypoints, decoder):
    metric = NormalizedMeanError(FACES[keypoints], decoder)
    y, maps = case(keypoints=keypoints)
    expected = errors(y, maps, decoder)
    metric.update_state(y[:3], maps[:3])
    assert float(metric.result()) == pytest.approx(expected[:3].mean(), rel=1e-5)
    metric.update_state(y[3:], maps[3:])
    assert float(metric.result()) == pytest.approx(expected.mean(), rel=1e-5)
    metric.reset_state()
    metric.update_state(y[3:], maps[3:])
    assert float(metric.result()) == pytest.approx(expected[3:].mean(), rel=1e-5)


def test_a_known_error():
    y = np.float32([[[5.5, 5.5], [15.5, 5.5], [10.5, 9.5], [6.5, 15.5], [14.5, 15.5]]])
    maps = np.full((1, 20, 20, 5), -50, "float32")
    for k, (x, row) in enumerate(y[0].astype(int)):
        maps[0, row, x, k] = 50
    metric = NormalizedMeanError(FACE_5)
    metric.update_state(y, maps)
    assert float(metric.result()) == pytest.approx(0, abs=1e-6)
    maps[..., 2] = np.roll(maps[..., 2], (3, 4), axis=(1, 2))
    metric.reset_state()
    metric.update_state(y, maps)  # One of five is 5 pixels off, the eyes 10 apart.
    assert float(metric.result()) == pytest.approx(0.5 / 5, rel=1e-5)


def test_unknown_keypoints_do_not_count():
    y, maps = case()
    expected = errors(y, maps, "local_mean")
    known = np.ones((4, 5), bool)
    known[0, 2] = known[3, 4] = False
    y[~known] = np.nan
    metric = NormalizedMeanError(FACE_5)
    metric.update_state(y, maps)
    assert float(metric.result()) == pytest.approx(expected[known].mean(), rel=1e-5)


def test_a_face_with_an_unknown_eye_does_not_count():
    # Without both eyes there is nothing to divide by.
    y, maps = case()
    expected = errors(y, maps, "local_mean")[1:].mean()
    y[0, 1] = np.nan
    metric = NormalizedMeanError(FACE_5)
    metric.update_state(y, maps)
    assert float(metric.result()) == pytest.approx(expected, rel=1e-5)


def test_a_network_that_diverged_shows():
    y, maps = case()
    maps[2] = np.nan
    metric = NormalizedMeanError(FACE_5)
    metric.update_state(y, maps)
    assert np.isnan(float(metric.result()))


def test_sample_weight():
    y, maps = case()
    metric, weight = NormalizedMeanError(FACE_5), np.float32([[1], [0], [2], [0]])
    metric.update_state(y, maps, sample_weight=weight)
    expected = np.average(
        errors(y, maps, "local_mean").mean(axis=1), weights=weight[:, 0]
    )
    assert float(metric.result()) == pytest.approx(expected, rel=1e-5)
    known = np.ones((4, 5))
    known[2, 3] = 0
    y[2, 3] = np.nan
    metric.reset_state()
    metric.update_state(y, maps, sample_weight=weight)
    expected = np.average(
        np.nan_to_num(errors(y, maps, "local_mean")), weights=weight * known
    )
    assert float(metric.result()) == pytest.approx(expected, rel=1e-5)


def test_saving():
    metric = NormalizedMeanError(FACE_5, "argmax", name="error")
    clone = keras.metrics.deserialize(keras.metrics.serialize(metric))
    assert type(clone) is NormalizedMeanError
    assert clone.get_config() == metric.get_config()
    assert clone.layout == FACE_5
    assert (clone.decoder, clone.name) == ("argmax", "error")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_sample_weight_is_one_a_face_or_one_a_keypoint(dtype):
    y, maps = case(batch=5)
    each = errors(y, maps, "local_mean")
    for weight in (np.arange(5), np.arange(5)[:, None], np.arange(25).reshape(5, 5)):
        metric = NormalizedMeanError(FACE_5)
        metric.update_state(
            keras.ops.convert_to_tensor(y.astype(dtype)), maps, weight.astype(dtype)
        )
        full = np.broadcast_to(weight[:, None] if weight.ndim == 1 else weight, (5, 5))
        expected = np.average(each, weights=full)
        assert float(metric.result()) == pytest.approx(expected, rel=1e-5)


def test_degenerate_labels_do_not_count():
    y, maps = case(batch=4)
    expected = errors(y, maps, "local_mean")
    y[1, 1] = y[1, 0]  # both eyes on one spot
    y[2, 4] = [np.inf, 3]
    y[3, 0] = -np.inf  # so that there is no unit either
    metric = NormalizedMeanError(FACE_5)
    metric.update_state(y, maps)
    counted = [*expected[0], *expected[2, :4]]
    assert float(metric.result()) == pytest.approx(np.mean(counted), rel=1e-5)
