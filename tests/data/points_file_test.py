import numpy as np
import pytest

from rcn_keras.data.points_file import find_image, images_alone, list_pts, read_pts
from rcn_keras.errors import InputError

POINTS = np.random.default_rng(0).uniform(-5, 300, (68, 2)).round(3)
ROWS = [f"{x:.6f} {y:.6f}" for x, y in POINTS]
HEADER = ["version: 1", "n_points:  68", "{"]


def written(tmp_path, lines, end="\n"):
    path = tmp_path / "face.pts"
    path.write_bytes(end.join([*lines, ""]).encode())
    return path


@pytest.mark.parametrize("end", ["\n", "\r\n", " \n\n", "\t\r"])
@pytest.mark.parametrize("header", [HEADER, ["{"], []])
def test_with_and_without_header(tmp_path, header, end):
    lines = [*header, *ROWS, "}"] if header else ROWS
    points = read_pts(written(tmp_path, lines, end))
    assert points.shape == (68, 2) and points.dtype == np.float32
    np.testing.assert_allclose(points, POINTS - 0.5, rtol=1e-6)


def test_byte_order_mark_indentation_and_another_count(tmp_path):
    path = written(
        tmp_path, ["\ufeffversion: 1", "n_points: 2", "{", " 1 2", "3\t4 ", "}"]
    )
    np.testing.assert_array_equal(read_pts(str(path), 2), [[0.5, 1.5], [2.5, 3.5]])
    path.write_text("\ufeff1 2", encoding="utf-8")
    np.testing.assert_array_equal(read_pts(path, count=1), [[0.5, 1.5]])


@pytest.mark.parametrize(
    "lines, message",
    [
        ([], "face.pts: expected 68 points; found 0"),
        (["{", "}"], "face.pts: expected 68 points; found 0"),
        (ROWS[:67], "face.pts: expected 68 points; found 67"),
        ([*ROWS, ROWS[0]], "face.pts: expected 68 points; found 69"),
        ([*HEADER, *ROWS[:67], "}"], "face.pts: expected 68 points; found 67"),
        (
            ["version: 1", "n_points: 29", "{", *ROWS, "}"],
            "face.pts:2: expected 68 points; found `n_points: 29`",
        ),
        (
            ["n_points: many", "{", *ROWS, "}"],
            "face.pts:1: expected 68 points; found `n_points: many`",
        ),
        ([*HEADER, *ROWS], "face.pts: expected a line `}` after the points"),
        (HEADER[:2], "face.pts: expected a line `{` before the points"),
        ([*HEADER[:2], *ROWS, "}"], "face.pts: expected a line `{` before the points"),
        ([*ROWS, "}"], "face.pts: expected a line `{` before the points"),
        ([*HEADER[:2], "}", *ROWS, "{"], "face.pts:4: expected nothing after `}`"),
        (
            [*HEADER, *ROWS, "}", "1 2"],
            "face.pts:73: expected nothing after `}`; found `1 2`",
        ),
        (
            [*HEADER, *ROWS[:5], "12.5 left", *ROWS[6:], "}"],
            "face.pts:9: expected two numbers; found `12.5 left`",
        ),
        ([*ROWS[:67], "1 2 3"], "face.pts:68: expected two numbers; found `1 2 3`"),
        ([*ROWS[:67], "1"], "face.pts:68: expected two numbers; found `1`"),
        (["1,2", *ROWS[1:]], "face.pts:1: expected two numbers; found `1,2`"),
        (
            [*HEADER, "1 nan", *ROWS[1:], "}"],
            "face.pts:4: expected numbers between -1e9 and 1e9; found `1 nan`",
        ),
        (
            ["-inf 1", *ROWS[1:]],
            "face.pts:1: expected numbers between -1e9 and 1e9; found `-inf 1`",
        ),
        (["1 1e300", *ROWS[1:]], "face.pts:1: expected numbers between -1e9 and 1e9"),
        (["1 1.1e9", *ROWS[1:]], "face.pts:1: expected numbers between -1e9 and 1e9"),
    ],
)
def test_bad_files(tmp_path, lines, message):
    path = written(tmp_path, lines)
    with pytest.raises(InputError) as caught:
        read_pts(path)
    assert str(caught.value).startswith(f"{tmp_path}/{message}")


def test_bytes_that_are_no_text(tmp_path):
    path = tmp_path / "face.pts"
    path.write_bytes(bytes(range(128, 256)) * 100)
    with pytest.raises(InputError, match="face.pts:1: expected two numbers") as caught:
        read_pts(path)
    assert len(str(caught.value)) < len(str(path)) + 100


def test_no_file(tmp_path):
    for path, what in (
        (tmp_path / "none.pts", "no such file"),
        (tmp_path, "a folder, not a file"),
    ):
        with pytest.raises(InputError) as caught:
            read_pts(path)
        assert str(caught.value) == f"{path}: {what}"


@pytest.mark.parametrize(
    "names, expected",
    [
        (["a.jpg"], "a.jpg"),
        (["a.png"], "a.png"),
        (["a.png", "a.jpg"], "a.jpg"),
        (["a.png", "a.JPG"], "a.JPG"),
        (["a.PNG", "a.Jpeg"], "a.Jpeg"),
        (["a.PNG", "ab.jpg", "A.jpg"], "a.PNG"),
        (["a.jpe"], "a.jpe"),
        (["a.txt", "a.TIFF"], "a.TIFF"),
    ],
)
def test_find_image(tmp_path, names, expected):
    for name in names:
        (tmp_path / name).touch()
    if len({name.lower() for name in names}) < len(list(tmp_path.iterdir())):
        pytest.skip("a file system that ignores case")
    assert find_image(tmp_path / "a.pts") == tmp_path / expected


def test_find_image_with_dots_in_the_name(tmp_path):
    (tmp_path / "a.b.png").touch()
    (tmp_path / "a.jpg").touch()
    assert find_image(str(tmp_path / "a.b.pts")) == tmp_path / "a.b.png"


def test_find_image_finds_none(tmp_path):
    (tmp_path / "a.txt").touch()
    (tmp_path / "a.jpg").mkdir()
    for path in (tmp_path / "a.pts", tmp_path / "none" / "a.pts"):
        with pytest.raises(InputError) as caught:
            find_image(path)
        expected = f"{path}: no photograph beside it (expected a.jpg or .png)"
        assert str(caught.value) == expected


def test_list_pts(tmp_path):
    for name in ("b.pts", "a.PTS", "._a.pts", "a.jpg"):
        (tmp_path / name).write_text("")
    assert [path.name for path in list_pts(tmp_path)] == ["a.PTS", "b.pts"]
    assert list_pts(tmp_path / "none") == []


def test_images_alone(tmp_path):
    for name in ("a.pts", "a.jpg", "b.avif", "._b.jpg", "c.txt"):
        (tmp_path / name).write_text("")
    found = images_alone(tmp_path)
    assert found == [f"{tmp_path / 'b.avif'}: no .pts file beside this photograph"]
    assert images_alone(tmp_path / "none") == []
