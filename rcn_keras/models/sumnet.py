from collections.abc import Sequence
from typing import Any

import keras

from rcn_keras.layers import BranchSum
from rcn_keras.layout import KeypointLayout, chosen_layout
from rcn_keras.models import blocks
from rcn_keras.models.branches import (
    BranchSpec,
    chosen_widths,
    sumnet_300w_specs,
    sumnet_mtfl_specs,
)
from rcn_keras.models.keypoint_model import KeypointModel


def build_sumnet(
    branches: int = 6,
    keypoints: int = 5,
    layout: KeypointLayout | None = None,
    input_size: int = 80,
    mask: Sequence[int] | None = None,
    masked: str = "absent",
    weight_per_pixel: bool = False,
    branch_specs: Sequence[BranchSpec] | None = None,
    widths: str | None = None,
    upsampling: str = "tiling",
    channels: int = 1,
    normalization: str | None = "local_contrast",
    trunk_l2: float = 0.0,
    branch_l2: float = 0.0,
    kernel_initializer: Any = "he_normal",
    name: str = "sumnet",
) -> KeypointModel:
    """Builds a SumNet, the paper's baseline: branches meet only in a weighted sum.

    Each branch ends in keypoint maps at its own resolution, which are upsampled to the
    input's size in one step and summed with a learned weight (Eq. 1).

    Args:
        branches: int, 4 to 6: the coarsest maps are 10x10, 5x5 or 2x2 (of an input of
            80x80).
        keypoints: int, of `FACE_5` or of `FACE_68`, the layout that is meant.
        layout: `KeypointLayout` of any K keypoints; `keypoints` is then ignored.
        input_size: int, side S of the input and of the keypoint maps (the paper: 80).
        mask: `None`, or 0/1 for each branch, coarse to fine, as in Table 1.
        masked: what becomes of a branch with 0. `"absent"`, the paper's text ("no
            contribution from that branch to the summation"): it is not there, nor are
            the trunk's levels coarser than the coarsest kept branch. `"untrained"`,
            the original code: both are there with their random weights, which are
            not trained, and the branch's maps enter the sum with a trained alpha.
        weight_per_pixel: bool, alpha of Eq. 1 as one weight for each pixel, branch and
            keypoint (the paper's text) in place of one for each branch and keypoint.
        branch_specs: list of `BranchSpec`, coarse to fine; `branches` and
            `input_size` are then ignored.
        widths: `"mtfl"` (`sumnet_mtfl_specs`), `"300w"` (`sumnet_300w_specs`), or
            `None`: `"300w"` for more than 20 keypoints.
        upsampling: `"tiling"`, or `"bilinear"` (footnote 3).
        channels: int, 1 for grey, 3 for RGB (footnote 8).
        normalization: `"local_contrast"`, or `None` for a plain division by 255.
        trunk_l2, branch_l2: floats, factors of the sum of squared kernels (Eq. 2).
        kernel_initializer: Keras initialiser or its name.
        name: str, name of the model.

    Returns:
        `KeypointModel`, `(N, S, S, channels)` grey values 0...255 to `(N, S, S, K)`
        pre-softmax maps.

    Raises:
        ValueError: if an argument is out of range; the message says what was wanted.

    Example:
        >>> rcn_keras.build_sumnet(branches=5).count_params()
        142850

    Reference:
        Honari et al., Recombinator Networks, CVPR 2016, Sec. 3.1, Eq. 1.
    """
    layout = chosen_layout(keypoints, layout)
    if branch_specs is None:
        is_300w = chosen_widths(widths, layout) == "300w"
        paper_specs = sumnet_300w_specs if is_300w else sumnet_mtfl_specs
        branch_specs = paper_specs(branches, input_size)
    levels = blocks.masked_levels(branch_specs, mask, masked)
    full = branch_specs[-1].resolution
    image, x = blocks.image_input(full, channels, normalization)
    trunk = blocks.trunk(x, levels, trunk_l2, kernel_initializer)

    maps = []
    for spec, present, trained, _ in levels:
        if not present:
            continue
        side = spec.resolution
        x = trunk[side]
        for i, (width, kernel) in enumerate(zip(spec.filters, spec.kernels), 1):
            x = blocks.convolution(
                x,
                width,
                kernel,
                f"branch_{side}_{i}",
                branch_l2,
                kernel_initializer,
                trainable=trained,
            )
        x = blocks.convolution(
            x,
            layout.count,
            spec.output_kernel,
            f"maps_{side}",
            branch_l2,
            kernel_initializer,
            activation=None,
            trainable=trained,
        )
        if side != full:
            # Backwards this adds up to 1,600 gradients: too many for bfloat16.
            x = blocks.upsampled(
                x, side, full, upsampling, f"upsample_{side}", dtype="float32"
            )
        maps.append(x)
    summed = BranchSum(weight_per_pixel, name="maps", dtype="float32")(maps)
    return KeypointModel(image, summed, layout, name=name)


def branch_maps(model: keras.Model) -> keras.Model:
    """What each branch of a SumNet adds to the sum: Fig. S1 of the paper.

    Args:
        model: a SumNet, from `build_sumnet` or loaded.

    Returns:
        `keras.Model` with a copy of alpha, `(N, 80, 80, channels)` to a dict,
        `branch_1` (the coarsest that is there), `branch_2`, ... to their
        `(N, 80, 80, K)` maps, upsampled and weighted; their sum is SumNet's maps.

    Raises:
        ValueError: if the model has no branches that are summed.

    Example:
        >>> list(branch_maps(rcn_keras.build_sumnet(branches=4)).output)
        ['branch_1', 'branch_2', 'branch_3', 'branch_4']
    """
    sums = [layer for layer in model.layers if isinstance(layer, BranchSum)]
    if len(sums) != 1:
        raise ValueError(
            "`model` must be a SumNet, with one `BranchSum` layer. Received: "
            f"{model.name!r}, which has {len(sums)}"
        )
    terms = BranchSum(sums[0].per_pixel, False, dtype="float32", name="branches")
    parts = terms(keras.tree.flatten(sums[0].input))  # one branch alone is no list
    terms.set_weights(sums[0].get_weights())
    named = {f"branch_{number}": part for number, part in enumerate(parts, 1)}
    return keras.Model(model.input, named, name=f"{model.name}_branches")
