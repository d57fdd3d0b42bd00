"""Smaller ONNX files: large kernels instead of their Fourier transforms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from keras import ops

from rcn_keras._types import PathLike
from rcn_keras.layers import LargeKernelConv2D, fourier

if TYPE_CHECKING:
    import keras


def with_kernels(path: PathLike, model: keras.Model) -> None:
    """Replaces the transforms of `LargeKernelConv2D` by their kernels.

    The converter computes the transforms once for all and writes them, several times as
    large as the kernels; here the file computes them from the kernels, by products of
    constants that ONNX Runtime and OpenVINO carry out once, when they load it.

    Args:
        path: path of an ONNX file, which is replaced.
        model: `keras.Model` that it was exported from.
    """
    import onnx
    from onnx import helper, numpy_helper

    file = onnx.load(path)
    graph = file.graph
    for layer in _large_kernels(model):
        _, height, width, _ = layer.get_build_config()["input_shape"]
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
    onnx.save(file, path)


def _large_kernels(model):
    return [
        layer
        for layer in model._flatten_layers()
        if isinstance(layer, LargeKernelConv2D) and layer.method == "fft"
    ]
