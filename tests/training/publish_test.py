import json

import pytest

from rcn_keras.errors import InputError
from rcn_keras.training.callbacks import COLUMNS, write_log
from rcn_keras.training.publish import publish
from rcn_keras.training.recipe import RECIPE, as_dict
from rcn_keras.training.recipes import RECIPES


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
    for text in ("{", "[1]"):
        (tmp_path / "run.json").write_text(text)
        with pytest.raises(InputError, match="run.json: damaged"):
            publish(tmp_path, crops, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_tcdcn_becomes_no_preset(tmp_path, crops):
    (tmp_path / RECIPE).write_text(json.dumps(as_dict(RECIPES["table3_tcdcn"])))
    write_log(tmp_path / "log.csv", [dict.fromkeys(COLUMNS, 1)])
    with pytest.raises(InputError, match="a TCDCN becomes no preset: it regresses"):
        publish(tmp_path, crops, tmp_path / "out")
