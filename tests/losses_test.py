import keras
import numpy as np
import pytest
from layer_checks import to_numpy

from rcn_keras.losses import ExpectedDistance, KeypointDistance, SpatialCrossentropy

KEYPOINTS = 3


def case(seed=0, batch=4, height=6, width=9):
    """Targets of which some are NaN, some outside, and maps."""
    rng = np.random.default_rng(seed)
    y = rng.uniform(0, [width, height], (batch, KEYPOINTS, 2)).astype("float32")
    y[0, 1] = np.nan
    y[1, 0, 1] = np.nan
    y[2, 2] = [-3, 2.5]
    y[3, 0] = [width, 1.5]  # The right border itself is outside.
    maps = rng.normal(0, 2, (batch, height, width, KEYPOINTS)).astype("float32")
    return y, maps


def log_softmax(maps):
    maps = maps.astype("float64")
    return maps - np.log(np.exp(maps).sum(axis=(1, 2), keepdims=True))


def crossentropy(y, maps, outside):
    height, width = maps.shape[1:3]
    terms = []
    for n, k in np.ndindex(y.shape[:2]):
        x, row = np.floor(y[n, k])
        if np.isnan(y[n, k]).any():
            continue
        if not (0 <= x < width and 0 <= row < height) and outside == "mask":
            continue
        x, row = int(np.clip(x, 0, width - 1)), int(np.clip(row, 0, height - 1))
        terms.append(-log_softmax(maps)[n, row, x, k])
    return np.mean(terms) * KEYPOINTS, len(terms)


def gradient(loss, y, maps):
    """The gradient by the maps, through a model whose maps are its weights."""

    class Maps(keras.layers.Layer):
        def build(self, _):
            self.maps = self.add_weight(shape=maps.shape, initializer="zeros")

        def call(self, inputs):
            return inputs * 0 + self.maps

    model = keras.Sequential([keras.Input(batch_shape=maps.shape), Maps()])
    model.set_weights([maps])
    model.compile(keras.optimizers.SGD(1.0), loss, run_eagerly=True)
    model.train_on_batch(np.zeros_like(maps), y)
    return maps - model.get_weights()[0]


@pytest.mark.parametrize("outside, counted", [("clip", 10), ("mask", 8)])
def test_crossentropy_equals_numpy(outside, counted):
    y, maps = case()
    expected, count = crossentropy(y, maps, outside)
    assert count == counted
    found = float(SpatialCrossentropy(outside)(y, maps))
    assert found == pytest.approx(expected, rel=1e-5)


def test_the_left_and_the_top_border_are_inside():
    maps = case()[1][:1]
    y = np.float32([[[0, 0], [np.nan, 1], [np.nan, 1]]])
    expected = -KEYPOINTS * log_softmax(maps)[0, 0, 0, 0]
    assert float(SpatialCrossentropy("mask")(y, maps)) == pytest.approx(expected)


def test_crossentropy_clips_by_default():
    y, maps = case()
    expected, _ = crossentropy(y, maps, "clip")
    assert float(SpatialCrossentropy()(y, maps)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("batch", [1, 3])
def test_crossentropy_of_uniform_maps(batch):
    y = np.random.default_rng(0).uniform(0, 80, (batch, 5, 2)).astype("float32")
    loss = float(SpatialCrossentropy()(y, np.zeros((batch, 80, 80, 5), "float32")))
    assert loss == pytest.approx(5 * np.log(6400), rel=1e-6)


def test_crossentropy_gradient():
    y, maps = case()
    found = gradient(SpatialCrossentropy(), y, maps)
    expected = np.exp(log_softmax(maps))
    expected[0, ..., 1] = expected[1, ..., 0] = 0  # NaN targets pull nowhere.
    for n, k in np.ndindex(y.shape[:2]):
        if not np.isnan(y[n, k]).any():
            x, row = np.clip(np.floor(y[n, k]), 0, [8, 5]).astype(int)
            expected[n, row, x, k] -= 1
    np.testing.assert_allclose(found, expected * KEYPOINTS / 10, atol=1e-5)


@pytest.mark.parametrize("loss", [SpatialCrossentropy("mask"), ExpectedDistance()])
def test_nothing_known_costs_nothing(loss):
    _, maps = case()
    y = np.full((4, KEYPOINTS, 2), np.nan, "float32")
    assert float(loss(y, maps)) == 0
    assert not gradient(loss, y, maps).any()


@pytest.mark.parametrize("loss", [SpatialCrossentropy("mask"), ExpectedDistance()])
def test_gradients_are_finite_on_extreme_maps(loss):
    y, maps = case()
    assert np.isfinite(gradient(loss, y, maps * 1e4)).all()


def test_expected_distance_equals_numpy():
    y, maps = case()
    probability = np.exp(log_softmax(maps))
    x, rows = np.arange(9) + 0.5, np.arange(6) + 0.5
    mean_x = (probability.sum(axis=1) * x[:, None]).sum(axis=1)
    mean_y = (probability.sum(axis=2) * rows[:, None]).sum(axis=1)
    squared = ((np.stack([mean_x, mean_y], axis=-1) - y) ** 2).sum(axis=-1)
    expected = np.nanmean(squared) * KEYPOINTS
    assert float(ExpectedDistance()(y, maps)) == pytest.approx(expected, rel=1e-5)


def test_expected_distance_is_nothing_where_the_map_is_certain():
    maps = np.full((1, 6, 9, 1), -100, "float32")
    maps[0, 2, 7, 0] = 100
    assert float(ExpectedDistance()(np.float32([[[7.5, 2.5]]]), maps)) == 0
    loss = float(ExpectedDistance()(np.float32([[[4.5, 6.5]]]), maps))
    assert loss == pytest.approx(3**2 + 4**2)


@pytest.mark.parametrize("loss", [SpatialCrossentropy("mask"), ExpectedDistance()])
def test_saving(loss):
    clone = keras.losses.deserialize(keras.losses.serialize(loss))
    assert type(clone) is type(loss) and clone.get_config() == loss.get_config()
    y, maps = case()
    assert float(clone(y, maps)) == float(loss(y, maps))


def test_sample_weight():
    y, maps = case()
    y, maps = y[2:], maps[2:]  # Nothing is NaN here.
    each = [float(SpatialCrossentropy()(y[n : n + 1], maps[n : n + 1])) for n in (0, 1)]
    found = to_numpy(SpatialCrossentropy()(y, maps, sample_weight=[[1.0], [0.0]]))
    assert found == pytest.approx(each[0] / 2, rel=1e-5)


def test_errors():
    with pytest.raises(ValueError, match="Received: outside='drop'"):
        SpatialCrossentropy("drop")


def test_keypoint_distance_equals_numpy():
    y, _ = case()
    predicted = np.random.default_rng(1).uniform(0, 9, y.shape).astype("float32")
    squared = (((predicted - y) / 4) ** 2).sum(-1)
    expected = np.nanmean(squared) * KEYPOINTS
    loss = KeypointDistance(unit=4.0)
    assert float(loss(y, predicted)) == pytest.approx(expected, rel=1e-5)
    nothing = float(loss(np.full_like(y, np.nan), predicted))
    assert nothing == 0.0
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    assert isinstance(again, KeypointDistance) and again.unit == 4.0


def test_by_default_8_pixels_cost_1():
    y = np.zeros((1, 1, 2), "float32")
    assert float(KeypointDistance()(y, y + np.float32([8, 0]))) == pytest.approx(1)


LOSSES = {
    "crossentropy": SpatialCrossentropy(),
    "expected": ExpectedDistance(),
    "distance": KeypointDistance(),
}


def predictions(name):
    """As many faces as keypoints, all known, and what the loss compares them with."""
    y, maps = case(batch=4)
    y, maps = np.abs(y[[2, 3, 2]]) % 5, maps[:KEYPOINTS]
    return y, y + 1.5 if name == "distance" else maps


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", LOSSES)
def test_a_sample_weight_is_one_a_face_or_one_a_keypoint(name, dtype):
    loss, (y, predicted) = LOSSES[name], predictions(name)
    y = y.astype(dtype)
    faces = [float(loss(y[n : n + 1], predicted[n : n + 1])) for n in range(3)]
    weight = np.array([1.0, 0.0, 3.0], dtype)
    expected = (weight * faces).sum() / 3
    assert float(loss(y, predicted, weight)) == pytest.approx(expected, rel=1e-5)
    by_face = np.repeat(weight[:, None], KEYPOINTS, axis=1)
    assert float(loss(y, predicted, by_face)) == pytest.approx(expected, rel=1e-5)
    parts = []
    for k in range(KEYPOINTS):
        one = np.zeros((3, KEYPOINTS), dtype)
        one[1, k] = 1
        parts.append(float(loss(y, predicted, one)))
    assert sum(parts) == pytest.approx(faces[1] / 3, rel=1e-5)
    assert len({round(part, 6) for part in parts}) > 1 or name == "distance"


@pytest.mark.parametrize("name", LOSSES)
def test_an_infinite_label_counts_as_little_as_nan(name):
    loss, (y, predicted) = LOSSES[name], predictions(name)
    unknown = y.copy()
    unknown[1, 2] = np.nan
    expected = float(loss(unknown, predicted))
    for value in (np.inf, -np.inf):
        unknown[1, 2] = value
        assert float(loss(unknown, predicted)) == expected


@pytest.mark.parametrize("name", LOSSES)
def test_one_known_keypoint_weighs_as_much_as_twice_the_same(name):
    loss, (y, predicted) = LOSSES[name], predictions(name)
    y = np.where(np.arange(9).reshape(3, 3, 1) == 4, y, np.float32(np.nan))
    once, twice = (
        float(loss(np.tile(y, (n, 1, 1)), np.concatenate([predicted] * n)))
        for n in (1, 2)
    )
    assert once > 0 and twice == pytest.approx(once, rel=1e-5)


def test_a_model_takes_a_weight_a_face():
    inputs = keras.Input((6, 9, KEYPOINTS))
    model = keras.Model(inputs, keras.layers.Rescaling(1.0)(inputs))
    model.compile("sgd", SpatialCrossentropy(), jit_compile=False)
    y, maps = predictions("crossentropy")
    weight = np.array([0.0, 2.0, 0.0])
    found = model.evaluate(maps, y, 3, verbose=0, sample_weight=weight)
    expected = float(SpatialCrossentropy()(y, maps, weight))
    assert found == pytest.approx(expected, rel=1e-5)
