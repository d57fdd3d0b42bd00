"""Networks run by OpenVINO."""

import os
import threading

import numpy as np
import openvino

from rcn_keras.runtime import Located, located


class FileRuntime:
    """See `runtime.Runtime`.

    Args:
        path: path of the network's file, as `rcn-keras export --format onnx` writes it.
        name: str, `"openvino"`, `"openvino-int8"`, for a file of 8-bit arithmetic, or
            `"openvino-bf16"`: faster on processors that have instructions for it.
    """

    def __init__(self, path: str | os.PathLike, name: str = "openvino"):
        self.path = path
        self.name = name
        self._core = openvino.Core()
        self._model = self._core.read_model(path)
        self.input_size = self._model.input(0).partial_shape[1].get_length()
        self._requests = {}
        self._running = threading.Lock()  # a request is of one thread at a time

    def __call__(self, crops: np.ndarray) -> Located:
        with self._running:
            outputs = self._request(len(crops) == 1).infer([crops.astype("float32")])
        return located({port.get_any_name(): rows for port, rows in outputs.items()})

    def _request(self, single):
        """That of one crop, whose fixed shape is faster, or of any number of them."""
        if single not in self._requests:
            model = self._model.clone()
            if single:
                model.reshape([1, self.input_size, self.input_size, 1])
            precision = "bf16" if self.name == "openvino-bf16" else "f32"
            settings = {
                "INFERENCE_PRECISION_HINT": precision,
                "PERFORMANCE_HINT": "LATENCY",
            }
            compiled = self._core.compile_model(model, "CPU", settings)
            self._requests[single] = compiled.create_infer_request()
        return self._requests[single]

    def __reduce__(self):
        return FileRuntime, (self.path, self.name)
