from typing import Any

import keras
import numpy as np
from keras import layers, ops

from rcn_keras._serialization import register
from rcn_keras._types import Shape, Tensor


def _blur_matrix(length, size, sigma):
    """`(length, length)`: row i holds the Gaussian around i; outside counts as zero."""
    offsets = np.arange(length)[None, :] - np.arange(length)[:, None]
    taps = np.exp(-0.5 * (np.arange(size) - size // 2) ** 2 / sigma**2)
    inside = np.abs(offsets) <= size // 2
    offsets = np.where(inside, offsets, 0)  # Far ones would underflow.
    kernel = np.exp(-0.5 * offsets**2 / sigma**2) / taps.sum()
    return np.where(inside, kernel, 0.0).astype("float32")


@register
class LocalContrastNormalization(layers.Layer):
    """Subtracts the local mean and divides by the local standard deviation.

    With `g` a Gaussian window, `v = x - g*x` and `s = sqrt(g*v^2)` (zero padding), the
    output is `(v / max(s, mean(s)) + 2.5) / 5`. The original takes `mean(s)` over the
    whole mini-batch; here it is taken over each image, so that an answer does not
    depend on its batch mates. Each channel is normalised by itself. Computed in float32
    whatever the dtype policy.

    The window is separable, so each blur is two products with a banded matrix: exact,
    with the zero padding in it, and faster than a depthwise convolution.

    Args:
        size: int, odd, side of the window in pixels.
        sigma: float, standard deviation of the Gaussian in pixels.

    Input shape:
        `(N, H, W, C)`, grey values 0...255; H and W fixed

    Output shape:
        `(N, H, W, C)` float32, finite for any finite image, a constant one too

    Raises:
        ValueError: if `size` is even or not positive.

    Reference:
        Honari et al., Recombinator Networks, CVPR 2016, Sec. 5.1 (no formula there);
        Jarrett et al., ICCV 2009.
    """

    def __init__(
        self, size: int = 9, sigma: float = 1.591, dtype: Any = "float32", **kwargs: Any
    ):
        super().__init__(dtype=dtype, **kwargs)
        if size < 1 or size % 2 == 0:
            raise ValueError(f"`size` must be odd and positive. Received: size={size}")
        self.size = size
        self.sigma = sigma
        self.input_spec = keras.InputSpec(ndim=4)

    def build(self, input_shape: Shape) -> None:
        _, height, width, _ = input_shape
        self._rows = _blur_matrix(height, self.size, self.sigma)
        self._columns = _blur_matrix(width, self.size, self.sigma)

    def call(self, inputs: Tensor) -> Tensor:
        x = ops.transpose(inputs, (0, 3, 1, 2))
        v = x - self._blur(x)
        s = ops.sqrt(self._blur(v * v))
        divisor = ops.maximum(s, ops.mean(s, axis=(2, 3), keepdims=True))
        # Only an image of zeros has a divisor of 0 here; on grey values of 0...255 the
        # floor is far below anything a camera gives.
        normalized = (v / ops.maximum(divisor, 1e-6) + 2.5) / 5.0
        return ops.transpose(normalized, (0, 2, 3, 1))

    def _blur(self, x):
        # Constants from the left: from the right they are a dense layer's weights to
        # OpenVINO, whose product with one image takes several times as long.
        for matrix in (self._rows, self._columns):
            x = ops.transpose(ops.matmul(matrix, x), (0, 1, 3, 2))
        return x

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "size": self.size, "sigma": self.sigma}
