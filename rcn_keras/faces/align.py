"""Faces brought to one place, size and upright: what face recognition takes."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from rcn_keras.errors import InputError
from rcn_keras.faces.five_points import five_points, keypoints_of
from rcn_keras.layout import KeypointLayout

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


TEMPLATES = ("arcface", "ffhq", "eyes")
LARGEST = 4096  # side of an aligned crop in pixels

# Where recognition networks of the ArcFace family expect the five points, in a crop of
# 112 pixels. Published as indices of pixels; one half makes them continuous.
_ARCFACE = (
    np.array(
        [
            [38.2946, 51.6963],
            [73.5318, 51.5014],
            [56.0252, 71.7366],
            [41.5493, 92.3655],
            [70.7299, 92.2041],
        ]
    )
    + 0.5
) / 112


@dataclasses.dataclass(frozen=True)
class AlignedFace:
    """A face in its template's place.

    Attributes:
        image: `(size, size, 3)` uint8 RGB.
        to_crop: `(2, 3)` float64, `[A | t]`: a point p of the photograph lies at
            `A p + t` in the crop, both in continuous pixels.
        to_photograph: `(2, 3)` float64, the inverse.
    """

    image: np.ndarray
    to_crop: np.ndarray
    to_photograph: np.ndarray


def align(
    image: np.ndarray,
    face: Any,
    size: int = 112,
    template: str = "arcface",
    eye_distance: float = 0.4,
    layout: KeypointLayout | None = None,
) -> AlignedFace | list[AlignedFace]:
    """Turns, scales and moves a face into a square crop by its five points.

    - `"arcface"`: the similarity that brings the five points nearest to those of
      ArcFace's crop, in the sense of least squares; black outside the photograph.
    - `"ffhq"`: the wide crop of the FFHQ set, from the eye centres and the middle of
      the mouth corners; the photograph is mirrored at its edges.
    - `"eyes"`: eye centres level, at 0.4 of the crop's height and `eye_distance` apart;
      black outside the photograph.

    Resampling is sub-pixel by Lanczos's kernel; a crop coarser than the photograph is
    computed in finer pixels whose mean is taken.

    Args:
        image: `(H, W, 3)` uint8 RGB.
        face: what the predictor returns, a dict with `"keypoints"`, `(K, 2)` keypoints
            in continuous pixels of the photograph, or a list of those.
        size: int, side of the crop in pixels.
        template: str, as above.
        eye_distance: float, of the template `"eyes"`, in sides of the crop.
        layout: `KeypointLayout`, or `None` for that of 5 or 68 keypoints.

    Returns:
        `AlignedFace`; a list of them for a list.

    Raises:
        InputError: for another template, size or eye distance, keypoints from which
            the five points do not follow, or five points on one spot.
    """
    check_crop(size, template, eye_distance)
    if isinstance(face, list) and (not face or np.ndim(face[0]) != 1):
        each = [align(image, f, size, template, eye_distance, layout) for f in face]
        return cast(list[AlignedFace], each)
    points = five_points(keypoints_of(face), layout)
    matrix = size * _template_matrix(points, template, eye_distance)
    return AlignedFace(
        warped(image, matrix, size, mirrored=template == "ffhq"),
        matrix,
        inverse(matrix),
    )


def check_crop(size: int, template: str, eye_distance: float) -> None:
    """Raises an `InputError` for arguments of `align` that cannot be used."""
    if template not in TEMPLATES:
        raise InputError(
            f"`template` must be one of {', '.join(TEMPLATES)}. Received: {template!r}"
        )
    if not 1 <= size <= LARGEST:
        raise InputError(
            f"`size` must be between 1 and {LARGEST} pixels. Received: size={size}"
        )
    if not 0 < eye_distance <= 1:
        raise InputError(
            "`eye_distance` must be above 0 and at most 1, in sides of the crop. "
            f"Received: eye_distance={eye_distance}"
        )


def similarity(points: ArrayLike, targets: ArrayLike) -> np.ndarray:
    """The similarity, without reflection, that is nearest by least squares.

    Args:
        points: `(M, 2)`.
        targets: `(M, 2)`, where they should go.

    Returns:
        `(2, 3)` float64, `[A | t]`.

    Raises:
        InputError: if the points are not finite, or all on one spot.

    Reference:
        Umeyama, Least-squares estimation of transformation parameters between two
        point patterns, PAMI 1991; in the plane it has this form.
    """
    source, target = (np.asarray(p, "float64") @ [1, 1j] for p in (points, targets))
    spread = np.sum(np.abs(source - source.mean()) ** 2)
    if not (np.isfinite(spread) and spread > 0):
        raise InputError(
            f"a face needs five finite points, not on one spot. Received: {points}"
        )
    # As complex numbers, a similarity is a multiplication and an addition.
    turn = np.sum((source - source.mean()).conj() * (target - target.mean())) / spread
    shift = target.mean() - turn * source.mean()
    return np.array(
        [[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]]
    )


def inverse(matrix: np.ndarray) -> np.ndarray:
    """The inverse of an affine map `(2, 3)`."""
    linear = np.linalg.inv(matrix[:, :2])
    return np.concatenate([linear, -linear @ matrix[:, 2:]], axis=1)


def _template_matrix(points, template, eye_distance):
    """The similarity from the photograph to a crop whose side is 1."""
    if template == "arcface":
        return similarity(points, _ARCFACE)
    if template == "eyes":
        half = eye_distance / 2
        return similarity(points[:2], [[0.5 - half, 0.4], [0.5 + half, 0.4]])
    # As the FFHQ paper's appendix has it: the crop is turned between the line of the
    # eyes and the normal of that from eyes to mouth, and as wide as the longer allows.
    eyes, mouth = points[:2].mean(axis=0), points[3:].mean(axis=0)
    across, down = points[1] - points[0], mouth - eyes
    axis = across + np.array([down[1], -down[0]])
    axis /= np.hypot(*axis)
    half = axis * max(2.0 * np.hypot(*across), 1.8 * np.hypot(*down))
    middle = eyes + 0.1 * down
    return similarity([middle - half, middle + half], [[0, 0.5], [1, 0.5]])


def warped(
    image: np.ndarray, matrix: np.ndarray, size: int, mirrored: bool = False
) -> np.ndarray:
    """A square crop through an affine map, sub-pixel and without aliasing.

    Args:
        image: `(H, W, 3)` uint8.
        matrix: `(2, 3)`, from the photograph to the crop, continuous pixels.
        size: int, side of the crop in pixels.
        mirrored: bool, beyond its edges the photograph is mirrored; else black.

    Returns:
        `(size, size, 3)` uint8.
    """
    import cv2

    # Pixels of the photograph in one of the crop; never fewer than two samples.
    step = 1 / np.sqrt(abs(np.linalg.det(matrix[:, :2])))
    samples = max(2, min(int(np.ceil(step)), 2 * LARGEST // size))
    centers = (np.arange(size * samples) + 0.5) / samples
    back = inverse(matrix)
    x, y = np.meshgrid(centers, centers)
    place = [a * x + b * y + (c - 0.5) for a, b, c in back]  # OpenCV's pixel indices
    # OpenCV's remapping takes photographs of up to 32,767 pixels.
    low = [int(max(0, min(p.min() - 8, n - 1))) for p, n in zip(place, _size(image))]
    high = [int(min(n, max(p.max() + 9, 1))) for p, n in zip(place, _size(image))]
    part = image[low[1] : high[1], low[0] : high[0]] if not mirrored else image
    low = (0, 0) if mirrored else low
    fine = cv2.remap(
        np.ascontiguousarray(part),
        (place[0] - low[0]).astype("float32"),
        (place[1] - low[1]).astype("float32"),
        cv2.INTER_LANCZOS4,
        borderMode=cv2.BORDER_REFLECT_101 if mirrored else cv2.BORDER_CONSTANT,
    )
    return cv2.resize(fine, (size, size), interpolation=cv2.INTER_AREA)


def _size(image):
    return image.shape[1::-1]
