"""Text is read by its own marks and written as UTF-8, whatever the locale."""

import ast
import os
import pathlib
import subprocess
import sys
import unicodedata

import numpy as np
import pytest
from PIL import Image

from rcn_keras.data import keypoint_files, points_file
from rcn_keras.errors import InputError
from rcn_keras.faces.box_file import boxes_of, read_boxes
from rcn_keras.files import find_file, read_text, text_name

COMPOSED, DECOMPOSED = (unicodedata.normalize(form, "é.png") for form in ("NFC", "NFD"))
TEXT_CALLS = {"open": 0, "read_text": 0, "write_text": 1}


def without_encoding(path):
    """The calls of a file that read or write text in the encoding of the locale."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "attr", getattr(node.func, "id", None))
        owner = getattr(getattr(node.func, "value", None), "id", "")
        if name not in TEXT_CALLS or owner in ("os", "Image", "tarfile", "FileSystems"):
            continue
        parts = [part for each in node.args for part in ast.walk(each)]
        values = [part.value for part in parts if isinstance(part, ast.Constant)]
        named = any(keyword.arg == "encoding" for keyword in node.keywords)
        ours = isinstance(node.func, ast.Name) and name == "read_text"
        if not (named or ours or any("b" in str(v) for v in values if v != "")):
            yield f"{path}:{node.lineno}"


@pytest.mark.parametrize("folder", ["rcn_keras", "benchmarks"])
def test_every_text_file_is_opened_with_its_encoding(folder):
    paths = pathlib.Path(folder).rglob("*.py")
    assert [line for path in paths for line in without_encoding(path)] == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_text_is_read_by_its_own_marks(tmp_path, encoding):
    path = tmp_path / "boxes.json"
    path.write_text('{"é.png": [[1, 2, 3, 4]]}', encoding=encoding)
    assert read_boxes(path) == {COMPOSED: [[1, 2, 3, 4]]}


def test_other_encodings_are_named(tmp_path):
    path = tmp_path / "boxes.json"
    path.write_text("é", encoding="latin-1")
    with pytest.raises(InputError, match="boxes.json: expected text in UTF-8.* 0xe9"):
        read_text(path)


@pytest.mark.parametrize("listed", [COMPOSED, DECOMPOSED])
@pytest.mark.parametrize("stored", [COMPOSED, DECOMPOSED])
def test_names_are_compared_composed(tmp_path, listed, stored):
    boxes = tmp_path / "boxes.json"
    boxes.write_text(f'{{"{listed}": [[1, 2, 3, 4]]}}', encoding="utf-8")
    photograph = tmp_path / stored
    Image.fromarray(np.zeros((9, 9, 3), "uint8")).save(photograph)
    assert boxes_of(read_boxes(boxes), photograph) == [[1, 2, 3, 4]]
    assert find_file(tmp_path / listed) == photograph
    table = tmp_path / "points.csv"
    table.write_text(f"image,a_x,a_y\n{listed},3,4\n", encoding="utf-8")
    (face,) = keypoint_files.read_annotations(table).faces
    assert face.image == photograph
    points = tmp_path / listed.replace("png", "pts")
    points.touch()
    assert points_file.find_image(points) == photograph
    assert points_file.images_alone(tmp_path) == []


def test_a_name_as_written_goes_before_one_like_it(tmp_path):
    path = tmp_path / "boxes.json"
    lines = ",".join(
        f'"{name}": [[{n}, 0, 9, 9]]' for n, name in enumerate((COMPOSED, DECOMPOSED))
    )
    path.write_text(f"{{{lines}}}", encoding="utf-8")
    boxes = read_boxes(path)
    for n, name in enumerate((COMPOSED, DECOMPOSED)):
        assert boxes_of(boxes, pathlib.Path(name)) == [[n, 0, 9, 9]]


@pytest.mark.parametrize("name", ["\ud800", "no\0file", ""])
def test_what_cannot_be_a_name_is_no_file(name):
    assert find_file(name) == name and isinstance(text_name(name), str)


def test_predict_in_an_ascii_locale_and_without_docstrings(tmp_path):
    Image.open("examples/astronaut.jpg").save(tmp_path / "é.jpg")
    boxes = tmp_path / "boxes.json"
    boxes.write_text('{"é.jpg": [[180, 65, 265, 172]]}', encoding="utf-8")
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    ascii_only["PYTHONOPTIMIZE"] = "2"
    done = subprocess.run(
        [sys.executable, "-m", "rcn_keras", "predict", tmp_path, "--boxes", boxes]
        + ["--out", tmp_path / "drawn"],
        env=os.environ | ascii_only,
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr
    assert b"\\u00e9.jpg" in done.stdout
    assert (tmp_path / "drawn" / "é.png").is_file()
