import dataclasses
import pathlib

import numpy as np
import pytest

from rcn_keras.data.backgrounds import MOST, background_crops, background_squares
from rcn_keras.data.packed import load_packed, pack
from rcn_keras.layout import FACE_5


def test_squares_lie_in_the_picture_and_hold_no_keypoint():
    rng = np.random.default_rng(0)
    one = np.array([[40, 40], [80, 42], [np.nan, np.nan], [45, 80], [76, 81]])
    faces = [one, one + [150, 20]]
    for _ in range(50):
        squares = background_squares(faces, 60.0, 300, 200, rng)
        assert squares.shape[1:] == (3,) and 1 <= len(squares) <= MOST
        low, side = squares[:, :2], squares[:, 2:]
        assert (low >= 0).all() and (low + side <= [300, 200]).all()
        assert (side >= 15).all() and (side <= 60).all()
        for face in faces:
            known = face[~np.isnan(face[:, 0])]
            inside = (known[None] >= low[:, None]) & (known <= (low + side)[:, None])
            assert not inside.all(axis=-1).any()
            first, last = known.min(axis=0), known.max(axis=0)
            apart = (low > last) | (low + side < first)
            assert apart.any(axis=1).all()


def test_a_face_that_fills_the_picture_leaves_no_background():
    points = np.array([[1, 1], [99, 1], [50, 50], [1, 99], [99, 99]])
    rng = np.random.default_rng(0)
    assert background_squares([points], 100.0, 100, 100, rng).shape == (0, 3)


def test_crops_are_of_the_photographs_and_the_same_each_time(crops):
    found = background_crops(crops)
    assert found.dtype == np.uint8 and found.shape[1:] == (80, 80, 1)
    assert 24 <= len(found) <= MOST * 24
    assert np.array_equal(found, background_crops(crops))
    assert not np.array_equal(found[:24], background_crops(crops, seed=1)[:24])


def test_packed_faces_have_no_photographs_and_no_backgrounds(
    crops, tmp_path, monkeypatch
):
    pack(crops.take(range(4, 24)), crops.take(range(4)), tmp_path / "packed")
    monkeypatch.chdir(tmp_path)
    _, validation = load_packed(tmp_path / "packed", FACE_5)
    assert background_crops(validation).shape == (0, 80, 80, 1)


@pytest.mark.parametrize("image", ["missing.jpg", "folder"])
def test_a_photograph_that_cannot_be_read_is_left_out(crops, tmp_path, image):
    (tmp_path / "folder").mkdir()
    gone = dataclasses.replace(crops.faces[0], image=pathlib.Path(tmp_path / image))
    some = dataclasses.replace(crops, faces=[gone, *crops.faces[1:]])
    assert 0 < len(background_crops(some)) < len(background_crops(crops))
