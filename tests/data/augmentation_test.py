import dataclasses

import numpy as np
import pytest
from layer_checks import to_numpy

from rcn_keras.data.augmentation import DRAWS, Augmentation, Augmenter, epoch_draws
from rcn_keras.layers import RandomKeypointAffine, RandomOcclusion
from rcn_keras.layout import FACE_5, FACE_68, KeypointLayout

PLAIN = Augmentation(flip=False, occlusion=False)


def arrays(crops):
    return crops.images, crops.keypoints, crops.squares


def augmented(crops, augmentation, draws):
    out = Augmenter(augmentation, crops.layout)(*arrays(crops), draws)
    return tuple(map(to_numpy, out))


def uniform(count, seed=0):
    return np.random.default_rng(seed).random((count, DRAWS), "float32")


def test_the_papers_settings():
    assert dataclasses.astuple(Augmentation()) == (0.1, 0.1, 40.0, True, True)


def test_none_cuts_out_the_square(crops):
    images, keypoints = augmented(crops, None, uniform(24))
    assert images.shape == (24, 80, 80, 1) and keypoints.shape == (24, 5, 2)
    for n in range(24):
        left, top, side = crops.squares[n]
        expected = (crops.keypoints[n] - [left, top]) * 80 / side
        np.testing.assert_allclose(keypoints[n], expected, atol=1e-3)
    assert (keypoints > 0).all() and (keypoints < 80).all()


@pytest.mark.parametrize("augmentation", [None, PLAIN, Augmentation()])
def test_images_are_whole_grey_levels(crops, augmentation):
    images, _ = augmented(crops, augmentation, uniform(24))
    assert images.dtype == "float32"
    np.testing.assert_array_equal(images, np.rint(images))
    assert images.min() >= 0 and 100 < images.max() <= 255


def test_equals_the_layers(crops):
    draws = uniform(24)
    images, keypoints = augmented(crops, Augmentation(), draws)
    affine = RandomKeypointAffine(flip_pairs=[[0, 1], [3, 4]])
    names = ("images", "keypoints", "squares")
    moved = to_numpy(affine(dict(zip(names, arrays(crops))), draws=draws[:, :5]))
    np.testing.assert_array_equal(keypoints, moved["keypoints"])
    whole = np.rint(moved["images"])
    occluded = to_numpy(RandomOcclusion()(whole, draws=draws[:, 5:]))
    assert (occluded != whole).any(axis=(1, 2, 3)).all()
    # A tie may be rounded either way.
    assert np.mean(images != occluded) < 1e-4


@pytest.mark.parametrize(
    "field", ["scale", "translation", "rotation", "flip", "occlusion"]
)
def test_every_setting_counts(crops, field):
    draws = uniform(24)
    whole = augmented(crops, Augmentation(), draws)
    without = dataclasses.replace(Augmentation(), **{field: 0})
    images, keypoints = augmented(crops, without, draws)
    assert (images != whole[0]).any()
    assert (keypoints != whole[1]).any() == (field != "occlusion")


def test_68_keypoints(crops):
    many = dataclasses.replace(
        crops,
        keypoints=np.tile(crops.keypoints, (1, 14, 1))[:, :68],
        layout=FACE_68,
    )
    for augmentation in (None, Augmentation()):
        _, keypoints = augmented(many, augmentation, uniform(24))
        assert keypoints.shape == (24, 68, 2)


def test_a_layout_without_mirror_pairs_is_not_flipped(crops):
    names = tuple("abcde")
    plain = dataclasses.replace(crops, layout=KeypointLayout("five", names))
    draws = uniform(24)
    _, found = augmented(plain, Augmentation(), draws)
    _, expected = augmented(crops, Augmentation(flip=False), draws)
    np.testing.assert_array_equal(found, expected)


def test_epoch_draws():
    order, draws = epoch_draws(500, seed=3, epoch=2)
    np.testing.assert_array_equal(np.sort(order), np.arange(500))
    assert draws.shape == (500, DRAWS) and draws.dtype == "float32"
    assert draws.min() >= 0 and draws.max() < 1
    assert np.abs(draws.mean(axis=0) - 0.5).max() < 0.06
    again = epoch_draws(500, seed=3, epoch=2)
    assert (again[0] == order).all() and (again[1] == draws).all()
    for seed, epoch in ((3, 1), (2, 2), (2, 3)):
        other = epoch_draws(500, seed, epoch)
        assert (other[0] != order).any() and (other[1] != draws).any()


def test_a_larger_input_has_larger_rectangles():
    augmenter = Augmenter(Augmentation(), FACE_5, size=160)
    assert (augmenter.occlusion.min_size, augmenter.occlusion.max_size) == (40, 100)
    assert augmenter.affine.size == 160
