import keras
import numpy as np
import pytest
from layer_checks import assert_same, run_layer_test, to_numpy

from rcn_keras.layers import RandomOcclusion
from rcn_keras.layers.random_occlusion import DRAWS


def rectangles(images):
    """`(N, 4)` height, width, top, left of the one black rectangle in each image."""
    black = (images == 0).all(axis=-1)
    found = []
    for mask in black:
        rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
        top, left = rows[0], columns[0]
        height, width = rows[-1] - top + 1, columns[-1] - left + 1
        assert mask[top : top + height, left : left + width].all()
        assert mask.sum() == height * width
        found.append([height, width, top, left])
    return np.array(found)


def test_layer(tmp_path):
    images = np.random.default_rng(0).random((2, 9, 12, 3), "float32")
    arguments = {"min_size": 2, "max_size": 5, "seed": 3}
    out = run_layer_test(RandomOcclusion, arguments, images, tmp_path, training=False)
    np.testing.assert_array_equal(out, images)


def test_one_rectangle_inside_of_every_size():
    images = (
        np.random.default_rng(0).uniform(1, 255, (1500, 80, 80, 1)).astype("float32")
    )
    out = to_numpy(RandomOcclusion(seed=0)(images))
    assert ((out == images) | (out == 0)).all()
    found = rectangles(out)
    for side, start in ((found[:, 0], found[:, 2]), (found[:, 1], found[:, 3])):
        assert set(side) == set(range(20, 51))
        # One that was cut off at a border would make the small sizes more frequent.
        assert np.bincount(side)[20:].max() < 90
        assert abs(side.mean() - 35) < 1
        # Every place where it fits: up to both borders, evenly.
        assert start.min() == 0 and (start + side).max() == 80
        room = start / (80 - side)
        assert abs(room.mean() - 0.5) < 0.03 and 0.27 < room.std() < 0.32
    assert abs(np.corrcoef(found[:, 0], found[:, 1])[0, 1]) < 0.1


@pytest.mark.parametrize(
    "draw, expected",
    [(0.0, (20, 0)), (0.5, (35, 23)), (np.nextafter(np.float32(1), 0), (50, 30))],
)
def test_draws_decide(draw, expected):
    out = RandomOcclusion()(np.ones((1, 80, 80, 1)), draws=np.full((1, DRAWS), draw))
    side, start = expected
    np.testing.assert_array_equal(
        rectangles(to_numpy(out)), [[side, side, start, start]]
    )


def test_the_draws_are_height_width_top_and_left():
    draws = np.array([[0.0, 0.99, 0.5, 0.1]])
    out = to_numpy(RandomOcclusion()(np.ones((1, 80, 90, 1)), draws=draws))
    # 61 places from top to bottom for a height of 20, 41 across for a width of 50.
    np.testing.assert_array_equal(rectangles(out), [[20, 50, 30, 4]])


def test_all_channels_are_covered_and_images_differ():
    out = to_numpy(RandomOcclusion(seed=0)(np.ones((4, 80, 80, 3), "float32")))
    assert (out == out[..., :1]).all()
    assert len({tuple(found) for found in rectangles(out)}) == 4


def test_seed():
    images = np.ones((4, 80, 80, 1), "float32")
    first, second = RandomOcclusion(seed=5), RandomOcclusion(seed=5)
    out = to_numpy(first(images))
    assert_same(second(images), out)
    assert (to_numpy(first(images)) != out).any()


def test_training_false_is_the_identity():
    images = np.random.default_rng(0).random((2, 80, 80, 1), "float32")
    assert_same(RandomOcclusion()(images, training=False), images)


@pytest.mark.parametrize("bounds", [(0, 5), (6, 5)])
def test_errors(bounds):
    with pytest.raises(ValueError, match="at most `max_size`. Received: min_size="):
        RandomOcclusion(*bounds)


def test_an_image_smaller_than_the_rectangle():
    with pytest.raises(ValueError, match="max_size=50"):
        RandomOcclusion()(np.ones((1, 40, 80, 1), "float32"))


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="tf.data")
def test_in_tf_data():
    import tensorflow as tf

    images = np.ones((8, 80, 80, 1), "float32")
    dataset = tf.data.Dataset.from_tensor_slices(images).batch(4)
    out = np.concatenate(list(dataset.map(RandomOcclusion()).as_numpy_iterator()))
    assert len(rectangles(out)) == 8


def test_single_images_are_refused():
    with pytest.raises(ValueError, match=r"must be a batch, \(N, H, W, C\)"):
        RandomOcclusion()(np.zeros((80, 80, 1), "float32"))
