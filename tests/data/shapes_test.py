import dataclasses

import numpy as np
import pytest

from rcn_keras.data.augmentation import Augmentation
from rcn_keras.data.batches import input_images
from rcn_keras.data.shapes import ShapeBatches, corrupt, corrupted_shapes


def _draws(count, keypoints, seed=0):
    return np.random.default_rng(seed).random((count, 3 * keypoints), "float32")


def test_exactly_as_many_are_moved_and_the_rest_stay_in_their_cells():
    keypoints = np.random.default_rng(1).uniform(-5, 85, (50, 68, 2))
    corrupted, moved = corrupt(keypoints, 35, _draws(50, 68))
    assert (moved.sum(axis=1) == 35).all()
    stayed = np.clip(np.floor(keypoints), 0, 79) + 0.5
    np.testing.assert_array_equal(corrupted[~moved], stayed[~moved])
    assert ((corrupted > 0) & (corrupted < 80)).all()
    assert (corrupted % 1 == 0.5).all()


def test_moves_are_uniform_over_keypoints_and_cells():
    keypoints = np.full((4000, 8, 2), 40.0)
    corrupted, moved = corrupt(keypoints, 3, _draws(4000, 8))
    np.testing.assert_allclose(moved.mean(axis=0), 3 / 8, atol=0.03)
    to = corrupted[moved]
    np.testing.assert_allclose(to.mean(axis=0), 40, atol=0.8)
    np.testing.assert_allclose(to.std(axis=0), 80 / np.sqrt(12), atol=0.5)
    assert abs(np.corrcoef(to.T)[0, 1]) < 0.03


@pytest.mark.parametrize("count", [-1, 6])
def test_more_than_there_are_cannot_be_moved(count):
    with pytest.raises(ValueError, match="`count` must be between 0 and 5"):
        corrupt(np.zeros((1, 5, 2)), count, _draws(1, 5))


def test_validation_is_the_same_each_time_and_jittered_like_pictures(crops):
    jitter = Augmentation(flip=False)
    first = corrupted_shapes(crops, 2, jitter)
    for a, b in zip(first, corrupted_shapes(crops, 2, jitter)):
        np.testing.assert_array_equal(a, b)
    _, plain = input_images(crops)
    corrupted, keypoints, counted = corrupted_shapes(crops, 2)
    np.testing.assert_allclose(keypoints, plain, atol=1e-4)
    assert (counted.sum(axis=1) == 2).all()  # all inside, none on the border
    away = (np.floor(corrupted) != np.floor(keypoints)).any(axis=-1)
    assert not away[~counted].any() and away[counted].mean() > 0.9


def test_batches_from_a_seed(crops):
    batches = ShapeBatches(crops, corrupted=2, batch_size=8, seed=3)
    assert len(batches) == len(crops) // 8
    corrupted, true = batches[0]
    assert corrupted.shape == true.shape == (8, 5, 2)
    known = ~np.isnan(true).any(axis=-1)
    assert (known.sum(axis=1) <= 2).all() and known.any()
    again = ShapeBatches(crops, corrupted=2, batch_size=8, seed=3)
    np.testing.assert_array_equal(again[0][0], corrupted)
    batches.on_epoch_end()
    later = ShapeBatches(crops, corrupted=2, batch_size=8, seed=3, first_epoch=1)
    np.testing.assert_array_equal(batches[1][0], later[1][0])
    assert (batches[0][0] != corrupted).any()


def test_a_keypoint_on_the_border_is_never_counted(crops):
    border = np.zeros(crops.border.shape, "uint8")
    border[:, 1] = 4  # the right eye
    flagged = dataclasses.replace(crops, border=border)
    _, _, counted = corrupted_shapes(flagged, 5, Augmentation(flip=False))
    assert not counted[:, 1].any() and counted[:, 0].any()
    batches = ShapeBatches(flagged, 5, 24, Augmentation(rotation=0))
    counts = (~np.isnan(batches[0][1]).any(axis=-1)).sum(axis=0)
    # Half of the faces are mirrored: their flagged eye is the left one.
    assert 0 < counts[0] < 24 and 0 < counts[1] < 24
    assert counts[0] + counts[1] <= 24
