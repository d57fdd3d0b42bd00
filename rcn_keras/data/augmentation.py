"""The two augmentation layers as one step, with every random number handed in."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
from keras import ops

from rcn_keras._types import Tensor
from rcn_keras.faces.boxes import INPUT_SIZE
from rcn_keras.layers import RandomKeypointAffine, RandomOcclusion
from rcn_keras.layers.random_keypoint_affine import DRAWS as AFFINE_DRAWS
from rcn_keras.layers.random_occlusion import DRAWS as OCCLUSION_DRAWS

if TYPE_CHECKING:
    from rcn_keras.layout import KeypointLayout


DRAWS = AFFINE_DRAWS + OCCLUSION_DRAWS
OCCLUSION_SIDES = (20, 50)  # pixels of an input of 80 (footnote 9)


@dataclasses.dataclass(frozen=True)
class Augmentation:
    """What is drawn for a training image (footnotes 7 and 9), as plain data.

    Attributes:
        scale, translation: floats, fractions of the square's side.
        rotation: float, degrees to either side.
        flip: bool, mirror half of the faces.
        occlusion: bool, one black rectangle of 20 to 50 pixels a side (of 80).
    """

    scale: float = 0.1
    translation: float = 0.1
    rotation: float = 40.0
    flip: bool = True
    occlusion: bool = True


def affine_layer(
    augmentation: Augmentation | None, layout: KeypointLayout, size: int = INPUT_SIZE
) -> RandomKeypointAffine:
    """The affine part of an augmentation, `RandomKeypointAffine`.

    Args:
        augmentation: `Augmentation`, or `None` where nothing will be drawn.
        layout: `KeypointLayout`; one without mirror pairs is never flipped.
        size: int, side of the network's input in pixels.
    """
    settings = augmentation or Augmentation()
    return RandomKeypointAffine(
        size=size,
        scale=settings.scale,
        translation=settings.translation,
        rotation=settings.rotation,
        flip_pairs=layout.mirror_pairs if settings.flip else None,
    )


class Augmenter:
    """Turns stored crops into the network's input.

    Args:
        augmentation: `Augmentation`, or `None` to only cut out the square.
        layout: `KeypointLayout` of the keypoints.
        size: int, side of the network's input in pixels.
    """

    def __init__(
        self,
        augmentation: Augmentation | None,
        layout: KeypointLayout,
        size: int = INPUT_SIZE,
    ):
        self.training = augmentation is not None
        self.occluding = augmentation is not None and augmentation.occlusion
        self.affine = affine_layer(augmentation, layout, size)
        smallest, largest = (size * side // INPUT_SIZE for side in OCCLUSION_SIDES)
        self.occlusion = RandomOcclusion(smallest, largest)

    def __call__(
        self, images: Tensor, keypoints: Tensor, squares: Tensor, draws: Tensor
    ) -> tuple[Tensor, Tensor]:
        """`(N, 2S, 2S, 1)` uint8 crops and their keypoints, squares and `(N, 9)`
        uniform numbers to `(N, S, S, 1)` float32 and `(N, K, 2)`."""
        moved = self.affine(
            {"images": images, "keypoints": keypoints, "squares": squares},
            training=self.training,
            draws=draws[:, :AFFINE_DRAWS],
        )
        # Bytes, as at prediction: the original rounds after the warp too.
        images = ops.round(moved["images"])
        if self.occluding:
            images = self.occlusion(images, draws=draws[:, AFFINE_DRAWS:])
        return images, moved["keypoints"]


def epoch_draws(count: int, seed: int, epoch: int) -> tuple[np.ndarray, np.ndarray]:
    """The order and the uniform numbers of one epoch, the same on every backend.

    Args:
        count: int, number of faces.
        seed, epoch: ints.

    Returns:
        order: `(count,)` int64 permutation.
        draws: `(count, 9)` float32 in [0, 1).
    """
    generator = np.random.default_rng([seed, epoch])
    return generator.permutation(count), generator.random((count, DRAWS), "float32")
