import shutil

import pytest

from rcn_keras.data.sets import full_name, load_test_set, load_training
from rcn_keras.data.synthetic import write_300w, write_mtfl
from rcn_keras.errors import InputError


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
    assert full_name(tmp_path, "afw") == "AFW-337 (derived)"
    assert full_name(mtfl_folder, "aflw") == "AFLW"
    assert len(crops.failures) == 1 and broken.name in crops.failures[0]


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
