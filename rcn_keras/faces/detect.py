"""Face detectors: photograph in, boxes and scores out.

A detector is any callable `detector(image) -> (boxes, scores)`:

- `image`: array of shape `(height, width, 3)`, uint8, RGB.
- `boxes`: array of shape `(M, 4)`, float32, one `[x0, y0, x1, y1]` a face, in continuous pixels of the photograph
  (the whole of it is `[0, 0, width, height]`). A box may reach over the edge. No face: shape `(0, 4)`.
- `scores`: array of shape `(M,)`, float32, falling; the faces stand in this order.
"""

import os
import warnings

import numpy as np


class MTCNN:
    """The three-stage cascade of the `mtcnn` package, whose weights come with it (the default detector).

    The package's `detect_faces` finds nothing for a `min_face_size` of 30 or more (its pyramid ends too small), and
    runs its networks eagerly, four times slower. So its stages are called here: on the photograph scaled until the
    smallest wanted face has 20 pixels, with networks compiled once for all sizes, built at the first call, on the CPU.

    Args:
        min_face_size: the smallest face looked for, in pixels of the photograph.
        max_side: a photograph with a longer side than this is shrunk to it; faces then below 20 pixels are missed.
    """

    def __init__(self, min_face_size=20, max_side=1280):
        if not (min_face_size > 0 and max_side > 0):
            sizes = f"min_face_size={min_face_size}, max_side={max_side}"
            raise ValueError(f"`min_face_size` and `max_side` must be above 0. Received: {sizes}")
        self.min_face_size = min_face_size
        self.max_side = max_side
        self._cascade = None

    def __call__(self, image):
        self._cascade = self._cascade or _build_cascade()
        scale = min(20 / self.min_face_size, self.max_side / max(image.shape[:2]))
        image, scale = _resize(image, scale)
        image = (image.astype("float32") - 127.5) / 128
        # A face that fills the photograph is sometimes found only with (grey) space around it.
        for border in (0, max(image.shape[:2]) // 4):
            found = self._cascade(np.pad(image, ((border, border), (border, border), (0, 0))))
            if len(found):
                break
        return _falling((found[:, 1:5] - border) / np.tile(scale, 2), found[:, 5])


class YuNet:
    """OpenCV's `FaceDetectorYN`, given its model file.

    Args:
        model_path: the `.onnx` file of `face_detection_yunet` from the OpenCV zoo.
        score_threshold: faces below this score are dropped.
        max_side: a photograph with a longer side than this is shrunk to it.

    Raises: FileNotFoundError without the file, ValueError where OpenCV cannot read it.
    """

    def __init__(self, model_path, score_threshold=0.6, max_side=1280):
        if not os.path.isfile(model_path):
            raise FileNotFoundError(
                "`model_path` must be YuNet's model file, models/face_detection_yunet/face_detection_yunet_2023mar.onnx "
                f"in https://github.com/opencv/opencv_zoo. Received: model_path={str(model_path)!r} (no such file)"
            )
        import cv2

        self.max_side = max_side
        try:
            self._detector = cv2.FaceDetectorYN.create(str(model_path), "", (320, 320), score_threshold)
        except cv2.error as error:
            raise ValueError(f"`model_path` must be YuNet's ONNX model. Received: {str(model_path)!r}") from error

    def __call__(self, image):
        image, scale = _resize(image, min(1, self.max_side / max(image.shape[:2])))
        self._detector.setInputSize((image.shape[1], image.shape[0]))
        found = self._detector.detect(np.ascontiguousarray(image[:, :, ::-1]))[1]  # OpenCV wants BGR
        found = np.zeros((0, 15)) if found is None else found
        corners = np.concatenate([found[:, :2], found[:, :2] + found[:, 2:4]], axis=1)
        return _falling(corners / np.tile(scale, 2), found[:, 14])


def get_detector(detector=None):
    """The detector meant by `None` or `"mtcnn"`, the path of YuNet's `.onnx` file, or a callable (returned as it is)."""
    if detector is None or detector == "mtcnn":
        return MTCNN()
    if isinstance(detector, (str, os.PathLike)) and str(detector).endswith(".onnx"):
        return YuNet(detector)
    if callable(detector):
        return detector
    raise ValueError(
        '`detector` must be "mtcnn", the path of YuNet\'s .onnx file, or a callable '
        f"`(image) -> (boxes, scores)`. Received: detector={detector!r}"
    )


def _build_cascade():
    """MTCNN's stages as one function: image `(H, W, 3)`, about -1 to 1, in; rows of 0, box, score and more out."""
    import keras

    if (backend := keras.config.backend()) != "tensorflow":
        raise RuntimeError(f"MTCNN needs Keras' TensorFlow backend; boxes or YuNet do not. Received: {backend}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # joblib, which unpacks the weights, tells of machines without semaphores
            import tensorflow as tf
            from mtcnn.stages import StageONet, StagePNet, StageRNet
    except ImportError as error:
        raise ImportError(
            "The MTCNN face detector needs the packages `mtcnn` and `tensorflow`: pip install 'rcn-keras[tensorflow]'"
        ) from error

    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")  # the package's layers would follow a mixed policy
    try:
        with tf.device("CPU:0"):
            stages = [StagePNet(), StageRNet(), StageONet()]
    finally:
        keras.config.set_dtype_policy(policy)
    for stage, side in zip(stages, (None, 24, 48), strict=True):  # `stage.model` itself cannot be set
        stage._model = tf.function(stage.model, input_signature=[tf.TensorSpec((None, side, side, 3))])

    def cascade(image):
        rows = None
        with tf.device("CPU:0"), np.errstate(all="ignore"):  # boxes without an area
            for stage in stages:
                rows = stage(images_normalized=image[None], images_oshapes=[image.shape], bboxes_batch=rows)
                if not len(rows):  # the next network would fail on an empty batch
                    break
        return rows

    return cascade


def _resize(image, scale):
    """Image scaled, and the scale in x and in y that whole pixels made of it."""
    import cv2

    height, width = image.shape[:2]
    size = max(1, round(width * scale)), max(1, round(height * scale))
    if size != (width, height):
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    return image, (size[0] / width, size[1] / height)


def _falling(boxes, scores):
    order = np.argsort(-scores, kind="stable")
    return boxes[order].astype("float32"), scores[order].astype("float32")
