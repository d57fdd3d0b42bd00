import numpy as np
import pytest

from rcn_keras.video import OneEuroFilter

SHAPE = np.array([[0, 0], [60, 0], [30, 40], [5, 80], [55, 80.0]])
SURE = np.ones(5)


def filtered(points, confidence=SURE, rate=30, **arguments):
    smooth = OneEuroFilter(**arguments)
    return np.array([smooth(p, confidence, i / rate) for i, p in enumerate(points)])


def jitter(points):
    return np.sqrt((np.diff(points, 2, axis=0) ** 2).mean())


def still(noise=0.4, frames=120):
    return SHAPE + np.random.default_rng(0).normal(0, noise, (frames, 5, 2))


def test_a_face_at_rest_jitters_five_times_less():
    points = still()
    ratio = jitter(points[20:]) / jitter(filtered(points)[20:])
    print(f"second differences {ratio:.1f} times lower")
    assert ratio > 5


def test_a_moving_face_lags_by_less_than_two_frames():
    speed = 100 / 30  # a face size a second, in pixels a frame
    path = SHAPE + speed * np.arange(60)[:, None, None] * [1, 0]
    lag = (path - filtered(path))[30:, :, 0].mean() / speed
    print(f"lag {lag:.2f} frames")
    assert 0 < lag < 2


def test_low_confidence_smooths_more():
    points = still()
    unsure = filtered(points, np.array([1, 0.2, 1, 1, 1]))
    by_point = [jitter(unsure[20:, i]) / jitter(points[20:, i]) for i in range(5)]
    assert by_point[1] < 0.5 * min(by_point[0], *by_point[2:])


def test_times_count_not_frames():
    """An exponential filter by hand, at uneven times."""
    smooth = OneEuroFilter(cutoff=2.0, gain=0.0)
    np.testing.assert_array_equal(smooth(SHAPE, SURE, 0.0), SHAPE)
    value = SHAPE
    for step, seconds in ((0.1, 0.1), (0.4, 0.5)):
        share = 2 * np.pi * 2 * step / (1 + 2 * np.pi * 2 * step)
        value = value + share * (SHAPE + 7 - value)
        np.testing.assert_allclose(smooth(SHAPE + 7, SURE, seconds), value)
    np.testing.assert_allclose(smooth(SHAPE, SURE, 0.5), value)  # no time passed


def test_moving_points_are_filtered_by_the_papers_formulas():
    """By hand, at uneven times, with confidences down to 0."""
    rng = np.random.default_rng(0)
    points = SHAPE + rng.normal(0, 9, (12, 5, 2)).cumsum(axis=0)
    seconds = rng.uniform(0.02, 0.1, 12).cumsum()
    confidence = np.array([1, 0.6, 0.2, 0.04, 0.0])
    smooth = OneEuroFilter(cutoff=0.7, gain=5.0, speed_cutoff=1.2)
    value, speed = points[0], np.zeros((5, 2))
    np.testing.assert_array_equal(smooth(points[0], confidence, seconds[0]), value)
    for i in range(1, 12):
        turn = 2 * np.pi * (seconds[i] - seconds[i - 1])
        size = np.hypot(*(points[i].max(axis=0) - points[i].min(axis=0)))
        now = (points[i] - value) / (seconds[i] - seconds[i - 1]) / size
        speed = speed + turn * 1.2 / (1 + turn * 1.2) * (now - speed)
        cutoff = 0.7 + 5.0 * np.sqrt((speed**2).sum(axis=1))
        cutoff = cutoff * np.maximum(confidence, 0.05)
        share = turn * cutoff / (1 + turn * cutoff)
        value = value + share[:, None] * (points[i] - value)
        found = smooth(points[i], confidence, seconds[i])
        np.testing.assert_allclose(found, value, rtol=1e-9)


@pytest.mark.parametrize("scale", [0.1, 10])
def test_a_far_face_is_filtered_as_a_near_one(scale):
    points = still()
    expected = scale * filtered(points)
    np.testing.assert_allclose(filtered(scale * points), expected, rtol=1e-6)
