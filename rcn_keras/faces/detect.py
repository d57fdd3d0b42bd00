"""Face detectors: any callable `detector(image) -> (boxes, scores)` is one.

- image: `(H, W, 3)` uint8, RGB.
- boxes: `(M, 4)` float32, one `[x0, y0, x1, y1]` a face, in continuous pixels of the
  photograph; a box may reach over its edge. No face: `(0, 4)`.
- scores: `(M,)` float32, falling; the boxes stand in the same order.
"""

import gc
import importlib.util
import os
import sys
import warnings

import numpy as np

from rcn_keras.errors import InputError


class MTCNN:
    """The cascade of the `mtcnn` package, which carries its weights (the default).

    The package's `detect_faces` finds nothing for a `min_face_size` of 30 or more (its
    pyramid ends too small) and runs eagerly, four times slower. So its stages are used
    here: built at the first photograph, compiled, on the CPU, and fed the photograph
    scaled until the smallest face wanted has 20 pixels.

    Args:
        min_face_size: the smallest face looked for, in pixels of the photograph.
        max_side: longer side to which a larger photograph is shrunk beforehand.
    """

    def __init__(self, min_face_size=20, max_side=1280):
        if not min_face_size > 0:
            raise ValueError(f"`min_face_size` must be > 0. Received: {min_face_size}")
        import keras

        if (backend := keras.backend.backend()) != "tensorflow":
            raise InputError(
                f"MTCNN runs on TensorFlow, and Keras here on {backend}: give boxes, "
                "YuNet's model file, or a detector of your own"
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

    def __call__(self, image):
        self._cascade = self._cascade or _build_cascade()
        smallest = 20 / self.min_face_size
        image, scale = _resize(image, min(smallest, self.max_side / max(image.shape)))
        image = (image.astype("float32") - 127.5) / 128
        for border in (0, max(image.shape) // 4):  # some large faces need space around
            found = self._cascade(np.pad(image, [(border, border)] * 2 + [(0, 0)]))
            if len(found):
                break
        return _falling((found[:, 1:5] - border) / scale, found[:, 5])


class YuNet:
    """OpenCV's `FaceDetectorYN`, given its model file.

    Args:
        model_path: the file `face_detection_yunet_2023mar.onnx` of the OpenCV zoo.
        score_threshold: faces below this score are dropped.
        max_side: longer side to which a larger photograph is shrunk beforehand.

    Raises:
        FileNotFoundError, ValueError: if the file is not there, or not a network.
    """

    def __init__(self, model_path, score_threshold=0.6, max_side=1280):
        self.max_side = max_side
        if not os.path.isfile(path := str(model_path)):
            raise FileNotFoundError(
                f"{path}: no such file. YuNet's model file is to be had from "
                "https://github.com/opencv/opencv_zoo (models/face_detection_yunet)"
            )
        import cv2

        try:
            create = cv2.FaceDetectorYN.create
            self._detector = create(path, "", (320, 320), score_threshold)
        except cv2.error as error:
            raise ValueError(f"{path}: not YuNet's ONNX model, or damaged") from error

    def __call__(self, image):
        image, scale = _resize(image, min(1, self.max_side / max(image.shape)))
        self._detector.setInputSize((image.shape[1], image.shape[0]))
        found = self._detector.detect(np.ascontiguousarray(image[:, :, ::-1]))[1]
        found = np.zeros((0, 15)) if found is None else found
        corners = np.hstack([found[:, :2], found[:, :2] + found[:, 2:4]])
        return _falling(corners / scale, found[:, 14])


def get_detector(detector=None):
    """None or "mtcnn": `MTCNN`. A path of .onnx: `YuNet`. A callable: itself."""
    if detector is None or detector == "mtcnn":
        return MTCNN()
    if isinstance(detector, (str, os.PathLike)) and str(detector).endswith(".onnx"):
        return YuNet(detector)
    if callable(detector):
        return detector
    raise ValueError(
        '`detector` must be "mtcnn", the path of YuNet\'s .onnx file, or a callable '
        f"`(image) -> (boxes, scores)`. Received: {detector=}"
    )


def _build_cascade():
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

    policy = keras.config.dtype_policy()
    data_format = keras.config.image_data_format()
    keras.config.set_dtype_policy("float32")  # whatever the user trains with
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
        keras.config.set_image_data_format(data_format)
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


def _resize(image, scale):
    """The image scaled, and the scale of a box that whole pixels made of it."""
    import cv2

    height, width = image.shape[:2]
    size = max(1, round(width * scale)), max(1, round(height * scale))
    if size != (width, height):
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        image = cv2.resize(image, size, interpolation=method)
    return image, np.tile([size[0] / width, size[1] / height], 2)


def _falling(boxes, scores):
    order = np.argsort(-scores, kind="stable")
    return boxes[order].astype("float32"), scores[order].astype("float32")
