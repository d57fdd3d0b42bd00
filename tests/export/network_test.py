"""The exported network against the model that it is made from."""

import keras
import numpy as np
import onnx
import onnxruntime
import pytest
from layer_checks import to_numpy

import rcn_keras
from rcn_keras.cli import main
from rcn_keras.data.synthetic import draw_crop
from rcn_keras.export.lean_joint import PeakConv2D, TiledSum
from rcn_keras.export.network import bare_network, lean_network
from rcn_keras.layers import (
    LargeKernelConv2D,
    PeakOneHot,
    TilingConv2D,
    TilingUpsampling2D,
)
from rcn_keras.layout import FACE_5
from rcn_keras.models import JointModel, KeypointModel


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


@pytest.fixture(scope="module")
def exported(joint, tmp_path_factory):
    return rcn_keras.export_model(joint, tmp_path_factory.mktemp("joint"), "onnx")


DENOISERS = {
    "pooled": {"filters": (6, 4), "kernel_size": 23, "pooling": 4},
    "as large as the maps": {"filters": (3,), "kernel_size": 45},
    "an even kernel": {"filters": (3,), "kernel_size": 12, "pooling": 2},
    "direct": {"filters": (3,), "kernel_size": 9, "pooling": 2, "method": "direct"},
    "factorised": {"filters": (3,), "kernel_size": 9, "factorised": True},
    "without large kernels": {"filters": (), "pooling": 2},
}


@pytest.mark.parametrize("arguments", DENOISERS.values(), ids=DENOISERS)
def test_nothing_is_drawn_or_tiled_inside_a_joint_model(arguments, crops):
    keras.utils.set_random_seed(0)
    rcn = rcn_keras.build_rcn(4, keypoints=5)
    denoiser = rcn_keras.build_denoiser(5, **arguments)
    joint = JointModel(rcn, denoiser, iterations=2, denoiser_weight=0.5)
    lean = lean_network(joint)
    layers = [type(layer) for layer in lean.get_layer("rcn").layers]
    assert layers.count(TilingConv2D) == 3 and keras.layers.Concatenate not in layers
    layers = [type(layer) for layer in lean.get_layer("denoiser").layers]
    assert not {keras.layers.MaxPooling2D, TilingUpsampling2D} & set(layers)
    expected = joint.predict_on_batch(crops)
    np.testing.assert_allclose(lean.predict_on_batch(crops), expected, atol=1e-3)


@pytest.mark.parametrize("kernel_size", [(5, 5), (4, 7), (11, 3)])
def test_a_convolution_of_peaks_is_one_of_their_one_hot_maps(kernel_size):
    random = np.random.default_rng(0)
    maps = random.normal(size=(3, 12, 18, 4)).astype("float32")
    maps[0, 0, 0, 0] = maps[1, -1, -1, 1] = maps[2, 0, -1, 2] = 9.0  # corners
    layer = LargeKernelConv2D(6, kernel_size, activation="relu")
    expected = to_numpy(layer(PeakOneHot(3)(maps)))
    twin = PeakConv2D(3, **layer.get_config())
    twin.build(maps.shape)
    twin.set_weights(layer.get_weights())
    np.testing.assert_allclose(to_numpy(twin(maps)), expected, atol=1e-5)
    assert twin.compute_output_shape(maps.shape) == expected.shape == (3, 4, 6, 6)


def test_a_tiled_sum_is_one_of_tiled_maps():
    random = np.random.default_rng(0)
    fine, coarse = random.normal(size=(2, 6, 9, 5)), random.normal(size=(2, 2, 3, 5))
    found = to_numpy(TiledSum(3, 0.25)([fine, coarse]))
    expected = fine + 0.25 * coarse.repeat(3, axis=1).repeat(3, axis=2)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_an_onnx_file_copies_the_maps_once_for_peaks_and_sums(exported):
    graph = onnx.load(exported).graph
    (maps,) = (
        node.output[0]
        for node in graph.node
        if node.op_type == "Conv" and "/rcn_1/maps_1/" in node.name
    )
    readers = [node.op_type for node in graph.node if maps in node.input]
    assert [reader for reader in readers if reader != "Shape"] == ["Reshape"]


def test_an_onnx_file_holds_large_kernels_and_not_their_transforms(
    exported, joint, crops
):
    graph = onnx.load(exported).graph
    shapes = {tuple(x.dims) for x in graph.initializer}
    assert {(23, 23, 5, 6), (23, 23, 6, 4)} <= shapes
    # 16 x 31 frequencies of 20x20 maps, real and imaginary parts of the channels.
    assert not {(496, 10, 6), (496, 12, 4)} & shapes
    groups = [a.i for node in graph.node for a in node.attribute if a.name == "group"]
    assert groups.count(496) == 4  # both layers, twice: two iterations
    session = onnxruntime.InferenceSession(exported)
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
    followed = {
        name
        for node in nodes
        for name in node.input
        if node.op_type == "QuantizeLinear"
    }
    assert not followed & {output for x in convolutions for output in x.output}
    exact = [name for name in in_bytes if "denoiser" in name]
    assert {name for name in in_bytes if not in_bytes[name]} == set(exact)
    session = onnxruntime.InferenceSession(path)
    (found,) = session.run(["keypoints"], {"images": crops})
    expected = joint.locate(crops)["keypoints"]
    assert np.median(np.abs(found - expected)) < 1


def test_large_kernels_of_the_network_itself_are_not_in_bytes(crops, tmp_path):
    images = keras.Input((80, 80, 1), name="images")
    features = keras.layers.Conv2D(4, 3, padding="same", activation="relu")(images)
    maps = LargeKernelConv2D(5, 31)(features)
    model = KeypointModel(images, maps, layout=FACE_5, name="large")
    few = {"format": "onnx", "quantize": True, "calibration": crops}
    path = rcn_keras.export_model(model, tmp_path, **few)
    nodes = onnx.load(path).graph.node
    made_of = {output: node.op_type for node in nodes for output in node.output}
    inputs = [made_of[node.input[0]] for node in nodes if node.op_type == "Conv"]
    assert sorted(inputs) == ["DequantizeLinear", "Transpose"]
    (found,) = onnxruntime.InferenceSession(path).run(["keypoints"], {"images": crops})
    assert np.isfinite(found).all()


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
