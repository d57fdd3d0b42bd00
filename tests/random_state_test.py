import random

import keras
import numpy as np
import pytest

import rcn_keras
from rcn_keras.random_state import random_state


def weights():
    return np.concatenate(
        [np.ravel(w) for w in rcn_keras.build_rcn(branches=4).get_weights()]
    )


def test_the_weights_are_those_of_keras_own_seed():
    with random_state(3):
        seeded = weights()
    with random_state(4):
        other = weights()
    before = random.getstate(), np.random.get_state()
    try:
        keras.utils.set_random_seed(3)
        expected = weights()
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])
    np.testing.assert_array_equal(seeded, expected)
    assert not np.array_equal(seeded, other)


def test_the_state_before_is_restored_whatever_happens():
    random.seed(7)
    expected = [random.random() for _ in range(3)]
    random.seed(7)
    first = random.random()
    with pytest.raises(KeyError), random_state(0):
        random.random()
        raise KeyError
    assert [first, random.random(), random.random()] == expected
