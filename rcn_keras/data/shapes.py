"""Shapes without pictures: keypoints jittered, some of them moved anywhere (Sec. 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import keras
import numpy as np
from keras import ops

from rcn_keras.data.augmentation import Augmentation, affine_layer
from rcn_keras.faces.boxes import INPUT_SIZE
from rcn_keras.layers.random_keypoint_affine import DRAWS as AFFINE_DRAWS

if TYPE_CHECKING:
    from rcn_keras.data.crops import Crops


def corrupt(
    keypoints: np.ndarray, count: int, draws: np.ndarray, size: int = INPUT_SIZE
) -> tuple[np.ndarray, np.ndarray]:
    """Moves `count` keypoints of each face to cells drawn uniformly from the map.

    The others are clipped to the map, as the original does.

    Args:
        keypoints: `(N, K, 2)` in map pixels.
        count: int, how many keypoints of each face; 35 of 68 in the paper.
        draws: `(N, 3 K)` uniform numbers in [0, 1): an order of the keypoints, of which
            the first `count` are moved, then the columns and rows they move to.
        size: int, side of the map.

    Returns:
        corrupted: `(N, K, 2)` float32, centres of cells.
        moved: `(N, K)` bool.

    Raises:
        ValueError: if there are fewer than `count` keypoints.

    Reference:
        Honari et al., Recombinator Networks, CVPR 2016, Sec. 4 and 5.2.
    """
    number = keypoints.shape[1]
    if not 0 <= count <= number:
        raise ValueError(
            f"`count` must be between 0 and {number}. Received: count={count}"
        )
    order = np.argsort(draws[:, :number], axis=1)
    moved = np.zeros(keypoints.shape[:2], bool)
    np.put_along_axis(moved, order[:, :count], True, axis=1)
    anywhere = draws[:, number:].reshape(-1, 2, number).transpose(0, 2, 1) * size
    corrupted = np.where(moved[..., None], anywhere, keypoints)
    corrupted = np.clip(np.floor(corrupted), 0, size - 1) + 0.5
    return corrupted.astype("float32"), moved


def corrupted_shapes(
    crops: Crops, count: int, augmentation: Augmentation | None = None, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The shapes of a set, moved and corrupted once from a seed.

    Args:
        crops: `Crops`.
        count: int, keypoints moved in each face.
        augmentation: `Augmentation` whose affine part is applied, or `None`.
        seed: int.

    Returns:
        corrupted: `(N, K, 2)` float32 in map pixels.
        keypoints: `(N, K, 2)` float32, the true ones.
        counted: `(N, K)` bool, those that were moved and whose truth is known: not
            flagged as lying on the photograph's border, and inside the map.
    """
    jitter = _Jitter(augmentation, crops)
    draws = _draws(np.random.default_rng(seed), crops)
    return jitter(np.arange(len(crops)), count, draws)


class ShapeBatches(keras.utils.PyDataset):
    """Batches of corrupted shapes from a seed, for the denoising keypoint model.

    Args:
        crops: `Crops`; their pictures are not looked at.
        corrupted: int, keypoints moved in each face.
        batch_size: int.
        augmentation: `Augmentation` whose affine part is drawn, or `None`.
        seed: int.
        first_epoch: int, the epoch to begin with.

    Returns:
        By index: corrupted keypoints `(N, K, 2)` and the true ones, NaN where they were
        not moved or are not known: the loss is on the others (Sec. 4).
    """

    def __init__(
        self,
        crops: Crops,
        corrupted: int = 35,
        batch_size: int = 64,
        augmentation: Augmentation | None = Augmentation(),
        seed: int = 0,
        first_epoch: int = 0,
    ):
        super().__init__(workers=1)
        crops.check_batch_size(batch_size)
        self.crops = crops
        self.corrupted = corrupted
        self.batch_size = batch_size
        self.seed = seed
        self.epoch = first_epoch
        self._jitter = _Jitter(augmentation, crops)
        self._draw()

    def _draw(self):
        generator = np.random.default_rng([self.seed, self.epoch])
        self._order = generator.permutation(len(self.crops))
        self._drawn = _draws(generator, self.crops)

    def __len__(self):
        return len(self.crops) // self.batch_size

    def __getitem__(self, index):
        part = slice(index * self.batch_size, (index + 1) * self.batch_size)
        corrupted, keypoints, counted = self._jitter(
            self._order[part], self.corrupted, self._drawn[part]
        )
        return corrupted, np.where(counted[..., None], keypoints, np.float32("nan"))

    def on_epoch_end(self) -> None:
        self.epoch += 1
        self._draw()


class _Jitter:
    """The affine part of an augmentation on keypoints alone, then the corruption."""

    def __init__(self, augmentation, crops):
        self.training = augmentation is not None
        self.crops = crops
        self.known = crops.without_border_keypoints().keypoints
        self.affine = affine_layer(augmentation, crops.layout, crops.input_size)

    def __call__(self, indices, count, draws):
        # The flags ride along as a second set of points: a flip trades both alike.
        keypoints, known = (
            ops.convert_to_numpy(
                self.affine(
                    {"keypoints": points, "squares": self.crops.squares[indices]},
                    training=self.training,
                    draws=draws[:, :AFFINE_DRAWS],
                )["keypoints"]
            )
            for points in (self.crops.keypoints[indices], self.known[indices])
        )
        corrupted, moved = corrupt(
            keypoints, count, draws[:, AFFINE_DRAWS:], self.crops.input_size
        )
        inside = ((known >= 0) & (known < self.crops.input_size)).all(axis=-1)
        return corrupted, keypoints, moved & inside


def _draws(generator, crops):
    width = AFFINE_DRAWS + 3 * crops.keypoints.shape[1]
    return generator.random((len(crops), width), "float32")
