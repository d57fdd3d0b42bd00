"""A SavedModel as TensorFlow Serving wants it: endpoints, assets, warm-up."""

from __future__ import annotations

import json
import pathlib
import shutil
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from rcn_keras.data.synthetic import draw_crop
from rcn_keras.export.network import bare_network, quiet
from rcn_keras.presets import CONFIG
from rcn_keras.runtime import LOCATED
from rcn_keras.serving.pictures import png_bytes

if TYPE_CHECKING:
    from rcn_keras.predictor import Predictor


WARMUP = "tf_serving_warmup_requests"  # the name that TensorFlow Serving looks for
WARMUP_BATCHES = (1, 4)


def write_saved_model(
    folder: pathlib.Path,
    predictor: Predictor,
    name: str,
    preset: pathlib.Path | None,
    detector: Any = None,
) -> None:
    """Writes a SavedModel with its endpoints, assets and warm-up requests.

    Args:
        folder: path, made here.
        predictor: `Predictor`.
        name: str, under which a server will serve it.
        preset: path of the preset's folder, or `None`.
        detector: `MTCNN` for the endpoint `photographs`, or `None`.
    """
    import tensorflow as tf

    from rcn_keras.export.graph import faces_function, photographs_function

    network = bare_network(predictor, heatmaps=True)
    floats = tf.TensorSpec(network.input_shape, tf.float32, "images")
    # One function that all endpoints call: its graph is in the file once.
    run = tf.function(network, input_signature=[floats], autograph=False)
    layout = predictor.layout
    assert layout is not None  # that of a network
    settings = predictor.refinements, predictor.model.input_size
    faces = faces_function(run, layout, *settings)
    files = tf.TensorSpec((None,), tf.string, "image_bytes")

    def keypoints(images):
        found = run(tf.cast(images, tf.float32))
        return {part: found[part] for part in LOCATED}

    endpoints = {
        "serving_default": (keypoints, [floats]),
        "serving_uint8": (
            keypoints,
            [tf.TensorSpec(network.input_shape, tf.uint8, "images")],
        ),
        "heatmaps": (run, [floats]),
        "faces": (
            faces,
            [files, tf.TensorSpec((None, 4), tf.float32, "boxes")],
        ),
    }
    if detector:
        graph = detector.graph()
        find = photographs_function(run, layout, graph, *settings)
        endpoints["photographs"] = (find, [files])
    # No `track`: it would put the variables, which the endpoints bring, there twice.
    archive = keras.export.ExportArchive()
    for endpoint, (function, signature) in endpoints.items():
        archive.add_endpoint(endpoint, function, input_signature=signature)
    with quiet():
        archive.write_out(folder, verbose=False)
    example = draw_crop(0, layout, predictor.model.input_size)
    _write_warmup(folder / "assets.extra" / WARMUP, name, example, endpoints)
    write_assets(folder / "assets", predictor, preset)


def _write_warmup(path, name, drawn, endpoints):
    """A request for each signature and batch size, about a drawn face."""
    import tensorflow as tf
    from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

    image, box, crop = drawn
    example = {
        "serving_default": {"images": crop.astype("float32")},
        "serving_uint8": {"images": crop},
        "heatmaps": {"images": crop.astype("float32")},
        "faces": {"image_bytes": png_bytes(image), "boxes": box.astype("float32")},
        "photographs": {"image_bytes": png_bytes(image)},
    }
    path.parent.mkdir()
    with tf.io.TFRecordWriter(str(path)) as records:
        for signature in endpoints:
            inputs = example[signature]
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


def write_assets(
    folder: pathlib.Path, predictor: Predictor, preset: pathlib.Path | None
) -> None:
    """What a person, or a client, wants to know of the network."""
    folder.mkdir(exist_ok=True)
    layout, model = predictor.layout, predictor.model
    assert layout is not None
    (folder / "labels.txt").write_text("\n".join(layout.names) + "\n", encoding="utf-8")
    (folder / "layout.json").write_text(layout.to_json(), encoding="utf-8")
    settings = model.decoder_config() | {"refinements": predictor.refinements}
    (folder / "serving.json").write_text(
        json.dumps(settings, indent=2) + "\n", encoding="utf-8"
    )
    if preset:
        for file in (CONFIG, "README.md"):
            shutil.copyfile(preset / file, folder / file)
