import dataclasses

import numpy as np
import pytest
from PIL import Image

from rcn_keras.data.annotations import Face
from rcn_keras.data.batches import input_images
from rcn_keras.data.crops import load_crops
from rcn_keras.data.mtfl import read_mtfl
from rcn_keras.data.three_hundred_w import read_300w
from rcn_keras.errors import InputError
from rcn_keras.faces import boxes
from rcn_keras.faces.border import LEFT, border_flags
from rcn_keras.faces.crop import crop_square, to_photograph
from rcn_keras.faces.images import read_image
from rcn_keras.layout import FACE_5, FACE_68, KeypointLayout


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
        outer, inner = boxes.training_squares(
            faces[n].keypoints, FACE_5, *image.shape[1::-1]
        )
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
    for name in ("images", "keypoints", "squares", "outer", "picture", "border"):
        taken, whole = getattr(some, name), getattr(crops, name)
        np.testing.assert_array_equal(taken, whole[[5, 2]])


def test_5_keypoints_have_no_border(crops):
    assert crops.border.shape == (24, 5) and not crops.border.any()
    without = crops.without_border_keypoints()
    np.testing.assert_array_equal(without.keypoints, crops.keypoints)


def cut(face, path, left=0, top=0, right=0, bottom=0):
    """The face with so many pixels cut off its photograph; points end at the edges."""
    image = read_image(face.image)
    height, width = image.shape[:2]
    image = image[top : height - bottom, left : width - right]
    Image.fromarray(image).save(path)
    size = np.float32(image.shape[1::-1])
    keypoints = np.clip(face.keypoints - np.float32([left, top]), 0, size)
    return dataclasses.replace(face, image=path, keypoints=keypoints)


def test_68_keypoints(three_hundred_w_folder, tmp_path):
    whole, *_ = read_300w(three_hundred_w_folder, ["afw"])
    left, bottom = whole.keypoints[:, 0].min(), whole.keypoints[:, 1].max()
    height = len(read_image(whole.image))
    faces = [
        whole,
        cut(whole, tmp_path / "left.png", left=int(left) + 20),
        cut(whole, tmp_path / "low.png", bottom=int(height - bottom) + 15),
    ]
    crops = load_crops(faces, FACE_68)
    assert crops.failures == [] and crops.keypoints.shape == (3, 68, 2)
    assert crops.border.shape == (3, 68) and crops.border.dtype == "uint8"
    assert crops.picture.shape == (3, 2, 2) and crops.picture.dtype == "float32"
    for n, face in enumerate(faces):
        image = read_image(face.image)
        size = image.shape[1::-1]
        outer, inner = boxes.training_squares(face.keypoints, FACE_68, *size)
        np.testing.assert_array_equal(crops.outer[n], outer)
        np.testing.assert_array_equal(crops.squares[n], inner)
        flags = border_flags(face.keypoints, FACE_68, *size)
        np.testing.assert_array_equal(crops.border[n], flags)
        corners = to_photograph(crops.picture, crops.outer, 160)[n]
        np.testing.assert_allclose(corners, [[0, 0], size], atol=1e-3)
        # Black beyond the photograph, and nowhere all over inside it.
        (x0, y0), (x1, y1) = np.clip(np.rint(crops.picture[n]), 0, 160).astype(int)
        pixels = crops.images[n, :, :, 0]
        assert pixels[y0:y1, x0:x1].any(0).all() and pixels[y0:y1, x0:x1].any(1).all()
        outside = np.ones((160, 160), bool)
        outside[y0:y1, x0:x1] = False
        assert not pixels[outside].any()
    assert crops.picture[1, 0, 0] > 10 and set(crops.border[1]) >= {0, 1}
    assert crops.picture[2, 1, 1] < 150 and set(crops.border[2]) >= {0, 8}
    without = crops.take([2, 1]).without_border_keypoints()
    unknown = np.isnan(without.keypoints)
    np.testing.assert_array_equal(unknown[..., 0], crops.border[[2, 1]] > 0)
    np.testing.assert_array_equal(unknown[..., 0], unknown[..., 1])
    known = crops.keypoints[[2, 1]]
    np.testing.assert_array_equal(without.keypoints[~unknown], known[~unknown])
    assert without.keypoints.dtype == "float32" and np.isfinite(crops.keypoints).all()


def test_a_point_far_outside_its_photograph(three_hundred_w_folder):
    faces = read_300w(three_hundred_w_folder, ["ibug"])
    far = faces[1].keypoints.copy()
    far[60] = [1e6, 20]
    faces[1] = dataclasses.replace(faces[1], keypoints=far)
    crops = load_crops(faces, FACE_68)
    assert len(crops) == 3
    (failure,) = crops.failures
    assert failure.startswith(f"{faces[1].source}: keypoints far outside the picture")


def test_bad_images_are_reported_and_the_others_kept(mtfl_folder, tmp_path):
    faces = read_mtfl(mtfl_folder, "testing")
    cut = tmp_path / "cut.jpg"
    cut.write_bytes(faces[1].image.read_bytes()[:-500])
    faces[1] = dataclasses.replace(faces[1], image=cut)
    faces[3] = dataclasses.replace(faces[3], image=tmp_path / "gone.jpg")
    faces[4] = dataclasses.replace(faces[4], keypoints=np.full((5, 2), 30.0))
    progress = []
    crops = load_crops(
        faces, FACE_5, lambda done, total: progress.append((done, total))
    )
    assert len(crops) == 3 and len(crops.images) == len(crops.outer) == 3
    assert [f.source for f in crops.faces] == [faces[n].source for n in (0, 2, 5)]
    pairs = zip(crops.failures, (faces[1], faces[3], faces[4]))
    assert all(failure.startswith(f"{face.source}: ") for failure, face in pairs)
    assert f"{cut}: damaged image" in crops.failures[0]
    assert crops.failures[1].endswith("gone.jpg: no such file")
    assert "measured in units of 0.00 pixels" in crops.failures[2]
    assert progress == [(done, 6) for done in range(1, 7)]


def test_no_face_at_all(mtfl_folder, tmp_path):
    (face, *_) = read_mtfl(mtfl_folder, "testing")
    gone = dataclasses.replace(face, image=tmp_path / "gone.jpg")
    with pytest.raises(InputError, match="no face .* the first: .*gone.jpg: no such"):
        load_crops([gone, gone], FACE_5)
    with pytest.raises(InputError, match="no face"):
        load_crops([], FACE_5)


def quadrilateral(tmp_path, normalizer="box"):
    """A layout of 4 points, and three instances of it in a picture of 90 x 80."""
    names = ("nw", "ne", "se", "sw")
    layout = KeypointLayout("quadrilateral", names, normalizer=normalizer)
    path = tmp_path / "picture.png"
    Image.new("L", (90, 80), "gray").save(path)
    points = np.array([[20, 20], [60, 24], [64, 66], [18, 60]], "float32")
    faces = [Face(path, points.copy(), f"points.csv:{row}") for row in (2, 3, 4)]
    faces[1].keypoints[2] = np.nan
    faces[2].keypoints[[0, 2]] = np.nan
    return layout, faces


def test_unknown_keypoints_are_nan_and_do_not_count(tmp_path):
    layout, faces = quadrilateral(tmp_path, ((0,), (1,)))
    crops = load_crops(faces, layout, border=False)
    assert crops.failures == [] and not crops.border.any()
    unknown = np.isnan([face.keypoints for face in faces])
    np.testing.assert_array_equal(np.isnan(crops.keypoints), unknown)
    back = to_photograph(crops.keypoints, crops.outer, 160)
    np.testing.assert_allclose(back, [face.keypoints for face in faces], atol=1e-3)
    # Of the last one the normalizer is unknown: it is there, and counts nowhere.
    expected = [[True] * 4, [True, True, False, True], [False] * 4]
    np.testing.assert_array_equal(crops.counted(), expected)
    # Over the box around the known points each known one counts.
    layout, faces = quadrilateral(tmp_path)
    counted = load_crops(faces, layout, border=False).counted()
    np.testing.assert_array_equal(counted, ~unknown[..., 0])


def test_a_point_at_the_edge_is_flagged_where_annotators_put_such_points_there(
    tmp_path,
):
    layout, (face, *_) = quadrilateral(tmp_path)
    face.keypoints[0] = [2, 20]
    assert not load_crops([face], layout, border=False).border.any()
    crops = load_crops([face], layout)
    assert crops.border[0].tolist() == [LEFT, 0, 0, 0]
    assert not crops.counted()[0, 0] and crops.counted()[0, 1:].all()


def test_the_square_is_that_of_the_box_that_the_file_gives(tmp_path):
    layout, (face, *_) = quadrilateral(tmp_path)
    box = (5.0, 8.0, 75.0, 78.0)
    boxed = dataclasses.replace(face, attributes={"box": box})
    wrong = dataclasses.replace(face, attributes={"box": (200, 0, 300, 90)})
    crops = load_crops([face, boxed, wrong], layout)
    outer, inner = boxes.training_squares(face.keypoints, layout, 90, 80, box)
    np.testing.assert_array_equal(crops.outer[1], outer)
    np.testing.assert_array_equal(crops.squares[1], inner)
    assert crops.outer[0, 2] < crops.outer[1, 2]
    (failure,) = crops.failures
    assert "lies outside the picture of 90x80 pixels" in failure


def test_the_stored_crop_is_twice_the_input(mtfl_folder):
    faces = read_mtfl(mtfl_folder, "testing")
    paper = load_crops(faces, FACE_5)
    fine = load_crops(faces, FACE_5, input_size=160)
    assert (paper.input_size, fine.input_size) == (80, 160)
    assert fine.images.shape[1:] == (320, 320, 1)
    np.testing.assert_array_equal(fine.outer, paper.outer)
    np.testing.assert_allclose(fine.squares, 2 * paper.squares)
    np.testing.assert_allclose(fine.keypoints, 2 * paper.keypoints, rtol=1e-5)
    # The inputs too: the same face, twice as fine.
    images, points = input_images(paper)
    fine_images, fine_points = input_images(fine)
    np.testing.assert_allclose(fine_points, 2 * points, atol=1e-2)
    halves = fine_images[..., 0].reshape(-1, 80, 2, 80, 2).mean(axis=(2, 4))
    assert np.abs(halves - images[..., 0]).mean() < 2
