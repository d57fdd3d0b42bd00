"""Layouts: which keypoints a network predicts, and all that depends on it, as data."""

from rcn_keras.layout.face_layouts import FACE_5, FACE_68, FACES, chosen_layout
from rcn_keras.layout.keypoint_layout import KeypointLayout, mirror_pairs_by_name
from rcn_keras.layout.mirror import mirror_pairs_by_shape
from rcn_keras.layout.square_rule import SquareRule

__all__ = [
    "FACES",
    "FACE_5",
    "FACE_68",
    "KeypointLayout",
    "SquareRule",
    "chosen_layout",
    "mirror_pairs_by_name",
    "mirror_pairs_by_shape",
]
