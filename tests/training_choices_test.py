"""`benchmarks/training_choices.py`: what it compares, and one choice trained."""

import csv
import dataclasses
import sys

import pytest
import training_choices
from training_choices import SEARCHES, TCDCN, TCDCN_CHOICES

from rcn_keras.data import synthetic
from rcn_keras.reproduction.tables import changed_fields
from rcn_keras.training.recipes import RECIPES


@pytest.mark.parametrize("search", SEARCHES)
def test_each_choice_is_a_recipe_of_its_own_beside_one_of_the_table(search):
    base, choices, _ = SEARCHES[search]
    recipes = []
    for name, (before, changes) in choices.items():
        assert before is None or before in choices
        recipes.append(dataclasses.replace(base, **changes))
        same = name in ("muon", *training_choices.EXPERIMENTS)
        assert recipes.count(recipes[-1]) == 1 or same
    assert base in recipes


def test_the_search_is_around_the_recipe_of_table_3():
    assert dataclasses.replace(TCDCN, epochs=60) == RECIPES["table3_tcdcn"]
    _, changes = TCDCN_CHOICES["tcdcn_unsearched"]
    unsearched = dataclasses.replace(TCDCN, **changes)
    with open("results/table3_unsearched.csv", newline="") as file:
        rows = [r for r in csv.DictReader(file) if r["recipe"] == "table3_tcdcn"]
    measured = dict(field.split("=") for field in rows[0]["changes"].split())
    assert measured == {
        "arguments.activation": unsearched.arguments["activation"],
        "arguments.features": str(unsearched.arguments["features"]),
        "augmentation.occlusion": str(unsearched.augmentation.occlusion).lower(),
        "augmentation.rotation": f"{unsearched.augmentation.rotation:g}",
    }
    changed = changed_fields("table3_tcdcn", unsearched).split("=")[0]
    assert changed == "arguments"


def test_a_choice_is_trained_once_and_then_read(tmp_path, monkeypatch, capsys):
    synthetic.write_mtfl(tmp_path / "MTFL", training=20, testing=0)
    small = dataclasses.replace(TCDCN, epochs=1, batch_size=8, precision="float32")
    _, choices, file = SEARCHES["tcdcn"]
    monkeypatch.setitem(SEARCHES, "tcdcn", (small, choices, file))
    command = "training_choices.py --search tcdcn --choices tcdcn_features_100"
    folders = f"--data {tmp_path}/MTFL --out {tmp_path}/runs --results {tmp_path}"
    monkeypatch.setattr(sys, "argv", command.split() + folders.split())
    for trained in (1, 0):
        training_choices.main()
        assert capsys.readouterr().err.count("trained for") == trained
    with open(tmp_path / "table3_search.csv", newline="") as written:
        [row] = csv.DictReader(written)
    assert (row["choice"], row["before"]) == ("tcdcn_features_100", "tcdcn")
    assert "'features': 100" in row["changes"] and row["epochs"] == "1"
    assert float(row["validation_paper_grid"]) > 0
    assert str(tmp_path) not in row["command"]


def test_a_choice_of_another_search_is_refused(monkeypatch, capsys):
    command = "training_choices.py --data x --out y --search tcdcn --choices muon"
    monkeypatch.setattr(sys, "argv", command.split())
    with pytest.raises(SystemExit) as ended:
        training_choices.main()
    assert ended.value.code == 2
    assert "no choice of tcdcn: muon" in capsys.readouterr().err
