import csv
import dataclasses
import json
import pathlib
import re
import shutil

import keras
import numpy as np
import pytest

from rcn_keras.cli import main
from rcn_keras.data.sets import load_test_set, load_training
from rcn_keras.errors import InputError
from rcn_keras.evaluation.protocols import ground_truth_boxes
from rcn_keras.reproduction import tables
from rcn_keras.reproduction.masks import write_readings
from rcn_keras.reproduction.results_file import has_row, read_rows, row_key
from rcn_keras.reproduction.tables import table_recipes
from rcn_keras.training.fit import train
from rcn_keras.training.recipes import RECIPES, get_recipe


def test_every_row_of_the_papers_tables_has_a_recipe():
    # SumNet: 9 masks by alpha's 2 readings and 8 by 2 of branches that are untrained.
    assert len(table_recipes("table1")) == (18 + 16) + (9 + 8)
    assert len(table_recipes("table2")) == 13
    for name in table_recipes("table1") + table_recipes("table2"):
        assert set(RECIPES[name].paper) == {"aflw", "afw"}
    assert table_recipes("table3") == [
        "table3_tcdcn",
        "table3_tcdcn_keypoints",
        "table2_sumnet6_occlusion",
        "table2_rcn6_occlusion",
    ]
    two = ["table2_rcn6", "table2_rcn4"]
    assert table_recipes("table2", two) == ["table2_rcn4", "table2_rcn6"]
    with pytest.raises(InputError, match="table1 has no recipe 'table2_rcn4'"):
        table_recipes("table1", ["table2_rcn4"])


def test_what_is_no_value_of_a_recipe_is_refused(mtfl_folder, tmp_path, capsys):
    command = ["reproduce", "table1", "--data", str(mtfl_folder), "--out"]
    assert main([*command, str(tmp_path), "--set", "optimizer=sgd"]) == 2
    error = capsys.readouterr().err
    assert "error: `optimizer` must be one of 'muon', 'adam', 'adadelta'" in error


def test_rows_are_added_and_none_is_made_twice(mtfl_folder, tmp_path, capsys):
    results = tmp_path / "table1.csv"
    command = ["reproduce", "table1", "--data", str(mtfl_folder)]
    command += ["--out", str(tmp_path / "runs"), "--results", str(results)]
    command += ["--epochs", "1", "--batch-size", "10"]
    first = ["--recipes", "table1_rcn_0001"]
    assert main([*command, *first]) == 0
    assert main([*command, *first, "table1_sumnet_0001"]) == 0
    assert "is in the results already" in capsys.readouterr().out
    with results.open(newline="") as file:
        rows = {row["recipe"]: row for row in csv.DictReader(file)}
    assert list(rows) == ["table1_rcn_0001", "table1_sumnet_0001"]
    row = rows["table1_rcn_0001"]
    assert row["epochs"] == "1" and row["aflw_paper"] == "46.87"
    assert row["aflw_faces"] == "6" and 5 < float(row["aflw_paper_grid"]) < 300
    assert float(row["validation_subpixel"]) > 5
    assert row["command"] and row["device"] and float(row["training_minutes"]) >= 0
    assert row["training_command"] == row["command"]
    # Measured again where another set is asked for, and not trained again.
    assert main([*command, *first, "--afw", str(mtfl_folder / "missing")]) == 2
    with_float32 = [*command, "--precision", "float32", *first]
    assert main(with_float32) == 2
    assert "another recipe (precision: mixed_bfloat16 th" in capsys.readouterr().err
    # Told before the first of several is trained.
    assert main([*with_float32, "table1_rcn_0100"]) == 2
    assert "1/2 table1_rcn_0100" not in capsys.readouterr().out


def test_a_training_that_fails_takes_no_other_row_along(
    mtfl_folder, tmp_path, capsys, monkeypatch
):
    train = tables.train

    def diverging(recipe, *arguments, **settings):
        if recipe.model == "sumnet":
            raise InputError("the network produces NaN")
        return train(recipe, *arguments, **settings)

    monkeypatch.setattr(tables, "train", diverging)
    command = ["reproduce", "table1", "--data", str(mtfl_folder)]
    command += ["--out", str(tmp_path), "--epochs", "1", "--batch-size", "10"]
    command += ["--recipes", "table1_sumnet_0001", "table1_rcn_0001"]
    assert main(command) == 2
    message = "1 of 2 failed; table1_sumnet_0001: the network produces NaN"
    assert message in capsys.readouterr().err
    assert "\ntable1_rcn_0001,1," in (tmp_path / "table1.csv").read_text()


def test_finished_trainings_are_measured_as_they_are(mtfl_folder, tmp_path, capsys):
    name = "table1_sumnet_1000_pixel_untrained"
    changes = {"optimizer": "adam", "learning_rate": 0.002}
    recipe = get_recipe(name, epochs=1, batch_size=10, **changes)
    others = {"trunk_l2": 1e-6, "upsampling": "bilinear"}
    recipe = dataclasses.replace(recipe, arguments=recipe.arguments | others)
    run = tmp_path / f"{name}_1_0"
    train(recipe, *load_training(mtfl_folder), run, echo=str)
    shutil.copytree(run, tmp_path / "table1_rcn_0100")
    command = ["reproduce", "table1", "--data", str(mtfl_folder), "--finished"]
    command += ["--out", str(tmp_path)]
    kept = tmp_path / "weights" / "table1.npz"
    assert main([*command, "--keep", str(kept)]) == 0
    printed = capsys.readouterr().out
    assert "table1_rcn_0100: left out, not the network of table1_rcn_0100" in printed
    (row,) = read_rows(tmp_path / "table1.csv")
    assert row["recipe"] == name and row["reading"] == "untrained, alpha per pixel"
    assert '"trunk_l2": 1e-06, "upsampling": "bilinear"' in row["changes"]
    assert row["changes"].endswith("} optimizer=adam learning_rate=0.002")
    assert row["epochs"] == "1" and float(row["aflw_paper_grid"]) > 5
    with (tmp_path / "table1_readings.csv").open(newline="") as file:
        lines = {(line["model"], line["mask"]): line for line in csv.DictReader(file)}
    assert len(lines) == 18
    line = lines["sumnet", "1000"]
    assert line[row["reading"]] == row["aflw_paper_grid"]
    assert line["absent"] == line["nearest"] == ""  # others are to be measured
    # Measured once; its weights are kept in a small file, which measures the same.
    assert main(command) == 0
    assert "is in the results already" in capsys.readouterr().out
    assert kept.stat().st_size < 2.1 * int(row["parameters"])
    again = [*command[:-2], str(kept), "--results", str(tmp_path / "again.csv")]
    again[again.index("--finished")] = "--kept"
    assert main(again) == 0
    (same,) = read_rows(tmp_path / "again.csv")
    measured = [c for c in row if re.fullmatch("(aflw|validation)_(sub|paper_g).*", c)]
    for column in measured:
        assert float(same.pop(column)) == pytest.approx(float(row[column]), rel=0.02)
    assert len(measured) == 6
    for column in measured + ["command", "date"]:
        row.pop(column)
        same.pop(column, None)
    assert same == row
    # A training that was stopped is left out.
    recipe = json.loads((run / "recipe.json").read_text())
    (run / "recipe.json").write_text(json.dumps(recipe | {"epochs": 2}))
    assert main(command) == 2
    captured = capsys.readouterr()
    assert f"{run}: left out, 1 of its 2 epochs are done" in captured.out
    assert "no finished training of the table's recipes" in captured.err


@pytest.mark.parametrize("content", [b"", b"PK", None])
def test_a_file_that_is_no_archive_of_weights(content, mtfl_folder, tmp_path, capsys):
    kept = tmp_path / "kept.npz"
    if content is None:
        np.savez(kept, weights_0=np.zeros(3))
    else:
        kept.write_bytes(content)
    command = ["reproduce", "table1", "--data", str(mtfl_folder), "--kept", str(kept)]
    assert main([*command, "--results", str(tmp_path / "table1.csv")]) == 2
    assert f"{kept}: not an archive of trainings" in capsys.readouterr().err
    assert main(command) == 2
    assert "give --out, or --kept and --results" in capsys.readouterr().err


def test_the_nearest_reading_is_of_the_trainings_that_validate_best(tmp_path):
    rows = [
        {
            "recipe": f"table1_rcn_1000{ending}",
            "validation_paper_grid": validation,
            "aflw_paper_grid": error,
        }
        for ending, validation, error in [
            ("", "9.5", "10.62"),  # near by chance: another training validates better
            ("", "9.4", "26.0"),
            ("_untrained", "10", "8.04"),
        ]
    ]
    write_readings(rows, tmp_path / "readings.csv")
    with (tmp_path / "readings.csv").open(newline="") as file:
        _, line, *_ = csv.DictReader(file)
    assert line == {
        "model": "rcn",
        "mask": "1000",
        "paper": "10.61",
        "absent": "26.0",
        "absent, alpha per pixel": "",
        "untrained": "8.04",
        "untrained, alpha per pixel": "",
        "nearest": "untrained",
    }


def test_our_table_of_readings_is_made_of_our_results(tmp_path):
    rows = read_rows(pathlib.Path("results/table1.csv"))
    assert all(row["reading"] for row in rows)
    write_readings(rows, tmp_path / "readings.csv")
    shipped = pathlib.Path("results/table1_readings.csv").read_text()
    assert (tmp_path / "readings.csv").read_text() == shipped


@pytest.mark.parametrize("table", ["table1", "table2", "table3"])
def test_the_plain_command_finds_every_row_of_our_results(table):
    results = pathlib.Path("results") / f"{table}.csv"
    faces = {"validation_faces": 1000, "aflw_faces": 2995, "afw_faces": 337}
    # What was trained with other settings than a recipe's is found by --finished.
    plain = [n for n in table_recipes(table) if not re.search("_(pixel|untrained)", n)]
    for name in plain:
        key = row_key(name, get_recipe(name))
        assert has_row(results, key, ["aflw_subpixel", "afw_subpixel"], faces), name
    with pytest.raises(InputError, match="has 337 afw_faces; here are 377"):
        has_row(results, key, faces={"afw_faces": 377})


def test_the_measured_network_is_left_bare(mtfl_folder, tmp_path):
    command = ["reproduce", "table3", "--data", str(mtfl_folder)]
    command += ["--out", str(tmp_path), "--recipes", "table3_tcdcn"]
    command += ["--epochs", "1", "--batch-size", "10"]
    assert main([*command, "--precision", "mixed_bfloat16"]) == 0
    with (tmp_path / "table3.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["aflw_paper"] == "7.6" and row["precision"] == "mixed_bfloat16"
    model = keras.saving.load_model(tmp_path / "table3_tcdcn_1_0" / "model.keras")
    assert not model.compiled
    assert {layer.compute_dtype for layer in model.layers} == {"float32"}
    assert row["parameters"] == str(model.count_params())
    errors = ground_truth_boxes(model, load_test_set(mtfl_folder, "aflw"))
    for protocol in ("paper_grid", "subpixel"):
        found = 100 * np.mean(errors[protocol])
        assert float(row[f"aflw_{protocol}"]) == pytest.approx(found, abs=0.01)


@pytest.mark.parametrize("content", [b"a,b\n1,2\n", bytes(range(128, 256)), None])
def test_a_results_file_of_another_kind_is_left_alone(
    content, mtfl_folder, tmp_path, capsys
):
    results = tmp_path / "other.csv"
    results.write_bytes(content) if content else results.mkdir()
    command = ["reproduce", "table2", "--data", str(mtfl_folder), "--out"]
    assert main([*command, str(tmp_path), "--results", str(results)]) == 2
    assert f"{results}: not a table's results" in capsys.readouterr().err
    assert content is None or results.read_bytes() == content
