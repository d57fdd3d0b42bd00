"""Errors of a rival, and the linear map from its definition of the points to MTFL's."""

import common
import numpy as np

from rcn_keras.data.mtfl import AFLW_LABEL_SHIFT
from rcn_keras.evaluation.errors import normalized_errors
from rcn_keras.faces.crop import to_crop, to_photograph
from rcn_keras.layout import FACE_5


def both_errors(points, faces, suffix=""):
    """Mean errors in percent, as released and shift-corrected."""
    shifts = {"as released": 0, "shift-corrected": AFLW_LABEL_SHIFT}
    errors = {}
    for kind, shift in shifts.items():
        error = normalized_errors(labels(faces) - shift, points, FACE_5).mean()
        errors[kind + suffix] = f"{100 * error:.2f}"
    return errors


def labels(faces):
    return np.stack([face.keypoints for face in faces])


def located(rival, test):
    """A rival's five points of every face, `(N, 5, 2)`."""
    found = [common.five_points(rival, im, common.square_box(sq)) for _, im, sq in test]
    return np.stack(found)


def fit_correction(points, true, squares, dropped=0.05):
    """Least squares in coordinates of the squares, done twice.

    The second time without the faces that the first map leaves worst.

    Args:
        points, true: `(N, K, 2)` in photograph pixels.
        squares: `(N, 3)` left, top and side.
        dropped: float, share of the faces left out of the second fit.

    Returns:
        `(K, 3, 2)`: (x, y, 1) times it is the corrected (x, y), in sides of the square.
    """
    found, wanted = to_crop(points, squares, 1), to_crop(true, squares, 1)
    maps = []
    for k in range(found.shape[1]):
        x, y = _with_one(found[:, k]), wanted[:, k]
        residual = np.linalg.norm(x @ np.linalg.lstsq(x, y)[0] - y, axis=1)
        kept = residual.argsort()[: len(x) - int(dropped * len(x))]
        maps.append(np.linalg.lstsq(x[kept], y[kept])[0])
    return np.stack(maps)


def apply_correction(points, correction, squares):
    """Points `(N, K, 2)` put through the maps of `fit_correction`."""
    found = _with_one(to_crop(points, squares, 1))
    return to_photograph(np.einsum("nki,kij->nkj", found, correction), squares, 1)


def _with_one(points):
    return np.concatenate([points, np.ones_like(points[..., :1])], axis=-1)
