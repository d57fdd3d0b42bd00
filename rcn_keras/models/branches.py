"""What a branch is, as plain data, and the paper's networks written that way.

Lists of branches run coarse to fine, as in the paper.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rcn_keras.layout import KeypointLayout


@dataclasses.dataclass(frozen=True)
class BranchSpec:
    """One resolution level: its trunk convolution and its branch.

    Attributes:
        resolution: int, side of the maps at this level in pixels.
        trunk_filters: int, maps of the trunk convolution.
        filters: tuple of ints, maps of each ReLU convolution of the branch. The
            convolution that gives the keypoint maps is not listed: the builder adds it.
        kernels: tuple of ints, kernel sides of those convolutions.
        trunk_kernel: int, kernel side of the trunk convolution.
        output_kernel: int, kernel side of the convolution that gives keypoint maps.
    """

    resolution: int
    trunk_filters: int
    filters: tuple
    kernels: tuple
    trunk_kernel: int = 3
    output_kernel: int = 3

    def __post_init__(self):
        if len(self.filters) != len(self.kernels):
            raise ValueError(
                "`filters` and `kernels` must be of one length. "
                f"Received: filters={self.filters}, kernels={self.kernels}"
            )

    def widened(self, factor: int) -> BranchSpec:
        """The same level with `factor` times the maps."""
        return dataclasses.replace(
            self,
            trunk_filters=factor * self.trunk_filters,
            filters=tuple(factor * filters for filters in self.filters),
        )


def _levels(branches, input_size, fewest, most):
    """The side of the maps at each level, coarse to fine: each half of the next finer
    one, rounded down. 80 gives the paper's 1, 2, 5, 10, 20, 40 and 80."""
    if not fewest <= branches <= most:
        raise ValueError(
            f"`branches` must be between {fewest} and {most}. "
            f"Received: branches={branches}"
        )
    if not isinstance(input_size, int) or input_size >> (branches - 1) < 1:
        raise ValueError(
            f"`input_size` must be a whole number of at least {1 << (branches - 1)} "
            f"for {branches} branches. Received: input_size={input_size!r}"
        )
    return [input_size >> level for level in range(branches)][::-1]


def _square(resolution, trunk_filters, *filters):
    """A branch of 3x3 convolutions; at 1x1 only the centre of a kernel sees anything,
    so there the kernels are 1x1 (the original code's choice, the same function)."""
    kernel = 1 if resolution == 1 else 3
    return BranchSpec(
        resolution, trunk_filters, filters, (kernel,) * len(filters), kernel
    )


def rcn_mtfl_specs(branches: int = 6, input_size: int = 80) -> list[BranchSpec]:
    """The 5-keypoint RCN, 4 to 7 branches (Fig. 1 right, Table 2).

    The 10x10 branch has two convolutions in the figure's 4-branch network and one in
    the original code's larger ones; both are kept.

    Args:
        branches: int, 4 to 7.
        input_size: int, side of the finest maps (the paper: 80). The widths are those
            of the same level, counted from the finest.
    """
    sides = _levels(branches, input_size, 4, 7)
    finest_first = [
        (16, 16),
        (32, 32, 16),
        (48, 48, 32),
        (48, 48, 48) if branches == 4 else (48, 48),
        (48, 48, 48),
        (48, 48, 48),
        (48, 48, 48),
    ]
    widths = finest_first[:branches][::-1]
    return [_square(side, *maps) for side, maps in zip(sides, widths)]


def sumnet_mtfl_specs(branches: int = 6, input_size: int = 80) -> list[BranchSpec]:
    """The 5-keypoint SumNet, 4 to 6 branches (Fig. 1 left, Table 2); arguments as of
    `rcn_mtfl_specs`."""
    sides = _levels(branches, input_size, 4, 6)
    widths = [48] * (branches - 2) + [32, 16]
    return [_square(side, width, width) for side, width in zip(sides, widths)]


def rcn_300w_specs(
    branches: int = 5, kernel_scheme: str = "5x5_1x1", input_size: int = 80
) -> list[BranchSpec]:
    """The 68-keypoint RCN: 64 maps everywhere, two extra 1x1 layers at 80x80.

    Args:
        branches: int, 4 to 7 (the paper: 5).
        kernel_scheme: `"5x5_1x1"`, the original code: the first convolution of a branch
            is 5x5 and the others 1x1; or `"3x3"`, the paper's text.
        input_size: int, side of the finest maps (the paper: 80).
    """
    if kernel_scheme not in ("5x5_1x1", "3x3"):
        raise ValueError(
            "`kernel_scheme` must be '5x5_1x1' or '3x3'. "
            f"Received: kernel_scheme={kernel_scheme!r}"
        )
    first, other = (5, 1) if kernel_scheme == "5x5_1x1" else (3, 3)
    specs = []
    for level, side in enumerate(reversed(_levels(branches, input_size, 4, 7))):
        if level == 0:
            spec = BranchSpec(side, 64, (64,) * 3, (first, 1, 1), output_kernel=other)
        elif side == 1:
            spec = _square(1, 64, 64, 64)
        elif level == 3:  # the paper's 10x10
            spec = BranchSpec(side, 64, (64,), (first,))
        else:
            spec = BranchSpec(side, 64, (64, 64), (first, other))
        specs.append(spec)
    return specs[::-1]


def sumnet_300w_specs(branches: int = 5, input_size: int = 80) -> list[BranchSpec]:
    """The 68-keypoint SumNet: 64 maps everywhere, three layers in the finest branch."""
    *coarser, finest = _levels(branches, input_size, 4, 6)
    return [*(_square(side, 64, 64) for side in coarser), _square(finest, *[64] * 4)]


# Above so many keypoints a network gets the widths of the paper's 68: the 16 maps of
# its finest level for 5 are few for that many.
MOST_MTFL = 20


def chosen_widths(widths: str | None, layout: KeypointLayout) -> str:
    """Whose widths and kernels a network of this layout gets: `"mtfl"` or `"300w"`.

    Args:
        widths: `None` to choose by the number of keypoints, or either.
        layout: `KeypointLayout`.

    Raises:
        ValueError: if `widths` is something else.
    """
    if widths is None:
        return "300w" if layout.count > MOST_MTFL else "mtfl"
    if widths not in ("mtfl", "300w"):
        raise ValueError(
            f"`widths` must be 'mtfl', '300w' or None. Received: widths={widths!r}"
        )
    return widths
