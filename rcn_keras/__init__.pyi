# The public names: type checkers and editors read them here, and so does `_lazy`.
from typing import Any

from rcn_keras.export.formats import export_model as export_model
from rcn_keras.faces.align import align as align
from rcn_keras.faces.pose import face_measures as face_measures
from rcn_keras.faces.pose import head_pose as head_pose
from rcn_keras.layout import FACE_5 as FACE_5
from rcn_keras.layout import FACE_68 as FACE_68
from rcn_keras.layout import KeypointLayout as KeypointLayout
from rcn_keras.layout import SquareRule as SquareRule
from rcn_keras.losses import ExpectedDistance as ExpectedDistance
from rcn_keras.losses import KeypointDistance as KeypointDistance
from rcn_keras.losses import SpatialCrossentropy as SpatialCrossentropy
from rcn_keras.metrics import NormalizedMeanError as NormalizedMeanError
from rcn_keras.models import BranchSpec as BranchSpec
from rcn_keras.models import JointModel as JointModel
from rcn_keras.models import KeypointModel as KeypointModel
from rcn_keras.models import build_denoiser as build_denoiser
from rcn_keras.models import build_rcn as build_rcn
from rcn_keras.models import build_sumnet as build_sumnet
from rcn_keras.models import build_tcdcn as build_tcdcn
from rcn_keras.plotting.drawing import draw as draw
from rcn_keras.predictor import Predictor as Predictor
from rcn_keras.presets import from_preset as from_preset
from rcn_keras.presets import list_presets as list_presets

__version__: str
__all__: list[str]

def __getattr__(name: str) -> Any: ...  # the modules
