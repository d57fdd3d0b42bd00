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
        "face_calibration": [1.5, -0.5],
    }
    run_layer_test(KeypointDecoder, arguments, MAPS, tmp_path)


def test_is_the_codec_at_the_end_of_a_model():
    image = keras.Input((20, 24, 5))
    decoded = KeypointDecoder(FACE_5, "quadratic", 0.5, -1.0, (1.5, -0.5))(image)
    out = to_numpy(keras.Model(image, decoded)(MAPS))
    keypoints = to_numpy(codec.decode(MAPS, "quadratic"))
    log_odds = codec.mass_log_odds(MAPS, keypoints, FACE_5)
    expected = {
        "keypoints": keypoints,
        "confidence": codec.confidence(log_odds, 0.5, -1.0),
        "face_score": codec.face_score(log_odds, 1.5, -0.5),
    }
    assert_same(out, expected, atol=1e-5)


def test_without_a_calibration_the_face_score_is_nan():
    out = to_numpy(KeypointDecoder(FACE_5)(MAPS))
    assert out["face_score"].shape == (3,) and np.isnan(out["face_score"]).all()
    assert np.isfinite(out["confidence"]).all()


def test_no_such_method():
    with pytest.raises(ValueError, match="must be one of"):
        KeypointDecoder(FACE_5, "mean")
