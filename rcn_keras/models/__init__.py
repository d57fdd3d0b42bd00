"""Functional builders: specification in, `KeypointModel` out."""

from rcn_keras.models.branches import (
    BranchSpec,
    rcn_300w_specs,
    rcn_mtfl_specs,
    sumnet_300w_specs,
    sumnet_mtfl_specs,
)
from rcn_keras.models.denoiser import build_denoiser
from rcn_keras.models.joint import JointModel, build_joint
from rcn_keras.models.keypoint_model import (
    KeypointModel,
    KeypointRegression,
    keypoint_model,
)
from rcn_keras.models.rcn import build_rcn
from rcn_keras.models.sumnet import branch_maps, build_sumnet
from rcn_keras.models.tcdcn import build_tcdcn

# The builders by the name that recipes and presets call them.
BUILDERS = {
    "rcn": build_rcn,
    "sumnet": build_sumnet,
    "denoiser": build_denoiser,
    "joint": build_joint,
    "tcdcn": build_tcdcn,
}

__all__ = [
    "BUILDERS",
    "BranchSpec",
    "JointModel",
    "KeypointModel",
    "KeypointRegression",
    "branch_maps",
    "build_joint",
    "build_denoiser",
    "build_rcn",
    "build_sumnet",
    "build_tcdcn",
    "keypoint_model",
    "rcn_300w_specs",
    "rcn_mtfl_specs",
    "sumnet_300w_specs",
    "sumnet_mtfl_specs",
]
