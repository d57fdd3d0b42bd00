import keras
import numpy as np
import pytest
from layer_checks import to_numpy

from rcn_keras.data.augmentation import Augmentation
from rcn_keras.data.batches import TrainingBatches, input_images

if keras.backend.backend() != "tensorflow":
    pytest.skip("the pipeline is TensorFlow's", allow_module_level=True)

from rcn_keras.data.pipeline import evaluation_dataset, training_dataset


def as_numpy(dataset, batches):
    """The first batches of a dataset as lists of arrays."""
    pairs = [(np.asarray(x), np.asarray(y)) for x, y in dataset.take(batches)]
    return [x for x, _ in pairs], [y for _, y in pairs]


def assert_equal(actual, expected):
    for a, e in zip(actual, expected, strict=True):
        np.testing.assert_array_equal(a, e)


@pytest.mark.parametrize("augmentation", [None, Augmentation()])
def test_equals_training_batches(crops, augmentation):
    settings = {"batch_size": 10, "augmentation": augmentation, "seed": 3}
    images, keypoints = as_numpy(training_dataset(crops, **settings), 6)
    batches = TrainingBatches(crops, **settings)
    for step in range(6):
        expected = to_numpy(batches[step % 2])
        assert_equal((images[step], keypoints[step]), expected)
        if step % 2:
            batches.on_epoch_end()


def test_attributes_equal_those_of_training_batches(crops):
    settings = {"batch_size": 10, "augmentation": Augmentation(flip=False), "seed": 3}
    dataset = training_dataset(crops, attributes=True, **settings)
    batches = TrainingBatches(crops, attributes=True, **settings)
    for step, (images, targets) in enumerate(dataset.take(2).as_numpy_iterator()):
        expected_images, expected = to_numpy(batches[step])
        np.testing.assert_array_equal(images, expected_images)
        assert set(targets) == set(expected)
        for name, labels in targets.items():
            np.testing.assert_array_equal(labels, expected[name])
            assert name == "keypoints" or labels.dtype == "int32"
    with pytest.raises(ValueError, match="not mirrored"):
        training_dataset(crops, batch_size=10, attributes=True)


def test_shapes_and_types(crops):
    images, keypoints = training_dataset(crops, batch_size=10).element_spec
    assert images.shape == (10, 80, 80, 1) and images.dtype == "float32"
    assert keypoints.shape == (10, 5, 2) and keypoints.dtype == "float32"


def test_epochs_differ_and_a_later_start_continues(crops):
    settings = {"batch_size": 8, "seed": 5}
    images, keypoints = as_numpy(training_dataset(crops, **settings), 6)
    assert all((images[0] != other).any() for other in images[1:])
    late = as_numpy(training_dataset(crops, first_epoch=1, **settings), 3)
    assert_equal(late[0], images[3:])
    assert_equal(late[1], keypoints[3:])


def test_seeds_differ(crops):
    first, second = (
        as_numpy(training_dataset(crops, batch_size=8, seed=seed), 1) for seed in (0, 1)
    )
    assert (first[0][0] != second[0][0]).any()


def test_evaluation_dataset(crops):
    dataset = evaluation_dataset(crops, batch_size=10)
    assert dataset.element_spec[0].dtype == "float32"
    images, keypoints = as_numpy(dataset, 9)
    assert [len(batch) for batch in images] == [10, 10, 4]
    expected = input_images(crops)
    assert_equal((np.concatenate(images), np.concatenate(keypoints)), expected)


def test_too_few_faces(crops):
    with pytest.raises(ValueError, match="faces, 24. Received: batch_size=25"):
        training_dataset(crops, batch_size=25)
