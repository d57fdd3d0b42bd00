from typing import Any

import keras
from keras import layers, ops

from rcn_keras._serialization import register
from rcn_keras._types import Shape, Tensor
from rcn_keras.layers.peak_one_hot import one_hot_maps


@register
class KeypointOneHot(layers.Layer):
    """Keypoints as one-hot maps: 1 in the cell that holds the keypoint, 0 elsewhere.

    Float32 whatever the dtype policy.

    Args:
        size: int, side of the maps in cells.

    Input shape:
        `(N, K, 2)` keypoints in map pixels; one outside the map, or NaN, gives a map of
        zeros.

    Output shape:
        `(N, size, size, K)`
    """

    def __init__(self, size: int = 80, dtype: Any = "float32", **kwargs: Any):
        super().__init__(dtype=dtype, **kwargs)
        self.size = size
        self.input_spec = keras.InputSpec(ndim=3)

    def call(self, inputs: Tensor) -> Tensor:
        cells = ops.floor(inputs)
        return one_hot_maps(cells[..., 0], cells[..., 1], self.size, self.size)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (input_shape[0], self.size, self.size, input_shape[1])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "size": self.size}
