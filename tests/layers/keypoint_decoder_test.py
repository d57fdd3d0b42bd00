import keras
import numpy as np
import pytest
from layer_checks import assert_same, run_layer_test, to_numpy

from rcn_keras import codec
from rcn_keras.layers import KeypointDecoder
from rcn_keras.layout import FACE_5

MAPS = np.random.default_rng(0).normal(size=(3, 20, 24, 5)).astype("float32")


@pytest.mark.parametrize("method", codec.DECODERS)
def test_layer(method, tmp_path):
    arguments = {
        "layout": FACE_5.to_dict(),
        "method": method,
        "slope": 0.7,
        "offset": 0.2,
    }
    run_layer_test(KeypointDecoder, arguments, MAPS, tmp_path)


def test_is_the_codec_at_the_end_of_a_model():
    image = keras.Input((20, 24, 5))
    decoded = KeypointDecoder(FACE_5, "quadratic", slope=0.5, offset=-1.0)(image)
    out = to_numpy(keras.Model(image, decoded)(MAPS))
    keypoints = to_numpy(codec.decode(MAPS, "quadratic"))
    confidence = codec.confidence(MAPS, keypoints, FACE_5, slope=0.5, offset=-1.0)
    expected = {"keypoints": keypoints, "confidence": confidence}
    assert_same(out, expected, atol=1e-5)


def test_no_such_method():
    with pytest.raises(ValueError, match="must be one of"):
        KeypointDecoder(FACE_5, "mean")
