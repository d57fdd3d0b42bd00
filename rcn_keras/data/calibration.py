"""Training crops to set the ranges of 8-bit numbers by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rcn_keras._types import PathLike, Progress
from rcn_keras.data.crops import Crops, load_crops
from rcn_keras.data.own import is_own, read_own, split_own
from rcn_keras.data.packed import is_packed, load_packed
from rcn_keras.data.sets import split_faces
from rcn_keras.faces.boxes import INPUT_SIZE

if TYPE_CHECKING:
    from rcn_keras.layout import KeypointLayout

MOST = 160


def calibration_crops(
    data: PathLike,
    layout: KeypointLayout,
    allow_missing: bool = False,
    progress: Progress | None = None,
    input_size: int = INPUT_SIZE,
    **reading: Any,
) -> Crops:
    """Some of the instances that training has seen, evenly out of their list.

    Args:
        data: what `rcn-keras train` takes: a folder of MTFL or of 300-W, one that
            `packed.pack` wrote, or a file of one's own keypoints.
        layout: `KeypointLayout` of the network.
        allow_missing, progress, input_size: as for `sets.load_training`.
        **reading: how to read a file: `images`, `coordinates` and `category` of
            `keypoint_files.read_annotations`.

    Returns:
        `Crops`, at most 160, and what could not be used.

    Raises:
        InputError: if the data cannot be used, or are of other keypoints.
    """
    if is_packed(data):
        training, _ = load_packed(data, layout, input_size)
        return training.take(range(len(training))[:: _step(training)])
    if is_own(data):
        annotations = read_own(data, layout, **reading)
        (faces, _), failures = split_own(annotations, data), annotations.failures
    else:
        (faces, failures), _ = split_faces(data, layout, allow_missing)
    some = faces[:: _step(faces)]
    crops = load_crops(some, layout, progress, border=False, input_size=input_size)
    crops.failures.extend(failures)
    return crops


def _step(faces):
    return -(-len(faces) // MOST)
