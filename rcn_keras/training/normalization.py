"""Batch normalisation while a network is trained, folded into its convolutions after.

The paper's networks have no normalisation. They learn several times faster with it, and
a normalisation at inference is one scale and one offset for each map: multiplied into
the convolution before it, nothing is left of it and the network is the paper's again.
"""

from typing import Any

import keras
import numpy as np
from keras import ops

from rcn_keras._serialization import register
from rcn_keras._types import Tensor


@register
class FusedBatchNormalization(keras.layers.BatchNormalization):
    """Batch normalisation by TensorFlow's fused kernel; as Keras does it elsewhere.

    Keras computes it from elementary operations in float32, each of which reads and
    writes all maps: a third of a training step on a CPU. The fused kernel reads
    bfloat16 maps and keeps their statistics in float32.
    """

    def call(self, inputs: Tensor, training: Any = None, mask: Any = None) -> Tensor:
        fused = keras.backend.backend() == "tensorflow" and training and self.trainable
        if not fused:
            return super().call(inputs, training=training, mask=mask)
        import tensorflow as tf

        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=ops.convert_to_tensor(self.gamma),
            offset=ops.convert_to_tensor(self.beta),
            mean=tf.zeros([0]),
            variance=tf.zeros([0]),
            epsilon=self.epsilon,
        )
        for moving, batch in (
            (self.moving_mean, mean),
            (self.moving_variance, variance),
        ):
            moving.assign(moving * self.momentum + batch * (1 - self.momentum))
        return outputs


def normalized(model: keras.Model) -> keras.Model:
    """A network to train: each ReLU convolution as convolution, normalisation, ReLU.

    Args:
        model: `keras.Model`, functional, made of `Conv2D` layers (RCN, SumNet), or of
            `TilingConv2D` (`layers.tiling_conv2d.untiled`).

    Returns:
        `keras.Model` with new weights and the same layer names; the normalisation of
        the convolution `name` is `name_normalization`. Layers that are not trained are
        as in `model`, weights too.

    Raises:
        ValueError: if the model has no ReLU convolution that is trained.
    """
    swapped = {layer.name for layer in _relu_convolutions(model)}
    if not swapped:
        raise ValueError(
            "`model` must have `Conv2D` layers with activation='relu'. "
            f"Received: {model.name!r}, which has none"
        )

    def clone(layer):
        config = layer.get_config()
        if layer.name in swapped:
            config |= {"activation": "linear", "use_bias": False}
        return type(layer).from_config(config)

    def call(layer, *args, **kwargs):
        x = layer(*args, **kwargs)
        if layer.name not in swapped:
            return x
        policy, name = layer.dtype_policy, layer.name
        x = FusedBatchNormalization(dtype=policy, name=f"{name}_normalization")(x)
        return keras.layers.ReLU(dtype=policy, name=f"{name}_relu")(x)

    twin = keras.models.clone_model(model, clone_function=clone, call_function=call)
    for layer in model.layers:
        if not layer.trainable:
            twin.get_layer(layer.name).set_weights(layer.get_weights())
    return twin


def fold(trained: keras.Model, model: keras.Model) -> None:
    """Gives a network the weights of its normalised twin, normalisation folded in.

    Args:
        trained: `keras.Model`, from `normalized` or `untiled` of this network.
        model: `keras.Model`; afterwards it computes what `trained` does at inference.
    """
    for layer in model.layers:
        if not layer.weights:
            continue
        twin = trained.get_layer(layer.name)
        if len(twin.weights) == len(layer.weights):
            layer.set_weights(twin.get_weights())
            continue
        norm = trained.get_layer(f"{layer.name}_normalization")
        gamma, beta, mean, variance = norm.get_weights()
        scale = gamma / np.sqrt(variance + norm.epsilon)
        layer.set_weights([twin.get_weights()[0] * scale, beta - mean * scale])


def unfold(model: keras.Model, trained: keras.Model, images: Tensor) -> None:
    """Gives a normalised network the weights of its plain twin: the inverse of `fold`.

    The statistics are those of the plain network's maps on some training images, so
    that training starts from the function that the plain network computes.

    Args:
        model: `keras.Model`.
        trained: `keras.Model`, from `normalized(model)`.
        images: `(N, 80, 80, channels)`, what the network is trained on.
    """
    convolutions = _relu_convolutions(model)
    inputs = keras.Model(model.input, [layer.input for layer in convolutions])
    inputs = dict(zip((layer.name for layer in convolutions), inputs(images)))
    for layer in model.layers:
        if not layer.weights:
            continue
        twin = trained.get_layer(layer.name)
        if layer.name not in inputs:
            twin.set_weights(layer.get_weights())
            continue
        kernel, bias = layer.get_weights()
        maps = ops.conv(
            ops.cast(inputs[layer.name], "float32"),
            kernel,
            strides=layer.strides,
            padding=layer.padding,
            data_format="channels_last",
        )
        mean, variance = map(ops.convert_to_numpy, ops.moments(maps, axes=(0, 1, 2)))
        norm = trained.get_layer(f"{layer.name}_normalization")
        gamma = np.sqrt(variance + norm.epsilon)
        twin.set_weights([kernel])
        norm.set_weights([gamma, mean + bias, mean, variance])


def _relu_convolutions(model):
    return [
        layer
        for layer in model.layers
        if isinstance(layer, keras.layers.Conv2D)
        and layer.activation is keras.activations.relu
        and layer.trainable
    ]
