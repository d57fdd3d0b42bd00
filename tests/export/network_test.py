"""The exported network against the model that it is made from."""

import keras
import numpy as np
import onnx
import onnxruntime
import pytest

import rcn_keras
from rcn_keras.cli import main
from rcn_keras.data.synthetic import draw_crop
from rcn_keras.export.network import bare_network, lean_network
from rcn_keras.layers import TilingConv2D
from rcn_keras.layout import FACE_5
from rcn_keras.models import JointModel


@pytest.fixture(scope="module")
def crops():
    return np.stack([draw_crop(seed, FACE_5)[-1] for seed in range(3)]).astype(
        "float32"
    )


@pytest.fixture(scope="module")
def joint():
    keras.utils.set_random_seed(0)
    rcn = rcn_keras.build_rcn(4, keypoints=5)
    denoiser = rcn_keras.build_denoiser(5, filters=(6, 4), kernel_size=23, pooling=4)
    return JointModel(rcn, denoiser, iterations=2)


def test_no_map_is_tiled_before_a_convolution_of_a_joint_model(joint, crops):
    lean = lean_network(joint)
    layers = [type(layer) for layer in lean.get_layer("rcn").layers]
    assert layers.count(TilingConv2D) == 3 and keras.layers.Concatenate not in layers
    layers = [type(layer) for layer in lean.get_layer("denoiser").layers]
    assert keras.layers.MaxPooling2D not in layers
    expected = joint.predict_on_batch(crops)
    np.testing.assert_allclose(lean.predict_on_batch(crops), expected, atol=1e-3)


def test_an_onnx_file_holds_large_kernels_and_not_their_transforms(
    joint, crops, tmp_path
):
    path = rcn_keras.export_model(joint, tmp_path, "onnx")
    shapes = {tuple(x.dims) for x in onnx.load(path).graph.initializer}
    assert {(23, 23, 5, 6), (23, 23, 6, 4)} <= shapes
    # 16 x 31 frequencies of 20x20 maps, real and imaginary parts of the channels.
    assert not {(496, 10, 6), (496, 12, 4)} & shapes
    session = onnxruntime.InferenceSession(path)
    expected = bare_network(rcn_keras.Predictor(joint)).predict_on_batch(crops)
    for name, found in zip(expected, session.run(list(expected), {"images": crops})):
        np.testing.assert_allclose(found, expected[name], atol=1e-3)


def test_an_8_bit_file_computes_its_convolutions_in_bytes(joint, crops, tmp_path):
    few = {"format": "onnx", "quantize": True, "calibration": crops}
    path = rcn_keras.export_model(joint, tmp_path, **few)
    assert path.name == "joint_int8.onnx"
    nodes = onnx.load(path).graph.node
    made_of = {output: node.op_type for node in nodes for output in node.output}
    convolutions = [x for x in nodes if x.op_type in ("Conv", "ConvTranspose")]
    in_bytes = {
        node.name: made_of.get(node.input[0]) == "DequantizeLinear"
        for node in convolutions
    }
    assert any(in_bytes.values())
    exact = [name for name in in_bytes if "denoiser" in name or "maps" in name]
    assert {name for name in in_bytes if not in_bytes[name]} == set(exact)
    session = onnxruntime.InferenceSession(path)
    (found,) = session.run(["keypoints"], {"images": crops})
    expected = joint.locate(crops)["keypoints"]
    assert np.median(np.abs(found - expected)) < 1


def test_what_quantizing_needs(joint, tmp_path):
    with pytest.raises(ValueError, match="`calibration`"):
        rcn_keras.export_model(joint, tmp_path, "onnx", quantize=True)


def test_the_command_quantizes_by_training_faces(mtfl_folder, tmp_path, capsys):
    words = ["export", "rcn6_mtfl", str(tmp_path), "--format", "onnx", "--quantize"]
    assert main([*words, "--data", str(mtfl_folder)]) == 0
    assert capsys.readouterr().out.strip().endswith("rcn6_mtfl_int8.onnx")
    assert main([*words[:-1], "--data", str(mtfl_folder)]) == 2
    assert "`calibration`" in capsys.readouterr().err
    assert main([*words, "--force", "--data", str(tmp_path)]) == 2
    assert str(tmp_path) in capsys.readouterr().err
