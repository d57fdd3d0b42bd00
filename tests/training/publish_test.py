import json

import numpy as np
import pytest

from rcn_keras.errors import InputError
from rcn_keras.training.calibration import fit_line
from rcn_keras.training.publish import publish
from rcn_keras.training.recipe import RECIPE, as_dict
from rcn_keras.training.recipes import RECIPES


def test_line_of_a_known_calibration_is_found():
    rng = np.random.default_rng(0)
    mass = rng.uniform(0.02, 0.98, 20_000)
    chance = 1 / (1 + np.exp(-(0.6 * np.log(mass / (1 - mass)) + 0.4)))
    slope, offset = fit_line(mass, rng.random(20_000) < chance)
    assert slope == pytest.approx(0.6, abs=0.05)
    assert offset == pytest.approx(0.4, abs=0.05)


def test_fit_line_of_an_overconfident_network():
    """Whole steps of Newton's method ran away on it."""
    rng = np.random.default_rng(0)
    odds = np.clip(rng.normal(9, 4, 40_000), -13, 13)
    correct = rng.random(40_000) < 1 / (1 + np.exp(-(0.3 * odds + 0.2)))
    slope, offset = fit_line(1 / (1 + np.exp(-odds)), correct)
    assert abs(slope - 0.3) < 0.02 and abs(offset - 0.2) < 0.1


def test_line_where_everything_is_right_stays_finite():
    slope, offset = fit_line(np.linspace(0.5, 0.99, 50), np.ones(50, bool))
    assert np.isfinite([slope, offset]).all()


def test_folder_without_a_training(tmp_path, crops):
    with pytest.raises(InputError, match="recipe.json: no such file"):
        publish(tmp_path, crops, tmp_path / "out")


def test_damaged_files_of_a_training_are_named(tmp_path, crops):
    (tmp_path / RECIPE).write_text(json.dumps(as_dict(RECIPES["demo"])))
    with pytest.raises(InputError, match="log.csv: no finished epoch in it"):
        publish(tmp_path, crops, tmp_path / "out")
    (tmp_path / "log.csv").write_text("epoch,loss\nx,1\n")
    with pytest.raises(InputError, match="log.csv: not a training's log"):
        publish(tmp_path, crops, tmp_path / "out")
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(InputError, match="run.json: damaged"):
        publish(tmp_path, crops, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_tcdcn_becomes_no_preset(tmp_path, crops):
    (tmp_path / RECIPE).write_text(json.dumps(as_dict(RECIPES["table3_tcdcn"])))
    (tmp_path / "log.csv").write_text("epoch,loss\n1,2\n")
    with pytest.raises(InputError, match="a TCDCN becomes no preset: it regresses"):
        publish(tmp_path, crops, tmp_path / "out")
