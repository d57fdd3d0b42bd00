from typing import Any

import keras
from keras import layers, ops

from rcn_keras import codec
from rcn_keras._serialization import register
from rcn_keras._types import Shape, Tensor


def one_hot_maps(cells_x: Tensor, cells_y: Tensor, height: int, width: int) -> Tensor:
    """Maps that are 1 in one cell and 0 in all others.

    Args:
        cells_x, cells_y: `(N, K)` float, column and row of each cell; a coordinate in
            map pixels is in the cell of its whole part.
        height, width: ints, size of the maps.

    Returns:
        `(N, height, width, K)` float32. A cell outside the map, or NaN, gives a map
        of zeros.

    Example:
        >>> one_hot_maps(keypoints[..., 0], keypoints[..., 1], 80, 80).shape
        (64, 80, 80, 68)
    """
    x = ops.floor(ops.cast(cells_x, "float32"))[:, None, None, :]
    y = ops.floor(ops.cast(cells_y, "float32"))[:, None, None, :]
    columns = ops.reshape(ops.arange(width, dtype="float32"), (1, 1, width, 1))
    rows = ops.reshape(ops.arange(height, dtype="float32"), (1, height, 1, 1))
    inside = ops.logical_and(ops.equal(columns, x), ops.equal(rows, y))
    return ops.cast(inside, "float32")


@register
class PeakOneHot(layers.Layer):
    """Maps with a 1 in the likeliest cell of each: what the denoiser sees.

    Of several largest cells the first counts, row by row. No gradient passes. Computed
    in float32 whatever the dtype policy.

    Args:
        pooling: int, a divisor of H and W: the maps are drawn smaller by this factor,
            as max-pooling would make them.

    Input shape:
        `(N, H, W, K)` maps, pre-softmax or probabilities

    Output shape:
        `(N, H / pooling, W / pooling, K)` float32, zeros and K ones a sample

    Reference:
        Honari et al., Recombinator Networks, CVPR 2016, Sec. 4.
    """

    def __init__(self, pooling: int = 1, dtype: Any = "float32", **kwargs: Any):
        super().__init__(dtype=dtype, **kwargs)
        self.pooling = pooling
        self.input_spec = keras.InputSpec(ndim=4)

    def call(self, inputs: Tensor) -> Tensor:
        x, y = (cell / self.pooling for cell in codec.peak_cells(inputs))
        _, height, width, _ = self.compute_output_shape(inputs.shape)
        return ops.stop_gradient(one_hot_maps(x, y, height, width))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        batch, height, width, channels = input_shape
        return (batch, height // self.pooling, width // self.pooling, channels)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "pooling": self.pooling}
