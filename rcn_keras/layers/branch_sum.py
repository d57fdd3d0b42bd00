import keras
from keras import layers

from rcn_keras._serialization import register


@register
class BranchSum(layers.Layer):
    """Weighted sum of the branches' maps: the alpha of Eq. 1.

    Args:
        per_pixel: bool. `False` learns one weight for each branch and keypoint (the
            original code's default), `True` one for each pixel as well, as the paper's
            text describes.

    Input shape:
        list of R tensors `(N, H, W, K)`

    Output shape:
        `(N, H, W, K)`

    Raises:
        ValueError: if the inputs are not a list of maps of one shape.

    Reference:
        Honari et al., Recombinator Networks, CVPR 2016, Eq. 1.
    """

    def __init__(self, per_pixel=False, **kwargs):
        super().__init__(**kwargs)
        self.per_pixel = per_pixel

    def build(self, input_shape):
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

    def call(self, inputs):
        return sum(self.weighted(inputs))

    def weighted(self, inputs):
        """The terms of the sum: each branch's maps times its weights, a list."""
        return [self.alpha[r] * maps for r, maps in enumerate(inputs)]

    def compute_output_shape(self, input_shape):
        return tuple(input_shape[0])

    def get_config(self):
        return {**super().get_config(), "per_pixel": self.per_pixel}
