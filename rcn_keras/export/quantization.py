"""A network made ready for 8-bit arithmetic."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import keras
import numpy as np

from rcn_keras.data.synthetic import draw_crop

if TYPE_CHECKING:
    from rcn_keras.models import KeypointModel


CROPS = 16
QUANTILE = 0.999
HEAVY_TAIL = 4.0  # the largest activation, in multiples of that quantile


def without_outliers(
    model: KeypointModel, crops: np.ndarray | None = None
) -> keras.Model:
    """The same network, the few largest activations of its heavy-tailed layers capped.

    LiteRT rounds a layer's input to 256 steps between its smallest and largest value.
    The finest branches of RCN answer to the corners of a picture, far from any face,
    with hundreds of times what they answer to a face, whose answers then share a
    handful of steps. So a ReLU is capped at the 99.9th percentile of what it gives on
    sixteen crops, where the largest is more than four times that; that moves next to no
    keypoint. A joint model's two networks are left as they are.

    Args:
        model: `KeypointModel`, images `(N, S, S, 1)` to maps `(N, S, S, K)`.
        crops: `(M, S, S, 1)`, grey 0...255, training crops, of which sixteen are taken
            evenly; `None` for drawn faces.

    Returns:
        functional `keras.Model` with the same weights, not to be saved; `model` itself
        where no layer has such a tail.
    """
    if crops is None:
        drawn = [draw_crop(i, model.layout, model.input_size) for i in range(CROPS)]
        crops = np.stack([crop for _, _, crop in drawn])
    caps = _caps(model, crops[:: -(-len(crops) // CROPS)])
    if not caps:
        return model

    def copied(layer):
        copy = type(layer).from_config(layer.get_config())
        if layer.name in caps:
            copy.activation = functools.partial(
                keras.activations.relu, max_value=caps[layer.name]
            )
        return copy

    capped = keras.models.clone_model(model, clone_function=copied)
    capped.set_weights(model.get_weights())
    return capped


def _caps(model, crops):
    """Name to the largest value, of the layers that need one."""
    outputs = {
        layer.name: layer.output
        for layer in model.layers
        if getattr(layer, "activation", None) is keras.activations.relu
    }
    if not outputs:  # a joint model's are inside its two networks
        return {}
    caps = {}
    activations = keras.Model(model.input, outputs).predict(crops, verbose=0)
    for name, values in activations.items():
        cap = float(np.quantile(values, QUANTILE))
        if values.max() > HEAVY_TAIL * cap > 0:
            caps[name] = cap
    return caps
