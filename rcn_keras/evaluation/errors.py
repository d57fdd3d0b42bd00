"""Errors of predicted keypoints in numpy: Eq. 4 and what is drawn from it."""

import dataclasses

import numpy as np
from numpy.typing import ArrayLike

from rcn_keras import codec
from rcn_keras.layout import FACE_68, KeypointLayout

# 300-W over the distance of the outer eye corners, as in much other work.
FACE_68_OUTER_CORNERS = dataclasses.replace(FACE_68, normalizer=((36,), (45,)))

# Of its points, by index: no contour, and no inner mouth corners.
INNER_49 = np.setdiff1d(np.arange(17, 68), [60, 64])


def normalized_errors(
    true: ArrayLike,
    predicted: ArrayLike,
    layout: KeypointLayout,
    grid: bool = False,
    size: int = 80,
) -> np.ndarray:
    """Distance over the normalising distance for every keypoint (Eq. 4).

    Args:
        true, predicted: `(N, K, 2)` in pixels of the input. The error of a true
            keypoint that is NaN or infinite is NaN, as are those of a face whose
            normalising distance is, or is 0.
        layout: `KeypointLayout` of the K keypoints.
        grid: bool, the paper's protocol: both are floored to whole cells inside the
            grid; the normalising distance stays that of the unfloored truth.
        size: int, side of the grid: that of the input in pixels.

    Returns:
        `(N, K)` float64 fractions.

    Raises:
        ValueError: if the layout is of another number of keypoints.
    """
    true, predicted = np.asarray(true, "float64"), np.asarray(predicted, "float64")
    true = np.where(np.isfinite(true), true, np.nan)
    distance = codec.normalizing_distance(true.astype("float32"), layout)
    distance = np.where(np.asarray(distance) > 0, distance, np.nan)
    if grid:
        true, predicted = _floored(true, size), _floored(predicted, size)
    return np.linalg.norm(true - predicted, axis=-1) / distance[:, None]


def _floored(points: np.ndarray, size: int) -> np.ndarray:
    return np.clip(np.floor(points), 0, size - 1)


def face_errors(errors: ArrayLike) -> np.ndarray:
    """The mean over each face's known keypoints.

    Args:
        errors: `(N, K)`, NaN where a keypoint is not known.

    Returns:
        `(N,)`, NaN for a face without any known keypoint.
    """
    errors = np.asarray(errors, "float64")
    known = ~np.isnan(errors).all(axis=1)
    faces = np.full(len(errors), np.nan)
    faces[known] = np.nanmean(errors[known], axis=1)
    return faces


def summary(
    errors: ArrayLike, missed: int = 0, resamples: int = 2000, seed: int = 0
) -> dict:
    """The numbers of a set of faces.

    Args:
        errors: `(N, K)` fractions. NaN never counts: not in the mean of its face, nor
            does a face of nothing else.
        missed: int, further faces that were not found: they count as failures, and not
            in the mean error.
        resamples: int, bootstrap resamples of the faces for the interval.
        seed: int.

    Returns:
        dict, percent (`None` where no face was found): `nme` the mean error, `ci95` its
        bootstrap interval, `failure_rate_8` and `failure_rate_10` the share of faces
        whose mean error is above 8 and 10 %, `auc_10` the area under the cumulative
        error curve up to 10 % over that of a perfect one, `per_keypoint` the mean error
        of each keypoint (`None` for one that never counts).
    """
    errors = np.asarray(errors, "float64")
    errors = errors[~np.isnan(errors).all(axis=1)]
    faces = face_errors(errors)
    all_faces = np.concatenate([faces, np.full(missed, np.inf)])
    mean, interval = None, [None, None]
    if len(faces):
        low, high = bootstrap_interval(faces, resamples, seed)
        mean = round(100 * faces.mean(), 4)
        interval = [round(100 * low, 4), round(100 * high, 4)]
    return {
        "nme": mean,
        "ci95": interval,
        "failure_rate_8": round(100 * np.mean(all_faces > 0.08), 4),
        "failure_rate_10": round(100 * np.mean(all_faces > 0.10), 4),
        "auc_10": round(100 * area_under_curve(all_faces, 0.10), 4),
        "per_keypoint": [
            None if np.isnan(column).all() else round(100 * np.nanmean(column), 4)
            for column in errors.T
        ],
    }


def bootstrap_interval(
    faces: np.ndarray, resamples: int = 2000, seed: int = 0
) -> np.ndarray:
    """The 95 % bootstrap interval of a mean over faces, `(N,)`: low, high."""
    picks = np.random.default_rng(seed).integers(0, len(faces), (resamples, len(faces)))
    return np.percentile(faces[picks].mean(axis=1), [2.5, 97.5])


def cumulative_error(
    faces: ArrayLike, limit: float = 0.2, points: int = 201
) -> tuple[np.ndarray, np.ndarray]:
    """The cumulative error distribution (CED) of the faces' mean errors.

    Returns:
        thresholds, shares: two `(points,)` arrays; `shares[i]` of the faces have an
        error of at most `thresholds[i]`.
    """
    thresholds = np.linspace(0, limit, points)
    ordered = np.sort(np.asarray(faces))
    return thresholds, np.searchsorted(ordered, thresholds, side="right") / len(ordered)


def area_under_curve(faces: ArrayLike, limit: float) -> float:
    """Exact area under the CED from 0 to `limit`, over `limit`: in [0, 1]."""
    return float(np.mean(np.clip(limit - np.asarray(faces), 0, None)) / limit)


def calibration_error(
    confidence: ArrayLike, correct: ArrayLike, bins: int = 10
) -> float:
    """Expected calibration error: how far confidence is from the share that is right.

    Args:
        confidence: array of any shape, numbers in [0, 1].
        correct: bools of the same shape.
        bins: int, how many equal parts of [0, 1].

    Returns:
        float in [0, 1]: the mean over all, bin by bin, of the distance between the
        mean confidence and the share that is correct.
    """
    confidence, correct = np.ravel(confidence).astype("float64"), np.ravel(correct)
    part = np.clip((confidence * bins).astype(int), 0, bins - 1)
    gap = np.bincount(part, confidence - correct, bins)
    return float(np.abs(gap).sum() / max(len(part), 1))


def auroc(positive: ArrayLike, negative: ArrayLike) -> float:
    """Area under the receiver operating characteristic.

    Args:
        positive, negative: `(N,)` and `(M,)`, the scores of both classes.

    Returns:
        float in [0, 1]: the chance that the score of a positive is above that of a
        negative, a tie counting one half (Mann and Whitney).
    """
    negative = np.sort(np.ravel(negative))
    below, up_to = (
        np.searchsorted(negative, np.ravel(positive), side)
        for side in ("left", "right")
    )
    return float((below + up_to).mean() / (2 * len(negative)))
