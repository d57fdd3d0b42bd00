import json
import sys

import numpy as np
import pandas
import pytest
from video_checks import KnownFaces

from rcn_keras.cli import main
from rcn_keras.cli import video as command
from rcn_keras.errors import InputError
from rcn_keras.video import Video, VideoFile


class Fixed(KnownFaces):
    """One face, whatever the frame."""

    def __init__(self):
        super().__init__(lambda number: (60, 40, 20), noise=0.2)
        self.stop_after, self.located = None, 0

    def truth(self, number):
        return super().truth(0)

    def locate(self, images, squares, second_pass=True):
        self.located += 1
        if self.located == self.stop_after:
            raise KeyboardInterrupt
        return super().locate(images, squares)


@pytest.fixture
def predictor(monkeypatch):
    fixed = Fixed()
    monkeypatch.setattr(command, "make_predictor", lambda *_, **options: fixed)
    return fixed


@pytest.fixture
def film(tmp_path):
    path = tmp_path / "film.mp4"
    writer = VideoFile(path, 25)
    for _ in range(12):
        writer.write(np.full((96, 128, 3), 90, "uint8"))
    writer.close()
    return path


def run(capsys, *arguments):
    code = main(["video", *map(str, arguments)])
    printed = capsys.readouterr()
    return code, printed.out.splitlines(), printed.err.splitlines()


def test_lines_on_standard_output(predictor, film, capsys):
    code, lines, errors = run(capsys, film)
    assert code == 0 and len(lines) == 12 and not errors
    records = [json.loads(line) for line in lines]
    assert [record["frame"] for record in records] == list(range(12))
    assert records[5]["seconds"] == 0.2
    assert [face["id"] for face in records[5]["faces"]] == [0]


def test_a_table_and_a_drawn_video(predictor, film, tmp_path, capsys):
    drawn, table = tmp_path / "drawn.mp4", tmp_path / "faces.csv"
    code, lines, _ = run(capsys, film, "--out", drawn, "--csv", table)
    assert code == 0 and not lines
    rows = pandas.read_csv(table)
    assert list(rows["frame"]) == list(range(12)) and (rows["face"] == 0).all()
    frames = [image for _, _, image in Video(drawn)]
    assert len(frames) == 12 and np.ptp(frames[6]) > 60


def test_no_smoothing_gives_the_points_as_found(predictor, film, capsys):
    def jitter(*arguments):
        _, lines, _ = run(capsys, film, *arguments)
        faces = [json.loads(line)["faces"][0]["keypoints"] for line in lines]
        return np.abs(np.diff(faces, 2, axis=0)).mean()

    assert jitter("--no-smoothing") > 3 * jitter()


def test_ctrl_c_leaves_a_playable_file_and_whole_lines(
    predictor, film, tmp_path, capsys
):
    predictor.stop_after = 6
    drawn, lines = tmp_path / "drawn.mp4", tmp_path / "faces.jsonl"
    code, _, errors = run(capsys, film, "--out", drawn, "--jsonl", lines)
    assert code == 130 and errors == ["rcn-keras: stopped after 5 frames"]
    assert len([json.loads(line) for line in lines.read_text().splitlines()]) == 5
    assert len(list(Video(drawn))) == 5


def test_a_full_disk_keeps_what_was_written(
    predictor, film, tmp_path, capsys, monkeypatch
):
    def full_after(self, image, write=VideoFile.write):
        if self.frames == 4:
            raise InputError(f"{self.path}: the disk is full; 4 frames are written")
        write(self, image)

    monkeypatch.setattr(VideoFile, "write", full_after)
    drawn = tmp_path / "drawn.mp4"
    code, _, errors = run(capsys, film, "--out", drawn)
    assert code == 2 and len(errors) == 1 and "the disk is full" in errors[0]
    assert len(list(Video(drawn))) == 4


@pytest.mark.parametrize(
    "arguments, reason",
    [
        (["missing.mp4"], "missing.mp4: no such file"),
        (["tests"], "tests: a folder, not a video"),
        (["97"], "camera 97: no such camera, or in use"),
        (["setup.py"], "setup.py: not a video"),
    ],
)
def test_bad_input_is_one_line(arguments, reason, predictor, capsys):
    code, lines, errors = run(capsys, *arguments)
    assert (code, lines, errors) == (2, [], [f"rcn-keras: error: {reason}"])


def test_progress_is_for_a_person(predictor, film, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    code = main(["video", str(film), "--jsonl", str(film.with_suffix(".jsonl"))])
    text = capsys.readouterr().err
    assert code == 0 and "\r12/12 frames, " in text and "frames/s, 0 s left" in text
