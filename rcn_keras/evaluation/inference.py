"""Running a network over a set: compiled, in batches of one shape, on any backend."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rcn_keras import codec
from rcn_keras.models.keypoint_model import compiled

if TYPE_CHECKING:
    import keras

    from rcn_keras.models import KeypointModel


def decoded_model(model: KeypointModel) -> keras.Model:
    """A `KeypointModel` as a model of keypoints, decoded by every rule.

    Args:
        model: `KeypointModel`.

    Returns:
        `keras.Model` to a dict: for each of `codec.DECODERS` keypoints `(N, K, 2)`.
    """
    outputs = {
        method: model.decode(model.output, method)["keypoints"]
        for method in codec.DECODERS
    }
    return compiled(model.input, outputs)


def run(
    model: keras.Model, images: np.ndarray, batch_size: int = 100
) -> dict[str, np.ndarray]:
    """The outputs of a model for a set of images, or of keypoints.

    Args:
        model: `keras.Model` with a dict of outputs.
        images: `(N, 80, 80, 1)` uint8, or whatever the model takes.
        batch_size: int; the last batch is filled up, so that one shape is compiled.

    Returns:
        dict of arrays with N rows.
    """
    parts = []
    for start in range(0, len(images), batch_size):
        batch = images[start : start + batch_size].astype("float32")
        missing = batch_size - len(batch) if len(images) > batch_size else 0
        padded = np.pad(batch, [(0, missing)] + [(0, 0)] * (batch.ndim - 1))
        parts.append((model.predict_on_batch(padded), len(batch)))
    return {
        name: np.concatenate([np.asarray(out[name])[:count] for out, count in parts])
        for name in parts[0][0]
    }
