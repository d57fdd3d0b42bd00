"""Networks run by OpenVINO."""

import os
import threading

import numpy as np
import openvino

from rcn_keras.runtime import BATCH, Located, located

# Of a full batch a core computes a part at a time, small enough for its cache.
MOST_MAPS = 2**23  # bytes of keypoint maps in a part
MOST_CROPS = 16


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
        self._parts = []
        self._running = threading.Lock()  # a request is of one thread at a time

    def __call__(self, crops: np.ndarray) -> Located:
        crops = crops.astype("float32")
        with self._running:
            if len(crops) == BATCH:
                return located(self._in_parts(crops))
            return located(_named(self._request(len(crops)).infer([crops])))

    def _in_parts(self, crops):
        """A full batch: the cores work on parts of their own, not on the same layer."""
        if not self._parts:
            size = self._part_size()
            compiled = self._compiled(size, "THROUGHPUT")
            self._parts = [
                compiled.create_infer_request() for _ in range(BATCH // size)
            ]
        for request, part in zip(self._parts, np.split(crops, len(self._parts))):
            request.start_async([part])
        found = []
        for request in self._parts:
            request.wait()
            found.append(_named(request.results))
        return {
            name: np.concatenate([part[name] for part in found]) for name in found[0]
        }

    def _part_size(self):
        """A power of 2, so that it divides a full batch."""
        keypoints = self._model.output("keypoints").partial_shape[1].get_length()
        fitting = MOST_MAPS // (4 * keypoints * self.input_size**2)
        return 1 << min(max(fitting, 1), MOST_CROPS).bit_length() - 1

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
