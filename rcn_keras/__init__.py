"""Recombinator Networks (Honari et al., CVPR 2016) for Keras 3.

Letters in shapes: N batch, H and W map, K keypoints, R branches. Coordinates are
`(x, y)` in continuous pixels: pixel (i, j) covers [i, i+1) x [j, j+1).

Names are imported when they are first asked for. Where Keras is imported before this
package, what `.keras` files name is registered at once; otherwise `import
rcn_keras.models` before `keras.saving.load_model`.
"""

import importlib
import sys
from typing import TYPE_CHECKING

from rcn_keras._lazy import lazily

if TYPE_CHECKING:
    from rcn_keras.export.formats import export_model
    from rcn_keras.faces.align import align
    from rcn_keras.faces.pose import face_measures, head_pose
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
    from rcn_keras.plotting import draw
    from rcn_keras.predictor import Predictor
    from rcn_keras.presets import from_preset, list_presets

__version__ = "0.2.0"

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
    "align",
    "build_denoiser",
    "build_rcn",
    "build_sumnet",
    "build_tcdcn",
    "draw",
    "export_model",
    "face_measures",
    "from_preset",
    "head_pose",
    "list_presets",
]

_MODULES = {
    "export.formats": ["export_model"],
    "faces.align": ["align"],
    "faces.pose": ["face_measures", "head_pose"],
    "layout": ["FACE_5", "FACE_68", "KeypointLayout", "SquareRule"],
    "losses": ["ExpectedDistance", "KeypointDistance", "SpatialCrossentropy"],
    "metrics": ["NormalizedMeanError"],
    "models": [
        "BranchSpec",
        "JointModel",
        "KeypointModel",
        "build_denoiser",
        "build_rcn",
        "build_sumnet",
        "build_tcdcn",
    ],
    "plotting.drawing": ["draw"],
    "predictor": ["Predictor"],
    "presets": ["from_preset", "list_presets"],
}

__getattr__ = lazily(
    __name__, {name: module for module, names in _MODULES.items() for name in names}
)


def __dir__():
    return sorted({*globals(), *__all__})


if sys.modules.get("keras"):
    for _module in ("models", "losses", "metrics"):
        importlib.import_module(f"{__name__}.{_module}")
