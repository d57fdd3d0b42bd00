from collections.abc import Sequence
from typing import Any

from keras import layers

from rcn_keras.layout import KeypointLayout, chosen_layout
from rcn_keras.models import blocks
from rcn_keras.models.branches import (
    BranchSpec,
    chosen_widths,
    rcn_300w_specs,
    rcn_mtfl_specs,
)
from rcn_keras.models.keypoint_model import KeypointModel


def build_rcn(
    branches: int = 6,
    keypoints: int = 5,
    layout: KeypointLayout | None = None,
    input_size: int = 80,
    skip: bool = False,
    mask: Sequence[int] | None = None,
    masked: str = "absent",
    branch_specs: Sequence[BranchSpec] | None = None,
    kernel_scheme: str = "5x5_1x1",
    widths: str | None = None,
    width: int = 1,
    upsampling: str = "tiling",
    channels: int = 1,
    normalization: str | None = "local_contrast",
    trunk_l2: float = 0.0,
    branch_l2: float = 0.0,
    kernel_initializer: Any = "he_normal",
    name: str = "rcn",
) -> KeypointModel:
    """Builds a Recombinator Network.

    The output of each branch is upsampled and concatenated behind the trunk's maps of
    the next finer level, before that level's own convolutions: coarse features inform
    the finer ones early (Eq. 3).

    Args:
        branches: int, 4 to 7: the coarsest maps are 10x10, 5x5, 2x2 or 1x1 (of an
            input of 80x80).
        keypoints: int, of `FACE_5` or of `FACE_68`, the layout that is meant.
        layout: `KeypointLayout` of any K keypoints; `keypoints` is then ignored.
        input_size: int, side S of the input and of the keypoint maps (the paper: 80).
            112, 128 or 160 find points more finely, for up to four times the work.
        skip: bool, each branch sees all coarser branches, not only the next one.
        mask: `None`, or 0/1 for each branch, coarse to fine, as in Table 1.
        masked: what becomes of a branch with 0. `"absent"`, the paper's text: it is
            passed by upsampling the coarser one further, and the trunk's levels coarser
            than the coarsest kept branch are not there; the finest kept branch ends in
            the keypoint maps, which are upsampled to the input's size. `"untrained"`,
            as the original code masks a SumNet (it masks no RCN): both are there with
            their random weights, which are not trained. Branches then hand on their
            features as without a mask, and the finest one gives the maps; the
            convolution that makes maps of its features is always trained, as alpha is
            in SumNet, since nothing else could weigh random features.
        branch_specs: list of `BranchSpec`, coarse to fine, for anything not in the
            paper; `branches` and `input_size` are then ignored.
        kernel_scheme: str, of the 300-W widths: `"5x5_1x1"`, the original code's,
            or `"3x3"`, the paper's text (`rcn_300w_specs`).
        widths: `"mtfl"`, the paper's for 5 keypoints (`rcn_mtfl_specs`), `"300w"`, its
            widths and kernels for 68 (`rcn_300w_specs`), or `None`: `"300w"` for more
            than 20 keypoints.
        width: int, factor of the number of maps of every convolution but the last (the
            paper: 1).
        upsampling: `"tiling"`, or `"bilinear"` (footnote 3: worse in some cases).
        channels: int, 1 for grey, 3 for RGB (footnote 8: worse).
        normalization: `"local_contrast"`, or `None` for a plain division by 255.
        trunk_l2, branch_l2: floats, factors of the sum of squared kernels (Eq. 2), for
            the trunk and for the branches.
        kernel_initializer: Keras initialiser or its name.
        name: str, name of the model.

    Returns:
        `KeypointModel`, `(N, S, S, channels)` grey values 0...255 to `(N, S, S, K)`
        pre-softmax maps.

    Raises:
        ValueError: if an argument is out of range; the message says what was wanted.

    Example:
        >>> model = rcn_keras.build_rcn(branches=6)
        >>> model.count_params()
        310229

    Reference:
        Honari et al., Recombinator Networks, CVPR 2016, Sec. 3.2, Eq. 3, Tables 1, 2.
    """
    layout = chosen_layout(keypoints, layout)
    if branch_specs is None:
        branch_specs = (
            rcn_300w_specs(branches, kernel_scheme, input_size)
            if chosen_widths(widths, layout) == "300w"
            else rcn_mtfl_specs(branches, input_size)
        )
    branch_specs = [spec.widened(width) for spec in branch_specs]
    levels = blocks.masked_levels(branch_specs, mask, masked)
    finest = max(level.spec.resolution for level in levels if level.present)
    full = branch_specs[-1].resolution
    image, x = blocks.image_input(full, channels, normalization)
    trunk = blocks.trunk(x, levels, trunk_l2, kernel_initializer)

    carried, carried_from = None, 0  # what the coarser branches hand on
    for spec, present, trained, _ in levels:
        side = spec.resolution
        if carried is not None:
            carried = blocks.upsampled(
                carried, carried_from, side, upsampling, f"upsample_{side}"
            )
        carried_from = side
        if not present:
            continue
        x = trunk[side]
        if carried is not None:
            x = layers.Concatenate(name=f"concat_{side}")([x, carried])
        filters = spec.filters
        if side == finest and side != full:
            # A branch that was to hand on features ends in keypoint maps instead: they
            # take the place of its last convolution.
            filters = filters[: max(1, len(filters) - 1)]
        for i, (width, kernel) in enumerate(zip(filters, spec.kernels), 1):
            x = blocks.convolution(
                x,
                width,
                kernel,
                f"branch_{side}_{i}",
                branch_l2,
                kernel_initializer,
                trainable=trained,
            )
        if side == finest:
            carried = blocks.convolution(
                x,
                layout.count,
                spec.output_kernel,
                "maps",
                branch_l2,
                kernel_initializer,
                activation=None,
            )
        elif skip and carried is not None:
            carried = layers.Concatenate(name=f"skip_{side}")([x, carried])
        else:
            carried = x
    return KeypointModel(image, carried, layout, name=name)
