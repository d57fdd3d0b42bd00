import numpy as np
import pytest

from rcn_keras.data.keypoint_files import read_annotations
from rcn_keras.data.points_file import RANGE
from rcn_keras.errors import InputError

SINGLE = """\
scorer,,,jane,jane,jane,jane
bodyparts,,,left_ear,left_ear,tail,tail
coords,,,x,y,x,y
labeled-data,walk,img01.png,10.5,20,30,40
labeled-data,walk,img02.png,,,31,41
"""
OLDER = SINGLE.replace(",,,jane", ",jane").replace(",,,left", ",left")
OLDER = OLDER.replace(",,,x", ",x").replace("labeled-data,walk,", "labeled-data/walk/")
ANIMALS = """\
scorer,,,jane,jane,jane,jane,jane,jane,jane,jane,jane,jane
individuals,,,m1,m1,m1,m1,m2,m2,m2,m2,single,single
bodyparts,,,ear,ear,tail,tail,ear,ear,tail,tail,door,door
coords,,,x,y,x,y,x,y,x,y,x,y
labeled-data,walk,img01.png,1,2,3,4,5,6,7,8,9,9
labeled-data,walk,img02.png,1,2,,,,,,,9,9
"""


def written(folder, text):
    """A file where DeepLabCut puts it: beside the frames, in a project."""
    folder = folder / "labeled-data" / "walk"
    folder.mkdir(parents=True)
    for name in ("img01.png", "img02.png"):
        (folder / name).touch()
    path = folder / "CollectedData_jane.csv"
    path.write_text(text, newline="")
    return path


@pytest.mark.parametrize("text", [SINGLE, OLDER, OLDER.replace("/", "\\")])
@pytest.mark.parametrize("images", [None, "labeled-data", "."])
def test_three_header_rows_and_the_picture_in_one_or_three_columns(
    tmp_path, text, images
):
    path = written(tmp_path, text)
    images = None if images is None else tmp_path / images
    annotations = read_annotations(path, images)
    assert annotations.layout.names == ("left_ear", "tail")
    assert [face.image.resolve() for face in annotations.faces] == [
        path.parent / "img01.png",
        path.parent / "img02.png",
    ]
    first, second = [face.keypoints for face in annotations.faces]
    np.testing.assert_array_equal(first, [[11, 20.5], [30.5, 40.5]])
    np.testing.assert_array_equal(second, [[np.nan, np.nan], [31.5, 41.5]])
    assert annotations.faces[0].source == f"{path}:4" and annotations.failures == []


def test_four_header_rows_give_an_instance_for_each_individual_seen(tmp_path):
    path = written(tmp_path, ANIMALS)
    annotations = read_annotations(path, coordinates="continuous")
    assert [face.source for face in annotations.faces] == [
        f"{path}:5 (m1)",
        f"{path}:5 (m2)",
        f"{path}:6 (m1)",
    ]
    np.testing.assert_array_equal(annotations.faces[1].keypoints, [[5, 6], [7, 8]])
    assert annotations.failures == [
        f"{path}, individual single: not used, as it has other body parts: door"
    ]


def test_likelihoods_are_not_used(tmp_path):
    text = "scorer,n,n,n\nbodyparts,a,a,a\ncoords,x,y,likelihood\nimg01.png,1,2,0.9\n"
    face = read_annotations(written(tmp_path, text)).faces[0]
    np.testing.assert_array_equal(face.keypoints, [[1.5, 2.5]])


def test_a_bad_number_and_a_short_row_are_reported(tmp_path):
    text = SINGLE.replace("10.5", "1o.5") + "labeled-data,walk,img02.png,1\n"
    path = written(tmp_path, text)
    assert read_annotations(path).failures == [
        f"{path}:4, left_ear x: expected a number {RANGE}; found '1o.5'",
        f"{path}:6: expected 7 cells; found 4",
    ]


@pytest.mark.parametrize(
    "old, new, message",
    [
        (
            "coords,,,x,y,x,y\n",
            "",
            "expected DeepLabCut's header, rows of one length that start with scorer",
        ),
        ("coords,,,x,y,x,y", "coords,,,x,y", "expected DeepLabCut's header"),
        (
            "coords,,,x,y,x,y",
            "coords,,,x,y,x,x",
            "expected different columns; found twice: tail x",
        ),
        (
            "coords,,,x,y,x,y",
            "coords,,,x,y,x,z",
            "expected columns x and y of tail; found x, z",
        ),
        (
            "labeled-data,walk,img0",
            "labeled-data,walk,frame0",
            "no instance can be used: {path}:4: no picture",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_one_error(tmp_path, old, new, message):
    path = written(tmp_path, SINGLE.replace(old, new))
    with pytest.raises(InputError) as caught:
        read_annotations(path)
    assert str(caught.value).startswith(f"{path}: {message.format(path=path)}")
