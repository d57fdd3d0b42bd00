import pytest

from rcn_keras.data.sets import full_name, load_test_set, load_training
from rcn_keras.data.synthetic import write_300w


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
