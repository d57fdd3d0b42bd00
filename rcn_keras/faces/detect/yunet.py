"""YuNet, by OpenCV."""

import pathlib

import numpy as np

from rcn_keras._types import PathLike
from rcn_keras.errors import InputError
from rcn_keras.faces.detect.geometry import as_mtcnn_draws, falling, resized


class YuNet:
    """OpenCV's `FaceDetectorYN`, given its model file.

    Args:
        model_path: a file `face_detection_yunet_*.onnx` of OpenCV's model zoo; `None`
            for the one at hand (`download.yunet_file`).
        score_threshold: faces below this score are dropped.
        max_side: longer side to which a larger photograph is shrunk beforehand.

    Raises:
        InputError: if the file is not there, or not a network.
    """

    name = "yunet"
    # benchmarks/fit_detector_box.py, the mean of MTFL and 300-W
    box_constants = (-0.005, -0.006, 0.970)

    def __init__(
        self,
        model_path: PathLike | None = None,
        score_threshold: float = 0.6,
        max_side: int = 1280,
    ):
        from rcn_keras.faces.detect.download import FILE, yunet_file

        path = pathlib.Path(model_path) if model_path else yunet_file()
        if path is None or not path.is_file():
            raise InputError(
                f"{path or FILE}: no such file. `rcn-keras download yunet` fetches "
                "YuNet's model file from OpenCV's model zoo"
            )
        import cv2

        self._arguments = path, score_threshold, max_side
        self.max_side = max_side
        log = cv2.utils.logging
        level = log.setLogLevel(log.LOG_LEVEL_SILENT)  # It warns of its own defaults.
        try:
            create = cv2.FaceDetectorYN.create
            self._detector = create(str(path), "", (320, 320), score_threshold)
            # Another network is found out by running it.
            self._detector.detect(np.zeros((320, 320, 3), "uint8"))
        except cv2.error as error:
            raise InputError(f"{path}: not YuNet's ONNX model, or damaged") from error
        finally:
            log.setLogLevel(level)

    def __reduce__(self):
        return YuNet, self._arguments

    def __call__(self, image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        image, scale = resized(image, min(1, self.max_side / max(image.shape)))
        self._detector.setInputSize((image.shape[1], image.shape[0]))
        rows = self._detector.detect(np.ascontiguousarray(image[:, :, ::-1]))[1]
        rows = np.zeros((0, 15)) if rows is None else rows
        corners = np.hstack([rows[:, :2], rows[:, :2] + rows[:, 2:4]])
        return falling(
            as_mtcnn_draws(corners / scale, *self.box_constants), rows[:, 14]
        )
