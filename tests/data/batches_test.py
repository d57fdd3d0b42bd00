import numpy as np
import pytest
from layer_checks import to_numpy

from rcn_keras.data.attributes import attribute_targets
from rcn_keras.data.augmentation import Augmentation, Augmenter, epoch_draws
from rcn_keras.data.batches import TrainingBatches, input_images
from rcn_keras.layout import FACE_5


def epoch(batches):
    """All images and keypoints of an epoch, which then ends."""
    pairs = [to_numpy(batches[index]) for index in range(len(batches))]
    batches.on_epoch_end()
    return [np.concatenate(arrays) for arrays in zip(*pairs)]


def assert_equal(actual, expected):
    for a, e in zip(actual, expected, strict=True):
        np.testing.assert_array_equal(a, e)


def assert_close(actual, expected):
    """Equal but for the last bit, which may differ with the size of the batch: it can
    tip the rounding of a grey level."""
    (images, keypoints), (other, others) = actual, expected
    difference = np.abs(images.astype(int) - other)
    assert difference.max() <= 1 and np.mean(difference) < 1e-3
    np.testing.assert_allclose(keypoints, others, atol=1e-4)


def test_input_images(crops):
    images, keypoints = input_images(crops, batch_size=7)
    assert images.shape == (24, 80, 80, 1) and images.dtype == np.uint8
    augment = Augmenter(None, FACE_5)
    expected = augment(
        crops.images, crops.keypoints, crops.squares, np.zeros((24, 9), "float32")
    )
    assert_close((images, keypoints), to_numpy(expected))


def test_input_images_jittered_once(crops):
    clean, _ = input_images(crops)
    first = input_images(crops, Augmentation(), seed=0)
    assert_close(input_images(crops, Augmentation(), seed=0, batch_size=5), first)
    assert (first[0] != clean).any()
    assert (input_images(crops, Augmentation(), seed=1)[0] != first[0]).any()


def test_without_augmentation_the_order_alone_is_drawn(crops):
    batches = TrainingBatches(crops, batch_size=10, augmentation=None, seed=4)
    assert len(batches) == 2
    images, keypoints = input_images(crops)
    for number in range(2):
        order, _ = epoch_draws(24, 4, number)
        found = epoch(batches)
        assert_close(found, (images[order[:20]], keypoints[order[:20]]))


def test_every_batch_has_draws_of_its_own(crops):
    batches = TrainingBatches(crops, batch_size=8, seed=1)
    order, draws = epoch_draws(24, 1, 0)
    arrays = (crops.images[order], crops.keypoints[order], crops.squares[order])
    expected = Augmenter(Augmentation(), FACE_5)(*arrays, draws)
    assert_close(epoch(batches), to_numpy(expected))


def test_epochs_differ_and_a_later_start_continues(crops):
    batches = TrainingBatches(crops, batch_size=8, seed=1)
    first, second, third = epoch(batches), epoch(batches), epoch(batches)
    assert (first[0] != second[0]).any() and (second[0] != third[0]).any()
    resumed = TrainingBatches(crops, batch_size=8, seed=1, first_epoch=1)
    assert_equal(epoch(resumed), second)
    assert_equal(epoch(resumed), third)


def test_attributes_beside_the_same_batches(crops):
    settings = {"batch_size": 8, "augmentation": Augmentation(flip=False), "seed": 1}
    plain = TrainingBatches(crops, **settings)
    batches = TrainingBatches(crops, attributes=True, **settings)
    targets = attribute_targets(crops.faces, None)
    for number in range(2):
        order, _ = epoch_draws(24, 1, number)
        images, attributes = to_numpy(batches[2])
        assert_equal((images, attributes.pop("keypoints")), to_numpy(plain[2]))
        assert set(attributes) == set(targets)
        for name, labels in attributes.items():
            np.testing.assert_array_equal(labels, targets[name][order[16:]])
        plain.on_epoch_end(), batches.on_epoch_end()
    with pytest.raises(ValueError, match="not mirrored"):
        TrainingBatches(crops, batch_size=8, attributes=True)


def test_too_few_faces(crops):
    with pytest.raises(ValueError, match="faces, 24. Received: batch_size=25"):
        TrainingBatches(crops, batch_size=25)
