from typing import Any

import keras
from keras import layers, ops

from rcn_keras._serialization import register
from rcn_keras._types import Shape, Tensor


@register
class TilingUpsampling2D(layers.Layer):
    """Upsamples by tiling (repeating) values, as the paper does (footnote 3).

    `keras.layers.UpSampling2D` repeats by whole factors; what it cannot do is the step
    from the 2x2 branch to the 5x5 branch, which repeats three times and drops the last
    row and the last column: `TilingUpsampling2D(3, crop=1)`.

    Args:
        size: int, how often each row and each column is repeated.
        crop: int, rows dropped at the bottom and columns dropped at the right of the
            repeated map.

    Input shape:
        `(N, H, W, C)`

    Output shape:
        `(N, H * size - crop, W * size - crop, C)`

    Raises:
        ValueError: if `size` is below 1, or `crop` is not between 0 and `size - 1`.

    Example:
        >>> x = np.arange(4.0).reshape(1, 2, 2, 1)
        >>> TilingUpsampling2D(3, crop=1)(x).shape
        (1, 5, 5, 1)

    Reference:
        Honari et al., Recombinator Networks, CVPR 2016, Sec. 3.1 and footnotes 3, 10.
    """

    def __init__(self, size: int = 2, crop: int = 0, **kwargs: Any):
        super().__init__(**kwargs)
        if size < 1:
            raise ValueError(f"`size` must be at least 1. Received: size={size}")
        if not 0 <= crop < size:
            raise ValueError(
                f"`crop` must be between 0 and size - 1. Received: crop={crop}, "
                f"size={size}"
            )
        self.size = size
        self.crop = crop
        self.input_spec = keras.InputSpec(ndim=4)

    def call(self, inputs: Tensor) -> Tensor:
        x = ops.repeat(ops.repeat(inputs, self.size, axis=1), self.size, axis=2)
        if self.crop:
            x = x[:, : -self.crop, : -self.crop]
        return x

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        batch, height, width, channels = input_shape
        return (batch, self._grown(height), self._grown(width), channels)

    def _grown(self, length):
        return None if length is None else length * self.size - self.crop

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "size": self.size, "crop": self.crop}
