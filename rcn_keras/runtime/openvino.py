"""Networks run by OpenVINO."""

import os
import threading

import numpy as np
import openvino

from rcn_keras.runtime import Located, located

# Many crops are divided into parts, one a core at a time. That is faster than all cores
# on the same layer, if what the layers of a part pass on stays in the cache.
MOST_MAPS = 2**23  # bytes of keypoint maps in a part
MOST_CROPS = 16  # in a part


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
        self._part_network = None
        self._running = threading.Lock()  # a request is of one thread at a time

    def __call__(self, crops: np.ndarray) -> Located:
        crops = crops.astype("float32")
        with self._running:
            found = self._in_parts(crops)
            done = sum(len(part["keypoints"]) for part in found)
            if done < len(crops):
                rest = crops[done:]
                found.append(_named(self._request(len(rest)).infer([rest])))
        return located(
            {name: np.concatenate([part[name] for part in found]) for name in found[0]}
        )

    def _in_parts(self, crops):
        """The outputs of each whole part; none, if there are fewer parts than cores."""
        size = self._part_size()
        count = len(crops) // size
        if count < 2:
            return []
        if self._part_network is None:
            self._part_network = self._compiled(size, "THROUGHPUT")
        if count < self._part_network.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"):
            return []
        # All at once: OpenVINO queues those for which no core is free.
        requests = [self._part_network.create_infer_request() for _ in range(count)]
        for number, request in enumerate(requests):
            request.start_async([crops[number * size : (number + 1) * size]])
        for request in requests:
            request.wait()
        return [_named(request.results) for request in requests]

    def _part_size(self):
        """How many crops a part has, by the size of their maps."""
        keypoints = self._model.output("keypoints").partial_shape[1].get_length()
        fitting = MOST_MAPS // (4 * keypoints * self.input_size**2)
        return min(max(fitting, 1), MOST_CROPS)

    def _request(self, count):
        """The request for one crop, faster by its fixed shape, or for any number."""
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
