"""Networks run by OpenVINO."""

import os
import threading

import numpy as np
import openvino

from rcn_keras.runtime import BATCH, Located, located

PART = 8  # crops of a full batch that a core computes at a time: its cache holds them


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
        self._queue = None
        self._running = threading.Lock()  # a request is of one thread at a time

    def __call__(self, crops: np.ndarray) -> Located:
        crops = crops.astype("float32")
        with self._running:
            if len(crops) == BATCH:
                return located(self._in_parts(crops))
            return located(_named(self._request(len(crops)).infer([crops])))

    def _in_parts(self, crops):
        """A full batch: the cores work on parts of their own, not on the same layer."""
        if self._queue is None:
            self._queue = openvino.AsyncInferQueue(self._compiled(PART, "THROUGHPUT"))
        parts = {}

        def keep(request, start):
            parts[start] = _named(request.results)

        self._queue.set_callback(keep)
        for start in range(0, BATCH, PART):
            part = crops[start : start + PART]
            self._queue.start_async([part], start, share_inputs=True)
        self._queue.wait_all()
        return {
            name: np.concatenate([parts[start][name] for start in sorted(parts)])
            for name in parts[0]
        }

    def _request(self, count):
        """That of one crop, whose shape is fixed, which is faster, or of any number."""
        size = 1 if count == 1 else -1
        if size not in self._requests:
            compiled = self._compiled(size, "LATENCY")
            self._requests[size] = compiled.create_infer_request()
        return self._requests[size]

    def _compiled(self, size, hint):
        model = self._model.clone()
        model.reshape([size, self.input_size, self.input_size, 1])
        precision = "bf16" if self.name == "openvino-bf16" else "f32"
        settings = {"INFERENCE_PRECISION_HINT": precision, "PERFORMANCE_HINT": hint}
        return self._core.compile_model(model, "CPU", settings)

    def __reduce__(self):
        return FileRuntime, (self.path, self.name)


def _named(results):
    return {port.get_any_name(): np.array(rows) for port, rows in results.items()}
