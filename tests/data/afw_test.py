import h5py
import numpy as np
import pytest
from PIL import Image

from rcn_keras.data import synthetic
from rcn_keras.data.afw import five_keypoints, read_afw, set_name
from rcn_keras.data.crops import load_crops
from rcn_keras.data.points_file import read_pts
from rcn_keras.errors import InputError
from rcn_keras.layout import FACE_5, FACE_68

# Both eyes, nose, then left corner, centre and right corner of the mouth; 1-based.
SIX = np.array([[40, 50], [80, 52], [60, 70], [45, 90], [60, 91], [75, 92]], "float64")
FIVE = SIX[[0, 1, 2, 3, 5]] - 0.5
LAYOUT = "a MATLAB v7.3 file whose cell array `anno` has a row for each image"


class Matlab:
    """Writes values as MATLAB's `save -v7.3`: transposed, cells as references."""

    def __init__(self, path):
        self.path = path
        self.file = h5py.File(path, "w", userblock_size=512)
        self.refs = self.file.create_group("#refs#")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        with self.path.open("r+b") as raw:
            raw.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")

    def array(self, value, kind="double"):
        value = np.asarray(value)
        name = f"{len(self.refs):x}"
        if value.size == 0:
            stored = self.refs.create_dataset(name, data=np.uint64(value.shape))
            stored.attrs["MATLAB_empty"] = np.uint8(1)
        else:
            stored = self.refs.create_dataset(name, data=value.T)
        stored.attrs["MATLAB_class"] = np.bytes_(kind)
        return stored.ref

    def text(self, value):
        return self.array(np.array([[ord(c) for c in value]], "uint16"), "char")

    def cells(self, rows):
        data = np.empty((len(rows), len(rows[0])), h5py.ref_dtype)
        for row, references in enumerate(rows):
            data[row] = references
        return self.array(data, "cell")

    def image(self, name, faces):
        """A row of `anno` with these landmarks, each `(6, 2)`."""
        if not len(faces):
            empty = self.array(np.empty((0, 0)), "cell")
            return [self.text(name), empty, empty, empty]
        columns = (
            [self.array([[1.0, 2.0], [3.0, 4.0]]) for _ in faces],
            [self.array([[-15.0, 0.0, 0.0]]) for _ in faces],
            [self.array(points) for points in faces],
        )
        return [self.text(name), *(self.cells([column]) for column in columns)]

    def anno(self, rows):
        self.file["anno"] = self.file[self.cells(rows)]


def write_official(path, images):
    path.parent.mkdir(exist_ok=True)
    with Matlab(path) as matlab:
        matlab.anno([matlab.image(name, faces) for name, faces in images])
    return path


def refused(folder, *parts):
    with pytest.raises(InputError) as caught:
        read_afw(folder)
    for part in parts:
        assert str(part) in str(caught.value)


def test_official_layout(tmp_path):
    images = [("1.jpg", [SIX, SIX + 100]), ("2 b.JPG", [SIX + 0.25]), ("3.jpg", [])]
    path = write_official(tmp_path / "anno.mat", images)
    faces = read_afw(tmp_path)
    assert set_name(tmp_path) == "AFW"
    assert [face.image.name for face in faces] == ["1.jpg", "1.jpg", "2 b.JPG"]
    assert [face.source for face in faces] == [
        f"{path} (1.jpg, face 1)",
        f"{path} (1.jpg, face 2)",
        f"{path} (2 b.JPG, face 1)",
    ]
    for face, shift in zip(faces, (0, 100, 0.25)):
        assert face.keypoints.dtype == np.float32
        np.testing.assert_array_equal(face.keypoints, FIVE + shift)


def test_faces_with_any_missing_landmark_are_dropped(tmp_path):
    broken = []
    for index in range(12):
        broken.append(SIX.copy())
        broken[-1].flat[index] = np.nan
    write_official(
        tmp_path / "anno.mat", [("1.jpg", [*broken, SIX]), ("2.jpg", broken)]
    )
    (face,) = read_afw(tmp_path)
    assert face.source.endswith("(1.jpg, face 13)")
    write_official(tmp_path / "anno.mat", [("2.jpg", broken)])
    refused(tmp_path, tmp_path / "anno.mat", "no face has all of its 6 landmarks")


@pytest.mark.parametrize("place", [".", "testimages"])
@pytest.mark.parametrize("images", [".", "testimages"])
def test_where_annotation_and_photographs_may_stand(tmp_path, place, images):
    write_official(tmp_path / place / "anno.mat", [("1.jpg", [SIX])])
    (tmp_path / images).mkdir(exist_ok=True)
    Image.new("L", (150, 140), 99).save(tmp_path / images / "1.jpg")
    faces = read_afw(str(tmp_path))
    assert faces[0].image == tmp_path / images / "1.jpg"
    crops = load_crops(faces, FACE_5)
    assert len(crops) == 1 and not crops.failures


def test_a_photograph_that_is_missing_fails_alone(tmp_path):
    path = write_official(tmp_path / "anno.mat", [("1.jpg", [SIX]), ("2.jpg", [SIX])])
    Image.new("L", (150, 140), 99).save(tmp_path / "2.jpg")
    crops = load_crops(read_afw(tmp_path), FACE_5)
    reason = f"{path} (1.jpg, face 1): {tmp_path / '1.jpg'}: no such file"
    assert len(crops) == 1 and crops.failures == [reason]


def test_an_annotation_of_another_kind(tmp_path):
    path = tmp_path / "anno.mat"
    for content in (b"", b"MATLAB 5.0 MAT-file".ljust(500)):
        path.write_bytes(content)
        refused(tmp_path, path, LAYOUT, "found another kind of file")


def test_an_annotation_of_another_layout(tmp_path):
    path = tmp_path / "anno.mat"
    with Matlab(path) as matlab:
        matlab.file["other"] = [1.0]
    refused(tmp_path, path, LAYOUT, "found no `anno` in it")
    with Matlab(path) as matlab:
        matlab.file["anno"] = np.eye(4)
    refused(tmp_path, path, LAYOUT, "expected a cell array, found float64")
    with Matlab(path) as matlab:
        matlab.file.create_group("anno")
    refused(tmp_path, path, LAYOUT)
    with Matlab(path) as matlab:
        matlab.anno([matlab.image("1.jpg", [SIX])[:3]])
    refused(tmp_path, path, LAYOUT, "found (1, 3) cells")
    with Matlab(path) as matlab:
        matlab.anno([matlab.image("1.jpg", [SIX])[:3] + [matlab.array(SIX)]])
    refused(tmp_path, path, LAYOUT, "expected a cell array, found float64")
    with Matlab(path) as matlab:
        matlab.anno([[h5py.Reference()] * 4])
    refused(tmp_path, path, LAYOUT)
    with Matlab(path) as matlab:
        row = matlab.image("1.jpg", [SIX])
        matlab.anno([[matlab.array([[1.5, 2.5]]), *row[1:]]])
    refused(tmp_path, path, LAYOUT)
    for name in ("up/1.jpg", "1\0.jpg", "1" * 256, "\ud800", "."):
        write_official(path, [(name, [SIX])])
        refused(tmp_path, path, LAYOUT, f"expected an image name, found {name[:40]!r}")
    write_official(path, [("1.jpg", [SIX, SIX[:5]])])
    refused(tmp_path, path, LAYOUT, "of 1.jpg, face 2, found an array of (5, 2)")
    for value in (np.inf, -1e300):
        write_official(path, [("1.jpg", [np.where(SIX == 90, value, SIX)])])
        refused(tmp_path, path, LAYOUT, "of 1.jpg, face 1, found", value)


def test_a_damaged_annotation(tmp_path):
    path = write_official(tmp_path / "anno.mat", [("1.jpg", [SIX, SIX])] * 3)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    refused(tmp_path, path, LAYOUT)
    rng, refusals = np.random.default_rng(0), 0
    for _ in range(100):
        damaged = bytearray(whole)
        for place in rng.integers(512, len(whole), 20):
            damaged[place] = rng.integers(256)
        path.write_bytes(damaged)
        try:
            read_afw(tmp_path)
        except InputError as error:
            refusals += 1
            assert str(path) in str(error)
    assert refusals > 10


def test_derived_faces(tmp_path):
    synthetic.write_300w(tmp_path, per_set=2, seed=4)
    faces = read_afw(tmp_path)  # The folder of 300-W, with its `afw`.
    assert [face.image.name for face in faces] == ["image_0000.jpg", "image_0001.jpg"]
    assert set_name(tmp_path) == set_name(tmp_path / "afw") == "AFW-337 (derived)"
    again = read_afw(tmp_path / "afw")
    for face, other in zip(faces, again):
        path = tmp_path / "afw" / face.image.with_suffix(".pts").name
        assert face.source == str(path) and face.image == other.image
        points = read_pts(path).astype("float64")
        expected = [points[36:42].mean(0), points[42:48].mean(0)]
        expected += [points[30], points[48], points[54]]
        assert face.keypoints.shape == (5, 2) and face.keypoints.dtype == np.float32
        np.testing.assert_allclose(face.keypoints, expected, rtol=1e-6)
        np.testing.assert_array_equal(face.keypoints, other.keypoints)
    # The drawn face, drawn again: what comes back is in continuous pixels.
    rng = np.random.default_rng([4, 2, 0])
    _, drawn = synthetic.draw_face(rng, FACE_68, int(rng.integers(160, 281)))
    np.testing.assert_allclose(faces[0].keypoints, five_keypoints(drawn), atol=1e-4)
    assert len(load_crops(faces, FACE_5)) == 2


def test_broken_points_files_are_left_out_and_reported(tmp_path):
    folder = synthetic.write_300w(tmp_path, per_set=4) / "afw"
    (folder / "image_0000.pts").write_text("n_points: 68\n{\n1 2\n")
    (folder / "image_0002.jpg").unlink()
    (folder / "image_0003.pts").rename(folder / "an_image_0003.PTS")
    (folder / "image_0003.jpg").rename(folder / "an_image_0003.JPG")
    (folder / "._image_0001.pts").write_text("a Mac's own")
    failures = ["from before"]
    faces = read_afw(tmp_path, failures)
    names = [face.image.name for face in faces]
    assert names == ["an_image_0003.JPG", "image_0001.jpg"]
    assert len(failures) == 3 and failures[0] == "from before"
    assert failures[1].startswith(f"{folder / 'image_0000.pts'}: expected a line `}}`")
    assert failures[2].startswith(f"{folder / 'image_0002.pts'}: no photograph")
    assert len(read_afw(tmp_path)) == 2
    for name in ("image_0001.jpg", "an_image_0003.JPG"):
        (folder / name).unlink()
    refused(tmp_path, "no face could be read; the first:", "an_image_0003.PTS")


def test_the_official_annotation_goes_first(tmp_path):
    synthetic.write_300w(tmp_path, per_set=1)
    write_official(tmp_path / "anno.mat", [("1.jpg", [SIX, SIX])])
    assert len(read_afw(tmp_path)) == 2 and set_name(tmp_path) == "AFW"


def test_a_folder_with_neither(tmp_path):
    (tmp_path / "1.jpg").touch()
    expected = (
        "expected AFW's `anno.mat` in this folder or in `testimages`, or the .pts"
    )
    for function in (read_afw, set_name):
        with pytest.raises(InputError, match="found neither") as caught:
            function(tmp_path)
        assert str(caught.value).startswith(f"{tmp_path}: {expected}")
        with pytest.raises(InputError, match="none: no such folder .expected the fold"):
            function(tmp_path / "none")
