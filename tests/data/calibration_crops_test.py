import dataclasses

import cv2
import numpy as np
import pytest

from rcn_keras.data.calibration import calibration_crops
from rcn_keras.data.own import load_own_training, read_own
from rcn_keras.data.packed import pack
from rcn_keras.data.sets import load_training
from rcn_keras.errors import InputError
from rcn_keras.layout import FACE_5


def write_points(folder, count):
    """A table of two points on each of `count` grey pictures, the last one missing."""
    lines = ["image,head_x,head_y,tail_x,tail_y"]
    for number in range(count):
        lines.append(f"{number}.png,{20 + number},30,70,{40 + number}")
        if number < count - 1:
            picture = np.full((100, 100), 8 * number, "uint8")
            cv2.imwrite(str(folder / f"{number}.png"), picture)
    path = folder / "points.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_crops_of_a_file_are_its_training_part(tmp_path):
    path = write_points(tmp_path, 21)
    annotations = read_own(path)
    training, _ = load_own_training(annotations, path, input_size=48)
    crops = calibration_crops(path, annotations.layout, input_size=48)
    assert np.array_equal(crops.images, training.images)
    assert crops.input_size == 48 and len(crops) == 18
    assert len(crops.failures) == 1 and "20.png" in crops.failures[0]


def test_a_file_of_other_keypoints(tmp_path):
    path = write_points(tmp_path, 12)
    layout = dataclasses.replace(read_own(path).layout, names=("head", "foot"))
    with pytest.raises(InputError, match="without foot; not of the layout: tail"):
        calibration_crops(path, layout)


def test_crops_of_a_folder_and_of_what_was_packed_of_it(mtfl_folder, tmp_path):
    training, validation = load_training(mtfl_folder)
    pack(training, validation, tmp_path / "packed")
    for data in (mtfl_folder, tmp_path / "packed"):
        crops = calibration_crops(data, FACE_5)
        assert np.array_equal(crops.images, training.images)


def test_a_long_list_is_taken_from_evenly(mtfl_folder, monkeypatch):
    monkeypatch.setattr("rcn_keras.data.calibration.MOST", 8)
    every = [face.source for face in load_training(mtfl_folder)[0].faces]
    crops = calibration_crops(mtfl_folder, FACE_5)
    assert [face.source for face in crops.faces] == every[::3]
