"""MTCNN, by the weights of the package `mtcnn`."""

import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np

from rcn_keras.errors import InputError


class MTCNN:
    """The cascade of `faces.detect.mtcnn_graph`, compiled by TensorFlow, on the CPU.

    Args:
        min_face_size: the smallest face looked for, in pixels of the photograph.
        max_side: longer side to which a larger photograph is shrunk beforehand.

    Raises:
        InputError: for another `min_face_size`.
        ImportError: without TensorFlow or the package.
    """

    name = "mtcnn"

    def __init__(self, min_face_size: float = 20, max_side: int = 640):
        if not min_face_size > 0:
            raise InputError(f"`min_face_size` must be > 0. Received: {min_face_size}")
        if not all(map(importlib.util.find_spec, ("tensorflow", "mtcnn"))):
            raise ImportError(
                "MTCNN needs `mtcnn` and TensorFlow: pip install '.[tensorflow]'"
            )
        self.min_face_size = min_face_size
        self.max_side = max_side
        self._detect = None

    def __reduce__(self):
        return MTCNN, (self.min_face_size, self.max_side)

    def graph(self) -> Callable[..., Any]:
        """The detector to be traced by TensorFlow; see `mtcnn_graph.build_detector`."""
        from rcn_keras.faces.detect.mtcnn_graph import build_detector

        return build_detector(self.min_face_size, self.max_side)

    def __call__(self, image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        import tensorflow as tf

        if self._detect is None:
            images = tf.TensorSpec((None, None, 3), tf.uint8)
            self._detect = tf.function(self.graph(), [images], autograph=False)
        with tf.device("CPU:0"):
            boxes, scores = self._detect(image)
        return boxes.numpy(), scores.numpy()
