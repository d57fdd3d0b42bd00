"""Keras' global dtype policy, for a while."""

import contextlib
from collections.abc import Iterator

import keras


@contextlib.contextmanager
def dtype_policy(name: str) -> Iterator[None]:
    """Sets the dtype policy of the layers that are made meanwhile; restores it after.

    Args:
        name: str, such as `"float32"` or `"mixed_bfloat16"`.

    Example:
        >>> with dtype_policy("float32"):
        ...     model = rcn_keras.build_rcn()
    """
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
