import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import layers, ops

from rcn_keras._serialization import register
from rcn_keras._types import Shape, Tensor
from rcn_keras.layers.warp import warp_affine

DRAWS = 5  # uniform numbers an image uses: scale, two translations, rotation, flip


@register
class RandomKeypointAffine(layers.Layer):
    """Cuts the face's square out of a larger crop under one random affine map.

    Scale, translation, rotation and an optional left-right flip are composed into one
    map and the image is resampled once; the keypoints move with it. With
    `training=False` only the square is cut out.

    The square (corner, side) is moved by `translation` of its side, scaled about its
    centre and turned about its centre, then mapped onto the output (half-pixel
    correct). Runs in `tf.data` after `.batch()` under the TensorFlow backend and on the
    device under any other.

    Args:
        size: int, side of the output in pixels.
        scale: float, side of the square is multiplied by U(1 - scale, 1 + scale).
        translation: float, each of x, y moves by U(-translation, translation) sides.
        rotation: float, degrees, turned by U(-rotation, rotation).
        flip_pairs: `None` for no flip, or a list of pairs of keypoint indices that
            trade places in a mirrored face; half of the images are then flipped.
        seed: int, used where `call` gets no `draws`.

    Call arguments:
        inputs: dict of `images` `(N, H, W, C)`, `keypoints` `(N, K, 2)` in pixels of
            those images, `squares` `(N, 3)` left, top and side in the same pixels.
            Without `images` the keypoints alone are moved.
        training: bool, whether to draw at all; default `True`, as augmentation is what
            the layer is for.
        draws: `(N, 5)` uniform numbers in [0, 1), for a run that must be repeatable
            batch by batch; drawn from `seed` if omitted.

    Raises:
        ValueError: if `keypoints` or `squares` is missing, or a shape is another, as
            those of single images, not batched, are.

    Returns:
        dict of `images` `(N, size, size, C)` float32, if there were any, and
        `keypoints` `(N, K, 2)` in pixels of the output (they may lie outside it).

    Reference:
        Honari et al., Recombinator Networks, CVPR 2016, footnote 7.
    """

    def __init__(
        self,
        size: int = 80,
        scale: float = 0.1,
        translation: float = 0.1,
        rotation: float = 40.0,
        flip_pairs: Sequence[Sequence[int]] | None = None,
        seed: int | None = None,
        dtype: Any = "float32",
        **kwargs: Any,
    ):
        # Coordinates need float32 whatever the dtype policy.
        super().__init__(dtype=dtype, **kwargs)
        self.size = size
        self.scale = scale
        self.translation = translation
        self.rotation = rotation
        self.flip_pairs = flip_pairs
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.built = True

    def call(
        self, inputs: dict[str, Any], training: bool = True, draws: Tensor = None
    ) -> dict[str, Any]:
        _check(inputs)
        squares = ops.cast(inputs["squares"], "float32")
        batch = ops.shape(squares)[0]
        if not training:
            draws = ops.full((batch, DRAWS), 0.5)
        elif draws is None:
            draws = keras.random.uniform((batch, DRAWS), seed=self.seed_generator)
        spread = 2.0 * draws - 1.0
        side = squares[:, 2]
        center_x = squares[:, 0] + side * (0.5 + self.translation * spread[:, 1])
        center_y = squares[:, 1] + side * (0.5 + self.translation * spread[:, 2])
        step = side * (1.0 + self.scale * spread[:, 0]) / self.size
        angle = spread[:, 3] * (self.rotation * math.pi / 180.0)
        flipped = draws[:, 4] > 0.5 if self.flip_pairs and training else None
        sign = 1.0 if flipped is None else ops.where(flipped, -1.0, 1.0)

        # Output (x, y) to input (x, y): turned by the angle, about both centres.
        cos, sin = step * ops.cos(angle), step * ops.sin(angle)
        a, b, c, d = cos * sign, -sin, sin * sign, cos
        half = self.size / 2
        linear = ops.reshape(ops.stack([a, b, c, d], axis=1), (-1, 2, 2))
        offset = ops.stack(
            [center_x - half * (a + b), center_y - half * (c + d)], axis=1
        )
        outputs = {}
        if "images" in inputs:
            transforms = ops.concatenate([linear, offset[:, :, None]], axis=2)
            outputs["images"] = warp_affine(
                inputs["images"], transforms, self.size, self.size
            )

        # The inverse of a turn times a step, written out: its transpose over step^2.
        points = ops.cast(inputs["keypoints"], "float32") - offset[:, None, :]
        x, y = points[..., 0], points[..., 1]
        a, b, c, d = (value[:, None] for value in (a, b, c, d))
        points = ops.stack([a * x + c * y, b * x + d * y], axis=-1)
        points = points / (step * step)[:, None, None]
        if flipped is not None:
            mirrored = ops.take(points, self._mirrored(points.shape[1]), axis=1)
            points = ops.where(flipped[:, None, None], mirrored, points)
        return outputs | {"keypoints": points}

    def _mirrored(self, keypoints):
        order = list(range(keypoints))
        for left, right in self.flip_pairs or ():
            order[left], order[right] = right, left
        return order

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        shapes = {"keypoints": tuple(input_shape["keypoints"])}
        if "images" in input_shape:
            batch, _, _, channels = input_shape["images"]
            shapes["images"] = (batch, self.size, self.size, channels)
        return shapes

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "size": self.size,
            "scale": self.scale,
            "translation": self.translation,
            "rotation": self.rotation,
            "flip_pairs": self.flip_pairs,
            "seed": self.seed,
        }


def _check(inputs):
    wanted = {"images": (4, None), "keypoints": (3, 2), "squares": (2, 3)}
    shapes = {name: tuple(value.shape) for name, value in dict(inputs).items()}
    for name, (rank, last) in wanted.items():
        shape = shapes.get(name, () if name != "images" else (None,) * 4)
        if len(shape) != rank or (last and shape[-1] not in (last, None)):
            raise ValueError(
                "`inputs` must be a dict of batches, `images` (N, H, W, C) if there "
                "are any, `keypoints` (N, K, 2) and `squares` (N, 3): call `.batch()` "
                f"before. Received: {shapes}"
            )
