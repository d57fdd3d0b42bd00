"""`tf.data` batches from crops in memory: augmented after batching, prefetched."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from rcn_keras.data.attributes import attribute_targets
from rcn_keras.data.augmentation import DRAWS, Augmentation, Augmenter, epoch_draws

if TYPE_CHECKING:
    from rcn_keras.data.crops import Crops


def training_dataset(
    crops: Crops,
    batch_size: int = 64,
    augmentation: Augmentation | None = Augmentation(),
    seed: int = 0,
    first_epoch: int = 0,
    attributes: bool = False,
) -> tf.data.Dataset:
    """Augmented batches without end, from a seed.

    Every epoch has `len(crops) // batch_size` full batches in a new order; what epoch
    `e` holds depends on `seed` and `e` alone, so a resumed run sees the batches
    that it would have seen.

    Args:
        crops: `Crops`.
        batch_size: int.
        augmentation: `Augmentation`, or `None`.
        seed: int.
        first_epoch: int, the epoch to begin with.
        attributes: bool, give the faces' attributes too.

    Returns:
        `tf.data.Dataset` of `(N, S, S, 1)` float32 images and `(N, K, 2)` float32
        keypoints in their pixels; with attributes instead a dict of
        `keypoints` and of `(N,)` int32 for each attribute (`attribute_targets`).

    Raises:
        InputError: if a face lacks an attribute.
        ValueError: if there are fewer faces than `batch_size`, or attributes are to be
            learned from mirrored faces.

    Example:
        >>> data = training_dataset(crops, batch_size=64, seed=0)
        >>> model.fit(data, steps_per_epoch=len(crops) // 64, epochs=20)
    """
    crops.check_batch_size(batch_size)
    augmenter = Augmenter(augmentation, crops.layout, crops.input_size)
    labels = attribute_targets(crops.faces, augmentation) if attributes else {}
    with tf.device("CPU"):
        images, keypoints, squares = map(
            tf.constant, (crops.images, crops.keypoints, crops.squares)
        )
        labels = {name: tf.constant(label) for name, label in labels.items()}

    steps = len(crops) // batch_size
    drawn = functools.lru_cache(maxsize=2)(epoch_draws)

    def batch_draws(step):
        order, draws = drawn(len(crops), seed, int(step) // steps)
        start = int(step) % steps * batch_size
        return order[start : start + batch_size], draws[start : start + batch_size]

    def augmented(step):
        index, draws = tf.numpy_function(batch_draws, [step], (tf.int64, tf.float32))
        index.set_shape((batch_size,))
        draws.set_shape((batch_size, DRAWS))
        inputs, targets = augmenter(
            tf.gather(images, index),
            tf.gather(keypoints, index),
            tf.gather(squares, index),
            draws,
        )
        if labels:
            batch_labels = {
                name: tf.gather(label, index) for name, label in labels.items()
            }
            targets = {"keypoints": targets, **batch_labels}
        return inputs, targets

    dataset = tf.data.Dataset.range(first_epoch * steps, tf.int64.max)
    options = tf.data.Options()
    # Replicas share the stream of batches; there are no files to share out.
    policy = tf.data.experimental.AutoShardPolicy.DATA
    options.experimental_distribute.auto_shard_policy = policy
    dataset = dataset.map(augmented, num_parallel_calls=2).with_options(options)
    return dataset.prefetch(tf.data.AUTOTUNE)


def evaluation_dataset(crops: Crops, batch_size: int = 64) -> tf.data.Dataset:
    """The faces cut out as they are, in order, the last batch smaller."""
    from rcn_keras.data.batches import input_images

    images, keypoints = input_images(crops)
    dataset = tf.data.Dataset.from_tensor_slices((images, keypoints))
    dataset = dataset.batch(batch_size)
    return dataset.map(lambda x, y: (tf.cast(x, tf.float32), y)).prefetch(2)


def all_gpus() -> Any:
    """The strategy that shares each batch among all GPUs of this machine."""
    return tf.distribute.MirroredStrategy()
