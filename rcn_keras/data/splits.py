"""Training and validation: the original's split."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from rcn_keras.data.annotations import Face


SEED = 7345


def split(count: int) -> tuple[np.ndarray, np.ndarray]:
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
        raise ValueError(f"at least 10 faces are needed. Received: count={count}")
    order = np.random.RandomState(SEED).permutation(count)
    held_out = count // 10
    return order[:-held_out], order[-held_out:]


def split_by_picture(faces: Sequence[Face]) -> tuple[np.ndarray, np.ndarray]:
    """As `split`, of pictures: all faces of one are on the same side.

    Args:
        faces: list of N `Face`.

    Returns:
        training, validation: two int arrays, indices of faces, in the permuted order of
        their pictures. With one face a picture they are those of `split`.

    Raises:
        ValueError: if there are fewer than 10 pictures.
    """
    pictures = {}
    for index, face in enumerate(faces):
        pictures.setdefault(face.image, []).append(index)
    if len(pictures) < 10:
        raise ValueError(
            "faces of at least 10 pictures are needed. Received: "
            f"{len(pictures)} pictures with {len(faces)} faces"
        )
    indices = list(pictures.values())
    training, validation = split(len(indices))
    return (
        np.concatenate([indices[i] for i in training]),
        np.concatenate([indices[i] for i in validation]),
    )
