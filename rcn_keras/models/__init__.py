"""Functional builders: specification in, `keras.Model` out."""

from rcn_keras.models.branches import (
    BranchSpec,
    rcn_300w_specs,
    rcn_mtfl_specs,
    sumnet_300w_specs,
    sumnet_mtfl_specs,
)
from rcn_keras.models.denoiser import build_denoiser
from rcn_keras.models.joint import JointModel, build_joint
from rcn_keras.models.rcn import build_rcn
from rcn_keras.models.sumnet import build_sumnet

# The builders by the name that recipes and presets call them.
BUILDERS = {
    "rcn": build_rcn,
    "sumnet": build_sumnet,
    "denoiser": build_denoiser,
    "joint": build_joint,
}

__all__ = [
    "BUILDERS",
    "BranchSpec",
    "JointModel",
    "build_joint",
    "build_denoiser",
    "build_rcn",
    "build_sumnet",
    "rcn_300w_specs",
    "rcn_mtfl_specs",
    "sumnet_300w_specs",
    "sumnet_mtfl_specs",
]
