"""What SumNet and RCN share: the trunk, the step between two levels, the frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
from keras import layers

from rcn_keras._types import Tensor
from rcn_keras.layers import LocalContrastNormalization, TilingUpsampling2D
from rcn_keras.models.branches import BranchSpec

MASKED = ("absent", "untrained")  # what a mask does to a branch


class Level(NamedTuple):
    """One resolution of a network under a mask.

    Attributes:
        spec: `BranchSpec`.
        present: bool, whether there is a branch at this level.
        trained: bool, whether the branch is trained.
        trunk_trained: bool, whether the trunk's convolution is trained.
    """

    spec: BranchSpec
    present: bool
    trained: bool
    trunk_trained: bool


def convolution(
    x: Tensor,
    filters: int,
    kernel: int | tuple[int, int],
    name: str,
    l2: float,
    initializer: Any,
    activation: str | None = "relu",
    trainable: bool = True,
) -> Tensor:
    """A stride-1 "same" convolution; the keypoint maps (linear) stay in float32."""
    return layers.Conv2D(
        filters,
        kernel,
        padding="same",
        data_format="channels_last",
        activation=activation,
        kernel_initializer=initializer,
        kernel_regularizer=keras.regularizers.L2(l2) if l2 else None,
        dtype=None if activation else "float32",
        trainable=trainable,
        name=name,
    )(x)


def masked_levels(
    specs: Sequence[BranchSpec], mask: Sequence[int] | None, masked: str
) -> list[Level]:
    """The levels of a network under a mask: list of `Level`, coarse to fine.

    A trunk convolution is trained if a trained branch hangs on it or on a coarser
    level: those coarser than the coarsest branch that is kept are left out with
    `masked="absent"`, and left untrained with `"untrained"`, as in the original code.

    Args:
        specs: list of `BranchSpec`, coarse to fine.
        mask: `None` (all), or as many 0/1 as branches, coarse to fine (Table 1).
        masked: one of `MASKED`.
    """
    mask = [1] * len(specs) if mask is None else list(mask)
    if len(mask) != len(specs) or set(mask) - {0, 1} or not any(mask):
        raise ValueError(
            f"`mask` must hold {len(specs)} values of 0 or 1, coarse to fine, and at "
            f"least one 1. Received: mask={tuple(mask)}"
        )
    if masked not in MASKED:
        raise ValueError(f"`masked` must be one of {MASKED}. Received: {masked!r}")
    sizes = [spec.resolution for spec in specs]
    if sizes != sorted(set(sizes)):
        raise ValueError(
            "`branch_specs` must run from coarse to fine. "
            f"Received resolutions: {sizes}"
        )
    untrained, coarsest = masked == "untrained", mask.index(1)
    levels = [
        Level(spec, bool(kept) or untrained, bool(kept), number >= coarsest)
        for number, (spec, kept) in enumerate(zip(specs, mask))
    ]
    return levels if untrained else levels[coarsest:]


def image_input(
    side: int, channels: int, normalization: str | None
) -> tuple[Tensor, Tensor]:
    """The input `(N, side, side, channels)`, grey 0...255, and it normalised."""
    if normalization not in ("local_contrast", None):
        raise ValueError(
            "`normalization` must be 'local_contrast' or None. "
            f"Received: normalization={normalization!r}"
        )
    image = keras.Input((side, side, channels), name="images")
    if normalization is None:
        return image, layers.Rescaling(1 / 255.0, name="rescaling")(image)
    return image, LocalContrastNormalization(name="local_contrast_normalization")(image)


def trunk(
    x: Tensor, levels: Sequence[Level], l2: float, initializer: Any
) -> dict[int, Tensor]:
    """Convolution and pooling from fine to coarse; returns `{resolution: maps}`."""
    maps, finer = {}, None
    for spec, _, _, trained in reversed(levels):
        if finer:
            x = pooled(x, finer, spec.resolution)
        x = convolution(
            x,
            spec.trunk_filters,
            spec.trunk_kernel,
            f"trunk_{spec.resolution}",
            l2,
            initializer,
            trainable=trained,
        )
        maps[spec.resolution] = x
        finer = spec.resolution
    return maps


def pooled(x: Tensor, finer: int, coarser: int) -> Tensor:
    """Max-pools one level down: 2x2, or 3x3 with stride 2 for 5 -> 2 (footnote 10)."""
    for window in (2, 3):
        if (finer - window) // 2 + 1 == coarser and (finer - window) % 2 == 0:
            return layers.MaxPooling2D(
                window, 2, data_format="channels_last", name=f"pool_{coarser}"
            )(x)
    raise ValueError(
        "The resolution of a branch must be half of the next finer one, or half of it "
        f"less one rounded down as in 5 to 2. Received: {finer} to {coarser}"
    )


def upsampled(
    x: Tensor, coarser: int, finer: int, upsampling: str, name: str, dtype: Any = None
) -> Tensor:
    """Tiles or interpolates maps up to a finer level; 2 -> 5 repeats three times and
    drops the last row and column."""
    factor = -(-finer // coarser)
    crop = factor * coarser - finer
    if upsampling == "tiling":
        return TilingUpsampling2D(factor, crop=crop, dtype=dtype, name=name)(x)
    if upsampling != "bilinear":
        raise ValueError(
            "`upsampling` must be 'tiling' or 'bilinear'. "
            f"Received: upsampling={upsampling!r}"
        )
    x = layers.UpSampling2D(
        factor, "channels_last", interpolation="bilinear", dtype=dtype, name=name
    )(x)
    if crop:
        x = layers.Cropping2D(
            ((0, crop), (0, crop)), data_format="channels_last", name=f"{name}_crop"
        )(x)
    return x
