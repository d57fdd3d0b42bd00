"""Decoder and calibration of a network, chosen on the validation faces.

Confidence and face score are straight lines in log odds of how sharp the maps are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rcn_keras import codec
from rcn_keras.data.backgrounds import background_crops
from rcn_keras.evaluation.errors import normalized_errors
from rcn_keras.evaluation.inference import decoded_model, run
from rcn_keras.layers import KeypointDecoder
from rcn_keras.models.keypoint_model import compiled

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from rcn_keras.data.crops import Crops
    from rcn_keras.models import KeypointModel

# With fewer crops without a face no face score is fitted.
LEAST_BACKGROUNDS = 50


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
    slope, offset = fit_line(log_odds(np.concatenate(mass)), np.concatenate(correct))
    return {
        "decoder": decoder,
        "calibration": [round(slope, 4), round(offset, 4)],
        "validation": {
            "faces": len(keypoints),
            "subpixel_nme": {k: round(100 * errors[k], 4) for k in codec.DECODERS},
            "paper_grid_nme": round(100 * float(grid), 4),
        },
    }


def log_odds(mass: ArrayLike) -> np.ndarray:
    """Of a mass in [0, 1], no nearer to 0 and 1 than `codec.mass_log_odds` goes."""
    mass = np.clip(np.asarray(mass, "float64"), 1e-6, 1 - 1e-6)
    return np.log(mass) - np.log1p(-mass)


def fit_line(
    odds: np.ndarray, correct: np.ndarray, steps: int = 100
) -> tuple[float, float]:
    """Logistic regression of "correct" on the log odds of the mass.

    By Newton's method, a step halved until it leads down: where nearly all of the mass
    is 1, whole steps run away.

    Args:
        odds: `(M,)`, log odds.
        correct: `(M,)` bool.
        steps: int, at most.

    Returns:
        slope, offset: floats.
    """
    x = np.stack([odds, np.ones_like(odds)], axis=1)

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


def sharpness(model: KeypointModel, images: np.ndarray) -> np.ndarray:
    """What the face score is a line of: the mean of the log odds over the keypoints.

    Args:
        model: `KeypointModel`.
        images: `(N, S, S, 1)` uint8, crops.

    Returns:
        `(N,)` float64.
    """
    bare = KeypointDecoder(model.layout, model.decoder)(model.output)
    mass = run(compiled(model.input, bare), images)["confidence"]
    return log_odds(mass).mean(axis=1)


def fit_face_line(faces: np.ndarray, backgrounds: np.ndarray) -> tuple[float, float]:
    """The line of the face score, as if faces and backgrounds were equally frequent.

    Args:
        faces, backgrounds: `(N,)` and `(M,)`, the `sharpness` of crops with and
            without a face.

    Returns:
        slope, offset: floats.
    """
    is_face = np.repeat([True, False], [len(faces), len(backgrounds)])
    slope, offset = fit_line(np.concatenate([faces, backgrounds]), is_face)
    # What their numbers alone put into the offset.
    return slope, offset - float(np.log(len(faces) / len(backgrounds)))


def face_calibration(
    model: KeypointModel, sets: Sequence[tuple], validation: Crops
) -> dict[str, Any]:
    """The calibration of the face score, as a preset's configuration holds it.

    Args:
        model: `KeypointModel` with its decoder.
        sets: of the same faces, as from `validation_sets`.
        validation: `Crops`, whose photographs give the backgrounds.

    Returns:
        dict of `face_calibration`, `[slope, offset]` or `None` where there are fewer
        than `LEAST_BACKGROUNDS`, and of `backgrounds`, int, how many there are.
    """
    backgrounds = background_crops(validation)
    if len(backgrounds) < LEAST_BACKGROUNDS:
        return {"face_calibration": None, "backgrounds": len(backgrounds)}
    faces = np.concatenate([inputs for inputs, _, _ in sets])
    line = fit_face_line(sharpness(model, faces), sharpness(model, backgrounds))
    return {
        "face_calibration": [round(number, 4) for number in line],
        "backgrounds": len(backgrounds),
    }
