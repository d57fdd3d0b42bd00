"""Training and validation: the original's split."""

import numpy as np

SEED = 7345


def split(count):
    """Indices of the training and the validation faces.

    The permutation of numpy's legacy generator seeded 7345; the last tenth validates
    (1,000 of MTFL's 10,000).

    Args:
        count: int, number of faces.

    Returns:
        training, validation: two int arrays, in permuted order.

    Raises:
        ValueError: if there are fewer than 10 faces.
    """
    if count < 10:
        raise ValueError(f"A split takes at least 10 faces. Received: count={count}")
    order = np.random.RandomState(SEED).permutation(count)
    held_out = count // 10
    return order[:-held_out], order[-held_out:]
