"""A joint model with nothing drawn and nothing tiled between its two networks."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from rcn_keras import codec
from rcn_keras._types import Shape, Tensor
from rcn_keras.layers import (
    LargeKernelConv2D,
    PeakOneHot,
    TilingUpsampling2D,
    fourier,
)
from rcn_keras.layers.tiling_conv2d import untiled
from rcn_keras.models import JointModel


class PeakConv2D(LargeKernelConv2D):
    """A large convolution of the one-hot maps of peaks, which are never drawn.

    Args:
        pooling: int, a divisor of H and W: the maps with the peaks are this much larger
            than those of the convolution.
        kwargs: as for `LargeKernelConv2D`.

    Input shape:
        `(N, H pooling, W pooling, K)` maps, pre-softmax or probabilities

    Output shape:
        `(N, H, W, filters)` float32
    """

    def __init__(self, pooling: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.pooling = pooling

    def convolution_op(self, inputs: Tensor, kernel: Tensor) -> Tensor:
        x, y = (
            ops.cast(ops.floor(cell / self.pooling), "int32")
            for cell in codec.peak_cells(inputs, self.pooling)
        )
        _, height, width, _ = self.compute_output_shape(inputs.shape)
        transform = fourier.transform_kernel(kernel, height, width)
        return fourier.convolve_peaks(
            x, y, (height, width), transform, self.kernel_size
        )

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        batch, height, width, _ = input_shape
        return (batch, height // self.pooling, width // self.pooling, self.filters)


class TiledSum(layers.Layer):
    """Fine maps, and coarse ones tiled and weighted, added without tiling them.

    In the order that the decoder wants, a map after the other.

    Args:
        size: int, how often each row and each column of the coarse maps counts.
        weight: float, factor of the coarse maps.

    Call arguments:
        inputs: list of `(N, H size, W size, K)` and `(N, H, W, K)` maps.

    Output shape:
        `(N, H size, W size, K)` float32
    """

    def __init__(self, size: int, weight: float):
        super().__init__(dtype="float32", trainable=False)
        self.size = size
        self.weight = weight

    def call(self, inputs: list[Tensor]) -> Tensor:
        fine, coarse = inputs
        _, height, width, count = fine.shape
        # Columns by a product: a sum over tiles of two columns is not vectorised.
        columns = np.repeat(np.eye(coarse.shape[2], dtype="float32"), self.size, axis=1)
        tiled = ops.matmul(codec.tile_rows(coarse, 1), self.weight * columns)
        summed = codec.tile_rows(fine, self.size) + tiled
        summed = ops.reshape(summed, (-1, count, height, width))
        return ops.transpose(summed, (0, 2, 3, 1))

    def compute_output_shape(self, input_shape: list[Shape]) -> Shape:
        return input_shape[0]


def lean_joint(joint: JointModel) -> keras.Model:
    """The same network without one-hot maps and tiled maps, wherever it has them.

    Args:
        joint: `JointModel`.

    Returns:
        functional `keras.Model`, images to the same pre-softmax maps, not to be saved.
    """
    images = keras.Input(joint.input_shape[1:], name="images")
    seen = summed = untiled(joint.rcn)(images)
    prior, size = _prior(joint.denoiser)
    add = TiledSum(size, joint.denoiser_weight)
    for _ in range(joint.iterations):
        summed = add([seen, prior(summed)])
    return keras.Model(images, summed, name=joint.name)


def _prior(denoiser):
    """RCN's maps to the denoiser's before they are tiled, and by how much they are."""
    chain = denoiser.layers[1:]
    pooling = 1
    if isinstance(chain[0], layers.MaxPooling2D):
        pooling, _ = chain.pop(0).pool_size
    last = chain.pop() if isinstance(chain[-1], TilingUpsampling2D) else None
    maps = x = keras.Input(denoiser.input_shape[1:], name="maps")
    if isinstance(chain[0], LargeKernelConv2D) and chain[0].method == "fft":
        layer = chain.pop(0)
        twin = PeakConv2D(pooling, **layer.get_config())
        x = twin(x)
        twin.set_weights(layer.get_weights())
    else:
        x = PeakOneHot(pooling)(x)
    for layer in chain:
        x = layer(x)
    return keras.Model(maps, x, name=denoiser.name), last.size if last else 1
