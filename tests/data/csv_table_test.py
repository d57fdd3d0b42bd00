import numpy as np
import pytest

from rcn_keras.data.keypoint_files import read_annotations
from rcn_keras.data.points_file import RANGE
from rcn_keras.errors import InputError

HEADER = "image,x0,y0,x1,y1,left_eye_x,left_eye_y,right_eye_x,right_eye_y"
ROW = "a.jpg,10,20,110.5,140,30,40,70.25,41"


def written(folder, *lines, end="\n", encoding="utf-8"):
    """A table beside the pictures that it names."""
    for name in ("a.jpg", "b.jpg"):
        (folder / name).touch()
    path = folder / "points.csv"
    path.write_bytes(end.join([*lines, ""]).encode(encoding))
    return path


def test_a_row_is_an_instance_with_its_box_and_keypoints(tmp_path):
    path = written(tmp_path, HEADER, ROW, "b.jpg,,,,,1,2,3,4")
    annotations = read_annotations(path)
    first, second = annotations.faces
    assert first.image == tmp_path / "a.jpg" and first.source == f"{path}:2"
    np.testing.assert_array_equal(first.keypoints, [[30, 40], [70.25, 41]])
    assert first.keypoints.dtype == np.float32
    assert first.attributes == {"box": (10, 20, 110.5, 140)}
    assert second.attributes == {} and annotations.failures == []


def test_the_layout_comes_from_the_columns(tmp_path):
    layout = read_annotations(written(tmp_path, HEADER, ROW)).layout
    assert layout.name == "points" and layout.names == ("left_eye", "right_eye")
    assert layout.mirror_pairs == ((0, 1),) and layout.normalizer == "box"


def test_columns_may_be_in_any_order_and_further_ones_are_reported(tmp_path):
    path = written(tmp_path, "who, tip_y, image, tip_x,", "me, 4, a.jpg, 3,")
    annotations = read_annotations(path)
    np.testing.assert_array_equal(annotations.faces[0].keypoints, [[3, 4]])
    assert annotations.failures == [f"{path}:1, column who: not a column that is used"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\n\n"])
def test_marks_and_line_ends_of_other_systems_are_read(tmp_path, encoding, end):
    (tmp_path / "größe.jpg").touch()
    path = written(
        tmp_path, "image,ö_x,ö_y", "größe.jpg,1,2", end=end, encoding=encoding
    )
    annotations = read_annotations(path)
    assert annotations.layout.names == ("ö",) and annotations.failures == []
    np.testing.assert_array_equal(annotations.faces[0].keypoints, [[1, 2]])


@pytest.mark.parametrize(
    "coordinates, shift",
    [(None, 0), ("continuous", 0), ("pixel-centers", 0.5), ("one-based", -0.5)],
)
def test_coordinates_and_boxes_follow_the_named_convention(
    tmp_path, coordinates, shift
):
    path = written(tmp_path, HEADER, ROW)
    face = read_annotations(path, coordinates=coordinates).faces[0]
    np.testing.assert_array_equal(
        face.keypoints, np.array([[30, 40], [70.25, 41]]) + shift
    )
    assert face.attributes["box"][:2] == (10 + shift, 20 + shift)


def test_an_unknown_convention_is_an_error(tmp_path):
    path = written(tmp_path, HEADER, ROW)
    with pytest.raises(ValueError, match="one of continuous, .* Received: .*'matlab'"):
        read_annotations(path, coordinates="matlab")


def test_pictures_are_looked_for_in_the_folder_that_is_given(tmp_path):
    path = written(tmp_path, HEADER, ROW)
    folder = tmp_path / "pictures"
    with pytest.raises(InputError, match="pictures: no such folder"):
        read_annotations(path, images=folder)
    folder.mkdir()
    (folder / "a.jpg").touch()
    assert read_annotations(path, images=folder).faces[0].image == folder / "a.jpg"


def test_a_picture_may_be_named_twice(tmp_path):
    faces = read_annotations(written(tmp_path, HEADER, ROW, ROW)).faces
    assert faces[0].image == faces[1].image and faces[1].source.endswith(":3")


def test_points_outside_the_picture_are_kept(tmp_path):
    path = written(tmp_path, "image,tip_x,tip_y", "a.jpg,-30,99999")
    annotations = read_annotations(path)
    np.testing.assert_array_equal(annotations.faces[0].keypoints, [[-30, 99999]])
    assert annotations.failures == []


def test_empty_cells_are_unknown_keypoints(tmp_path):
    path = written(tmp_path, HEADER, "a.jpg,,,,,,,7,8", "a.jpg,,,,,nan,NaN,7,8")
    annotations = read_annotations(path)
    for face in annotations.faces:
        np.testing.assert_array_equal(face.keypoints, [[np.nan] * 2, [7, 8]])
    assert annotations.failures == []


@pytest.mark.parametrize(
    "row, failures",
    [
        (
            "a.jpg,,,,,3O,40,7,8",
            [f", column left_eye_x: expected a number {RANGE}; found '3O'"],
        ),
        (
            "a.jpg,,,,,inf,40,7,8",
            [f", column left_eye_x: expected a number {RANGE}; found 'inf'"],
        ),
        (
            'a.jpg,,,,,"3,5",40,7,8',
            [f", column left_eye_x: expected a number {RANGE}; found '3,5'"],
        ),
        (
            "a.jpg,,,,,30,1e300,7,8",
            [f", column left_eye_y: expected a number {RANGE}; found '1e300'"],
        ),
        (
            "a.jpg,,,,,30,,7,8",
            [
                ", column left_eye_y: expected a number, as the other coordinate has "
                "one; found none"
            ],
        ),
    ],
)
def test_a_bad_number_makes_one_keypoint_unknown(tmp_path, row, failures):
    path = written(tmp_path, HEADER, row)
    annotations = read_annotations(path)
    np.testing.assert_array_equal(
        annotations.faces[0].keypoints, [[np.nan] * 2, [7, 8]]
    )
    assert annotations.failures == [f"{path}:2{failure}" for failure in failures]


@pytest.mark.parametrize(
    "box, failure",
    [
        (
            "5,5,5,9",
            ": expected a box with x0 < x1 and y0 < y1; found 5, 5, 5, 9; the "
            "instance is used without it",
        ),
        (
            "5,5,4,9",
            ": expected a box with x0 < x1 and y0 < y1; found 5, 5, 4, 9; the "
            "instance is used without it",
        ),
        ("5,5,,9", f", column x1: expected a number {RANGE}; found ''"),
        (
            "5,5,inf,9",
            f", column x1: expected a number {RANGE}; found 'inf'",
        ),
    ],
)
def test_a_bad_box_is_left_out(tmp_path, box, failure):
    path = written(tmp_path, HEADER, f"a.jpg,{box},1,2,3,4")
    annotations = read_annotations(path)
    assert annotations.faces[0].attributes == {}
    assert annotations.failures == [f"{path}:2{failure}"]


def test_rows_that_cannot_be_used_are_reported_and_the_rest_is_used(tmp_path):
    path = written(
        tmp_path,
        HEADER,
        "none.jpg,,,,,1,2,3,4",
        ",,,,,1,2,3,4",
        "a.jpg,1,2,3",
        ROW + ",5",
        "a.jpg,,,,,,,,",
        ROW,
    )
    annotations = read_annotations(path)
    assert [face.source for face in annotations.faces] == [f"{path}:7"]
    assert annotations.failures == [
        f"{path}:2: no picture 'none.jpg' in {tmp_path}",
        f"{path}:3: expected the name of a picture; found ''",
        f"{path}:4: expected 9 cells; found 4",
        f"{path}:5: expected 9 cells; found 10",
        f"{path}: 1 without a known keypoint, left out; the first: {path}:6",
    ]


@pytest.mark.parametrize(
    "lines, message",
    [
        (
            [],
            ":1: expected a header with the columns image, NAME_x, NAME_y, ...; found "
            "''",
        ),
        (
            [ROW, ROW],
            ":1: expected a header with the columns image, NAME_x, NAME_y, ...; found "
            "'a.jpg,10,20,",
        ),
        (
            ["image;a_x;a_y", "a.jpg;1,5;2"],
            ":1: expected commas between the columns; found `image;a_x;a_y`. Save",
        ),
        (
            ["image\ta_x\ta_y"],
            ":1: expected commas between the columns; found `image\ta_x\ta_y`. Save",
        ),
        (
            ["image,x,y"],
            ":1: expected columns NAME_x and NAME_y of at least one keypoint; found "
            "'image,x,y'",
        ),
        (
            ["image,a_x,a_y,b_x"],
            ":1: expected also the columns b_y; without them keypoints or boxes are "
            "incomplete",
        ),
        (
            ["image,a_x,a_y,x0,y0"],
            ":1: expected also the columns x1, y1; without them keypoints or boxes",
        ),
        (["image,a_x,a_y,a_x"], ":1: expected different columns; found twice: ['a_x']"),
        ([HEADER], ": no instance can be used: the file lists none"),
        (
            [HEADER, "none.jpg,,,,,1,2,3,4"],
            ": no instance can be used: {path}:2: no picture 'none.jpg'",
        ),
        (
            [HEADER, '"a.jpg,,,,,1,2,3,4', ROW],
            ":3: expected comma-separated values; unexpected end of data",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_one_error(tmp_path, lines, message):
    path = written(tmp_path, *lines)
    with pytest.raises(InputError) as caught:
        read_annotations(path)
    assert str(caught.value).startswith(f"{path}{message.replace('{path}', str(path))}")
