"""Networks run by ONNX Runtime."""

import os

import numpy as np
import onnxruntime


class FileRuntime:
    """See `runtime.Runtime`.

    Args:
        path: path of the network's file, as `rcn-keras export --format onnx` writes it.
    """

    name = "onnxruntime"

    def __init__(self, path: str | os.PathLike):
        self.path = path
        self._session = onnxruntime.InferenceSession(
            str(path), providers=["CPUExecutionProvider"]
        )
        self.input_size = self._session.get_inputs()[0].shape[1]

    def __call__(self, crops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        inputs = {"images": crops.astype("float32")}
        keypoints, confidence = self._session.run(["keypoints", "confidence"], inputs)
        return keypoints, confidence

    def __reduce__(self):
        return FileRuntime, (self.path,)
