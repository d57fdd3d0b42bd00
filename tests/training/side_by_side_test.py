import tarfile

import pytest

from rcn_keras.cli import main
from rcn_keras.errors import InputError
from rcn_keras.training import side_by_side
from rcn_keras.training.callbacks import read_log
from rcn_keras.training.run_folder import read_run


def test_trainings_run_at_once_and_come_back_in_archives(
    mtfl_folder, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(side_by_side, "EVERY", 0.2)
    jobs = tmp_path / "jobs.txt"
    tiny = "demo --batch-size 8 --epochs 1"
    jobs.write_text(
        f"# two seeds\nfirst: {tiny}\n\nsecond: {tiny} --seed 1\nbad: nothing\n"
    )
    packed, runs, archives = (tmp_path / name for name in ("packed", "runs", "back"))
    assert main(["pack", "--data", str(mtfl_folder), "--out", str(packed)]) == 0
    command = ["train-many", str(jobs), "--data", str(packed), "--out", str(runs)]
    command += ["--parallel", "3", "--archive", str(archives)]
    assert main(command) == 1
    printed = capsys.readouterr().out
    assert "first: done" in printed and "second: done" in printed
    assert "bad: failed; rcn-keras: error: no recipe named 'nothing'" in printed
    with tarfile.open(archives / "runs_0.tar") as tar:
        tar.extractall(tmp_path / "home", filter="data")
    for name in ("first", "second"):
        assert len(read_log(tmp_path / "home" / name / "log.csv")) == 1
        assert (tmp_path / "home" / name / "best.weights.h5").is_file()
        assert not (tmp_path / "home" / name / "last.keras").exists()
        command = read_run(tmp_path / "home" / name)["command"]
        assert command.startswith("rcn-keras train demo --batch-size 8")


def test_what_does_not_fit_into_the_time_is_said(mtfl_folder, tmp_path):
    jobs = {"a": ["demo"], "b": ["demo"]}
    states = side_by_side.train_side_by_side(
        jobs, mtfl_folder, tmp_path, parallel=1, minutes=0.002, echo=list().append
    )
    assert states == {"a": "cut off", "b": "not begun"}
    assert side_by_side.archive(jobs, tmp_path, tmp_path / "back") == []


def test_a_training_waits_for_the_preset_it_starts_from(
    mtfl_folder, tmp_path, monkeypatch
):
    monkeypatch.setattr(side_by_side, "EVERY", 0.2)
    presets, runs = tmp_path / "presets", tmp_path / "runs"
    tiny = ["demo", "--batch-size", "8", "--epochs", "1"]
    jobs = {
        "tuned": [*tiny, "--weights", str(presets / "first")],
        "orphan": [*tiny, "--teacher", str(presets / "bad")],
        "bad": ["nothing"],
        "first": [*tiny, "--seed", "1"],
    }
    lines = []
    states = side_by_side.train_side_by_side(
        jobs, mtfl_folder, runs, 3, minutes=5, presets=presets, echo=lines.append
    )
    assert states == {
        "tuned": "done",
        "orphan": "not begun",
        "bad": "failed",
        "first": "done",
    }
    assert [line.split(":")[0] for line in lines] == ["bad", "first", "tuned"]
    assert read_run(runs / "tuned")["before"]["trained_epochs"] == 1


@pytest.mark.parametrize(
    "text, reason",
    [
        ("rcn6_mtfl\n", ":1: expected NAME: RECIPE"),
        ("a: demo\n../b: demo\n", ":2: expected NAME: RECIPE"),
        ("a: demo\na: demo\n", ":2: a is there twice"),
        ("# nothing\n", "lists no training"),
    ],
)
def test_a_malformed_list_is_refused(tmp_path, text, reason):
    (tmp_path / "jobs.txt").write_text(text)
    with pytest.raises(InputError, match=reason):
        side_by_side.read_jobs(tmp_path / "jobs.txt")
