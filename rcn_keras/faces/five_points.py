"""Eyes, nose and mouth corners of a face, whichever layout its keypoints are in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rcn_keras.errors import InputError
from rcn_keras.layout import FACE_5, FACE_68, FACES, KeypointLayout

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


# The keypoints whose mean each of the five points is.
_GROUPS = {
    FACE_5.name: ((0,), (1,), (2,), (3,), (4,)),
    FACE_68.name: (tuple(range(36, 42)), tuple(range(42, 48)), (30,), (48,), (54,)),
}


def five_points(
    keypoints: ArrayLike, layout: KeypointLayout | None = None
) -> np.ndarray:
    """Eye centres, tip of the nose and mouth corners, the viewer's left first.

    Args:
        keypoints: `(..., K, 2)`.
        layout: their `KeypointLayout`; `None` for that of a face of so many keypoints.
            Any layout does whose names include those of `rcn_keras.FACE_5`.

    Returns:
        `(..., 5, 2)` float64, in the order of `rcn_keras.FACE_5`.

    Raises:
        InputError: if the five points do not follow from the keypoints.
    """
    keypoints = np.asarray(keypoints, "float64")
    count = keypoints.shape[-2] if keypoints.ndim >= 2 else 0
    layout = layout or FACES.get(count)
    if layout is None or layout.count != count or keypoints.shape[-1] != 2:
        raise InputError(
            "a face must have 5 or 68 keypoints (x, y), or come with its layout. "
            f"Received: keypoints of shape {keypoints.shape}"
        )
    groups = _GROUPS.get(layout.name)
    if groups is None and set(FACE_5.names) <= set(layout.names):
        groups = [(layout.names.index(name),) for name in FACE_5.names]
    if groups is None:
        raise InputError(
            f"eyes, nose and mouth corners do not follow from the layout "
            f"{layout.name!r}: it has no keypoints named {', '.join(FACE_5.names)}"
        )
    points = [keypoints[..., list(group), :].mean(axis=-2) for group in groups]
    return np.stack(points, axis=-2)


def keypoints_of(face: Any) -> np.ndarray:
    """The keypoints of what a predictor returns, of a dict of it, or themselves.

    Returns:
        `(K, 2)` float64.
    """
    if isinstance(face, dict):
        face = face["keypoints"]
    return np.asarray(getattr(face, "keypoints", face), "float64")
