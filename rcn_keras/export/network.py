"""What every format is made of: crops in, keypoints and confidence out."""

import contextlib
import io
import logging
import warnings

import keras

from rcn_keras.export.quantization import without_outliers
from rcn_keras.layers import SpatialSoftmax


def bare_network(predictor, heatmaps=False, capped=False):
    """Crops to keypoints and confidence, as one model."""
    model = predictor.model
    maps = without_outliers(model) if capped else model
    outputs = model.decode(maps.output)
    if heatmaps:
        outputs["heatmaps"] = SpatialSoftmax()(maps.output)
    return keras.Model(maps.input, outputs, name=maps.name)


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
