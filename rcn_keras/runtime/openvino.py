"""Networks run by OpenVINO."""

import os
import threading

import numpy as np
import openvino

from rcn_keras.runtime import BATCH, Located, located

FIXED = (1, BATCH)  # crops a call for which a network of its own is compiled


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
            outputs = self._request(len(crops)).infer([crops.astype("float32")])
        return located({port.get_any_name(): rows for port, rows in outputs.items()})

    def _request(self, count):
        """That of a fixed number of crops, which is faster, or of any number."""
        size = count if count in FIXED else -1
        if size not in self._requests:
            model = self._model.clone()
            model.reshape([size, self.input_size, self.input_size, 1])
            precision = "bf16" if self.name == "openvino-bf16" else "f32"
            settings = {
                "INFERENCE_PRECISION_HINT": precision,
                "PERFORMANCE_HINT": "LATENCY",
            }
            compiled = self._core.compile_model(model, "CPU", settings)
            self._requests[size] = compiled.create_infer_request()
        return self._requests[size]

    def __reduce__(self):
        return FileRuntime, (self.path, self.name)
