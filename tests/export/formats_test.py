"""Exports of a network with real weights, run by their own runtimes."""

import io
import json
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from saved_model_session import run_in_fresh_process

import rcn_keras
from rcn_keras.cli import main
from rcn_keras.data.synthetic import draw_face
from rcn_keras.errors import InputError
from rcn_keras.faces.crop import input_crop
from rcn_keras.faces.images import decode_image
from rcn_keras.runtime import LOCATED

SIGNATURES = ["faces", "heatmaps", "photographs", "serving_default", "serving_uint8"]


@pytest.fixture(scope="module")
def predictor():
    return rcn_keras.Predictor.from_preset("rcn6_mtfl")


@pytest.fixture(scope="module")
def faces():
    """Pictures of different sizes, each with a box."""
    rng = np.random.default_rng(3)
    images = [draw_face(rng, size=size)[0] for size in (90, 150, 401)] * 3
    boxes = [np.array([0.2, 0.2, 0.8, 0.8]) * len(image) for image in images]
    return images, np.array(boxes, "float32")


@pytest.fixture(scope="module")
def crops(faces):
    crops = [input_crop(i, (*b[:2], b[2] - b[0]), 1.2) for i, b in zip(*faces)]
    return np.stack(crops)[..., None]


@pytest.fixture(scope="module")
def signatures(rcn_saved_model):
    return tf.saved_model.load(rcn_saved_model).signatures


def encoded(image, format="PNG", **options):
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, format, **options)
    return buffer.getvalue()


def located(signatures, data, boxes):
    found = signatures["faces"](image_bytes=tf.constant(data), boxes=tf.constant(boxes))
    return tuple(found[name].numpy() for name in LOCATED)


def expected_of(predictor, images, boxes):
    found = predictor(list(images), [box[None] for box in boxes])
    return tuple(np.stack([getattr(one[0], name) for one in found]) for name in LOCATED)


def test_signatures_leave_the_batch_open(signatures):
    assert sorted(signatures) == SIGNATURES
    for name, signature in signatures.items():
        _, inputs = signature.structured_input_signature
        outputs = signature.structured_outputs
        assert {"keypoints", "confidence"} <= set(outputs)
        assert ("heatmaps" in outputs) == (name == "heatmaps")
        for spec in [*inputs.values(), *outputs.values()]:
            assert spec.shape[0] is None


def test_crops_as_keras(signatures, predictor, crops):
    maps = predictor.model.predict_on_batch(crops.astype("float32"))
    expected = predictor.model.decode(maps)
    floats = tf.constant(crops, tf.float32)
    for name in ("serving_default", "serving_uint8", "heatmaps"):
        images = tf.constant(crops) if name == "serving_uint8" else floats
        found = signatures[name](images=images)
        for key in LOCATED:
            np.testing.assert_allclose(found[key], expected[key], atol=1e-3)
    expected = rcn_keras.layers.SpatialSoftmax()(maps)
    np.testing.assert_allclose(found["heatmaps"], expected, atol=1e-5)


@pytest.mark.parametrize("colour", [True, False])
def test_faces_as_the_predictor(signatures, predictor, faces, colour):
    images, boxes = faces
    if not colour:
        images = [image[:, :, 0] for image in images]
    found = located(signatures, [encoded(image) for image in images], boxes)
    keypoints, *chances = expected_of(predictor, images, boxes)
    side = boxes[:, 2] - boxes[:, 0]  # At most a crop pixel is side / 80 long.
    difference = np.abs(found[0] - keypoints).max(axis=(1, 2)) / (side / 80)
    assert difference.max() < 0.02
    for rows, expected in zip(found[1:], chances, strict=True):
        np.testing.assert_allclose(rows, expected, atol=1e-3)


def test_a_jpeg_as_its_pixels(signatures, predictor, faces):
    images, boxes = faces
    data = [encoded(image, "JPEG", quality=95) for image in images]
    pixels = [tf.io.decode_jpeg(d, 3, dct_method="INTEGER_ACCURATE") for d in data]
    found, *_ = located(signatures, data, boxes)
    keypoints, *_ = expected_of(predictor, [p.numpy() for p in pixels], boxes)
    np.testing.assert_allclose(found, keypoints, atol=0.02)
    other = expected_of(predictor, [decode_image(d) for d in data], boxes)[0]
    assert np.abs(found - other).max() < 0.5  # What another decoder's pixels make.


def test_a_bad_row_leaves_the_others_alone(signatures, faces):
    images, boxes = faces
    rows = range(64)
    data = [encoded(images[i % 9], "JPEG") for i in rows]
    boxes = np.stack([boxes[i % 9] for i in rows])
    expected = located(signatures, data, boxes)
    data[5], data[6] = b"no picture at all", b""
    data[7] = data[7][:20] + b"garbage" * 30
    data[9], data[10] = b"\xff\xd8\xff", encoded(images[1], "WEBP")
    data[11] = encoded(images[2], "GIF")
    data[8] = encoded(images[8])[:-200] + bytes(200)  # A PNG damaged inside.
    data[20] = data[20][: len(data[20]) * 3 // 4] + b"\xff"
    boxes[30], boxes[31] = [500, 500, 600, 600], [9, 9, 3, 3]
    boxes[32], boxes[33] = [np.nan, 0, 1, 1], [-1e9, -1e9, 1e9, 1e9]
    keypoints, *chances = located(signatures, data, boxes)
    bad = [5, 6, 7, 8, 9, 10, 11, 20, 30, 31, 32, 33]
    assert np.isnan(keypoints[bad]).all()
    assert all((rows[bad] == 0).all() for rows in chances)
    good = [i for i in rows if i not in bad]
    np.testing.assert_allclose(keypoints[good], expected[0][good], atol=1e-3)
    for rows, alone in zip(chances, expected[1:], strict=True):
        np.testing.assert_allclose(rows[good], alone[good], atol=1e-4)


def test_the_servers_own_loader_answers_as_tensorflow(
    rcn_saved_model, signatures, faces, crops
):
    images, boxes = faces
    data = np.array([encoded(image) for image in images] * 8, "object")[:64]
    data[3] = b"garbage"
    floats = np.tile(crops.astype("float32"), (8, 1, 1, 1))[:64]
    inputs = {
        "serving_default": {"images": floats},
        "serving_uint8": {"images": floats.astype("uint8")},
        "heatmaps": {"images": floats},
        "faces": {"image_bytes": data, "boxes": np.tile(boxes, (8, 1))[:64]},
    }
    cases = {
        str(batch): {
            signature: {name: value[:batch] for name, value in given.items()}
            for signature, given in inputs.items()
        }
        for batch in (1, 7, 64)
    }
    answers = run_in_fresh_process(rcn_saved_model, cases)
    for signature, given in inputs.items():
        constants = {name: tf.constant(value) for name, value in given.items()}
        expected = signatures[signature](**constants)
        for batch in (1, 7, 64):
            found = answers[str(batch)][signature]
            assert set(found) == set(expected)
            for name, value in found.items():
                wanted = expected[name][:batch]
                np.testing.assert_allclose(value, wanted, atol=1e-3)


def test_every_warm_up_request_runs(rcn_saved_model, signatures):
    from tensorflow_serving.apis import prediction_log_pb2

    path = rcn_saved_model / "assets.extra/tf_serving_warmup_requests"
    seen = []
    for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
        log = prediction_log_pb2.PredictionLog.FromString(record)
        request = log.predict_log.request
        assert request.model_spec.name == "rcn6_mtfl"
        signature = request.model_spec.signature_name
        inputs = {
            name: tf.constant(tf.make_ndarray(value))
            for name, value in request.inputs.items()
        }
        found = signatures[signature](**inputs)
        assert np.isfinite(found["keypoints"]).all()
        seen.append((signature, len(found["keypoints"])))
    assert sorted(seen) == [(name, n) for name in SIGNATURES for n in (1, 4)]


def test_assets(rcn_saved_model):
    assets = rcn_saved_model / "assets"
    assert (assets / "labels.txt").read_text().split() == [
        *("left_eye", "right_eye", "nose", "left_mouth_corner", "right_mouth_corner")
    ]
    assert json.loads((assets / "config.json").read_text())["model"] == "rcn"
    assert json.loads((assets / "serving.json").read_text())["refinements"] == 1
    assert (assets / "README.md").read_text().startswith("---")


@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_is_refused_wherever_it_is_cut_as_the_predictor_does(
    signatures, progressive
):
    image = draw_face(np.random.default_rng(0), size=200)[0]
    whole = encoded(image, "JPEG", quality=90, progressive=progressive)
    shares = (0.05, 0.2, 0.3, 0.5, 0.8, 0.95)
    cut = [whole[: int(len(whole) * share)] for share in shares]
    cut += [whole[:-2], whole[:-1]]
    rotten = whole[: len(whole) // 4] + bytes(len(whole) * 3 // 4) + whole[-2:]
    boxes = np.tile(np.float32([40, 40, 160, 160]), (len(cut) + 2, 1))
    keypoints, *_ = located(signatures, [*cut, whole, rotten], boxes)
    for data in cut:
        with pytest.raises(InputError, match="damaged"):
            decode_image(data)
    assert np.isnan(keypoints[:-2]).all()
    # What ends as a whole file does is decoded by both, whatever is inside.
    assert decode_image(rotten).shape == image.shape
    assert np.isfinite(keypoints[-2:]).all()


def test_onnx(tmp_path, signatures, crops):
    import onnxruntime

    path = rcn_keras.export_model("rcn6_mtfl", tmp_path, format="onnx")
    assert path == tmp_path / "rcn6_mtfl.onnx"
    session = onnxruntime.InferenceSession(path)
    images = crops.astype("float32")
    expected = signatures["serving_default"](images=tf.constant(images))
    names = [output.name for output in session.get_outputs()]
    assert sorted(names) == ["confidence", "face_score", "keypoints"]
    for batch in (1, 7):
        found = dict(zip(names, session.run(None, {"images": images[:batch]})))
        for key in names:
            np.testing.assert_allclose(found[key], expected[key][:batch], atol=1e-3)


# With 8 bits a peak may give way to another where the network is unsure: one in ten may
# move farther.
@pytest.mark.parametrize("quantize, share, within", [(False, 1, 1e-3), (True, 0.9, 1)])
def test_litert(tmp_path, signatures, crops, quantize, share, within):
    from ai_edge_litert.interpreter import Interpreter

    path = rcn_keras.export_model("rcn6_mtfl", tmp_path, "litert", quantize=quantize)
    assert path.stat().st_size < (0.45e6 if quantize else 1.4e6)
    run = Interpreter(str(path)).get_signature_runner("serving_default")
    images = crops[:7].astype("float32")
    expected = signatures["serving_default"](images=tf.constant(images))
    for batch in (1, 7):
        parts = [images[i : i + batch] for i in range(0, 7, batch)]
        answers = [run(images=part) for part in parts]
        found = np.concatenate([answer["keypoints"] for answer in answers])
        apart = np.linalg.norm(found - expected["keypoints"], axis=-1)
        assert np.quantile(apart, share) < within
        score = np.concatenate([answer["face_score"] for answer in answers])
        np.testing.assert_allclose(
            score, expected["face_score"], atol=0.1 if quantize else 1e-3
        )


def test_a_joint_model_of_68_points(tmp_path, predictor):
    keras.utils.set_random_seed(0)
    model = rcn_keras.JointModel(
        rcn_keras.build_rcn(4, keypoints=68),
        rcn_keras.build_denoiser(filters=(4,), kernel_size=11, pooling=4),
    )
    path = tmp_path / "joint.keras"
    model.save(path)
    folder = rcn_keras.export_model(path, tmp_path / "joint", version=3)
    assert folder == tmp_path / "joint/3"
    signatures = tf.saved_model.load(folder).signatures
    image, points = draw_face(np.random.default_rng(0), rcn_keras.FACE_68, 200)
    box = np.array([[40, 40, 160, 160]], "float32")
    found, _, face_score = located(signatures, [encoded(image)], box)
    expected, *_ = expected_of(rcn_keras.Predictor(model), [image], box)
    np.testing.assert_allclose(found, expected, atol=0.05)
    assert np.isnan(face_score).all()  # It was not calibrated.


def test_a_network_of_any_layout(tmp_path):
    keras.utils.set_random_seed(0)
    layout = rcn_keras.KeypointLayout("card", ("nw", "ne", "se", "sw"))
    model = rcn_keras.build_rcn(4, layout=layout)
    model.set_decoder("quadratic", (0.5, 0.1), (0.7, 2.0))
    path = tmp_path / "card.keras"
    model.save(path)
    folder = rcn_keras.export_model(path, tmp_path / "card")
    written = (folder / "assets/layout.json").read_text()
    assert rcn_keras.KeypointLayout.from_json(written) == layout
    signatures = tf.saved_model.load(folder).signatures
    image, _ = draw_face(np.random.default_rng(0), size=200)
    box = np.array([[40, 50, 160, 130]], "float32")
    found, *chances = located(signatures, [encoded(image)], box)
    expected, *wanted = expected_of(rcn_keras.Predictor(model), [image], box)
    np.testing.assert_allclose(found, expected, atol=0.05)
    for rows, other in zip(chances, wanted, strict=True):
        np.testing.assert_allclose(rows, other, atol=1e-3)


def test_a_keras_file_that_is_none_of_ours(tmp_path):
    path = tmp_path / "other.keras"
    path.write_text("no zip archive")
    with pytest.raises(InputError, match=r"other.keras: not a network of ours \("):
        rcn_keras.export_model(path, tmp_path / "new")
    images = keras.Input((40, 40, 1))
    keras.Model(images, keras.layers.Conv2D(5, 3)(images)).save(path)
    with pytest.raises(InputError, match=r"wanted. Received: \(None, 40, 40, 1\) to"):
        rcn_keras.export_model(path, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_what_is_there_is_kept(tmp_path, capsys):
    (tmp_path / "1").mkdir()
    (tmp_path / "1/kept").touch()
    with pytest.raises(InputError, match="1: is there already"):
        rcn_keras.export_model("rcn6_mtfl", tmp_path)
    assert main(["export", "rcn6_mtfl", str(tmp_path)]) == 2
    assert "is there already (--force replaces it)" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["1"]
    assert (tmp_path / "1/kept").exists()


def test_force_replaces_the_whole_version(tmp_path, capsys):
    (tmp_path / "1").mkdir()
    (tmp_path / "1/old").touch()
    assert main(["export", "sumnet6_mtfl", str(tmp_path), "--force"]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "1")
    assert [path.name for path in tmp_path.iterdir()] == ["1"]
    assert not (tmp_path / "1/old").exists()
    assert (tmp_path / "1/saved_model.pb").exists()


@pytest.mark.parametrize(
    "arguments, reason",
    [
        (["nothing_like_it"], "no preset named"),
        (["nothing_like_it", "--format", "onnx"], "no preset named"),
        (["denoiser_300w"], "it is a denoiser"),
        (["missing.keras"], "missing.keras: no such file"),
        (["rcn6_mtfl", "--quantize"], "`quantize` is for litert and onnx"),
    ],
)
def test_what_cannot_be_exported(tmp_path, capsys, monkeypatch, arguments, reason):
    # A wrong name is reported before a package that its format would need.
    monkeypatch.setitem(sys.modules, "tf2onnx", None)
    name, *options = arguments
    assert main(["export", name, str(tmp_path / "new"), *options]) == 2
    assert reason in capsys.readouterr().err
    assert not (tmp_path / "new").exists()
