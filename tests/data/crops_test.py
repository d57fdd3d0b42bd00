import dataclasses

import numpy as np
import pytest

from rcn_keras.data.crops import load_crops
from rcn_keras.data.mtfl import read_mtfl
from rcn_keras.errors import InputError
from rcn_keras.faces import boxes
from rcn_keras.faces.crop import crop_square, to_photograph
from rcn_keras.faces.images import read_image


def test_arrays(crops, mtfl_folder):
    faces = read_mtfl(mtfl_folder, "training")
    assert len(crops) == 24 and crops.failures == []
    assert crops.images.shape == (24, 160, 160, 1) and crops.images.dtype == np.uint8
    assert crops.keypoints.shape == (24, 5, 2)
    assert crops.squares.shape == crops.outer.shape == (24, 3)
    for array in (crops.keypoints, crops.squares, crops.outer):
        assert array.dtype == "float32"
    back = to_photograph(crops.keypoints, crops.outer, 160)
    np.testing.assert_allclose(back, [face.keypoints for face in faces], atol=1e-3)
    for n in (0, 23):  # In the order of the list.
        image = read_image(faces[n].image)
        outer, inner = boxes.training_squares(faces[n].keypoints, *image.shape[1::-1])
        np.testing.assert_array_equal(crops.outer[n], outer)
        np.testing.assert_array_equal(crops.squares[n], inner)
        np.testing.assert_array_equal(
            crops.images[n, :, :, 0], crop_square(image, outer)
        )
        assert crops.faces[n].image == faces[n].image


def test_take(crops):
    some = crops.take([5, 2])
    assert len(some) == 2 and [f.source for f in some.faces] == [
        crops.faces[5].source,
        crops.faces[2].source,
    ]
    for name in ("images", "keypoints", "squares", "outer"):
        taken, whole = getattr(some, name), getattr(crops, name)
        np.testing.assert_array_equal(taken, whole[[5, 2]])


def test_bad_images_are_told_of_and_the_others_kept(mtfl_folder, tmp_path):
    faces = read_mtfl(mtfl_folder, "testing")
    cut = tmp_path / "cut.jpg"
    cut.write_bytes(faces[1].image.read_bytes()[:-500])
    faces[1] = dataclasses.replace(faces[1], image=cut)
    faces[3] = dataclasses.replace(faces[3], image=tmp_path / "gone.jpg")
    faces[4] = dataclasses.replace(faces[4], keypoints=np.full((5, 2), 30.0))
    progress = []
    crops = load_crops(faces, lambda done, total: progress.append((done, total)))
    assert len(crops) == 3 and len(crops.images) == len(crops.outer) == 3
    assert [f.source for f in crops.faces] == [faces[n].source for n in (0, 2, 5)]
    told = zip(crops.failures, (faces[1], faces[3], faces[4]))
    assert all(failure.startswith(f"{face.source}: ") for failure, face in told)
    assert f"{cut}: damaged image" in crops.failures[0]
    assert crops.failures[1].endswith("gone.jpg: no such file")
    assert "no square" in crops.failures[2]
    assert progress == [(done, 6) for done in range(1, 7)]


def test_no_face_at_all(mtfl_folder, tmp_path):
    (face, *_) = read_mtfl(mtfl_folder, "testing")
    gone = dataclasses.replace(face, image=tmp_path / "gone.jpg")
    with pytest.raises(InputError, match="no face .* the first: .*gone.jpg: no such"):
        load_crops([gone, gone])
    with pytest.raises(InputError, match="no face"):
        load_crops([])
