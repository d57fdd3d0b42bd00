"""Shipped presets by every runtime, beside Keras."""

import copy
import functools
import multiprocessing
import os
import pickle
import shutil
import subprocess
import sys

import keras
import numpy as np
import pytest

import rcn_keras
from rcn_keras import runtime
from rcn_keras.data.synthetic import draw_crop
from rcn_keras.errors import InputError
from rcn_keras.export.network import quiet
from rcn_keras.presets import SHIPPED, read_config, read_layout, save_preset
from rcn_keras.runtime import BATCH, RUNTIMES, choose_runtime, load_runtime

PHOTO = "examples/astronaut.jpg"
BOX = [180, 65, 265, 172]
EXPORTED = sorted(path.parent.name for path in SHIPPED.glob("*/model.onnx"))
LIGHT = ("openvino", "onnxruntime", "litert")

# Of its folder, and of what was imported for it.
PROGRAM = """
import sys
import rcn_keras
name, folder = sys.argv[1:]
predictor = rcn_keras.Predictor(folder, runtime=name)
(face,) = predictor("examples/astronaut.jpg", boxes=[[180, 65, 265, 172]])
assert predictor.locator.runtime.name == name and face.keypoints.shape == (5, 2)
print(sorted({"keras", "tensorflow", "jax", "torch"} & set(sys.modules)))
"""

# First as Keras compiles it, in whatever precision; then in float32.
ON_KERAS_OPENVINO = """
import functools
import sys
import keras
import numpy as np
import openvino
import rcn_keras
from rcn_keras import presets, runtime
assert keras.backend.backend() == "openvino"
crops, out = sys.argv[1:]
predictor = rcn_keras.Predictor("rcn6_mtfl", runtime="keras")
(face,) = predictor("examples/astronaut.jpg", boxes=[[180, 65, 265, 172]])
float32 = {"INFERENCE_PRECISION_HINT": "f32"}
openvino.compile_model = functools.partial(openvino.compile_model, config=float32)
located = {}
for name, images in np.load(crops).items():
    network = runtime.load_runtime(presets.SHIPPED / name, "keras")
    located[name], located[name + " confidence"], _ = network(images)
np.savez(out, photograph=face.keypoints, **located)
"""


def crops(name, count):
    layout = read_layout(SHIPPED / name)
    return np.stack([draw_crop(seed, layout)[-1] for seed in range(count)])


@functools.cache
def in_keras(name):
    return load_runtime(SHIPPED / name, "keras")


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """A preset that has a file for every runtime."""
    folder = tmp_path_factory.mktemp("presets") / "mine"
    shutil.copytree(SHIPPED / "rcn6_mtfl", folder)
    rcn_keras.export_model(folder, format="litert")
    return folder


def test_every_preset_that_sees_photographs_ships_its_network_for_light_runtimes():
    kinds = {name: read_config(SHIPPED / name)["model"] for name in EXPORTED}
    assert "denoiser" not in kinds.values()
    assert {"rcn6_mtfl", "rcn6_wide", "sumnet6_mtfl", "rcn5_300w"} <= set(kinds)


@pytest.mark.parametrize("name", EXPORTED)
def test_shipped_onnx_files_are_of_the_weights_beside_them(name):
    images = crops(name, 8)
    expected = in_keras(name)(images)
    found = load_runtime(SHIPPED / name, "onnxruntime")(images)
    for rows, wanted in zip(found, expected, strict=True):
        np.testing.assert_allclose(rows, wanted, atol=1e-3)
    assert np.isfinite(found[2]).all()  # A network without a line has NaN.


@pytest.mark.parametrize("name", EXPORTED)
def test_shipped_8_bit_files_are_near_the_weights_beside_them(name):
    images = crops(name, 16)
    keypoints, confidence, _ = in_keras(name)(images)
    found = load_runtime(SHIPPED / name, "openvino-int8")(images)
    assert 0 < np.median(np.abs(found[0] - keypoints)) < 0.2
    assert np.median(np.abs(found[1] - confidence)) < 0.05


@pytest.mark.parametrize("name", LIGHT)
def test_keypoints_are_those_of_keras_at_any_batch(folder, name):
    network = load_runtime(folder, name)
    assert network.name == name and network.input_size == 80
    images = crops("rcn6_mtfl", BATCH)
    expected = in_keras("rcn6_mtfl")(images)
    for count in (1, 9, 35, BATCH, 2):
        for batch in (images[:count], images[:count].astype("float32")):
            keypoints, confidence, face_score = network(batch)
            np.testing.assert_allclose(keypoints, expected[0][:count], atol=1e-3)
            np.testing.assert_allclose(confidence, expected[1][:count], atol=1e-4)
            np.testing.assert_allclose(face_score, expected[2][:count], atol=1e-3)


def test_openvino_divides_crops_of_large_maps_into_smaller_parts():
    network = load_runtime(SHIPPED / "joint_300w", "openvino")
    images = crops("joint_300w", 9)
    one_by_one = zip(*(network(images[i : i + 1]) for i in range(len(images))))
    for together, alone in zip(network(images), one_by_one, strict=True):
        np.testing.assert_allclose(together, np.concatenate(alone), atol=1e-3)


def test_bfloat16_is_near_on_a_photograph(folder):
    exact, rounded = (
        rcn_keras.Predictor(folder, runtime=name)(PHOTO, [BOX])[0].keypoints
        for name in ("openvino", "openvino-bf16")
    )
    assert np.abs(exact - rounded).max() < 0.5


def test_8_bit_arithmetic_of_ones_own(folder, tmp_path):
    mine = tmp_path / "rcn6_mtfl"
    shutil.copytree(folder, mine)
    (mine / "model_int8.onnx").unlink()
    images = crops("rcn6_mtfl", 16)
    rcn_keras.export_model(mine, None, "onnx", quantize=True, calibration=images)
    exact, rounded = (
        load_runtime(mine, name)(images)[0] for name in ("openvino", "openvino-int8")
    )
    assert 0 < np.median(np.abs(exact - rounded)) < 0.2
    predictor = rcn_keras.Predictor(mine, runtime="openvino-int8")
    again = pickle.loads(pickle.dumps(predictor))
    assert again.locator.runtime.name == "openvino-int8"


@pytest.mark.parametrize("name", ["onnxruntime", "openvino", "litert"])
def test_a_file_from_before_there_were_face_scores_still_runs(folder, name, tmp_path):
    model = rcn_keras.from_preset("rcn6_mtfl")
    outputs = model.decode(model.output)
    del outputs["face_score"]
    older = tmp_path / "older"
    shutil.copytree(folder, older)
    kind = "litert" if name == "litert" else "onnx"
    images_in = keras.InputSpec("float32", model.input_shape, name="images")
    with quiet():
        network = keras.Model(model.input, outputs)
        network.export(older / RUNTIMES[name][2], kind, False, [images_in])
    images = crops("rcn6_mtfl", 3)
    keypoints, confidence, face_score = load_runtime(older, name)(images)
    expected = in_keras("rcn6_mtfl")(images)
    np.testing.assert_allclose(keypoints, expected[0], atol=1e-3)
    np.testing.assert_allclose(confidence, expected[1], atol=1e-3)
    assert face_score.shape == (3,) and np.isnan(face_score).all()


@pytest.mark.parametrize("name", LIGHT)
def test_neither_keras_nor_tensorflow_is_imported(folder, name):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, name, folder], capture_output=True, text=True
    )
    assert done.stdout.strip() == "[]", done.stderr


def test_kerass_own_openvino_backend_predicts_as_tensorflow(tmp_path):
    images = {name: crops(name, 2) for name in EXPORTED}
    np.savez(tmp_path / "crops.npz", **images)
    files = tmp_path / "crops.npz", tmp_path / "found.npz"
    done = subprocess.run(
        [sys.executable, "-c", ON_KERAS_OPENVINO, *files],
        env={**os.environ, "KERAS_BACKEND": "openvino"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found = np.load(tmp_path / "found.npz")
    (face,) = rcn_keras.Predictor(in_keras("rcn6_mtfl").model, refinements=1)(
        PHOTO, [BOX]
    )
    np.testing.assert_allclose(found["photograph"], face.keypoints, atol=0.5)
    for name in EXPORTED:
        keypoints, confidence, _ = in_keras(name)(images[name])
        np.testing.assert_allclose(found[name], keypoints, atol=1e-3)
        np.testing.assert_allclose(found[f"{name} confidence"], confidence, atol=1e-3)


def installed(monkeypatch, *names):
    monkeypatch.setattr(runtime, "installed_runtimes", lambda: list(names))


def test_the_fastest_installed_one_whose_file_is_there_is_chosen(monkeypatch, folder):
    names = list(RUNTIMES)
    for installed_ones, chosen in [
        (names, "openvino"),
        (names[3:], "onnxruntime"),
        (names[4:], "litert"),
        (names[5:], "keras"),
    ]:
        installed(monkeypatch, *installed_ones)
        assert choose_runtime(folder) == chosen
    installed(monkeypatch, *names)
    assert choose_runtime(SHIPPED / "denoiser_300w") == "keras"
    assert choose_runtime(folder, "openvino-bf16") == "openvino-bf16"


def test_what_is_missing_is_named(monkeypatch, folder, tmp_path):
    with pytest.raises(InputError, match="must be auto, openvino.*Received: 'tpu'"):
        choose_runtime(folder, "tpu")
    with pytest.raises(InputError, match="model.tflite: no such file.*--format litert"):
        choose_runtime(SHIPPED / "rcn6_mtfl", "litert")
    with pytest.raises(InputError, match="--format onnx --quantize --data"):
        choose_runtime(SHIPPED / "denoiser_300w", "openvino-int8")
    installed(monkeypatch)
    with pytest.raises(ImportError, match=r"pip install '.\[onnxruntime\]'"):
        choose_runtime(folder)
    with pytest.raises(ImportError, match=r"pip install '.\[tensorflow\]'"):
        choose_runtime(SHIPPED / "denoiser_300w")
    with pytest.raises(ImportError, match=r"pip install '.\[litert\]'"):
        choose_runtime(folder, "litert")


@pytest.mark.parametrize("name", LIGHT)
def test_a_damaged_file_is_named(folder, tmp_path, name):
    damaged = tmp_path / "damaged"
    shutil.copytree(folder, damaged)
    file = damaged / RUNTIMES[name][2]
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(InputError, match=f"{file.name}: {name} cannot load it"):
        load_runtime(damaged, name)


def test_a_preset_saved_anew_loses_the_exports_of_its_old_weights(folder, tmp_path):
    again = tmp_path / "again"
    shutil.copytree(folder, again)
    save_preset(again, in_keras("rcn6_mtfl").model, read_config(again))
    assert sorted(path.name for path in again.glob("model*")) == ["model.weights.h5"]


@pytest.mark.parametrize("name", [*LIGHT, "keras"])
def test_copies_predict_the_same_before_and_after_the_first_use(folder, name):
    predictor = rcn_keras.Predictor(folder, runtime=name)
    before = pickle.loads(pickle.dumps(predictor))
    (expected,) = predictor(PHOTO, [BOX])
    after = [copy.copy(predictor), copy.deepcopy(predictor)]
    for same in [before, pickle.loads(pickle.dumps(predictor)), *after]:
        (face,) = same(PHOTO, [BOX])
        np.testing.assert_array_equal(face.keypoints, expected.keypoints)


def test_a_predictor_of_the_joint_model_is_pickled_after_its_first_use():
    predictor = rcn_keras.Predictor("joint_300w", runtime="keras")
    (expected,) = predictor(PHOTO, [BOX])
    (face,) = pickle.loads(pickle.dumps(predictor))(PHOTO, [BOX])
    np.testing.assert_array_equal(face.keypoints, expected.keypoints)


def test_a_predictor_crosses_to_a_spawned_process():
    predictor = rcn_keras.Predictor("rcn6_mtfl", runtime="onnxruntime")
    (expected,) = predictor(PHOTO, [BOX])
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        ((face,),) = pool.starmap(predictor, [(PHOTO, [BOX])])
    np.testing.assert_array_equal(face.keypoints, expected.keypoints)


def test_a_model_in_memory_is_run_by_keras_alone():
    model = rcn_keras.build_rcn(branches=4)
    assert rcn_keras.Predictor(model).locator.runtime.name == "keras"
    with pytest.raises(InputError, match="run by Keras; litert takes a preset"):
        rcn_keras.Predictor(model, runtime="litert")


def test_the_network_of_a_predictor_by_another_runtime_is_loaded_for_export():
    predictor = rcn_keras.Predictor("rcn6_mtfl", runtime="onnxruntime")
    assert predictor.model.count_params() == 310_229 and predictor.refinements == 1
