"""Networks as files for other runtimes: TensorFlow Serving, ONNX Runtime, LiteRT."""

import importlib.util
import pathlib
from collections.abc import Callable

import keras
import numpy as np

from rcn_keras._types import PathLike
from rcn_keras.data.synthetic import DRAWN
from rcn_keras.errors import InputError
from rcn_keras.export.network import bare_network, quiet
from rcn_keras.export.onnx_file import with_bytes, with_kernels
from rcn_keras.export.saved_model import write_saved_model
from rcn_keras.faces.detect import get_detector
from rcn_keras.files import check_writable, replaced, replaced_folder
from rcn_keras.models import KeypointModel, keypoint_model
from rcn_keras.predictor import Predictor
from rcn_keras.presets import EXPORTS, preset_folder

FORMATS = ("saved_model", "onnx", "litert")


def export_model(
    model: PathLike | keras.Model | Predictor,
    folder: PathLike | None = None,
    format: str = "saved_model",
    version: int = 1,
    quantize: bool = False,
    force: bool = False,
    calibration: np.ndarray | Callable[[KeypointModel], np.ndarray] | None = None,
    detector: str | None = None,
) -> pathlib.Path:
    """Writes a network for another runtime.

    `"saved_model"` writes `FOLDER/VERSION/`, which TensorFlow Serving runs as it is.
    Its signatures, N open in all of them:

    - `serving_default`: `images` `(N, S, S, 1)` float32, grey 0...255, to `keypoints`
      `(N, K, 2)` in crop pixels, `confidence` `(N, K)` and `face_score` `(N,)`;
    - `serving_uint8`: the same, `images` uint8;
    - `heatmaps`: as `serving_default`, and `heatmaps` `(N, S, S, K)`, probabilities;
    - `faces`: `image_bytes` `(N,)`, files of JPEG or PNG, and `boxes` `(N, 4)` float32,
      `[x0, y0, x1, y1]` in their pixels, to `keypoints` in the pictures' pixels,
      `confidence` and `face_score`; see `rcn_keras.export.graph.faces_function`;
    - `photographs`, with a `detector`: `image_bytes` `(N,)` alone, to the rows of all
      faces that it finds; see `rcn_keras.export.graph.photographs_function`.

    `assets/` holds the layout, the keypoints' names, configuration and model card,
    `assets.extra/` the requests that a server warms itself up with. `"onnx"` and
    `"litert"` write `FOLDER/NAME.onnx` and `FOLDER/NAME.tflite`, inputs and outputs as
    `serving_default`.

    Args:
        model: a preset's name or folder, the path of a `.keras` file, or a
            `KeypointModel` or `Predictor`, whose decoder and calibration it keeps.
        folder: path, made if missing; `None` for a preset's own folder, where
            `Predictor` finds `"onnx"` and `"litert"` for the runtimes other than Keras
            (as `model.onnx` and `model.tflite`).
        format: one of `FORMATS`.
        version: int, of a SavedModel; a server takes the highest.
        quantize: bool. LiteRT: weights as 8-bit integers, and activations where
            LiteRT can (dynamic range), far answers to a picture's corners capped
            before (`export.quantization.without_outliers`); writes `NAME_int8.tflite`.
            ONNX: the convolutions in 8-bit arithmetic, by `calibration`; writes
            `NAME_int8.onnx` (in a preset's own folder `model_int8.onnx`).
        force: bool, whether what is there may be replaced.
        calibration: `(N, S, S, 1)`, grey 0...255, a hundred or more training crops to
            quantize by, or a function from the `KeypointModel` to them. LiteRT takes
            drawn faces without it where the layout is `FACE_5` or `FACE_68`.
        detector: `"mtcnn"`, to put that detector into a SavedModel, or `None`.

    Returns:
        path of what was written.

    Raises:
        InputError: if it is there already, or there is no such model.
        ImportError: without TensorFlow, or a package that the format needs.

    Example:
        >>> rcn_keras.export_model("rcn6_mtfl", "saved_models/rcn6_mtfl")
    """
    if format not in FORMATS:
        raise ValueError(f"`format` must be one of {FORMATS}. Received: {format!r}")
    if quantize and format == "saved_model":
        raise ValueError("`quantize` is for litert and onnx. Received: saved_model")
    if calibration is not None and not quantize:
        raise ValueError("`calibration` (--data) is for `quantize` only")
    if detector not in (None, "mtcnn") or (detector and format != "saved_model"):
        raise ValueError(
            "`detector` must be mtcnn, and is for saved_model. "
            f"Received: {detector!r}, format={format!r}"
        )
    if version < 1:
        raise ValueError(f"`version` must be at least 1. Received: {version}")
    if keras.backend.backend() != "tensorflow":
        raise ImportError("export needs Keras on TensorFlow: KERAS_BACKEND=tensorflow")
    predictor, name, preset = _loaded(model)
    drawn = format == "litert" and predictor.model.layout.name in DRAWN
    if quantize and calibration is None and not drawn:
        raise ValueError(
            f"8-bit {format} needs training crops: give --data, as for train (in "
            "Python: `calibration`)"
        )
    if format == "saved_model":
        _need("tensorflow_serving", "serving")
    if format == "onnx":
        _need("tf2onnx", "onnx")
    if format == "onnx" and quantize:
        _need("onnxruntime", "onnxruntime")
    kind = f"{format}_int8" if quantize else format
    file = {
        "saved_model": str(version),
        "onnx": f"{name}.onnx",
        "onnx_int8": f"{name}_int8.onnx",
        "litert": f"{name}.tflite",
        "litert_int8": f"{name}_int8.tflite",
    }[kind]
    if folder is None:
        folder, file = preset, EXPORTS.get(kind)
        if folder is None or file is None:
            raise InputError(
                "`folder` is needed, except for the onnx, quantized or not, and the "
                "litert, not quantized, of a preset. Received: "
                f"model={str(model)!r}, format={format!r}, quantize={quantize}"
            )
    target = pathlib.Path(folder) / file
    if target.exists() and not force:
        raise InputError(f"{target}: is there already (--force replaces it)")
    check_writable(target.parent)
    if format == "saved_model":
        with replaced_folder(target) as temporary:
            built = get_detector(detector) if detector else None
            write_saved_model(temporary, predictor, name, preset, built)
    else:
        if callable(calibration):
            calibration = calibration(predictor.model)
        capped = kind == "litert_int8"
        network = bare_network(
            predictor, capped=capped, lean=format == "onnx", crops=calibration
        )
        images = keras.InputSpec("float32", network.input_shape, name="images")
        options = {"optimizations": _dynamic_range()} if capped else {}
        with replaced(target) as temporary, quiet():
            network.export(temporary, format, False, [images], **options)
            if format == "onnx":
                with_kernels(temporary, network)
            if format == "onnx" and calibration is not None:
                with_bytes(temporary, predictor.model, calibration)
    return target


def _dynamic_range():
    import tensorflow as tf

    return [tf.lite.Optimize.DEFAULT]


def _need(module, extra):
    if importlib.util.find_spec(module) is None:
        raise ImportError(
            f"this format needs a package that is missing: pip install '.[{extra}]'"
        )


def _loaded(model):
    """The predictor, a name, and the folder of its preset, if it is one."""
    if isinstance(model, Predictor):
        return model, model.model.name, None
    if isinstance(model, keras.Model):
        return Predictor(model), model.name, None
    path = pathlib.Path(model)
    if path.suffix == ".keras":
        return _from_file(path), path.stem, None
    preset = preset_folder(str(model))
    return Predictor(preset, runtime="keras"), preset.resolve().name, preset


def _from_file(path):
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        network = keypoint_model(keras.saving.load_model(path))
        shapes = network.input_shape, network.output_shape
    except Exception as error:  # Whatever its zip archive holds.
        reason = str(error).strip().splitlines()[0]
        raise InputError(f"{path}: not a network of ours ({reason})") from None
    side = (network.input_size, network.input_size)
    if shapes != ((None, *side, 1), (None, *side, network.layout.count)):
        raise InputError(
            f"{path}: a network of (N, S, S, 1) crops to (N, S, S, K) maps is "
            f"wanted. Received: {shapes[0]} to {shapes[1]}"
        )
    return Predictor(network)
