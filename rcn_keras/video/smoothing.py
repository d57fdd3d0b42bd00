"""Keypoints over time, calmer where they rest and without lag where they move."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


class OneEuroFilter:
    """A low-pass filter for each keypoint whose cutoff rises with its speed.

    Speeds are in sizes of the face a second, so that a face near the camera and one far
    from it are filtered alike. A keypoint of low confidence is filtered more: the
    cutoff is multiplied by it.

    Args:
        cutoff: float, Hz, of a keypoint at rest.
        gain: float, Hz by which the cutoff rises for each face size a second.
        speed_cutoff: float, Hz, of the filter of the speed.

    Reference:
        Casiez, Roussel and Vogel, 1 Euro filter, CHI 2012.
    """

    def __init__(
        self, cutoff: float = 0.5, gain: float = 6.0, speed_cutoff: float = 1.0
    ):
        self.cutoff, self.gain, self.speed_cutoff = cutoff, gain, speed_cutoff
        self._points = None

    def __call__(
        self, points: ArrayLike, confidence: ArrayLike, seconds: float
    ) -> np.ndarray:
        """The next points.

        Args:
            points: `(K, 2)`.
            confidence: `(K,)`, from 0 to 1.
            seconds: float, their time; not before that of the last call.

        Returns:
            `(K, 2)` float64.
        """
        points = np.asarray(points, "float64")
        if self._points is None:
            self._speed = np.zeros_like(points)
            self._points, self._seconds = points, seconds
            return points
        step = seconds - self._seconds
        if step <= 0:  # The same moment again.
            return self._points
        size = max(float(np.hypot(*np.ptp(points, axis=0))), 1.0)
        speed = (points - self._points) / (step * size)
        self._speed += _share(self.speed_cutoff, step) * (speed - self._speed)
        cutoff = self.cutoff + self.gain * np.hypot(*self._speed.T)
        cutoff = cutoff * np.clip(confidence, 0.05, 1)
        share = _share(cutoff, step)[:, None]
        self._points = self._points + share * (points - self._points)
        self._seconds = seconds
        return self._points


def _share(cutoff, step):
    """How much of the new value an exponential filter of this cutoff takes."""
    turn = 2 * np.pi * cutoff * step
    return turn / (1 + turn)
