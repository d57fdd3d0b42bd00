"""The same batches without TensorFlow: a `keras.utils.PyDataset` for any backend."""

from __future__ import annotations

from typing import TYPE_CHECKING

import keras
import numpy as np
from keras import ops

from rcn_keras.data.attributes import attribute_targets
from rcn_keras.data.augmentation import DRAWS, Augmentation, Augmenter, epoch_draws

if TYPE_CHECKING:
    from rcn_keras.data.crops import Crops


def input_images(
    crops: Crops,
    augmentation: Augmentation | None = None,
    seed: int = 0,
    batch_size: int = 256,
) -> tuple[np.ndarray, np.ndarray]:
    """The network's inputs for a whole set, as bytes.

    Args:
        crops: `Crops`.
        augmentation: `None` to only cut out the square, or an `Augmentation` that is
            applied once, from `seed` (the original's validation set).
        seed: int.
        batch_size: int.

    Returns:
        images: `(N, S, S, 1)` uint8, S of `Crops.input_size`.
        keypoints: `(N, K, 2)` float32 in their pixels.
    """
    augmenter = Augmenter(augmentation, crops.layout, crops.input_size)
    # Face by face, in order: what follows a face does not change what it gets.
    draws = np.random.default_rng(seed).random((len(crops), DRAWS), "float32")
    images, keypoints = [], []
    for start in range(0, len(crops), batch_size):
        part = slice(start, start + batch_size)
        x, y = augmenter(
            crops.images[part], crops.keypoints[part], crops.squares[part], draws[part]
        )
        images.append(ops.convert_to_numpy(x).astype("uint8"))
        keypoints.append(ops.convert_to_numpy(y))
    return np.concatenate(images), np.concatenate(keypoints)


class TrainingBatches(keras.utils.PyDataset):
    """Augmented batches from a seed, made on the device that Keras runs on.

    Holds what `rcn_keras.data.pipeline.training_dataset` holds, batch by batch.

    Args:
        crops: `Crops`.
        batch_size: int.
        augmentation: `Augmentation`, or `None`.
        seed: int.
        first_epoch: int, the epoch to begin with.
        attributes: bool, give the faces' attributes too.
    """

    def __init__(
        self,
        crops: Crops,
        batch_size: int = 64,
        augmentation: Augmentation | None = Augmentation(),
        seed: int = 0,
        first_epoch: int = 0,
        attributes: bool = False,
    ):
        super().__init__(workers=1)
        crops.check_batch_size(batch_size)
        self.batch_size = batch_size
        self.seed = seed
        self.epoch = first_epoch
        self.count = len(crops)
        self._labels = (
            attribute_targets(crops.faces, augmentation) if attributes else {}
        )
        self._arrays = tuple(
            ops.convert_to_tensor(array)
            for array in (crops.images, crops.keypoints, crops.squares)
        )
        self._augment = _compiled(
            Augmenter(augmentation, crops.layout, crops.input_size)
        )
        self._drawn = epoch_draws(self.count, seed, first_epoch)

    def __len__(self):
        return self.count // self.batch_size

    def __getitem__(self, index):
        order, draws = self._drawn
        part = slice(index * self.batch_size, (index + 1) * self.batch_size)
        images, keypoints = self._augment(order[part], draws[part], *self._arrays)
        if not self._labels:
            return images, keypoints
        labels = {name: label[order[part]] for name, label in self._labels.items()}
        return images, {"keypoints": keypoints, **labels}

    def on_epoch_end(self) -> None:
        self.epoch += 1
        self._drawn = epoch_draws(self.count, self.seed, self.epoch)


def _compiled(augmenter):
    def augmented(index, draws, images, keypoints, squares):
        return augmenter(
            ops.take(images, index, axis=0),
            ops.take(keypoints, index, axis=0),
            ops.take(squares, index, axis=0),
            draws,
        )

    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(augmented)
    return augmented
