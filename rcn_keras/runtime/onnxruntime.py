"""Networks run by ONNX Runtime."""

import os

import numpy as np
import onnxruntime

from rcn_keras.runtime import Located, located


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

        self._names = [output.name for output in self._session.get_outputs()]

    def __call__(self, crops: np.ndarray) -> Located:
        inputs = {"images": crops.astype("float32")}
        return located(dict(zip(self._names, self._session.run(None, inputs))))

    def __reduce__(self):
        return FileRuntime, (self.path,)
