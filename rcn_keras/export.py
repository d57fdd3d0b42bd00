"""Networks as files for other runtimes: TensorFlow Serving, ONNX Runtime, LiteRT."""

import contextlib
import importlib.util
import io
import json
import logging
import pathlib
import shutil
import warnings

import keras
import numpy as np

from rcn_keras.data.synthetic import draw_crop
from rcn_keras.errors import InputError
from rcn_keras.faces.boxes import INPUT_SIZE
from rcn_keras.files import check_writable, replaced, replaced_folder
from rcn_keras.layers import SpatialSoftmax
from rcn_keras.models import keypoint_model
from rcn_keras.predictor import Predictor
from rcn_keras.presets import CONFIG, preset_folder
from rcn_keras.quantization import without_outliers
from rcn_keras.serving.pictures import png_bytes

FORMATS = ("saved_model", "onnx", "litert")
WARMUP = "tf_serving_warmup_requests"  # the name that TensorFlow Serving looks for
WARMUP_BATCHES = (1, 4)


def export(model, folder, format="saved_model", version=1, quantize=False, force=False):
    """Writes a network for another runtime.

    `"saved_model"` writes `FOLDER/VERSION/`, which TensorFlow Serving runs as it is.
    Its signatures, N open in all of them:

    - `serving_default`: `images` `(N, 80, 80, 1)` float32, grey 0...255, to `keypoints`
      `(N, K, 2)` in crop pixels and `confidence` `(N, K)`;
    - `serving_uint8`: the same, `images` uint8;
    - `heatmaps`: as `serving_default`, and `heatmaps` `(N, 80, 80, K)`, probabilities;
    - `faces`: `image_bytes` `(N,)`, files of JPEG or PNG, and `boxes` `(N, 4)` float32,
      `[x0, y0, x1, y1]` in their pixels, to `keypoints` in the pictures' pixels and
      `confidence`; see `rcn_keras.serving.graph.faces_function`.

    `assets/` holds the layout, the keypoints' names, configuration and model card,
    `assets.extra/` the requests that a server warms itself up with. `"onnx"` and
    `"litert"` write `FOLDER/NAME.onnx` and `FOLDER/NAME.tflite`, inputs and outputs as
    `serving_default`.

    Args:
        model: a preset's name or folder, the path of a `.keras` file, or a
            `KeypointModel` or `Predictor`, whose decoder and calibration it keeps.
        folder: path, made if missing.
        format: one of `FORMATS`.
        version: int, of a SavedModel; a server takes the highest.
        quantize: bool, LiteRT only: weights as 8-bit integers, and activations where
            LiteRT can (dynamic range), far answers to a picture's corners capped
            before (`quantization.without_outliers`); writes `NAME_int8.tflite`.
        force: bool, whether what is there may be replaced.

    Returns:
        path of what was written.

    Raises:
        InputError: if it is there already, or there is no such model.
        ImportError: without TensorFlow, or a package that the format needs.

    Example:
        >>> rcn_keras.export("rcn6_mtfl", "saved_models/rcn6_mtfl")
    """
    if format not in FORMATS:
        raise ValueError(f"`format` must be one of {FORMATS}. Received: {format!r}")
    if quantize and format != "litert":
        raise ValueError(f"`quantize` is for litert. Received: format={format!r}")
    if version < 1:
        raise ValueError(f"`version` must be at least 1. Received: {version}")
    if keras.backend.backend() != "tensorflow":
        raise ImportError("export needs Keras on TensorFlow: KERAS_BACKEND=tensorflow")
    predictor, name, preset = _loaded(model)
    if format == "saved_model":
        _need("tensorflow_serving", "serving")
    if format == "onnx":
        _need("tf2onnx", "onnx")
    file = {
        "saved_model": str(version),
        "onnx": f"{name}.onnx",
        "litert": f"{name}_int8.tflite" if quantize else f"{name}.tflite",
    }[format]
    target = pathlib.Path(folder) / file
    if target.exists() and not force:
        raise InputError(f"{target}: is there already (--force replaces it)")
    check_writable(target.parent)
    if format == "saved_model":
        with replaced_folder(target) as temporary:
            _write_saved_model(temporary, predictor, name)
            _write_assets(temporary / "assets", predictor, preset)
    else:
        network = _network(predictor, capped=quantize)
        images = keras.InputSpec("float32", network.input_shape, name="images")
        options = {"optimizations": _dynamic_range()} if quantize else {}
        with replaced(target) as temporary, _quiet():
            network.export(temporary, format, False, [images], **options)
    return target


def _dynamic_range():
    import tensorflow as tf

    return [tf.lite.Optimize.DEFAULT]


def _need(module, extra):
    if importlib.util.find_spec(module) is None:
        raise ImportError(
            f"this format needs a package that is missing: pip install "
            f"'rcn-keras[{extra}]'"
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
    return Predictor.from_preset(str(model)), preset.resolve().name, preset


def _from_file(path):
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        network = keypoint_model(keras.saving.load_model(path))
        shapes = network.input_shape, network.output_shape
    except Exception as error:  # Whatever its zip archive holds.
        reason = str(error).strip().splitlines()[0]
        raise InputError(f"{path}: not a network of ours ({reason})") from None
    side = (INPUT_SIZE, INPUT_SIZE)
    if shapes != ((None, *side, 1), (None, *side, network.layout.count)):
        raise InputError(
            f"{path}: a network of (N, 80, 80, 1) crops to (N, 80, 80, K) maps is "
            f"wanted. Received: {shapes[0]} to {shapes[1]}"
        )
    return Predictor(network)


def _network(predictor, heatmaps=False, capped=False):
    """Crops to keypoints and confidence, as one model."""
    model = predictor.model
    maps = without_outliers(model) if capped else model
    outputs = model.decode(maps.output)
    if heatmaps:
        outputs["heatmaps"] = SpatialSoftmax()(maps.output)
    return keras.Model(maps.input, outputs, name=maps.name)


def _write_saved_model(folder, predictor, name):
    import tensorflow as tf

    from rcn_keras.serving.graph import faces_function

    network = _network(predictor, heatmaps=True)

    floats = tf.TensorSpec(network.input_shape, tf.float32, "images")
    # One function that all endpoints call: its graph is in the file once.
    run = tf.function(network, input_signature=[floats], autograph=False)
    faces = faces_function(run, predictor.layout, predictor.refinements)

    def keypoints(images):
        found = run(tf.cast(images, tf.float32))
        return {part: found[part] for part in ("keypoints", "confidence")}

    endpoints = {
        "serving_default": (keypoints, [floats]),
        "serving_uint8": (
            keypoints,
            [tf.TensorSpec(network.input_shape, tf.uint8, "images")],
        ),
        "heatmaps": (run, [floats]),
        "faces": (
            faces,
            [
                tf.TensorSpec((None,), tf.string, "image_bytes"),
                tf.TensorSpec((None, 4), tf.float32, "boxes"),
            ],
        ),
    }
    # No `track`: it would put the variables, which the endpoints bring, there twice.
    archive = keras.export.ExportArchive()
    for endpoint, (function, signature) in endpoints.items():
        archive.add_endpoint(endpoint, function, input_signature=signature)
    with _quiet():
        archive.write_out(folder, verbose=False)
    _write_warmup(folder / "assets.extra" / WARMUP, name, predictor.layout)


def _write_warmup(path, name, layout):
    """A request for each signature and batch size, about a drawn face."""
    import tensorflow as tf
    from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

    image, box, crop = draw_crop(0, layout)
    example = {
        "serving_default": {"images": crop.astype("float32")},
        "serving_uint8": {"images": crop},
        "heatmaps": {"images": crop.astype("float32")},
        "faces": {"image_bytes": png_bytes(image), "boxes": box.astype("float32")},
    }
    path.parent.mkdir()
    with tf.io.TFRecordWriter(str(path)) as records:
        for signature, inputs in example.items():
            for batch in WARMUP_BATCHES:
                request = predict_pb2.PredictRequest()
                request.model_spec.name = name
                request.model_spec.signature_name = signature
                for key, value in inputs.items():
                    tensor = tf.make_tensor_proto(np.stack([value] * batch))
                    request.inputs[key].CopyFrom(tensor)
                predicted = prediction_log_pb2.PredictLog(request=request)
                log = prediction_log_pb2.PredictionLog(predict_log=predicted)
                records.write(log.SerializeToString())


def _write_assets(folder, predictor, preset):
    """What a person, or a client, wants to know of the network."""
    folder.mkdir(exist_ok=True)
    layout, model = predictor.layout, predictor.model
    (folder / "labels.txt").write_text("\n".join(layout.names) + "\n")
    (folder / "layout.json").write_text(layout.to_json())
    settings = {
        "decoder": model.decoder,
        "calibration": list(model.calibration),
        "refinements": predictor.refinements,
    }
    (folder / "serving.json").write_text(json.dumps(settings, indent=2) + "\n")
    if preset:
        for file in (CONFIG, "README.md"):
            shutil.copyfile(preset / file, folder / file)


@contextlib.contextmanager
def _quiet():
    """Without what the converters say on the way."""
    logger = logging.getLogger("tensorflow")
    level = logger.level
    logger.setLevel(logging.ERROR)
    with (
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            logger.setLevel(level)
