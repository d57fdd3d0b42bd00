"""What every format is made of: crops in; keypoints, confidence, face score out."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

import keras

from rcn_keras.export.lean_joint import lean_joint
from rcn_keras.export.quantization import without_outliers
from rcn_keras.layers import SpatialSoftmax
from rcn_keras.layers.tiling_conv2d import untiled
from rcn_keras.models import JointModel

if TYPE_CHECKING:
    import numpy as np

    from rcn_keras.predictor import Predictor


def bare_network(
    predictor: Predictor,
    heatmaps: bool = False,
    capped: bool = False,
    lean: bool = True,
    crops: np.ndarray | None = None,
) -> keras.Model:
    """Crops to keypoints, confidence and face score, as one model.

    Args:
        predictor: `Predictor`.
        heatmaps: bool, whether the outputs hold the probability maps as well.
        capped: bool, whether activations far above a face's are capped.
        lean: bool, whether no map is tiled (`lean_network`): LiteRT is slower so.
        crops: training crops to cap the activations by, as of `without_outliers`.
    """
    model = predictor.model
    maps = without_outliers(model, crops) if capped else model
    maps = lean_network(maps) if lean and not capped else maps
    outputs = model.decode(maps.output)
    if heatmaps:
        outputs["heatmaps"] = SpatialSoftmax()(maps.output)
    return keras.Model(maps.input, outputs, name=maps.name)


def lean_network(model: keras.Model) -> keras.Model:
    """The same network, with no map tiled before a convolution, or drawn to be pooled.

    Args:
        model: functional `keras.Model`; a joint model's two networks count as well.

    Returns:
        functional `keras.Model` with the same weights, not to be saved.
    """
    return lean_joint(model) if isinstance(model, JointModel) else untiled(model)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without what the converters say on the way."""
    logger = logging.getLogger("tensorflow")
    level = logger.level
    logger.setLevel(logging.ERROR)
    with (
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            logger.setLevel(level)
