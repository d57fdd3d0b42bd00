"""Crops without a face, cut out of the same photographs beside the faces."""

from __future__ import annotations

import concurrent.futures
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from rcn_keras.errors import InputError
from rcn_keras.faces.crop import input_crops
from rcn_keras.faces.images import read_image

if TYPE_CHECKING:
    from rcn_keras.data.crops import Crops

MOST = 4  # crops of a photograph
TRIES = 20  # squares that are drawn for them
SIDES = 0.25, 1.0  # of a square, in sides of the face's: photographs leave little room


def background_crops(crops: Crops, seed: int = 0) -> np.ndarray:
    """Squares of photographs that hold no keypoint, as the network's input.

    No square overlaps the bounding box of a face's known keypoints. Faces of which no
    keypoint is given are not known of.

    Args:
        crops: `Crops`; their photographs are read again. One that is not there, as
            those of packed faces are not, gives no crop.
        seed: int.

    Returns:
        `(M, S, S, 1)` uint8, up to `MOST` of each photograph, in their order.
    """
    size, context = crops.input_size, crops.layout.square.context
    # Sides of the faces' squares in photograph pixels.
    sides = crops.squares[:, 2] * crops.outer[:, 2] / (2 * size)
    faces = {}
    for face, side in zip(crops.faces, sides):
        faces.setdefault(face.image, []).append((face.keypoints, float(side)))

    def cut(numbered):
        number, (path, of_picture) = numbered
        try:
            image = read_image(path)
        except InputError:
            return np.zeros((0, size, size, 1), "uint8")
        keypoints, sides = zip(*of_picture)
        rng = np.random.default_rng((seed, number))
        height, width = image.shape[:2]
        squares = background_squares(keypoints, sides[0], width, height, rng)
        return input_crops([image] * len(squares), squares, context, size)

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return np.concatenate(list(pool.map(cut, enumerate(faces.items()))))


def background_squares(
    faces: Sequence[np.ndarray],
    side: float,
    width: int,
    height: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Squares of a photograph beside its faces.

    Args:
        faces: sequence of `(K, 2)`, the keypoints of each in photograph pixels, NaN
            where unknown.
        side: float, of a face's square, in these pixels.
        width, height: ints, size of the photograph.
        rng: `numpy.random.Generator`.

    Returns:
        `(M, 3)` float64, left, top, side; M is at most `MOST`.
    """
    low = np.array([np.nanmin(points, axis=0) for points in faces])
    high = np.array([np.nanmax(points, axis=0) for points in faces])
    squares = []
    for length in side * rng.uniform(*SIDES, TRIES):
        room = np.array([width, height]) - length
        if len(squares) == MOST or (room < 0).any():
            continue
        corner = rng.uniform(0, room)
        if not ((corner <= high) & (low <= corner + length)).all(axis=1).any():
            squares.append([*corner, length])
    return np.reshape(squares, (-1, 3))
