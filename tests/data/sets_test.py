import pathlib
import shutil

import numpy as np
import pytest

from rcn_keras.data.calibration import calibration_crops
from rcn_keras.data.sets import full_name, load_test_set, load_training
from rcn_keras.data.synthetic import write_300w, write_mtfl
from rcn_keras.errors import InputError
from rcn_keras.layout import FACE_68, KeypointLayout


def test_training_and_validation_share_the_list(mtfl_folder):
    training, validation = load_training(mtfl_folder)
    assert (len(training), len(validation)) == (22, 2)
    names = {face.image for face in training.faces}
    assert not names & {face.image for face in validation.faces}
    again = load_test_set(mtfl_folder, "validation")
    assert [face.image for face in again.faces] == [
        face.image for face in validation.faces
    ]


def test_test_sets_tell_of_failures(mtfl_folder, tmp_path):
    assert len(load_test_set(mtfl_folder, "aflw")) == 6
    write_300w(tmp_path, per_set=3)
    broken = sorted((tmp_path / "afw").glob("*.pts"))[0]
    broken.write_text("no points")
    crops = load_test_set(tmp_path, "afw")
    assert len(crops) == 2
    assert full_name(tmp_path, "afw", crops) == "AFW-337 (derived)"
    assert full_name(mtfl_folder, "aflw", crops) == "AFLW"
    assert len(crops.failures) == 1 and broken.name in crops.failures[0]


def test_300w_training(three_hundred_w_folder):
    training, validation = load_training(three_hundred_w_folder, layout=FACE_68)
    assert (len(training), len(validation)) == (11, 1)
    assert not training.failures and training.keypoints.shape == (11, 68, 2)
    # The last of the permutation of afw, helen/trainset and lfpw/trainset.
    last = np.random.RandomState(7345).permutation(12)[-1]
    subset = ["afw", "helen/trainset", "lfpw/trainset"][last // 4]
    (face,) = validation.faces
    assert face.attributes == {"subset": subset}
    assert face.image.name == f"image_{last % 4:04d}.jpg"
    again = load_test_set(three_hundred_w_folder, "validation", layout=FACE_68)
    assert [other.image for other in again.faces] == [face.image]
    folder = three_hundred_w_folder
    assert full_name(folder, "validation", again) == "300-W validation"


def test_bad_file_of_300w_moves_no_face_across_the_split(
    three_hundred_w_folder, tmp_path
):
    folder = tmp_path / "300w"
    shutil.copytree(three_hundred_w_folder, folder)
    before = load_test_set(folder, "validation", layout=FACE_68)
    training, _ = load_training(folder, layout=FACE_68)
    points, photograph = training.faces[2].source, training.faces[5].image
    pathlib.Path(points).write_text("no points")
    photograph.unlink()
    training, validation = load_training(folder, layout=FACE_68)
    assert len(training) == 9 and len(training.failures) == 2
    assert points in training.failures[0]
    assert photograph.stem in training.failures[1]
    images = [face.image for face in validation.faces]
    assert images == [face.image for face in before.faces] and not validation.failures


def test_300w_test_faces(three_hundred_w_folder, tmp_path):
    crops = load_test_set(three_hundred_w_folder, "300w")
    subsets = [face.attributes["subset"] for face in crops.faces]
    assert subsets == ["helen/testset"] * 4 + ["lfpw/testset"] * 4 + ["ibug"] * 4
    name = full_name(three_hundred_w_folder, "300w", crops)
    assert name == "300-W (12 of 689 official test faces)"
    folder = tmp_path / "300w"
    shutil.copytree(three_hundred_w_folder, folder)
    shutil.rmtree(folder / "ibug")
    with pytest.raises(InputError, match="ibug: no such folder.*--allow-missing"):
        load_test_set(folder, "300w")
    crops = load_test_set(folder, "300w", allow_missing=True)
    assert len(crops) == 8 and "ibug" in crops.failures[0]
    assert full_name(folder, "300w", crops) == "300-W (8 of 689 official test faces)"
    shutil.rmtree(folder / "afw")
    with pytest.raises(InputError, match="afw: no such folder"):
        load_training(folder, layout=FACE_68)
    with pytest.raises(InputError, match="8 training faces; .* take at least 10"):
        load_training(folder, layout=FACE_68, allow_missing=True)


def test_no_such_set(tmp_path):
    with pytest.raises(ValueError, match="must be one of"):
        load_test_set(tmp_path, "lfw")


def test_missing_image_moves_no_face_across_the_split(mtfl_folder, tmp_path):
    folder = tmp_path / "mtfl"
    shutil.copytree(mtfl_folder, folder)
    before = load_test_set(folder, "validation")
    lost = load_training(folder)[0].faces[3].image
    lost.unlink()
    training, validation = load_training(folder)
    assert len(training) == 21 and lost.name in training.failures[0]
    images = [face.image for face in validation.faces]
    assert images == [face.image for face in before.faces] and not validation.failures


def test_too_few_faces_for_a_split(tmp_path):
    write_mtfl(tmp_path, training=4, testing=1, size=100)
    with pytest.raises(InputError, match="take at least 10"):
        load_training(tmp_path)


@pytest.mark.parametrize("load", [load_training, calibration_crops])
def test_a_layout_that_neither_set_has(mtfl_folder, load):
    layout = KeypointLayout("cats", ("nose", "tail"))
    with pytest.raises(InputError, match="the layout 'cats' are read from a file"):
        load(mtfl_folder, layout=layout)
