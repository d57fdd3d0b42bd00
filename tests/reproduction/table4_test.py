import csv

import pytest

from rcn_keras.cli import main
from rcn_keras.data.sets import load_test_set, load_training
from rcn_keras.evaluation.protocols import ground_truth_boxes_68
from rcn_keras.layout import FACE_68
from rcn_keras.presets import load_preset
from rcn_keras.reproduction.table4 import PROTOCOLS, ROWS, reproduce_table4
from rcn_keras.reproduction.tables import table_recipes

DEMO = {"rcn": "demo_68", "denoiser": "demo_denoiser", "joint": "demo_joint"}


class Stopped(Exception):
    pass


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_rows_are_the_tables():
    assert tuple(ROWS.values()) == tuple(table_recipes("table4"))


def test_a_stopped_table_is_resumed_without_repeating_a_row(
    three_hundred_w_folder, tmp_path
):
    training, validation = load_training(three_hundred_w_folder, layout=FACE_68)
    test = load_test_set(three_hundred_w_folder, "300w")
    out, results, lines = tmp_path / "runs", tmp_path / "table4.csv", []

    def reproduce(names, stop=None):
        def echo(line):
            lines.append(line)
            if stop and line.startswith(stop):
                raise Stopped

        data = (training, validation, test)
        settings = {"rows": DEMO, "echo": echo, "epochs": 1, "batch_size": 8}
        settings["precision"] = "float32"
        reproduce_table4(names, *data, out, results, **settings)

    with pytest.raises(Stopped):
        reproduce(DEMO.values(), stop="2/3 demo_denoiser")
    assert [row["recipe"] for row in rows(results)] == ["demo_68"]
    reproduce(DEMO.values())
    assert lines.count("  is in the results already") == 1
    assert sum(line.startswith("epoch 1/1 loss") for line in lines) == 2
    first_rows = rows(results)
    assert [row["recipe"] for row in first_rows] == list(DEMO.values())
    assert [row["epochs"] for row in first_rows] == ["1", "1", "1"]
    assert first_rows[2]["precision"] == "float32" and first_rows[2]["command"]
    minutes = [float(row["training_minutes"]) for row in first_rows]
    assert minutes[2] == pytest.approx(sum(minutes[:2]), abs=0.11)
    assert first_rows[2]["training_command"] and first_rows[2]["training_date"]

    joint = load_preset(out / "presets" / "demo_joint_demo_68_1_0_demo_denoiser_1_0")
    assert int(first_rows[2]["parameters"]) == joint.model.count_params()
    errors = ground_truth_boxes_68(joint.model, test)
    for protocol in PROTOCOLS:
        found = float(first_rows[2][f"300w_full_{protocol}"])
        assert found == pytest.approx(100 * errors[protocol].mean(), abs=0.01)
    counts = [
        first_rows[0][f"300w_{n}_faces"] for n in ("common", "challenging", "full")
    ]
    assert counts == ["8", "4", "12"] and first_rows[0]["validation_faces"] == "1"
    assert first_rows[0]["300w_common_paper"] == "4.7"
    assert first_rows[2]["300w_full_paper_49"] == "3.76"
    assert first_rows[1]["300w_common_paper"] == ""
    assert (
        first_rows[1]["300w_common_subpixel"] != first_rows[0]["300w_common_subpixel"]
    )


def test_command_line_finds_what_is_there(three_hundred_w_folder, tmp_path, capsys):
    keys = [
        "rcn5_300w,1,0,16,mixed_bfloat16",
        "denoiser_300w,1,0,32,float32",
        "joint_300w,1,0,16+32,mixed_bfloat16+float32",
    ]
    parts = ("common", "challenging", "full")
    header = "recipe,epochs,seed,batch_size,precision" + "".join(
        f",300w_{part}_subpixel" for part in parts
    )
    text = "\n".join([header, *(f"{key},1,2,3" for key in keys), ""])
    (tmp_path / "table4.csv").write_text(text)
    command = ["reproduce", "table4", "--data", str(three_hundred_w_folder)]
    assert main([*command, "--out", str(tmp_path), "--epochs", "1"]) == 0
    assert capsys.readouterr().out.count("is in the results already") == 3
    assert (tmp_path / "table4.csv").read_text() == text


def test_afw_and_other_rows_are_refused(three_hundred_w_folder, tmp_path, capsys):
    command = ["reproduce", "table4", "--data", str(three_hundred_w_folder)]
    command += ["--out", str(tmp_path)]
    assert main([*command, "--afw", str(tmp_path)]) == 2
    assert (
        "table4 is trained and measured on 300-W: leave out --afw"
        in capsys.readouterr().err
    )
    assert main([*command[:1], "table1", *command[2:], "--allow-missing"]) == 2
    assert "which table4 takes. Received: table1" in capsys.readouterr().err
    assert main([*command, "--recipes", "table2_rcn4"]) == 2
    assert "table4 has no recipe 'table2_rcn4'" in capsys.readouterr().err
