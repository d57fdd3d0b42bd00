"""An ONNX file made small and fast: large kernels in place of their transforms, and
convolutions by them; 8-bit arithmetic."""

from __future__ import annotations

import contextlib
import logging
import tempfile
from typing import TYPE_CHECKING

import numpy as np
from keras import ops

from rcn_keras._types import PathLike
from rcn_keras.layers import LargeKernelConv2D, fourier
from rcn_keras.models import JointModel

CALIBRATION_BATCH = 16

if TYPE_CHECKING:
    import keras


def with_kernels(path: PathLike, model: keras.Model) -> None:
    """Replaces the transforms of `LargeKernelConv2D` by their kernels.

    The converter computes the transforms once for all and writes them, several times as
    large as the kernels; here the file computes them from the kernels, by products of
    constants that ONNX Runtime and OpenVINO carry out once, when they load it. What is
    multiplied with a transform becomes a convolution (`_convolve`).

    Args:
        path: path of an ONNX file, which is replaced.
        model: `keras.Model` that it was exported from.
    """
    import onnx
    from onnx import helper, numpy_helper

    file = onnx.load(path)
    graph = file.graph
    for layer in _large_kernels(model):
        _, height, width, _ = layer.output.shape
        kernel = ops.convert_to_numpy(layer.kernel).astype("float32")
        transform = ops.convert_to_numpy(
            fourier.transform_kernel(layer.kernel, height, width)
        )
        written = next(
            constant
            for constant in graph.initializer
            if tuple(constant.dims) == transform.shape
            and np.allclose(numpy_helper.to_array(constant), transform, atol=1e-4)
        )
        steps = fourier.kernel_steps(kernel.shape, height, width)
        name, value = written.name, f"{written.name}_kernel"
        graph.initializer.remove(written)
        graph.initializer.append(numpy_helper.from_array(kernel, value))
        nodes = []
        for number, (operation, argument) in enumerate(steps):
            constant = f"{name}_{number}"
            argument = np.asarray(argument)
            graph.initializer.append(numpy_helper.from_array(argument, constant))
            inputs = [value, constant] if operation == "Reshape" else [constant, value]
            value = f"{name}_step_{number}" if number < len(steps) - 1 else name
            nodes.append(helper.make_node(operation, inputs, [value]))
        for node in reversed(nodes):
            graph.node.insert(0, node)
        _convolve(graph, name, transform.shape)
    onnx.save(file, path)


def _convolve(graph, name, shape):
    """Replaces each product with a transform by a convolution, a group for each
    frequency.

    OpenVINO carries out thousands of small matrix products half as fast, and needs the
    frequencies first; a convolution takes the channels last, as they come.

    Args:
        graph: ONNX graph, which is changed.
        name: str, the transform.
        shape: `(F, 2C, filters)`, its shape.
    """
    from onnx import helper, numpy_helper

    frequencies, channels, filters = shape
    shapes = {
        f"{name}_groups_shape": [frequencies * filters, channels, 1, 1],
        f"{name}_row_shape": [1, 1, -1, frequencies * channels],
        f"{name}_rows_shape": [-1, frequencies, filters],
    }
    for constant, value in shapes.items():
        graph.initializer.append(numpy_helper.from_array(np.array(value), constant))
    groups_shape, row_shape, rows_shape = shapes
    groups = f"{name}_groups"
    nodes = []

    def add(operation, inputs, output, **attributes):
        nodes.append(
            helper.make_node(operation, inputs, [output], output, **attributes)
        )
        return output

    for node in graph.node:
        if name not in node.input:
            nodes.append(node)
            continue
        if not any(groups in before.output for before in nodes):
            x = add("Transpose", [name], f"{name}_filters_first", perm=[0, 2, 1])
            add("Reshape", [x, groups_shape], groups)
        (x, _), (y,) = node.input, node.output
        # Undoes the transpose that brought the frequencies first; so does the last one.
        x = add("Transpose", [x], f"{y}_faces_first", perm=[1, 0, 2])
        x = add("Reshape", [x, row_shape], f"{y}_row")
        x = add("Transpose", [x], f"{y}_channels_first", perm=[0, 3, 1, 2])
        x = add("Conv", [x, groups], f"{y}_convolved", group=frequencies)
        x = add("Transpose", [x], f"{y}_channels_last", perm=[0, 2, 3, 1])
        x = add("Reshape", [x, rows_shape], f"{y}_rows")
        add("Transpose", [x], y, perm=[1, 0, 2])
    del graph.node[:]
    graph.node.extend(nodes)


def with_bytes(path: PathLike, model: keras.Model, images: np.ndarray) -> None:
    """Puts the convolutions of an ONNX file into 8-bit arithmetic.

    Weights have a scale for each channel, inputs one for each layer, from the smallest
    and largest value that `images` give there. Outputs are not rounded: a ReLU, or the
    sum of two convolutions, follows in the same kernel, and the next layer rounds its
    input. The denoiser, the normalisation of the images and the decoder stay in
    float32.

    Args:
        path: path of an ONNX file, which is replaced.
        model: `keras.Model` that it was exported from.
        images: `(N, S, S, 1)`, crops of training faces.
    """
    import onnx
    from onnxruntime import quantization

    convolutions = ["Conv", "ConvTranspose"]
    # Pooled values are steps of their inputs' scale: no second rounding.
    kinds = [*convolutions, "MaxPool"]
    denoiser = f"/{model.denoiser.name}_" if isinstance(model, JointModel) else None
    graph = onnx.load(path).graph
    transforms = {name for node in graph.node for name in node.output}
    nodes = [
        node.name
        for node in graph.node
        if node.op_type in kinds
        and not (denoiser and denoiser in node.name)
        and transforms.isdisjoint(node.input[1:])  # products of `_convolve`
    ]
    with tempfile.NamedTemporaryFile(suffix=".onnx") as file, _silent():
        quantization.quantize_static(
            path,
            file.name,
            _Batches(images),
            quant_format=quantization.QuantFormat.QDQ,
            op_types_to_quantize=kinds,
            nodes_to_quantize=nodes,
            per_channel=True,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
            extra_options={"OpTypesToExcludeOutputQuantization": convolutions},
        )
        onnx.save(onnx.load(file.name), path)


class _Batches:
    """What `quantize_static` reads: a batch at a call, `None` at the end."""

    def __init__(self, images):
        starts = range(0, len(images), CALIBRATION_BATCH)
        self._batches = (images[i : i + CALIBRATION_BATCH] for i in starts)

    def get_next(self):
        batch = next(self._batches, None)
        return None if batch is None else {"images": batch.astype("float32")}


@contextlib.contextmanager
def _silent():
    """Without the advice that `quantize_static` logs: the graph is folded already."""
    before = logging.root.manager.disable
    logging.disable()
    try:
        yield
    finally:
        logging.disable(before)


def _large_kernels(model):
    return [
        layer
        for layer in model._flatten_layers()
        if isinstance(layer, LargeKernelConv2D) and layer.method == "fft"
    ]
