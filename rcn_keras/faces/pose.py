"""How a head is turned, and measures of a face, from its keypoints.

Axes: x to the viewer's right, y down, z away from the viewer. The angles are those of
the head as the camera sees it, 0 for a face that looks straight along the camera's
axis: **yaw** is positive where the nose points to the right side of the picture,
**pitch** where it points up, **roll** where the face is turned clockwise. The head is
pitched first, then yawed, then rolled.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rcn_keras.errors import InputError
from rcn_keras.faces.five_points import five_points, keypoints_of
from rcn_keras.layout import FACE_68, FACES, KeypointLayout

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


# The mean face of 300-W's training faces (benchmarks/mean_face.py), in distances of the
# eye centres, whose middle is the origin: the points that expressions move least.
MEAN_FACE = {
    27: (0, -0.055, -0.279),
    28: (0, 0.125, -0.393),
    29: (0, 0.302, -0.519),
    30: (0, 0.485, -0.642),
    31: (-0.229, 0.645, -0.347),
    32: (-0.119, 0.679, -0.402),
    33: (0, 0.711, -0.435),
    34: (0.119, 0.679, -0.402),
    35: (0.229, 0.645, -0.347),
    36: (-0.693, 0.008, 0.064),
    39: (-0.298, 0.024, -0.025),
    42: (0.298, 0.024, -0.025),
    45: (0.693, 0.008, 0.064),
    48: (-0.439, 1.044, 0),
    54: (0.439, 1.044, 0),
}
MEAN_FIVE = ((-0.5, 0, 0), (0.5, 0, 0), MEAN_FACE[30], MEAN_FACE[48], MEAN_FACE[54])
# From the viewer's axes to those of the angles, whose z points to the viewer.
_FLIP = np.diag([1.0, 1.0, -1.0])


@dataclasses.dataclass(frozen=True)
class HeadPose:
    """How a head is turned and where it is; see the head of `rcn_keras.faces.pose`.

    Attributes:
        yaw, pitch, roll: floats, degrees.
        rotation: `(3, 3)`, from the mean face's axes to the camera's.
        translation: `(3,)`, the middle of the eyes before the camera, in distances of
            the eye centres of the mean face.
        focal_length: float, pixels.
        center: `(2,)`, of the picture, continuous pixels.
    """

    yaw: float
    pitch: float
    roll: float
    rotation: np.ndarray
    translation: np.ndarray
    focal_length: float
    center: np.ndarray

    def project(self, points: ArrayLike) -> np.ndarray:
        """Points of the mean face's axes in the picture.

        Args:
            points: `(M, 3)`, in distances of the eye centres.

        Returns:
            `(M, 2)`, continuous pixels.
        """
        placed = np.asarray(points, "float64") @ self.rotation.T + self.translation
        return self.focal_length * placed[:, :2] / placed[:, 2:] + self.center


@dataclasses.dataclass(frozen=True)
class FaceMeasures:
    """Measures of a face of 68 keypoints; of 5, those that need more are NaN.

    Attributes:
        interocular: float, distance of the eye centres in pixels. An eye's centre is
            the mean of its six points.
        left_eye, right_eye: floats, eye aspect ratio of the eye on the viewer's left
            and right: the mean distance of upper and lower lid over that of the
            corners (Soukupova and Cech, 2016). About 0.3 open, below 0.2 shut.
        mouth: float, mouth opening: the mean distance of the inner lips at three places
            over that of the mouth's inner corners. 0 shut.
    """

    interocular: float
    left_eye: float
    right_eye: float
    mouth: float


def head_pose(
    face: Any,
    size: Sequence[int],
    focal_length: float | None = None,
    layout: KeypointLayout | None = None,
) -> HeadPose:
    """The pose of a head by OpenCV's SQPnP on a mean face.

    15 of 68 points are used, or the five that other layouts have, a coarser estimate.
    The mean face is no one's: a head whose nose is longer or flatter than the mean
    seems turned more or less than it is.

    Args:
        face: what the predictor returns, a dict with `"keypoints"`, or `(K, 2)`
            keypoints in continuous pixels.
        size: `(width, height)` of the picture in pixels. Its centre is taken to be the
            camera's axis.
        focal_length: float, pixels, or `None` for the longer side of the picture (a
            view of 53 degrees).
        layout: `KeypointLayout`, or `None` for that of 5 or 68 keypoints.

    Returns:
        `HeadPose`.

    Raises:
        InputError: if the keypoints are not those of a face, not finite, or no pose
            fits them.

    Reference:
        Terzakis and Lourakis, A consistently fast and globally optimal solution to the
        perspective-n-point problem, ECCV 2020.
    """
    import cv2

    points = keypoints_of(face)
    layout = layout or FACES.get(len(points))
    if layout is not None and layout.name == FACE_68.name:
        model, pixels = np.array([*MEAN_FACE.values()]), points[[*MEAN_FACE]]
    else:
        model, pixels = np.array(MEAN_FIVE), five_points(points, layout)
    focal_length = float(max(size) if focal_length is None else focal_length)
    if not (np.isfinite(pixels).all() and np.ptp(pixels, axis=0).max() > 0):
        raise InputError(
            "a pose needs finite keypoints, not on one spot. "
            f"Received: {pixels.tolist()}"
        )
    if not 0 < focal_length < np.inf:
        raise InputError(
            f"`focal_length` must be above 0 pixels. Received: {focal_length}"
        )
    center = np.asarray(size, "float64") / 2
    camera = np.diag([focal_length, focal_length, 1.0])
    fits, turn, shift = cv2.solvePnP(
        model, pixels - center, camera, None, flags=cv2.SOLVEPNP_SQPNP
    )
    if not fits or not np.isfinite([turn, shift]).all():
        raise InputError(f"no pose fits the keypoints {pixels.tolist()}")
    rotation = cv2.Rodrigues(turn)[0]
    return HeadPose(*angles(rotation), rotation, shift.ravel(), focal_length, center)


def rotation_matrix(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """The rotation of these angles in degrees, `(3, 3)`; the inverse of `angles`."""
    (a, b, c), (d, e, f) = (
        function(np.radians([yaw, pitch, roll])) for function in (np.cos, np.sin)
    )
    rolled = np.array([[c, -f, 0], [f, c, 0], [0, 0, 1]])
    yawed = np.array([[a, 0, d], [0, 1, 0], [-d, 0, a]])
    pitched = np.array([[1, 0, 0], [0, b, -e], [0, e, b]])
    return _FLIP @ rolled @ yawed @ pitched @ _FLIP


def angles(rotation: ArrayLike) -> tuple[float, float, float]:
    """Yaw, pitch and roll in degrees of a rotation, `(3, 3)`."""
    turn = _FLIP @ np.asarray(rotation, "float64") @ _FLIP
    yaw = np.arcsin(np.clip(-turn[2, 0], -1, 1))
    pitch, roll = np.arctan2(turn[2, 1], turn[2, 2]), np.arctan2(turn[1, 0], turn[0, 0])
    yaw, pitch, roll = np.degrees([yaw, pitch, roll]).tolist()
    return yaw, pitch, roll


def face_measures(face: Any, layout: KeypointLayout | None = None) -> FaceMeasures:
    """Measures of a face; see `FaceMeasures`.

    Args:
        face: as for `head_pose`.
        layout: `KeypointLayout`, or `None` for that of 5 or 68 keypoints.

    Raises:
        InputError: if the keypoints are not those of a face.
    """
    points = keypoints_of(face)
    left, right = five_points(points, layout)[:2]
    layout = layout or FACES[len(points)]
    ratios = (np.nan, np.nan, np.nan)
    if layout.name == FACE_68.name:
        outlines = layout.outlines
        ratios = (
            _opening(points[list(outlines[name][:-1])])
            for name in ("left_eye", "right_eye", "inner_lip")
        )
    return FaceMeasures(float(np.hypot(*(right - left))), *ratios)


def _opening(points):
    """How far a closed line is open: its first point and the middle one are corners."""
    middle = len(points) // 2
    gaps = points[1:middle] - points[:middle:-1]
    width = np.hypot(*(points[middle] - points[0]))
    return float(np.hypot(*gaps.T).mean() / width) if width > 0 else np.nan
