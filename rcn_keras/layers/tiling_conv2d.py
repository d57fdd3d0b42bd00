from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from rcn_keras._serialization import register
from rcn_keras._types import Shape, Tensor
from rcn_keras.layers.tiling_upsampling import TilingUpsampling2D


@register
class TilingConv2D(keras.layers.Conv2D):
    """A convolution over maps and over coarser maps tiled 2x2, which are never tiled.

    Gives what `Conv2D` with the same weights gives over the concatenation of `fine` and
    of `TilingUpsampling2D(2)(coarse)`. In a tiled map neighbours are equal, so weights
    that meet equal values are added up first: a transposed convolution of stride 2,
    with kernels of 4x4 instead of 3x3, is the same sum with 4 multiplications a pixel
    instead of 9 (9 instead of 25 for 5x5).

    Args:
        filters, kernel_size, ...: as of `keras.layers.Conv2D`; the kernel's side is
            odd, the stride 1 and the padding `"same"`.

    Call arguments:
        inputs: list of `fine`, `(N, 2 H, 2 W, C)`, and `coarse`, `(N, H, W, D)`.

    Output shape:
        `(N, 2 H, 2 W, filters)`

    Raises:
        ValueError: if the kernel's side is even, or the shapes do not fit together.
    """

    def __init__(self, filters: int, kernel_size: int | Sequence[int], **kwargs: Any):
        fixed = {"padding": "same", "data_format": "channels_last"}
        super().__init__(filters, kernel_size, **{**kwargs, **fixed})
        if any(side % 2 == 0 for side in self.kernel_size):
            raise ValueError(
                "`kernel_size` must be odd. Received: "
                f"kernel_size={tuple(self.kernel_size)}"
            )
        self.input_spec = None  # of two inputs

    def build(self, input_shape: Shape) -> None:
        fine, coarse = input_shape
        if tuple(fine[1:3]) != tuple(2 * side for side in coarse[1:3]):
            raise ValueError(
                "`inputs` must be maps and maps of half their size. Received: "
                f"{tuple(fine)} and {tuple(coarse)}"
            )
        super().build((*fine[:3], fine[3] + coarse[3]))
        self.input_spec = None

    def call(self, inputs: Tensor) -> Tensor:
        fine, coarse = inputs
        kernel = ops.convert_to_tensor(self.kernel)
        channels = fine.shape[-1]
        settings = {"padding": "same", "data_format": "channels_last"}
        outputs = ops.conv(fine, kernel[:, :, :channels], **settings)
        tiled = ops.cast(kernel[:, :, channels:], "float32")
        for axis in (0, 1):  # each weight meets the two pixels of a tile
            padding = [[0, 0]] * 4
            padding[axis] = [1, 1]
            padded = ops.pad(tiled, padding)
            before, after = [slice(None)] * 4, [slice(None)] * 4
            before[axis], after[axis] = slice(None, -1), slice(1, None)
            tiled = padded[tuple(before)] + padded[tuple(after)]
        tiled = ops.flip(ops.transpose(tiled, (0, 1, 3, 2)), axis=(0, 1))
        tiled = ops.cast(tiled, coarse.dtype)
        outputs += ops.conv_transpose(coarse, tiled, strides=2, **settings)
        if self.use_bias:
            outputs = ops.add(outputs, self.bias)
        return self.activation(outputs) if self.activation else outputs

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        if len(input_shape) == 2:
            input_shape = input_shape[0]
        return (*input_shape[:3], self.filters)


def untiled(model: keras.Model) -> keras.Model:
    """The same network with `TilingConv2D` wherever tiled maps meet a convolution.

    Args:
        model: `keras.Model`, functional.

    Returns:
        `keras.Model` with the same weights under the same layer names, or `model`
        itself if it has nothing to replace.
    """
    replaced, coarse, passed = {}, {}, set()
    for layer in model.layers:
        tiles = _tiles_of(layer)
        if tiles:
            tiling, concatenation = tiles
            replaced[layer.name] = concatenation.name
            passed |= {tiling.name, concatenation.name}
    if not replaced:
        return model

    def clone(layer):
        if layer.name in replaced:
            return TilingConv2D.from_config(layer.get_config())
        return type(layer).from_config(layer.get_config())

    def call(layer, *args, **kwargs):
        if layer.name in replaced:
            return layer([*args, coarse[replaced[layer.name]]], **kwargs)
        if layer.name not in passed:
            return layer(*args, **kwargs)
        if not isinstance(layer, keras.layers.Concatenate):
            return args[0]
        fine, coarse[layer.name] = args[0]
        return fine

    twin = keras.models.clone_model(model, clone_function=clone, call_function=call)
    for layer in twin.layers:
        layer.set_weights(model.get_layer(layer.name).get_weights())
    return twin


def _tiles_of(layer):
    """The tiling and the concatenation before a convolution, or `None`."""
    if type(layer) is not keras.layers.Conv2D or layer.kernel_size[0] == 1:
        return None
    concatenation = layer.input._keras_history.operation
    if not isinstance(concatenation, keras.layers.Concatenate):
        return None
    inputs = concatenation.input
    tiling = inputs[1]._keras_history.operation
    if len(inputs) != 2 or not isinstance(tiling, TilingUpsampling2D):
        return None
    alone = len(tiling._outbound_nodes) == len(concatenation._outbound_nodes) == 1
    if not alone or (tiling.size, tiling.crop) != (2, 0):
        return None
    return tiling, concatenation
