import numpy as np
import pytest

import rcn_keras
from rcn_keras import codec
from rcn_keras.evaluation.errors import auroc
from rcn_keras.training import calibration
from rcn_keras.training.calibration import fit_face_line, fit_line, log_odds
from rcn_keras.training.tasks import validation_sets


def test_line_of_a_known_calibration_is_found():
    rng = np.random.default_rng(0)
    odds = log_odds(rng.uniform(0.02, 0.98, 20_000))
    chance = 1 / (1 + np.exp(-(0.6 * odds + 0.4)))
    slope, offset = fit_line(odds, rng.random(20_000) < chance)
    assert slope == pytest.approx(0.6, abs=0.05)
    assert offset == pytest.approx(0.4, abs=0.05)


def test_fit_line_of_an_overconfident_network():
    """Whole steps of Newton's method ran away on it."""
    rng = np.random.default_rng(0)
    odds = np.clip(rng.normal(9, 4, 40_000), -13, 13)
    correct = rng.random(40_000) < 1 / (1 + np.exp(-(0.3 * odds + 0.2)))
    slope, offset = fit_line(odds, correct)
    assert abs(slope - 0.3) < 0.02 and abs(offset - 0.2) < 0.1


def test_line_where_everything_is_right_stays_finite():
    odds = log_odds(np.linspace(0.5, 0.99, 50))
    slope, offset = fit_line(odds, np.ones(50, bool))
    assert np.isfinite([slope, offset]).all()


def test_log_odds_stay_finite():
    found = log_odds(np.float32([0, 0.5, 1]))
    np.testing.assert_allclose(found, [-13.8155, 0, 13.8155], atol=1e-3)


def test_the_face_line_does_not_know_how_many_of_each_there_were():
    """Two normal distributions of one width have a line, whatever their numbers."""
    rng = np.random.default_rng(0)
    for faces, backgrounds in ((40_000, 4_000), (4_000, 40_000)):
        slope, offset = fit_face_line(
            rng.normal(3, 2, faces), rng.normal(-1, 2, backgrounds)
        )
        assert slope == pytest.approx(1, abs=0.05)  # 4 apart, over a variance of 4
        assert offset == pytest.approx(-1, abs=0.1)  # one half in the middle


def test_sharpness_is_the_mean_log_odds_of_the_codec(crops):
    model = rcn_keras.from_preset("rcn6_mtfl")
    images = validation_sets("rcn", crops)[0][0]
    maps = model(images.astype("float32"))
    keypoints = codec.decode(maps, model.decoder)
    expected = np.mean(codec.mass_log_odds(maps, keypoints, model.layout), axis=1)
    found = calibration.sharpness(model, images)
    # Of a mass near 1 float32 leaves few digits.
    np.testing.assert_allclose(found, expected, atol=0.2)


def test_faces_are_told_from_backgrounds_by_a_fitted_line(crops, monkeypatch):
    model = rcn_keras.from_preset("rcn6_mtfl")
    sets = validation_sets("rcn", crops)
    fitted = calibration.face_calibration(model, sets, crops)
    assert fitted["backgrounds"] >= calibration.LEAST_BACKGROUNDS
    model.set_decoder(model.decoder, model.calibration, fitted["face_calibration"])
    score = [
        np.asarray(model.locate(images.astype("float32"))["face_score"])
        for images in (sets[0][0], calibration.background_crops(crops))
    ]
    assert auroc(*score) > 0.98
    assert (score[0] > 0.5).mean() > 0.9 and (score[1] < 0.5).mean() > 0.9


def test_with_few_backgrounds_there_is_no_face_score(crops):
    few = crops.take(range(3))
    model = rcn_keras.build_rcn(branches=4)
    fitted = calibration.face_calibration(model, validation_sets("rcn", few), few)
    assert fitted["face_calibration"] is None and 0 < fitted["backgrounds"] < 50
