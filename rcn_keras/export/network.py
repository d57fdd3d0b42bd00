"""What every format is made of: crops in; keypoints, confidence, face score out."""

import contextlib
import io
import logging
import warnings

import keras

from rcn_keras.export.quantization import without_outliers
from rcn_keras.layers import SpatialSoftmax
from rcn_keras.layers.tiling_conv2d import untiled


def bare_network(predictor, heatmaps=False, capped=False, lean=True):
    """Crops to keypoints, confidence and face score, as one model.

    Args:
        predictor: `Predictor`.
        heatmaps: bool, whether the outputs hold the probability maps as well.
        capped: bool, whether activations far above a face's are capped.
        lean: bool, whether no map is tiled (`lean_network`): LiteRT is slower so.
    """
    model = predictor.model
    maps = without_outliers(model) if capped else model
    maps = lean_network(maps) if lean and not capped else maps
    outputs = model.decode(maps.output)
    if heatmaps:
        outputs["heatmaps"] = SpatialSoftmax()(maps.output)
    return keras.Model(maps.input, outputs, name=maps.name)


def lean_network(model):
    """The same network, with no map tiled before a convolution.

    Args:
        model: functional `keras.Model`; a joint model's two networks count as well.

    Returns:
        functional `keras.Model` with the same weights, not to be saved.
    """
    parts = {x.name: untiled(x) for x in model.layers if isinstance(x, keras.Model)}
    if not parts:
        return untiled(model)

    def copied(layer):
        if layer.name in parts:
            return parts[layer.name]
        return type(layer).from_config(layer.get_config())

    return keras.models.clone_model(model, clone_function=copied)


@contextlib.contextmanager
def quiet():
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
