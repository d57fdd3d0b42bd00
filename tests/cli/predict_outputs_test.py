import io
import json
import pathlib
import shutil

import numpy as np
import pytest
from PIL import Image

from rcn_keras.cli import main
from rcn_keras.cli import predict as command
from rcn_keras.data.csv_table import csv_rows
from rcn_keras.data.points_file import read_pts
from rcn_keras.data.synthetic import draw_face
from rcn_keras.faces.images import as_rgb
from rcn_keras.layout import FACE_68
from rcn_keras.predictor import Predictor

POINTS = draw_face(np.random.default_rng(0), FACE_68, 150)[1].astype("float64")


@pytest.fixture
def run(monkeypatch, capsys):
    class SamePoints:
        """A locator that finds the same points in every box."""

        layout = FACE_68

        def picture(self, image, name):
            rgb = as_rgb(image, name)
            return rgb, rgb

        def locate(self, pictures, boxes):
            count = len(pictures)
            keypoints = np.tile(POINTS, (count, 1, 1))
            return keypoints, np.full((count, 68), 0.9), np.full(count, 0.8)

    def two_faces(image):
        return [[30, 40, 110, 120]] * 2, [0.8, 0.8]

    predictor = Predictor(SamePoints(), two_faces)
    monkeypatch.setattr(command, "make_predictor", lambda *_, **options: predictor)

    def run(*arguments):
        code = main(["predict", *map(str, arguments)])
        printed = capsys.readouterr()
        return code, printed.out.splitlines(), printed.err.splitlines()

    return run


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "photos" / "one.jpg"
    path.parent.mkdir()
    shutil.copy("examples/astronaut.jpg", path)
    return path


def test_a_table_on_standard_output_or_in_a_file(run, photo, tmp_path):
    code, lines, _ = run(photo, "--format", "csv")
    assert code == 0 and len(lines) == 3
    path = tmp_path / "faces.csv"
    code, nothing, _ = run(photo, "--format", "csv", "--to", path)
    assert code == 0 and not nothing
    assert path.read_text().splitlines() == lines
    (_, columns), *rows = csv_rows(path.read_text(), path)
    assert columns[:2] == ["image", "face"] and [row[1] for _, row in rows] == [
        "0",
        "1",
    ]


def test_coco_results_are_one_list(run, photo):
    code, lines, _ = run(photo, photo, "--format", "coco")
    results = json.loads("\n".join(lines))
    assert code == 0 and [each["image_id"] for each in results] == [1, 1, 2, 2]
    assert results[0]["bbox"] == [30, 40, 80, 80]


def test_points_files_beside_their_photographs(run, photo, tmp_path):
    code, _, _ = run(photo, "--format", "pts", "--to", tmp_path / "points")
    assert code == 0
    for name in ("one.pts", "one_2.pts"):
        points = read_pts(tmp_path / "points" / name)
        np.testing.assert_allclose(points, POINTS, atol=1e-3)
    code, _, errors = run(photo, "--format", "pts")
    assert code == 2 and "--to FOLDER" in errors[0]


def test_faces_are_cut_out_and_heads_drawn_with_axes(run, photo, tmp_path):
    crops, drawn, plain = (tmp_path / name for name in ("crops", "drawn", "plain"))
    code, _, _ = run(photo, "--crops", crops, "--out", drawn, "--axes")
    assert code == 0
    with Image.open(crops / "one.png") as crop, Image.open(photo) as picture:
        expected = np.asarray(picture)[20:141, 10:131]
        np.testing.assert_array_equal(np.asarray(crop), expected)
    assert (crops / "one_2.png").is_file()
    run(photo, "--out", plain)
    with Image.open(drawn / "one.png") as axes, Image.open(plain / "one.png") as none:
        assert np.any(np.asarray(axes) != np.asarray(none))
    code, _, errors = run(photo, "--crops", photo.parent)
    assert code == 2 and "name another folder" in errors[0]


def test_a_photograph_on_standard_input(run, photo, monkeypatch):
    data = io.BytesIO(photo.read_bytes())
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(data))
    code, lines, _ = run("-")
    assert code == 0 and json.loads(lines[0])["image"] == "-"


def test_a_list_with_a_photograph_that_is_missing(run, photo, tmp_path):
    listed = tmp_path / "list.txt"
    missing = pathlib.Path("missing.jpg")
    listed.write_text(f"{photo}\n{missing}\n")
    code, lines, errors = run(listed)
    assert code == 1 and len(lines) == 1
    assert errors == ["rcn-keras: error: missing.jpg: no such file"]
