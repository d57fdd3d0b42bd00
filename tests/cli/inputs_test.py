import io
import os
import pathlib

import numpy as np
import pytest
from PIL import Image

from rcn_keras.cli import main
from rcn_keras.cli.inputs import check_folders, list_photos
from rcn_keras.errors import InputError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a.jpg", "b.png", "deep/c.jpg"):
        pathlib.Path(name).parent.mkdir(exist_ok=True)
        Image.new("RGB", (4, 3), "red").save(name)
    return tmp_path


def names(*arguments):
    photos, failures = list_photos(arguments)
    assert not failures
    return [photo.path.as_posix() for photo in photos]


def reason(argument):
    photos, (error,) = list_photos([argument])
    assert photos == []
    return str(error)


def test_files_folders_and_patterns(folder):
    assert names("b.png", "deep") == ["b.png", "deep/c.jpg"]
    assert names("**/*.jpg") == ["a.jpg", "deep/c.jpg"]
    assert names("missing.jpg") == ["missing.jpg"]  # reported when it is read
    assert "no file fits this pattern" in reason("*.bmp")


def test_a_file_whose_name_looks_like_a_pattern(folder):
    os.rename("a.jpg", "a[1].jpg")
    assert names("a[1].jpg") == ["a[1].jpg"]


def test_a_list_in_a_file(folder):
    pathlib.Path("list.txt").write_text("a.jpg\n\n deep/c.jpg \r\n")
    assert names("list.txt") == ["a.jpg", "deep/c.jpg"]
    pathlib.Path("empty.txt").write_text("\n")
    assert reason("empty.txt") == "empty.txt: expected a path a line; found none"
    assert reason("none.txt") == "none.txt: no such file"
    os.rename("b.png", "b.txt")
    assert reason("b.txt").startswith("b.txt: expected text in UTF-8")


@pytest.fixture
def standard_input(monkeypatch):
    def give(data):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))

    return give


def test_standard_input_holds_a_list_or_a_photograph(folder, standard_input):
    standard_input(b"a.jpg\nb.png\n")
    assert names("-") == ["a.jpg", "b.png"]
    standard_input(pathlib.Path("b.png").read_bytes())
    (photo,), _ = list_photos(["-"])
    np.testing.assert_array_equal(photo.read(), np.full((3, 4, 3), [255, 0, 0]))
    standard_input(b"")
    assert reason("-") == "standard input: nothing came"
    standard_input(b"\xff\xd8 no picture")
    (photo,), _ = list_photos(["-"])
    with pytest.raises(InputError, match="standard input: not an image"):
        photo.read()


def test_folders_for_pictures_are_not_those_of_the_photographs(folder):
    photos, _ = list_photos(["a.jpg"])
    check_folders([None, folder / "drawn"], photos)
    with pytest.raises(InputError, match="name another folder"):
        check_folders([folder], photos)


@pytest.mark.parametrize(
    "command, option",
    [("predict", "--to"), ("video", "--out"), ("video", "--jsonl"), ("video", "--csv")],
)
def test_an_output_does_not_overwrite_what_is_read(tmp_path, capsys, command, option):
    source = tmp_path / "film.mp4"
    source.write_bytes(b"kept")
    assert main([command, str(source), option, str(source)]) == 2
    assert f"{source}: it is an input too" in capsys.readouterr().err
    assert source.read_bytes() == b"kept"
