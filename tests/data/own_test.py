import numpy as np
import pytest
from PIL import Image

from rcn_keras.data import own
from rcn_keras.data.sets import full_name, load_test_set
from rcn_keras.errors import InputError
from rcn_keras.layout import FACE_5, KeypointLayout

HEADER = "image,left_x,left_y,tip_x,tip_y,right_x,right_y"
ROW = "{},20,30,30,45,44,30"


def write(folder, rows=(), pictures=12, name="points.csv"):
    """A table with two instances in each picture, then the rows."""
    pictures = [f"{number:02d}.png" for number in range(pictures)]
    for picture in pictures:
        Image.new("L", (64, 60), "gray").save(folder / picture)
    lines = [ROW.format(picture) for picture in pictures for _ in range(2)]
    path = folder / name
    path.write_text("\n".join([HEADER, *lines, *rows]) + "\n")
    return path


def test_a_file_is_of_ones_own_keypoints_and_a_folder_is_not(tmp_path):
    assert own.is_own(write(tmp_path)) and not own.is_own(tmp_path)
    assert not own.is_own(tmp_path / "gone.csv")


def test_keypoints_come_in_the_order_of_the_layout(tmp_path):
    path = write(tmp_path)
    read = own.read_own(path)
    assert read.layout.names == ("left", "tip", "right")
    assert read.layout.mirror_pairs == ((0, 2),) and read.layout.normalizer == "box"
    layout = KeypointLayout("beak", ("tip", "right", "left"), normalizer=((1,), (2,)))
    ordered = own.read_own(path, layout)
    assert ordered.layout == layout
    for before, after in zip(read.faces, ordered.faces, strict=True):
        np.testing.assert_array_equal(after.keypoints, before.keypoints[[1, 2, 0]])


def test_the_normalizer_by_name(tmp_path):
    path = write(tmp_path)
    layout = own.read_own(path, normalizer="left, right").layout
    assert layout.normalizer == ((0,), (2,))
    assert layout.unit == "the distance between left and right"
    layout = own.read_own(path, layout, normalizer="box").layout
    assert layout.normalizer == "box" and "diagonal" in layout.unit
    for wrong in ("left", "left,left", "left,eye", "left,tip,right", ""):
        with pytest.raises(InputError, match="they are left, right, tip"):
            own.read_own(path, normalizer=wrong)


def test_another_layout_than_the_files_is_one_error(tmp_path):
    path = write(tmp_path)
    layout = KeypointLayout("beak", ("tip", "right", "root"))
    message = (
        "points.csv: expected the 3 keypoints of the layout 'beak'; found 3; without "
        "root; not of the layout: left$"
    )
    with pytest.raises(InputError, match=message):
        own.read_own(path, layout)


def test_a_file_called_as_a_layout_of_faces_is_not_taken_for_it(tmp_path):
    path = write(tmp_path, name=f"{FACE_5.name}.csv")
    assert own.read_own(path).layout.name == "own_mtfl5"


def test_split_by_picture_and_failures_reported_once(tmp_path):
    rows = ["gone.png,1,1,2,2,3,3", ROW.format("00.png").replace("44", "x")]
    path = write(tmp_path, rows)
    annotations = own.read_own(path)
    training, validation = own.load_own_training(annotations, path)
    assert (len(training), len(validation)) == (23, 2)
    assert not {f.image for f in training.faces} & {f.image for f in validation.faces}
    assert len(training.failures) == 2 and validation.failures == []
    assert np.isnan(training.keypoints).sum() == 2  # right_x was no number.
    again = load_test_set(path, "validation", layout=annotations.layout)
    np.testing.assert_array_equal(again.keypoints, validation.keypoints)
    assert len(again.failures) == 2
    every = load_test_set(path, "all", layout=annotations.layout)
    assert len(every) == 25
    assert full_name(path, "validation", again) == "points.csv, validation"


def test_sets_that_a_file_or_a_folder_does_not_have(tmp_path):
    path = write(tmp_path, pictures=9)
    annotations = own.read_own(path)
    with pytest.raises(InputError, match="points.csv: .*at least 10 pictures.* 9"):
        own.load_own_training(annotations, path)
    with pytest.raises(InputError, match="validation and all; aflw"):
        own.load_own_test(annotations, path, "aflw")
    with pytest.raises(InputError, match="all is that of a file"):
        load_test_set(tmp_path, "all", layout=annotations.layout)
    with pytest.raises(InputError, match="'points' are read from a file"):
        load_test_set(tmp_path, "validation", layout=annotations.layout)


def test_no_known_normalizer_in_the_validation_part_is_an_error(tmp_path):
    path = write(tmp_path)
    annotations = own.read_own(path, normalizer="left,right")
    for face in annotations.faces:
        face.keypoints[0] = np.nan
    with pytest.raises(InputError, match="normalizer are unknown .*--normalizer"):
        own.load_own_training(annotations, path)


def test_layout_of_a_file(tmp_path):
    layout = KeypointLayout("beak", ("tip", "right", "left"))
    path = tmp_path / "layout.json"
    path.write_text(layout.to_json())
    assert own.read_layout(path) == layout
    path.write_text("{}")
    with pytest.raises(InputError, match="layout.json: not a layout"):
        own.read_layout(path)
    with pytest.raises(InputError, match="gone.json: no such file"):
        own.read_layout(tmp_path / "gone.json")
