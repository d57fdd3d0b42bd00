import dataclasses

import numpy as np
import pytest

from rcn_keras.data.augmentation import Augmentation
from rcn_keras.data.batches import input_images
from rcn_keras.data.sets import load_training
from rcn_keras.layout import FACE_5, FACE_68
from rcn_keras.training.recipes import get_recipe
from rcn_keras.training.tasks import make_task, validation_sets


def _flagged(crops):
    border = np.zeros(crops.border.shape, "uint8")
    border[:, 3] = 1
    return dataclasses.replace(crops, border=border)


def _first(batches):
    x, y = next(iter(batches))
    return np.asarray(x), np.asarray(y)


def test_faces_as_they_are_and_jittered(crops):
    clean, jittered = validation_sets("rcn", _flagged(crops))
    images, keypoints = input_images(crops)
    np.testing.assert_array_equal(clean[0], images)
    np.testing.assert_array_equal(clean[1], keypoints)
    assert not clean[2][:, 3].any() and clean[2][:, [0, 1, 2, 4]].all()
    assert (jittered[1] != keypoints).any()
    _, open_faces = validation_sets("rcn", crops, occlusion=False)
    np.testing.assert_array_equal(open_faces[1], jittered[1])
    assert (open_faces[0] != jittered[0]).any()


def test_a_flagged_keypoint_is_not_learned(crops):
    recipe = get_recipe("demo", batch_size=8, augmentation=Augmentation(flip=False))
    task = make_task(recipe, _flagged(crops), crops)
    images, targets = _first(task.batches(recipe.augmentation, 0))
    assert images.shape == (8, 80, 80, 1)
    assert np.isnan(targets[:, 3]).all() and np.isfinite(targets[:, :3]).all()


@pytest.mark.parametrize("recipe, outside", [("demo_68", "mask"), ("demo", "clip")])
def test_what_lies_outside(three_hundred_w_folder, mtfl_folder, recipe, outside):
    folder = three_hundred_w_folder if recipe == "demo_68" else mtfl_folder
    layout = FACE_68 if recipe == "demo_68" else FACE_5
    task = make_task(get_recipe(recipe), *load_training(folder, layout=layout))
    assert task.loss.outside == outside


def test_a_denoiser_sees_keypoints_of_which_some_are_moved(crops):
    recipe = get_recipe("demo_denoiser", corrupted=2, batch_size=8)
    task = make_task(recipe, crops, crops)
    keypoints, targets = task.batches(recipe.augmentation, 0)[0]
    assert keypoints.shape == targets.shape == (8, 5, 2)
    moved = ~np.isnan(targets).any(axis=-1)
    assert 0 < moved.sum() <= 16
    _, _, counted = task.clean
    assert (counted.sum(axis=1) == 2).all()


def test_tcdcn_learns_attributes_beside_its_keypoints(crops):
    recipe = get_recipe("table3_tcdcn", batch_size=8)
    task = make_task(recipe, _flagged(crops), crops)
    images, targets = next(iter(task.batches(recipe.augmentation, 0)))
    assert images.shape == (8, 80, 80, 1)
    assert set(targets) == set(task.loss) == set(task.loss_weights)
    assert set(targets) == {"keypoints", "gender", "smile", "glasses", "pose"}
    assert np.isnan(np.asarray(targets["keypoints"])[:, 3]).all()
    alone = make_task(get_recipe("table3_tcdcn_keypoints", batch_size=8), crops, crops)
    assert set(alone.loss) == {"keypoints"}
    assert _first(alone.batches(recipe.augmentation, 0))[1].shape == (8, 5, 2)
