"""Mirror pairs of keypoints whose names say nothing, from where the keypoints lie."""

import numpy as np
from numpy.typing import ArrayLike

LEAST_SHAPES = 5
AXES = 36  # directions of the axis that are tried
FARTHEST = 0.25  # of the mean distance between a keypoint and the shape's centre


def mirror_pairs_by_shape(shapes: ArrayLike) -> tuple[tuple[int, int], ...]:
    """Pairs of keypoints that trade places when the mean shape is mirrored.

    The shapes are laid on each other, and their mean on its own mirror image, by
    least-squares similarities (Procrustes). Two keypoints are a pair where the mirror
    image of the one lies at the other, nearest pairs first; one on the axis belongs to
    itself. Keypoints of lips that are mostly closed coincide in the mean shape, so the
    pairs are chosen by the distances on the instances, each laid on its mirror image.

    Args:
        shapes: `(N, K, 2)`, keypoints (x, y) of N instances; those with an unknown
            keypoint, NaN, are left out.

    Returns:
        tuple of pairs of indices, the smaller one first.

    Raises:
        ValueError: if fewer than 5 instances are complete, or the mean shape is no
            mirror image of itself.

    Example:
        >>> mirror_pairs_by_shape([[[0, 0], [2, 0], [1, 3]]] * 5)
        ((0, 1),)
    """
    # Complex numbers: a similarity is then one product and one sum.
    points = np.asarray(shapes, "float64") @ [1, 1j]
    points = points[np.isfinite(points).all(axis=1)]
    if len(points) < LEAST_SHAPES:
        raise ValueError(
            f"mirror pairs by shape take {LEAST_SHAPES} instances or more with all of "
            f"their keypoints known. Received: {len(points)}"
        )
    points = points - points.mean(axis=1, keepdims=True)
    mean = points[0]
    for _ in range(5):
        mean = np.mean([_laid_on(each, mean) for each in points], axis=0)
    candidates = []
    for axis in np.linspace(0, np.pi, AXES, endpoint=False):
        image = mean.conj() * np.exp(2j * axis)
        mirrored = image
        for _ in range(5):
            nearest = np.abs(mirrored[:, None] - mean).argmin(axis=1)
            mirrored = _laid_on(image, mean[nearest])
        partners = _partners(np.abs(mirrored[:, None] - mean))
        off = np.abs(mirrored - mean[partners]).max() / np.abs(mean).mean()
        if off < FARTHEST:
            candidates.append((off, partners))
    if not candidates:
        raise ValueError(
            "the mean shape of these keypoints is no mirror image of itself: give the "
            "pairs in a layout"
        )
    partners = min(candidates, key=lambda pair: pair[0])[1]
    apart = [
        np.abs(_laid_on(each.conj(), each[partners])[:, None] - each)
        / np.abs(each).mean()
        for each in points
    ]
    partners = _partners(np.mean(apart, axis=0))
    return tuple((int(i), int(j)) for i, j in enumerate(partners) if i < j)


def _partners(distances):
    """Who belongs to whom, `(K,)`, by the `(K, K)` distances of mirror images from
    keypoints: the nearest pair first, then the nearest of those that are left."""
    distances = distances + distances.T
    partners = np.full(len(distances), -1)
    for place in np.argsort(distances, axis=None, kind="stable"):
        i, j = divmod(int(place), len(distances))
        if partners[i] < 0 and partners[j] < 0:
            partners[i], partners[j] = j, i
    return partners


def _laid_on(points, target):
    """Points moved, turned and scaled onto others."""
    points, middle = points - points.mean(), target.mean()
    scale = np.vdot(points, target - middle) / np.vdot(points, points)
    return points * scale + middle
