"""Python's random state, from which Keras seeds the initial weights of layers."""

import contextlib
import random
from collections.abc import Iterator


@contextlib.contextmanager
def random_state(seed: int) -> Iterator[None]:
    """Seeds the weights of layers that are made meanwhile; restores the state after.

    They are those that `keras.utils.set_random_seed` gives, which seeds NumPy and the
    backend as well, for good: its user would draw the same numbers after each training.

    Args:
        seed: int.

    Example:
        >>> with random_state(0):
        ...     model = rcn_keras.build_rcn()
    """
    before = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(before)
