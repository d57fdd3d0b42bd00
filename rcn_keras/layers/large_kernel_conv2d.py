from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers, ops

from rcn_keras._serialization import register
from rcn_keras._types import Shape, Tensor
from rcn_keras.layers import fourier

METHODS = ("fft", "direct")


@register
class LargeKernelConv2D(layers.Conv2D):
    """`keras.layers.Conv2D` for kernels as large as the map, through the frequencies.

    Weights and results (to a few parts in a million) are those of a `Conv2D` with
    `padding="same"`. Forward and backward pass work on Fourier transforms: for
    45x45 kernels on 80x80 maps, at a full batch, a hundredth of the multiply-adds.
    Their arithmetic is float32 whatever the dtype policy; on an accelerator its matrix
    products are as exact as the backend's setting for float32.

    The kernels' transform is computed at each call, so that it is never that of other
    weights. That pays at a full batch; where one map at a time is wanted, the copy of a
    model that `inference_model` makes computes it once for all.

    Args:
        filters: int, maps out.
        kernel_size: int or two ints, odd or even.
        method: `"fft"`, or `"direct"` for `Conv2D`'s own path. May be set later on,
            before the model is compiled or exported.
        strides, padding, data_format, args, kwargs: as for `Conv2D`; stride 1, padding
            "same" (the default here), channels last, no dilation and no groups are all
            there is.

    Input shape:
        `(N, H, W, C)`; H and W fixed for `"fft"`

    Output shape:
        `(N, H, W, filters)`

    Raises:
        ValueError: for any other method, stride, padding, data format, dilation or
            groups.

    Example:
        >>> layer = LargeKernelConv2D(64, 45, activation="relu")
        >>> layer(ops.zeros((1, 80, 80, 68))).shape
        (1, 80, 80, 64)

    Reference:
        Mathieu et al., Fast Training of Convolutional Networks through FFTs, ICLR 2014.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = (1, 1),
        padding: str = "same",
        data_format: str = "channels_last",
        *args: Any,
        method: str = "fft",
        **kwargs: Any,
    ):
        super().__init__(
            filters, kernel_size, strides, padding, data_format, *args, **kwargs
        )
        self.method = method
        only = {
            "strides": (1, 1),
            "padding": "same",
            "data_format": "channels_last",
            "dilation_rate": (1, 1),
            "groups": 1,
        }
        for name, wanted in only.items():
            if getattr(self, name) != wanted:
                raise ValueError(
                    f"`{name}` must be {wanted!r}. "
                    f"Received: {name}={getattr(self, name)!r}"
                )

    @property
    def method(self) -> str:
        return self._method

    @method.setter
    def method(self, method: str) -> None:
        if method not in METHODS:
            raise ValueError(f"`method` must be one of {METHODS}. Received: {method!r}")
        self._method = method

    def build(self, input_shape: Shape) -> None:
        if self.method == "fft" and None in input_shape[1:3]:
            raise ValueError(
                '`method="fft"` needs maps of a fixed size. '
                f"Received: input_shape={input_shape}"
            )
        super().build(input_shape)

    def convolution_op(self, inputs: Tensor, kernel: Tensor) -> Tensor:
        if self.method == "direct":
            return super().convolution_op(inputs, kernel)
        kernel = ops.cast(kernel, "float32")
        transform = fourier.transform_kernel(kernel, *inputs.shape[1:3])
        maps = ops.cast(inputs, "float32")
        outputs = fourier.convolve(maps, transform, self.kernel_size)
        return ops.cast(outputs, self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "method": self.method}


class TransformedConv2D(layers.Layer):
    """A `LargeKernelConv2D` for prediction: the kernels' transform in their place.

    The transform, 174 MB for 64 kernels of 45x45x64 on 80x80 maps, is a weight of this
    layer, not trained. An exported SavedModel holds it, a file of Keras never does.

    Args:
        layer: `LargeKernelConv2D`, built, whose weights are taken as they are now.

    Input shape:
        `(N, H, W, C)`, what `layer` was built for

    Output shape:
        `(N, H, W, filters)`

    Raises:
        NotImplementedError: if it is saved by Keras.
    """

    def __init__(self, layer: LargeKernelConv2D):
        super().__init__(name=layer.name, dtype=layer.dtype_policy, trainable=False)
        _, height, width, channels = layer.get_build_config()["input_shape"]
        self.filters = layer.filters
        self.kernel_size = layer.kernel_size
        self.activation = layer.activation
        self.input_spec = keras.InputSpec(shape=(None, height, width, channels))
        kernel = ops.cast(layer.kernel, "float32")
        transform = fourier.transform_kernel(kernel, height, width)
        # A copy: JAX gives away the arrays of a model that it trains.
        bias = ops.copy(layer.bias) if layer.use_bias else ops.zeros(layer.filters)
        self.transform = self._constant("transform", transform)
        self.bias = self._constant("bias", bias)
        self.built = True

    def _constant(self, name, value):
        return self.add_weight(
            name=name,
            shape=value.shape,
            initializer=lambda shape, dtype: ops.cast(value, dtype),
            dtype="float32",
            autocast=False,
            trainable=False,
        )

    def call(self, inputs: Tensor) -> Tensor:
        maps = ops.cast(inputs, "float32")
        outputs = fourier.convolve(maps, self.transform, self.kernel_size) + self.bias
        return self.activation(ops.cast(outputs, self.compute_dtype))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (*input_shape[:-1], self.filters)

    def get_config(self) -> dict[str, Any]:
        raise NotImplementedError(
            f"Layer {self.name!r} of an `inference_model` is not saved by Keras: save "
            "the model that it was made from, or export this one."
        )

    def save_own_variables(self, store: Any) -> None:
        self.get_config()


def inference_model(model: keras.Model) -> keras.Model:
    """A copy of a model for prediction, its large kernels' transforms computed once.

    A copy in full: training or loading weights changes the one model and not the
    other, so a transform cannot go stale; make a new copy then. It predicts, compiled
    or not, and exports to a SavedModel (`keras.export.ExportArchive`), which holds the
    transforms; it cannot be trained further or saved by Keras.

    Args:
        model: functional `keras.Model`, models inside it included.

    Returns:
        `keras.Model`, each `LargeKernelConv2D` of method "fft" a `TransformedConv2D`.
    """

    def copied(layer):
        if isinstance(layer, LargeKernelConv2D) and layer.method == "fft":
            return TransformedConv2D(layer)
        copy = layer.__class__.from_config(layer.get_config())
        copy.build_from_config(layer.get_build_config())
        copy.set_weights(layer.get_weights())
        return copy

    return keras.models.clone_model(model, clone_function=copied, recursive=True)
