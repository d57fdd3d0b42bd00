import pytest

from rcn_keras.models import branches
from rcn_keras.models.branches import BranchSpec


def test_kernels_and_filters_must_match():
    with pytest.raises(ValueError, match=r"Received: filters=\(8, 8\), kernels=\(3,\)"):
        BranchSpec(80, 16, (8, 8), (3,))


@pytest.mark.parametrize(
    "specs, fewest, most",
    [
        (branches.rcn_mtfl_specs, 4, 7),
        (branches.rcn_300w_specs, 4, 7),
        (branches.sumnet_mtfl_specs, 4, 6),
        (branches.sumnet_300w_specs, 4, 6),
    ],
)
def test_levels_run_from_coarse_to_fine(specs, fewest, most):
    levels = [1, 2, 5, 10, 20, 40, 80]
    for count in range(fewest, most + 1):
        assert [spec.resolution for spec in specs(count)] == levels[-count:]
    for count in (fewest - 1, most + 1):
        wanted = f"between {fewest} and {most}. Received: branches={count}"
        with pytest.raises(ValueError, match=wanted):
            specs(count)


def test_the_10x10_branch_has_two_convolutions_only_in_the_figures_network():
    assert branches.rcn_mtfl_specs(4)[0].filters == (48, 48)
    assert branches.rcn_mtfl_specs(5)[1].filters == (48,)


def test_kernel_scheme():
    code = branches.rcn_300w_specs()
    assert [spec.kernels for spec in code] == [(5, 1), (5,), (5, 1), (5, 1), (5, 1, 1)]
    text = branches.rcn_300w_specs(kernel_scheme="3x3")
    assert [spec.kernels for spec in text] == [(3, 3), (3,), (3, 3), (3, 3), (3, 1, 1)]
    with pytest.raises(ValueError, match="Received: kernel_scheme='7x7'"):
        branches.rcn_300w_specs(kernel_scheme="7x7")


@pytest.mark.parametrize(
    "size, levels",
    [
        (160, [5, 10, 20, 40, 80, 160]),
        (128, [4, 8, 16, 32, 64, 128]),
        (112, [3, 7, 14, 28, 56, 112]),
    ],
)
def test_another_input_size_has_the_widths_of_the_same_levels(size, levels):
    for specs in (branches.rcn_mtfl_specs, branches.sumnet_mtfl_specs):
        scaled, paper = specs(6, input_size=size), specs(6)
        assert [spec.resolution for spec in scaled] == levels
        assert [spec.filters for spec in scaled] == [spec.filters for spec in paper]
    kernels = [spec.kernels for spec in branches.rcn_300w_specs()]
    scaled = branches.rcn_300w_specs(input_size=size)
    assert [spec.kernels for spec in scaled] == kernels


@pytest.mark.parametrize("size", [15, 80.0, None])
def test_an_input_too_small_for_its_branches_is_refused(size):
    with pytest.raises(ValueError, match="of at least 16 for 5 branches. Received"):
        branches.rcn_mtfl_specs(5, input_size=size)
