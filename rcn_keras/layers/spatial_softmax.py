from typing import Any

import keras
from keras import layers

from rcn_keras import codec
from rcn_keras._serialization import register
from rcn_keras._types import Shape, Tensor


@register
class SpatialSoftmax(layers.Layer):
    """Softmax over all positions of each map: the probability map of a keypoint.

    Computed in float32 whatever the dtype policy: in float16 the 6,400 cells of a map
    add up to anything between 0.997 and 1.017.

    Args:
        temperature: float, the maps are divided by it first; above 1 flattens.

    Input shape:
        `(N, H, W, K)` pre-softmax maps

    Output shape:
        `(N, H, W, K)` float32; each of the `K` maps of a sample sums to 1

    Raises:
        ValueError: if `temperature` is not positive.

    Reference:
        Honari et al., Recombinator Networks, CVPR 2016, Eq. 1 and footnote 2.
    """

    def __init__(self, temperature: float = 1.0, dtype: Any = "float32", **kwargs: Any):
        super().__init__(dtype=dtype, **kwargs)
        if not temperature > 0:
            raise ValueError(
                f"`temperature` must be positive. Received: temperature={temperature}"
            )
        self.temperature = temperature
        self.input_spec = keras.InputSpec(ndim=4)

    def call(self, inputs: Tensor) -> Tensor:
        return codec.spatial_softmax(inputs / self.temperature)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "temperature": self.temperature}
