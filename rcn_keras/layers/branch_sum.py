from typing import Any

import keras
from keras import layers

from rcn_keras._serialization import register
from rcn_keras._types import Shape, Tensor


@register
class BranchSum(layers.Layer):
    """Weighted sum of the branches' maps: the alpha of Eq. 1.

    Args:
        per_pixel: bool. `False` learns one weight for each branch and keypoint (the
            original code's default), `True` one for each pixel as well, as the paper's
            text describes.
        summed: bool. `False` gives the terms of the sum.

    Input shape:
        list of R tensors `(N, H, W, K)`

    Output shape:
        `(N, H, W, K)`, or a list of R of them

    Raises:
        ValueError: if the inputs are not a list of maps of one shape.

    Reference:
        Honari et al., Recombinator Networks, CVPR 2016, Eq. 1.
    """

    def __init__(self, per_pixel: bool = False, summed: bool = True, **kwargs: Any):
        super().__init__(**kwargs)
        self.per_pixel = per_pixel
        self.summed = summed

    def build(self, input_shape: Shape) -> None:
        if not isinstance(input_shape, list) or len(set(map(tuple, input_shape))) != 1:
            raise ValueError(
                "`BranchSum` takes a list of maps of one shape. "
                f"Received: input_shape={input_shape}"
            )
        _, height, width, keypoints = input_shape[0]
        cells = (height, width) if self.per_pixel else (1, 1)
        self.alpha = self.add_weight(
            name="alpha",
            shape=(len(input_shape), *cells, keypoints),
            initializer=keras.initializers.RandomUniform(0.0, 1.0),
        )

    def call(self, inputs: Tensor) -> Tensor:
        # The maps first: on OpenVINO a part of a variable is a numpy array, whose
        # product with a tensor of the graph fails.
        terms = [maps * self.alpha[r] for r, maps in enumerate(inputs)]
        return sum(terms) if self.summed else terms

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        shapes = [tuple(shape) for shape in input_shape]
        return shapes[0] if self.summed else shapes

    def get_config(self) -> dict[str, Any]:
        own = {"per_pixel": self.per_pixel, "summed": self.summed}
        return {**super().get_config(), **own}
