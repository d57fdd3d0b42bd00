"""The network of a recipe: new, or with the weights of a preset."""

from __future__ import annotations

import keras
import numpy as np

from rcn_keras._types import PathLike
from rcn_keras.errors import InputError
from rcn_keras.models import BUILDERS, KeypointModel
from rcn_keras.presets import load_preset
from rcn_keras.training.recipe import Recipe, layout

MAPS = "maps"  # what the names of layers that give keypoint maps begin with


def build_model(recipe: Recipe) -> KeypointModel:
    """The untrained model of a recipe; a denoiser takes keypoints, not their maps."""
    own = {"from_keypoints": True} if recipe.model == "denoiser" else {}
    return BUILDERS[recipe.model](
        **recipe.arguments, **own, layout=layout(recipe), name=recipe.model
    )


def same_keypoints(recipe: Recipe) -> bool:
    """Whether the preset that is fine-tuned finds the keypoints of the recipe."""
    assert recipe.weights is not None
    return load_preset(recipe.weights).model.layout.names == layout(recipe).names


def take_weights(model: KeypointModel, preset: PathLike) -> None:
    """Gives a network the weights of a preset's. Where that finds other keypoints, the
    layers of keypoint maps are new: zero, which makes all cells equally likely. The
    features are larger than in a new network; random kernels would do harm."""
    before = load_preset(preset).model
    same = before.layout.names == model.layout.names
    try:
        for layer, other in zip(model.layers, before.layers, strict=True):
            if same or layer.name.partition("_")[0] != MAPS:
                layer.set_weights(other.get_weights())
            elif isinstance(layer, keras.layers.Conv2D):
                layer.set_weights([np.zeros(w.shape) for w in layer.weights])
    except ValueError as error:
        raise InputError(
            f"{preset}: not the weights of this recipe's network ({error})"
        ) from None
