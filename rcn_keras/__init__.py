"""Recombinator Networks (Honari et al., CVPR 2016) for Keras 3.

Letters in shapes: N batch, H and W map, K keypoints, R branches. Coordinates are
`(x, y)` in continuous pixels: pixel (i, j) covers [i, i+1) x [j, j+1).
"""

from rcn_keras.export import export
from rcn_keras.layout import FACE_5, FACE_68, KeypointLayout, SquareRule
from rcn_keras.losses import ExpectedDistance, KeypointDistance, SpatialCrossentropy
from rcn_keras.metrics import NormalizedMeanError
from rcn_keras.models import (
    BranchSpec,
    JointModel,
    KeypointModel,
    build_denoiser,
    build_rcn,
    build_sumnet,
    build_tcdcn,
)
from rcn_keras.predictor import Predictor
from rcn_keras.presets import from_preset, list_presets

__version__ = "0.1.0"

__all__ = [
    "BranchSpec",
    "ExpectedDistance",
    "FACE_5",
    "FACE_68",
    "JointModel",
    "KeypointDistance",
    "KeypointLayout",
    "KeypointModel",
    "NormalizedMeanError",
    "Predictor",
    "SpatialCrossentropy",
    "SquareRule",
    "build_denoiser",
    "build_rcn",
    "build_sumnet",
    "build_tcdcn",
    "export",
    "from_preset",
    "list_presets",
]
