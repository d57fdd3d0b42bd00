"""Decoder and calibration of a network, chosen on the validation faces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rcn_keras import codec
from rcn_keras.evaluation.errors import normalized_errors
from rcn_keras.evaluation.inference import decoded_model, run
from rcn_keras.models.keypoint_model import compiled

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from rcn_keras.models import KeypointModel


def choose_decoder(
    model: KeypointModel, clean: tuple, jittered: tuple
) -> dict[str, Any]:
    """Decoder and calibration by validation, with the numbers that chose them."""
    inputs, keypoints, counted = clean
    decoded, layout = run(decoded_model(model), inputs), model.layout
    errors = {
        method: float(normalized_errors(keypoints, predicted, layout)[counted].mean())
        for method, predicted in decoded.items()
    }
    decoder = min(codec.DECODERS, key=errors.__getitem__)
    grid = normalized_errors(
        keypoints, decoded["argmax"], layout, grid=True, size=model.input_size
    )[counted].mean()
    model.set_decoder(decoder)  # and the bare mass for confidence
    bare = compiled(model.input, model.decode(model.output))
    mass, correct = [], []
    for inputs, keypoints, counted in (clean, jittered):
        predicted = run(bare, inputs)
        mass.append(predicted["confidence"][counted])
        error = normalized_errors(keypoints, predicted["keypoints"], layout)
        correct.append(error[counted] < 0.1)
    slope, offset = fit_line(np.concatenate(mass), np.concatenate(correct))
    return {
        "decoder": decoder,
        "calibration": [round(slope, 4), round(offset, 4)],
        "validation": {
            "faces": len(keypoints),
            "subpixel_nme": {k: round(100 * errors[k], 4) for k in codec.DECODERS},
            "paper_grid_nme": round(100 * float(grid), 4),
        },
    }


def fit_line(
    mass: ArrayLike, correct: np.ndarray, steps: int = 100
) -> tuple[float, float]:
    """Logistic regression of "correct" on the log odds of the mass.

    By Newton's method, a step halved until it leads down: where nearly all of the mass
    is 1, whole steps run away.

    Args:
        mass: `(M,)` in (0, 1).
        correct: `(M,)` bool.
        steps: int, at most.

    Returns:
        slope, offset: floats.
    """
    mass = np.clip(np.asarray(mass, "float64"), 1e-6, 1 - 1e-6)
    x = np.stack([np.log(mass) - np.log1p(-mass), np.ones_like(mass)], axis=1)

    def cost(weights):
        line = x @ weights
        misfit = (np.logaddexp(0, line) - correct * line).sum()
        return misfit + 5e-7 * weights @ weights  # what holds a line that fits all

    weights = np.array([1.0, 0.0])
    for _ in range(steps):
        p = 1 / (1 + np.exp(-np.clip(x @ weights, -30, 30)))
        gradient = x.T @ (p - correct) + 1e-6 * weights
        curvature = (x * (p * (1 - p))[:, None]).T @ x + 1e-6 * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        while cost(weights - step) > cost(weights) and np.abs(step).max() > 1e-9:
            step = step / 2
        weights = weights - step
        if np.abs(step).max() < 1e-8:
            break
    return float(weights[0]), float(weights[1])
