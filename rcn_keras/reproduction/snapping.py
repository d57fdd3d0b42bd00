"""The original's treatment of points beyond the photograph, for comparison with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rcn_keras.data.batches import input_images
from rcn_keras.evaluation.errors import normalized_errors
from rcn_keras.evaluation.inference import decoded_model, run
from rcn_keras.faces.border import BOTTOM, LEFT, RIGHT, TOP
from rcn_keras.faces.boxes import INPUT_SIZE
from rcn_keras.faces.crop import to_crop

if TYPE_CHECKING:
    from rcn_keras.data.crops import Crops
    from rcn_keras.models import KeypointModel


def snapped(predicted: np.ndarray, crops: Crops) -> np.ndarray:
    """Predictions after the original's "ground-truth border snapping" on 300-W.

    A keypoint that was annotated on an edge of the photograph (`Crops.border`) is put
    on that edge, then all are clipped to the photograph. The first step uses the truth
    of the very points that are measured: numbers got with it are to say so.

    Args:
        predicted: `(N, K, 2)` in pixels of the 80x80 inputs.
        crops: `Crops` of the same faces.

    Returns:
        `(N, K, 2)`.
    """
    picture = to_crop(crops.picture, crops.squares, INPUT_SIZE)
    low, high = np.split(np.clip(picture, 0, INPUT_SIZE), 2, axis=1)
    border = crops.border[..., None]
    predicted = np.where(border & [RIGHT, BOTTOM], high, predicted)
    predicted = np.where(border & [LEFT, TOP], low, predicted)
    return np.clip(predicted, low, high)


def border_snapped_errors(model: KeypointModel, crops: Crops) -> dict[str, np.ndarray]:
    """Errors with the paper's boxes after the snapping, beside those of
    `evaluation.protocols`.

    Args:
        model: `KeypointModel`; its decoder is that of the sub-pixel protocol.
        crops: `Crops` of 300-W.

    Returns:
        dict: `paper_grid_border_snapped`, `subpixel_border_snapped` to `(N, K)` errors
        (fractions).
    """
    images, true = input_images(crops)
    predicted = run(decoded_model(model), images)
    return {
        f"{name}_border_snapped": normalized_errors(
            true, snapped(predicted[method], crops), model.layout, grid
        )
        for name, method, grid in (
            ("paper_grid", "argmax", True),
            ("subpixel", model.decoder, False),
        )
    }
