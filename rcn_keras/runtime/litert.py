"""Networks run by LiteRT."""

import os
import threading

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from rcn_keras.runtime import LOCATED, Located, located


class FileRuntime:
    """See `runtime.Runtime`.

    Args:
        path: path of the network's file, as `rcn-keras export --format litert` writes
            it.
    """

    name = "litert"

    def __init__(self, path: str | os.PathLike):
        self.path = path
        self._interpreter = Interpreter(str(path), num_threads=os.cpu_count())
        (images,) = self._interpreter.get_input_details()
        self.input_size = int(images["shape"][1])
        self._input = images["index"]
        self._shape = None
        self._running = threading.Lock()

    def __call__(self, crops: np.ndarray) -> Located:
        with self._running:
            if self._shape != crops.shape:
                self._interpreter.resize_tensor_input(self._input, crops.shape)
                self._interpreter.allocate_tensors()
                self._shape = crops.shape
            self._interpreter.set_tensor(self._input, crops.astype("float32"))
            self._interpreter.invoke()
            outputs = [
                self._interpreter.get_tensor(detail["index"])
                for detail in self._interpreter.get_output_details()
            ]
        # Each has an axis less than the one before; the file keeps no names.
        return located({LOCATED[3 - output.ndim]: output for output in outputs})

    def __reduce__(self):
        return FileRuntime, (self.path,)
