"""Functional builders: specification in, `keras.Model` out."""

from rcn_keras.models.branches import (
    BranchSpec,
    rcn_300w_specs,
    rcn_mtfl_specs,
    sumnet_300w_specs,
    sumnet_mtfl_specs,
)
from rcn_keras.models.rcn import build_rcn
from rcn_keras.models.sumnet import build_sumnet

# The builders by the name that recipes and presets call them.
BUILDERS = {"rcn": build_rcn, "sumnet": build_sumnet}

__all__ = [
    "BUILDERS",
    "BranchSpec",
    "build_rcn",
    "build_sumnet",
    "rcn_300w_specs",
    "rcn_mtfl_specs",
    "sumnet_300w_specs",
    "sumnet_mtfl_specs",
]
