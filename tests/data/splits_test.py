import pathlib

import numpy as np
import pytest

from rcn_keras.data.annotations import Face
from rcn_keras.data.splits import split, split_by_picture


@pytest.mark.parametrize(
    "count, held_out, first, last",
    [
        (10000, 1000, [4600, 8841, 6105, 6800, 298], [7669, 7118, 1766, 4895, 229]),
        (3148, 314, [2258, 1928, 1175, 2500, 3115], [280, 1766, 799, 685, 229]),
    ],
)
def test_the_originals_split(count, held_out, first, last):
    training, validation = split(count)
    assert (len(training), len(validation)) == (count - held_out, held_out)
    assert training[:5].tolist() == first and validation[-5:].tolist() == last
    both = np.sort(np.concatenate([training, validation]))
    np.testing.assert_array_equal(both, np.arange(count))


def test_small_sets():
    assert [len(part) for part in split(10)] == [9, 1]
    with pytest.raises(
        ValueError, match="at least 10 faces are needed. Received: count=9"
    ):
        split(9)


def faces_of(pictures):
    """A face for each name of a picture."""
    return [Face(pathlib.Path(name), np.zeros((1, 2)), name) for name in pictures]


def test_faces_of_one_picture_stay_on_one_side():
    pictures = [f"{number}.jpg" for number in range(30)]
    faces = faces_of(np.random.default_rng(0).permutation(pictures * 3))
    training, validation = split_by_picture(faces)
    sides = [{faces[i].image for i in side} for side in (training, validation)]
    assert not sides[0] & sides[1] and [len(side) for side in sides] == [27, 3]
    both = np.sort(np.concatenate([training, validation]))
    np.testing.assert_array_equal(both, np.arange(90))


def test_with_one_face_a_picture_the_split_by_picture_is_the_split():
    faces = faces_of(map(str, range(57)))
    for side, expected in zip(split_by_picture(faces), split(57)):
        np.testing.assert_array_equal(side, expected)


def test_a_split_by_picture_takes_ten_pictures():
    with pytest.raises(ValueError, match="Received: 9 pictures with 18 faces"):
        split_by_picture(faces_of([*"abcdefghi"] * 2))
