"""What runs a network in the predictor: from crops to keypoints and chances.

One file a runtime, each of which imports its own package and no other: a prediction by
OpenVINO, ONNX Runtime or LiteRT imports neither Keras nor TensorFlow.
"""

import importlib
import importlib.util
import pathlib
from collections.abc import Mapping
from typing import Protocol

import numpy as np

from rcn_keras.errors import InputError
from rcn_keras.presets import CONFIG, EXPORTS, read_layout

# The package of each runtime, the extra that installs it, and what it reads of a
# preset's folder; the fastest first.
RUNTIMES = {
    "openvino": ("openvino", "openvino", EXPORTS["onnx"]),
    "openvino-bf16": ("openvino", "openvino", EXPORTS["onnx"]),
    "openvino-int8": ("openvino", "openvino", EXPORTS["onnx_int8"]),
    "onnxruntime": ("onnxruntime", "onnxruntime", EXPORTS["onnx"]),
    "litert": ("ai_edge_litert", "litert", EXPORTS["litert"]),
    "keras": ("keras", "tensorflow", CONFIG),
}
# Of a precision below float32 only on request.
AUTOMATIC = tuple(name for name in RUNTIMES if "-" not in name)

BATCH = 64  # most crops of one call of a network: more bring no speed

# What is located of N faces, by these names: `(N, K, 2)`, `(N, K)` and `(N,)`.
LOCATED = ("keypoints", "confidence", "face_score")
Located = tuple[np.ndarray, np.ndarray, np.ndarray]


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
        face_score: `(N,)` float32, NaN where the network has none.
    """

    name: str
    input_size: int

    def __call__(self, crops: np.ndarray) -> Located: ...


def located(outputs: Mapping[str, np.ndarray]) -> Located:
    """A network's outputs by name, in the order of `LOCATED`.

    Files from before there were face scores have none: they are NaN.
    """
    unknown = np.full(len(outputs["keypoints"]), np.nan, "float32")
    keypoints, confidence = outputs["keypoints"], outputs["confidence"]
    return keypoints, confidence, outputs.get("face_score", unknown)


def installed_runtimes() -> list[str]:
    """The runtimes whose packages are installed, the fastest first."""
    return [
        name
        for name, (package, _, _) in RUNTIMES.items()
        if importlib.util.find_spec(package) is not None
    ]


def usable_runtimes(folder: pathlib.Path) -> list[str]:
    """The installed runtimes whose file a preset's folder holds, the fastest first."""
    return [name for name in installed_runtimes() if _file(folder, name).is_file()]


def _file(folder, name):
    return folder / RUNTIMES[name][2]


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
    if name == "auto":
        usable = usable_runtimes(folder)
        for candidate in AUTOMATIC:
            if candidate in usable:
                return candidate
        has_onnx = (folder / EXPORTS["onnx"]).is_file()
        extras = ["onnxruntime", "openvino"] if has_onnx else ["tensorflow"]
        commands = " or ".join(f"pip install '.[{extra}]'" for extra in extras)
        raise ImportError(f"no runtime for {folder.name} is installed: {commands}")
    _, extra, file = RUNTIMES[name]
    if name not in installed_runtimes():
        raise ImportError(
            f"the runtime {name} needs a package that is missing: "
            f"pip install '.[{extra}]'"
        )
    if not _file(folder, name).is_file():
        kind = next((kind for kind in EXPORTS if EXPORTS[kind] == file), "")
        options = " --quantize --data DATA (and its options, as for train)"
        words = kind.replace("_int8", options)
        command = f": rcn-keras export {folder} --format {words}" if kind else ""
        raise InputError(f"{_file(folder, name)}: no such file, for {name}{command}")
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
    path = _file(folder, name)
    options = {"name": name} if module.__name__.endswith("openvino") else {}
    layout = read_layout(folder)
    try:
        network = module.FileRuntime(path, **options)
        # What is damaged inside, or another network, is found out by running it.
        black = np.zeros((1, network.input_size, network.input_size, 1), "uint8")
        keypoints, _, _ = network(black)
    except Exception as error:  # each package raises its own
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{path}: {name} cannot load it ({reason})") from None
    if keypoints.shape != (1, layout.count, 2):
        raise InputError(
            f"{path}: expected a network of the {layout.count} keypoints of the layout "
            f"{layout.name!r}; found one of {keypoints.shape}"
        )
    return network
