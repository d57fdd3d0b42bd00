from typing import Any

import keras
from keras import layers, ops

from rcn_keras._serialization import register
from rcn_keras._types import Shape, Tensor

DRAWS = 4  # uniform numbers an image uses: height, width, top, left


@register
class RandomOcclusion(layers.Layer):
    """Blackens one random rectangle in each image, fully inside it.

    Height and width are drawn independently from the whole numbers
    `min_size...max_size`; keypoints under the rectangle keep their labels. Applied to
    raw grey values, before local contrast normalisation.

    Args:
        min_size, max_size: ints, bounds of the sides in pixels, both included.
        seed: int, used where `call` gets no `draws`.

    Call arguments:
        inputs: `(N, H, W, C)` images.
        training: bool, `False` leaves the images alone; default `True`.
        draws: `(N, 4)` uniform numbers in [0, 1); drawn from `seed` if omitted.

    Returns:
        `(N, H, W, C)` images.

    Raises:
        ValueError: if the bounds are not 1 <= min_size <= max_size, or an image is
            smaller than `max_size`.

    Reference:
        Honari et al., Recombinator Networks, CVPR 2016, footnote 9.
    """

    def __init__(
        self,
        min_size: int = 20,
        max_size: int = 50,
        seed: int | None = None,
        dtype: Any = "float32",
        **kwargs: Any,
    ):
        super().__init__(dtype=dtype, **kwargs)
        if not 1 <= min_size <= max_size:
            raise ValueError(
                "`min_size` must be at least 1 and at most `max_size`. "
                f"Received: min_size={min_size}, max_size={max_size}"
            )
        self.min_size = min_size
        self.max_size = max_size
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def build(self, input_shape: Shape) -> None:
        if len(input_shape) != 4:
            raise ValueError(
                "The images must be a batch, (N, H, W, C): call `.batch()` before. "
                f"Received: input_shape={input_shape}"
            )
        if any(side is not None and side < self.max_size for side in input_shape[1:3]):
            raise ValueError(
                "The images must be at least `max_size` high and wide. "
                f"Received: max_size={self.max_size}, input_shape={input_shape}"
            )

    def call(
        self, inputs: Tensor, training: bool = True, draws: Tensor = None
    ) -> Tensor:
        if not training:
            return inputs
        batch, height, width, _ = ops.shape(inputs)
        if draws is None:
            draws = keras.random.uniform((batch, DRAWS), seed=self.seed_generator)
        rows = self._covered(height, draws[:, 0], draws[:, 2])
        columns = self._covered(width, draws[:, 1], draws[:, 3])
        inside = ops.logical_and(rows[:, :, None, None], columns[:, None, :, None])
        return ops.where(inside, ops.zeros_like(inputs), inputs)

    def _covered(self, length, size_draw, start_draw):
        """`(N, length)` bool: which rows (or columns) the rectangle covers."""
        size = self.min_size + ops.floor(
            size_draw * (self.max_size - self.min_size + 1)
        )
        start = ops.floor(start_draw * (length - size + 1))
        position = ops.arange(length, dtype="float32")[None, :]
        return ops.logical_and(
            position >= start[:, None], position < (start + size)[:, None]
        )

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "min_size": self.min_size,
            "max_size": self.max_size,
            "seed": self.seed,
        }
