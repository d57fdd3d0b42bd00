from collections.abc import Sequence
from typing import Any

import keras
from keras import layers

from rcn_keras.layers import (
    KeypointOneHot,
    LargeKernelConv2D,
    TilingUpsampling2D,
)
from rcn_keras.layout import KeypointLayout, chosen_layout
from rcn_keras.models.blocks import convolution
from rcn_keras.models.keypoint_model import KeypointModel


def build_denoiser(
    keypoints: int = 68,
    layout: KeypointLayout | None = None,
    filters: Sequence[int] = (64, 64, 64),
    kernel_size: int = 45,
    factorised: bool = False,
    pooling: int = 1,
    size: int = 80,
    method: str = "fft",
    from_keypoints: bool = False,
    l2: float = 0.0,
    kernel_initializer: Any = "he_normal",
    name: str = "denoiser",
) -> KeypointModel:
    """Builds the denoising keypoint model: where a keypoint lies, given the others.

    It sees no image, only one-hot maps of the keypoints, some of them wrong, and gives
    maps of where each should be: ReLU convolutions whose kernels span more than half of
    the map, and a 1x1 convolution. The defaults are the paper's network; the other
    arguments make smaller ones.

    Args:
        keypoints: int, of `FACE_5` or of `FACE_68`, the layout that is meant.
        layout: `KeypointLayout` of any K keypoints; `keypoints` is then ignored.
        filters: tuple of ints, maps of each large convolution; `()` leaves a 1x1
            convolution of the input.
        kernel_size: int, side of their kernels in cells of the (pooled) map.
        factorised: bool, each large convolution is a `kernel_size` x 1 one followed by
            a 1 x `kernel_size` one of as many maps.
        pooling: int, the one-hot maps are max-pooled by this factor on the way in and
            the pre-softmax maps tiled by it on the way out.
        size: int, side of the maps in cells.
        method: `"fft"` or `"direct"`, how a large convolution that is not factorised
            is computed (`LargeKernelConv2D`); the weights are the same.
        from_keypoints: bool, the input is `(N, K, 2)` keypoints in map pixels, drawn as
            one-hot maps inside the network: what it is trained on.
        l2: float, factor of the sum of squared kernels.
        kernel_initializer: Keras initialiser or its name.
        name: str, name of the model.

    Returns:
        `KeypointModel`, `(N, size, size, K)` one-hot maps to `(N, size, size, K)`
        pre-softmax maps.

    Raises:
        ValueError: if `pooling` does not divide `size`, or `filters` is a number.

    Example:
        >>> rcn_keras.build_denoiser().count_params()
        25406212

    Reference:
        Honari et al., Recombinator Networks, CVPR 2016, Sec. 4, Fig. 2 (the sizes are
        those of the figure and of the original code).
    """
    if not isinstance(pooling, int) or pooling < 1 or size % pooling:
        raise ValueError(
            f"`pooling` must divide the map's side of {size}. "
            f"Received: pooling={pooling}"
        )
    if isinstance(filters, int):
        raise ValueError(
            "`filters` must be a tuple, a number for each large convolution. "
            f"Received: filters={filters}"
        )
    layout = chosen_layout(keypoints, layout)
    regularizer = keras.regularizers.L2(l2) if l2 else None
    if from_keypoints:
        inputs = keras.Input((layout.count, 2), name="keypoints")
        # Drawn on the pooled map: the same cells, a fraction of the memory.
        x = layers.Rescaling(1 / pooling, dtype="float32", name="scale")(inputs)
        x = KeypointOneHot(size // pooling, name="one_hot")(x)
    else:
        inputs = x = keras.Input((size, size, layout.count), name="maps")
        if pooling > 1:
            x = layers.MaxPooling2D(pooling, data_format="channels_last", name="pool")(
                x
            )
    for i, width in enumerate(filters, 1):
        if factorised:
            tall, wide = (kernel_size, 1), (1, kernel_size)
            x = layers.Conv2D(
                width,
                tall,
                padding="same",
                data_format="channels_last",
                use_bias=False,
                kernel_initializer=kernel_initializer,
                kernel_regularizer=regularizer,
                name=f"large_{i}_tall",
            )(x)
            x = convolution(x, width, wide, f"large_{i}", l2, kernel_initializer)
        else:
            x = LargeKernelConv2D(
                width,
                kernel_size,
                method=method,
                activation="relu",
                kernel_initializer=kernel_initializer,
                kernel_regularizer=regularizer,
                name=f"large_{i}",
            )(x)
    x = convolution(
        x, layout.count, 1, "output", l2, kernel_initializer, activation=None
    )
    if pooling > 1:
        x = TilingUpsampling2D(pooling, name="upsample")(x)
    return KeypointModel(inputs, x, layout, name=name)
