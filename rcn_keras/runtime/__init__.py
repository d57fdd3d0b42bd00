"""What runs a network in the predictor: crops in, keypoints and confidence out.

One file a runtime, each of which imports its own package and no other: a prediction by
OpenVINO, ONNX Runtime or LiteRT imports neither Keras nor TensorFlow.
"""

import importlib
import importlib.util
import pathlib
from typing import Protocol

import numpy as np

from rcn_keras.errors import InputError
from rcn_keras.presets import CONFIG, EXPORTS

# The package of each runtime, the extra that installs it, and what it reads of a
# preset's folder; the fastest first.
RUNTIMES = {
    "openvino": ("openvino", "openvino", EXPORTS["onnx"]),
    "openvino-bf16": ("openvino", "openvino", EXPORTS["onnx"]),
    "onnxruntime": ("onnxruntime", "onnxruntime", EXPORTS["onnx"]),
    "litert": ("ai_edge_litert", "litert", EXPORTS["litert"]),
    "keras": ("keras", "tensorflow", CONFIG),
}
# Of a precision below float32 only on request.
AUTOMATIC = tuple(name for name in RUNTIMES if name != "openvino-bf16")


class Runtime(Protocol):
    """A network with its decoder, ready to run; several threads may call one.

    Attributes:
        name: str, of `RUNTIMES`.
        input_size: int, side S of the crops in pixels.

    Call arguments:
        crops: `(N, S, S, 1)` uint8 or float32, grey 0...255, N at least 1.

    Returns:
        keypoints: `(N, K, 2)` float32, (x, y) in pixels of the crops.
        confidence: `(N, K)` float32.
    """

    name: str
    input_size: int

    def __call__(self, crops: np.ndarray) -> tuple[np.ndarray, np.ndarray]: ...


def installed_runtimes() -> list[str]:
    """The runtimes whose packages are installed, the fastest first."""
    return [
        name
        for name, (package, _, _) in RUNTIMES.items()
        if importlib.util.find_spec(package) is not None
    ]


def choose_runtime(folder: pathlib.Path, name: str = "auto") -> str:
    """The runtime for a preset.

    Args:
        folder: path of the preset's folder.
        name: one of `RUNTIMES`, or `"auto"`: the fastest one in float32 that is
            installed and whose file the folder holds.

    Returns:
        one of `RUNTIMES`.

    Raises:
        InputError: if there is no such runtime, or its file is not in the folder.
        ImportError: if it is not installed.
    """
    check_name(name)
    installed = installed_runtimes()
    if name == "auto":
        for candidate in AUTOMATIC:
            if candidate in installed and (folder / RUNTIMES[candidate][2]).is_file():
                return candidate
        has_onnx = (folder / EXPORTS["onnx"]).is_file()
        extras = ["onnxruntime", "openvino"] if has_onnx else ["tensorflow"]
        commands = " or ".join(f"pip install '.[{extra}]'" for extra in extras)
        raise ImportError(f"no runtime for {folder.name} is installed: {commands}")
    package, extra, file = RUNTIMES[name]
    if name not in installed:
        raise ImportError(
            f"the runtime {name} needs a package that is missing: "
            f"pip install '.[{extra}]'"
        )
    if not (folder / file).is_file():
        kind = next((kind for kind in EXPORTS if EXPORTS[kind] == file), None)
        command = f": rcn-keras export {folder} --format {kind}" if kind else ""
        raise InputError(f"{folder / file}: no such file, for {name}{command}")
    return name


def check_name(name: str) -> None:
    """Raises an `InputError` if there is no such runtime."""
    if name not in ("auto", *RUNTIMES):
        raise InputError(
            f"`runtime` must be auto, {', '.join(RUNTIMES)}. Received: {name!r}"
        )


def load_runtime(folder: pathlib.Path, name: str = "auto") -> Runtime:
    """A preset's network in a runtime; arguments and errors as `choose_runtime`."""
    name = choose_runtime(folder, name)
    module = importlib.import_module(f"{__name__}.{name.partition('-')[0]}")
    if name == "keras":
        from rcn_keras.presets import load_preset

        return module.KerasRuntime(load_preset(folder).model)
    path = folder / RUNTIMES[name][2]
    options = {"precision": "bf16"} if name == "openvino-bf16" else {}
    try:
        return module.FileRuntime(path, **options)
    except Exception as error:  # each package raises its own
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{path}: {name} cannot load it ({reason})") from None
