import json
import shutil

import numpy as np
import pytest
from PIL import Image

from rcn_keras.cli import align as command
from rcn_keras.cli import main
from rcn_keras.layout import FACE_5
from rcn_keras.predictor import FacePrediction

POINTS = [[203.5, 101], [247, 103.5], [225.5, 127.5], [202.5, 140], [244, 141.0]]


@pytest.fixture
def run(monkeypatch, capsys):
    class OneFace:
        layout = FACE_5

        def __call__(self, image):
            points = np.array(POINTS)
            return [FacePrediction(np.zeros(4), points, np.ones(5), 1.0)]

    monkeypatch.setattr(command, "make_predictor", lambda *_, **options: OneFace())

    def run(*arguments):
        code = main(["align", *map(str, arguments)])
        printed = capsys.readouterr()
        return code, printed.out.splitlines(), printed.err.splitlines()

    return run


def test_faces_are_written_and_their_matrices_printed(run, tmp_path):
    photo, out = tmp_path / "one.jpg", tmp_path / "faces"
    shutil.copy("examples/astronaut.jpg", photo)
    code, lines, errors = run(photo, photo, "--out", out, "--size", 64)
    assert code == 0 and not errors
    records = [json.loads(line) for line in lines]
    assert [record["file"] for record in records] == ["one.png", "one_2.png"]
    with Image.open(out / "one.png") as picture:
        assert picture.size == (64, 64)
    to_crop, back = (np.array(records[0][k]) for k in ("to_crop", "to_photograph"))
    there = POINTS @ to_crop[:, :2].T + to_crop[:, 2]
    np.testing.assert_allclose(there @ back[:, :2].T + back[:, 2], POINTS, atol=1e-3)


def test_bad_photographs_are_left_out(run, tmp_path):
    photo, bad, out = tmp_path / "one.jpg", tmp_path / "bad.jpg", tmp_path / "faces"
    shutil.copy("examples/astronaut.jpg", photo)
    bad.write_text("no image")
    code, lines, errors = run(bad, photo, "--out", out)
    assert code == 1 and len(lines) == 1
    assert errors == [f"rcn-keras: error: {bad}: not an image that can be read"]
    code, _, errors = run(photo, "--out", tmp_path)
    assert code == 2 and "name another folder" in errors[0]


def test_a_crop_that_cannot_be_is_said_once(run, tmp_path):
    photos = ["examples/astronaut.jpg"] * 3
    for option, value, reason in [
        ("--size", 10**6, "`size` must be between 1 and"),
        ("--eye-distance", 2, "`eye_distance` must be above 0"),
    ]:
        code, lines, errors = run(*photos, "--out", tmp_path, option, value)
        assert (code, lines, len(errors)) == (2, [], 1) and reason in errors[0]
