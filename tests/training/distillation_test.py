import dataclasses

import numpy as np
import pytest
from keras import ops

from rcn_keras.data.augmentation import Augmentation
from rcn_keras.data.batches import TrainingBatches
from rcn_keras.errors import InputError
from rcn_keras.layout import FACE_5
from rcn_keras.models import build_rcn
from rcn_keras.presets import load_preset
from rcn_keras.training.distillation import TaughtCrossentropy, load_teacher, taught
from rcn_keras.training.fit import train
from rcn_keras.training.recipe import Recipe
from rcn_keras.training.tasks import make_task

TINY = Recipe("rcn", {"branches": 4}, Augmentation(flip=False), batch_size=8, epochs=1)


def log_softmax(maps):
    maps = maps.astype("float64")
    return maps - np.log(np.exp(maps).sum(axis=(1, 2), keepdims=True))


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
def test_the_loss_equals_numpy(weight):
    rng = np.random.default_rng(0)
    maps, teacher = rng.normal(0, 2, (2, 3, 4, 5, 3)).astype("float32")
    keypoints = rng.uniform(0, [5, 4], (3, 3, 2)).astype("float32")
    keypoints[0, 1] = np.nan  # no label: the teacher's part still counts
    labels = []
    for n, k in np.ndindex(3, 3):
        if np.isfinite(keypoints[n, k]).all():
            x, y = np.floor(keypoints[n, k]).astype(int)
            labels.append(-log_softmax(maps)[n, y, x, k])
    from_teacher = -(np.exp(log_softmax(teacher)) * log_softmax(maps)).sum((1, 2))
    wanted = 3 * ((1 - weight) * np.mean(labels) + weight * from_teacher.mean())
    flat = teacher.reshape(3, 20, 3).transpose(0, 2, 1)
    targets = np.concatenate([keypoints, flat], axis=-1)
    loss = TaughtCrossentropy(teacher_weight=weight)
    loss = TaughtCrossentropy.from_config(loss.get_config())
    assert float(loss(targets, maps)) == pytest.approx(wanted, rel=1e-5)


def test_the_targets_hold_the_teachers_maps_of_the_same_pictures(crops):
    teacher = build_rcn(branches=4)
    batches = TrainingBatches(crops, batch_size=8, seed=1)
    images, targets = taught(batches, teacher)[1]
    wanted_images, keypoints = batches[1]
    np.testing.assert_array_equal(images, wanted_images)
    targets = ops.convert_to_numpy(targets)
    np.testing.assert_array_equal(targets[..., :2], keypoints)
    maps = ops.convert_to_numpy(teacher(wanted_images))
    row, column = 17, 42
    np.testing.assert_allclose(
        targets[..., 2 + 80 * row + column], maps[:, row, column], atol=1e-4
    )


def test_both_kinds_of_batches_are_taught_alike(crops, monkeypatch):
    recipe = dataclasses.replace(TINY, teacher="rcn6_mtfl")
    task = make_task(recipe, crops, crops)
    images, targets = next(iter(task.batches(recipe.augmentation, 0)))
    teacher = load_teacher("rcn6_mtfl", FACE_5)
    batches = TrainingBatches(
        crops, batch_size=8, augmentation=recipe.augmentation, seed=recipe.seed
    )
    for found, wanted in zip((images, targets), taught(batches, teacher)[0]):
        found, wanted = map(ops.convert_to_numpy, (found, wanted))
        assert np.mean(np.abs(found - wanted) > 0.5) < 0.02  # rounding of a grey value


def test_a_network_comes_closer_to_its_teacher(crops, tmp_path):
    recipe = dataclasses.replace(
        TINY,
        augmentation=Augmentation(0.0, 0.0, 0.0, flip=False, occlusion=False),
        teacher="rcn6_mtfl",
        teacher_weight=1.0,
        epochs=6,
        warmup_steps=2,
        precision="float32",
    )
    few = crops.take(range(16))
    lines = []
    model = train(recipe, few, crops.take(range(16, 24)), tmp_path, echo=lines.append)
    teacher = load_preset("rcn6_mtfl").model
    images = few.images[:, ::2, ::2].astype("float32")

    def distance(network):
        difference = ops.log_softmax(ops.reshape(network(images), (16, 6400, 5)), 1)
        taught = ops.softmax(ops.reshape(teacher(images), (16, 6400, 5)), 1)
        return -float(ops.sum(taught * difference)) / 80

    assert distance(model) < distance(build_rcn(branches=4)) - 0.5


@pytest.mark.parametrize(
    "preset, reason",
    [
        ("rcn5_300w", "of 5 keypoints .*; found a rcn of 68"),
        ("denoiser_300w", "found a denoiser"),
        ("nothing", "no preset named 'nothing'"),
    ],
)
def test_what_cannot_teach_is_refused(preset, reason):
    with pytest.raises(InputError, match=reason):
        load_teacher(preset, FACE_5)


def test_a_teacher_sees_what_the_network_sees():
    with pytest.raises(InputError, match="160 pixels; found an input of 80"):
        load_teacher("rcn6_mtfl", FACE_5, input_size=160)
