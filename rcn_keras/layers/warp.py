"""The one bilinear affine warp that training, evaluation and prediction share."""

import keras
from keras import ops

from rcn_keras._types import Tensor


def warp_affine(images: Tensor, transforms: Tensor, height: int, width: int) -> Tensor:
    """Resamples each image under its own affine map, bilinearly, black outside.

    Half-pixel correct: pixel (i, j) covers [i, i+1) x [j, j+1). Equal to
    `tfa.image.transform` of tensorflow-addons 0.23.0 after the change of coordinates
    (tests/layers/tfa_parity_test.py).

    Args:
        images: `(N, H, W, C)`, float or uint8.
        transforms: `(N, 2, 3)` float32, output (x, y, 1) to input (x, y), in continuous
            pixels.
        height, width: ints, size of the output in pixels.

    Returns:
        `(N, height, width, C)` float32. A tap outside its image counts as 0.
    """
    images = ops.cast(images, "float32")
    # Continuous coordinates to pixel indices: index = coordinate - 1/2 on both sides.
    linear = transforms[:, :, :2]
    offset = transforms[:, :, 2] + 0.5 * ops.sum(linear, axis=2) - 0.5
    if keras.backend.backend() == "tensorflow":
        return _warp_tensorflow(images, linear, offset, height, width)
    return _warp_gather(images, linear, offset, height, width)


def _warp_tensorflow(images, linear, offset, height, width):
    # TensorFlow's kernel behind `keras.ops.image.affine_transform`, which fixes the
    # output's size to the input's: 4 times the pixels for 160 -> 80.
    import tensorflow as tf

    vector = tf.concat(
        [linear[:, 0], offset[:, :1], linear[:, 1], offset[:, 1:]], axis=1
    )
    vector = tf.pad(vector, [[0, 0], [0, 2]])
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=vector,
        output_shape=[height, width],
        fill_value=0.0,
        interpolation="BILINEAR",
    )


def _warp_gather(images, linear, offset, height, width):
    source_height, source_width, channels = images.shape[1:]
    rows, columns = ops.meshgrid(
        ops.arange(height, dtype="float32"),
        ops.arange(width, dtype="float32"),
        indexing="ij",
    )
    # Written out: a matrix product may run at reduced precision on an accelerator.
    a, b, c, d = (linear[:, i, j, None, None] for i in (0, 1) for j in (0, 1))
    x = a * columns + b * rows + offset[:, 0, None, None]
    y = c * columns + d * rows + offset[:, 1, None, None]
    # One black pixel before and two behind stand for everything outside.
    x = ops.reshape(ops.clip(x, -1, source_width) + 1, (-1, height * width))
    y = ops.reshape(ops.clip(y, -1, source_height) + 1, (-1, height * width))
    padded = ops.pad(images, [[0, 0], [1, 2], [1, 2], [0, 0]])
    stride = source_width + 3
    flat = ops.reshape(padded, (-1, (source_height + 3) * stride, channels))
    x0, y0 = ops.floor(x), ops.floor(y)
    fx, fy = (x - x0)[..., None], (y - y0)[..., None]
    index = ops.cast(y0, "int32") * stride + ops.cast(x0, "int32")

    def tap(shift):
        return ops.take_along_axis(flat, (index + shift)[..., None], axis=1)

    top = tap(0) * (1 - fx) + tap(1) * fx
    bottom = tap(stride) * (1 - fx) + tap(stride + 1) * fx
    return ops.reshape(top * (1 - fy) + bottom * fy, (-1, height, width, channels))
