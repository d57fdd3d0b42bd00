"""The protocols under which a network is measured, each by its name.

- `paper_grid`: the paper's boxes (from the true keypoints), likeliest cell, prediction
  and truth both floored to the 80x80 grid.
- `subpixel`: the same boxes, sub-pixel decoding, nothing floored.
- `..._shift_corrected` (AFLW only): the same predictions, against labels moved back by
  the shift between AFLW's labels and the training set's
  (`data.mtfl.AFLW_LABEL_SHIFT`).
- On 300-W: 68 points over the distance of the eye centres, as in the paper; `..._49`
  without the contour and the inner mouth corners; `..._outer_corners` over the distance
  of the outer eye corners, as in today's tables; `..._occluded` with a black rectangle
  on each picture, as in training, from a fixed seed.
- `moved_35`, a denoiser by itself: the true keypoints of a face go in, 35 of them moved
  anywhere from a fixed seed; the error of those, sub-pixel, and `..._before`.
- `detector`: what a user gets: a detector's box, the refinement pass, sub-pixel, in
  photograph pixels; faces that are not found count as failures and have no part in the
  mean error.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import keras
import numpy as np

from rcn_keras._types import Progress
from rcn_keras.data.augmentation import Augmentation
from rcn_keras.data.batches import input_images
from rcn_keras.data.mtfl import AFLW_LABEL_SHIFT
from rcn_keras.data.shapes import corrupted_shapes
from rcn_keras.evaluation.errors import (
    FACE_68_OUTER_CORNERS,
    INNER_49,
    normalized_errors,
)
from rcn_keras.evaluation.inference import decoded_model, run
from rcn_keras.faces.images import read_image
from rcn_keras.layers import KeypointOneHot
from rcn_keras.layout import FACE_68
from rcn_keras.models import KeypointModel
from rcn_keras.models.keypoint_model import compiled

if TYPE_CHECKING:
    from rcn_keras.data.crops import Crops
    from rcn_keras.predictor import Predictor
    from rcn_keras.presets import Preset


MOVED = (5, 15, 25, 35, 45, 55, 60)

# Pictures as they are but for the rectangle of the training's occlusion.
OCCLUSION = Augmentation(scale=0, translation=0, rotation=0, flip=False)


def with_true_boxes(
    preset: Preset, crops: Crops, label_shift: float = 0.0
) -> tuple[dict[str, np.ndarray], np.ndarray | None]:
    """What a preset's kind is measured by, the detector's boxes left out.

    Args:
        preset: `presets.Preset`.
        crops: `Crops` of the same layout.
        label_shift: as of `ground_truth_boxes`.

    Returns:
        errors: dict, protocol to `(N, K)` errors.
        confidence: `(N, K)`, or `None` for a denoiser.
    """
    model = preset.model
    if preset.config["model"] == "denoiser":
        return moved_keypoints(model, crops), None
    if model.layout.name == FACE_68.name:
        errors = ground_truth_boxes_68(model, crops)
    else:
        errors = ground_truth_boxes(model, crops, label_shift)
    return errors, confidences(model, crops)


def ground_truth_boxes(
    model: KeypointModel, crops: Crops, label_shift: float = 0.0
) -> dict[str, np.ndarray]:
    """Errors with the paper's boxes.

    Args:
        model: `KeypointModel`; its decoder is that of the sub-pixel protocols.
        crops: `Crops`.
        label_shift: float, photograph pixels by which the labels lie too far right and
            down; 0 leaves the shift-corrected protocols out.

    Returns:
        dict: protocol to `(N, K)` errors (fractions).
    """
    images, true = input_images(crops)
    out, layout, size = (
        run(decoded_model(model), images),
        model.layout,
        model.input_size,
    )
    predicted = out[model.decoder]
    errors = {
        "paper_grid": normalized_errors(
            true, out["argmax"], layout, grid=True, size=size
        ),
        "subpixel": normalized_errors(true, predicted, layout),
    }
    if label_shift:
        # Side of the network's input in photograph pixels.
        side = crops.squares[:, 2] * crops.outer[:, 2] / (2 * size)
        moved = true - (label_shift * size / side)[:, None, None]
        errors |= {
            "paper_grid_shift_corrected": normalized_errors(
                moved, out["argmax"], layout, grid=True, size=size
            ),
            "subpixel_shift_corrected": normalized_errors(moved, predicted, layout),
        }
    return errors


def ground_truth_boxes_68(model: KeypointModel, crops: Crops) -> dict[str, np.ndarray]:
    """Errors on faces of 300-W, with the paper's boxes.

    Args:
        model: `KeypointModel`; its decoder is that of the sub-pixel protocols.
        crops: `Crops`.

    Returns:
        dict: protocol to `(N, 68)` or `(N, 49)` errors (fractions).
    """
    decoded, errors = decoded_model(model), {}
    for ending, augmentation in (("", None), ("_occluded", OCCLUSION)):
        images, true = input_images(crops, augmentation, seed=0)
        out = run(decoded, images)
        for name, method, grid in (
            ("paper_grid", "argmax", True),
            ("subpixel", model.decoder, False),
        ):
            predicted = out[method]
            every, corners = (
                normalized_errors(true, predicted, layout, grid, model.input_size)
                for layout in (model.layout, FACE_68_OUTER_CORNERS)
            )
            errors[f"{name}{ending}"] = every
            errors[f"{name}_49{ending}"] = every[:, INNER_49]
            errors[f"{name}_outer_corners{ending}"] = corners
            errors[f"{name}_49_outer_corners{ending}"] = corners[:, INNER_49]
    return errors


def moved_keypoints(
    denoiser: KeypointModel, crops: Crops, counts: Sequence[int] = MOVED
) -> dict[str, np.ndarray]:
    """Errors of a denoiser by itself, by the number of keypoints that are moved.

    Args:
        denoiser: `KeypointModel`, one-hot maps to pre-softmax maps.
        crops: `Crops`.
        counts: ints, how many keypoints of a face are moved; those that are more than
            it has are left out.

    Returns:
        dict: `moved_5_before`, `moved_5`, ... to `(N, K)` errors, NaN where a keypoint
        was not moved.
    """
    points = keras.Input(crops.keypoints.shape[1:])
    maps = denoiser(KeypointOneHot(denoiser.input_shape[1])(points))
    model = KeypointModel(points, maps, denoiser.layout)
    decoded, errors = decoded_model(model), {}
    for count in [count for count in counts if count <= denoiser.layout.count]:
        corrupted, true, counted = corrupted_shapes(crops, count)
        predicted = run(decoded, corrupted)[denoiser.decoder]
        for ending, points in (("_before", corrupted), ("", predicted)):
            values = normalized_errors(true, points, denoiser.layout)
            errors[f"moved_{count}{ending}"] = np.where(counted, values, np.nan)
    return errors


def detector_boxes(
    predictor: Predictor,
    crops: Crops,
    label_shift: float = 0.0,
    progress: Progress | None = None,
) -> dict[str, np.ndarray]:
    """Errors of what a user gets: the predictor finds the face by itself.

    Args:
        predictor: `Predictor`.
        crops: `Crops`, one face to a photograph.
        label_shift: float, as in `ground_truth_boxes`.
        progress: callable `(done, total)`, or `None`.

    Returns:
        dict: `detector` (and `detector_shift_corrected`) to `(N, K)` errors; a row of
        infinities where the face was not found.
    """
    faces, layout = crops.faces, crops.layout
    labels = np.stack([face.keypoints for face in faces])
    predicted = np.full(labels.shape, np.inf)
    for i, face in enumerate(faces):
        detected_faces = predictor(read_image(face.image))
        nearest = _nearest(detected_faces, face.keypoints)
        if nearest is not None:
            predicted[i] = nearest.keypoints
        if progress:
            progress(i + 1, len(faces))
    errors = {"detector": normalized_errors(labels, predicted, layout)}
    if label_shift:
        moved = labels - label_shift
        errors["detector_shift_corrected"] = normalized_errors(moved, predicted, layout)
    return errors


def _nearest(detected_faces, keypoints):
    """The face whose box holds the centre of the true keypoints, the nearest if
    several, or `None`: a face elsewhere in the photograph is not this one."""
    center = np.nanmean(keypoints, axis=0)
    holding = [
        face
        for face in detected_faces
        if (face.box[:2] <= center).all() and (center <= face.box[2:]).all()
    ]
    return min(
        holding,
        key=lambda face: np.abs((face.box[:2] + face.box[2:]) / 2 - center).sum(),
        default=None,
    )


def confidences(model: KeypointModel, crops: Crops) -> np.ndarray:
    """The confidence of each keypoint with the paper's boxes, `(N, K)`.

    Args:
        model: `KeypointModel`.
        crops: `Crops`.
    """
    decoded = compiled(model.input, model.decode(model.output))
    return run(decoded, input_images(crops)[0])["confidence"]


def label_shift(set_name: str) -> float:
    """The known shift of a set's labels, photograph pixels."""
    return AFLW_LABEL_SHIFT if set_name == "aflw" else 0.0
