import keras
import pytest

from rcn_keras.dtype_policy import dtype_policy


def test_the_policy_holds_inside_and_is_restored_even_after_an_error():
    before = keras.config.dtype_policy()
    with pytest.raises(RuntimeError), dtype_policy("mixed_bfloat16"):
        assert keras.layers.Dense(1).compute_dtype == "bfloat16"
        raise RuntimeError
    assert keras.config.dtype_policy() == before
    assert keras.layers.Dense(1).compute_dtype == before.compute_dtype
