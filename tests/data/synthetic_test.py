import cv2
import numpy as np
import pytest
from PIL import Image

from rcn_keras.data import synthetic
from rcn_keras.layout import FACES, KeypointLayout


def draw(seed, keypoints=5, size=150):
    return synthetic.draw_face(np.random.default_rng(seed), FACES[keypoints], size)


def centroid_of_darkness(grey, centre, radius):
    """Continuous pixels of the dark blob around a point, by moments."""
    height, width = grey.shape
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    near = np.hypot(x - centre[0], y - centre[1]) < radius
    weight = np.where(near, np.clip(np.median(grey[near]) - grey, 0, None), 0)
    return np.array([(weight * x).sum(), (weight * y).sum()]) / weight.sum()


def test_shapes_and_types():
    for keypoints in (5, 68):
        image, points = draw(0, keypoints, size=120)
        assert image.shape == (120, 120, 3) and image.dtype == np.uint8
        assert points.shape == (keypoints, 2) and points.dtype == np.float32


def test_a_crop_is_the_square_around_a_face():
    for keypoints in (5, 68):
        image, box, crop = synthetic.draw_crop(3, FACES[keypoints])
        assert crop.shape == (80, 80, 1) and crop.dtype == np.uint8
        _, points = draw(3, keypoints)
        np.testing.assert_allclose((box[:2] + box[2:]) / 2, points.mean(axis=0))
        assert np.ptp(points, axis=0).max() == pytest.approx(box[2] - box[0])
        assert box[3] - box[1] == pytest.approx(box[2] - box[0])
        left, top, right, bottom = np.round(box).astype(int)
        inside = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[top:bottom, left:right]
        assert abs(crop.mean() - inside.mean()) < 4


def test_a_seed_makes_one_face_and_two_seeds_make_two():
    image, points = draw(3)
    again, points_again = draw(3)
    other, other_points = draw(4)
    np.testing.assert_array_equal(image, again)
    np.testing.assert_array_equal(points, points_again)
    assert np.abs(image.astype(int) - other).mean() > 5
    assert np.abs(points - other_points).max() > 1


def test_five_points_follow_from_the_68():
    for seed in range(5):
        image, five = draw(seed, 5)
        same, points = draw(seed, 68)
        np.testing.assert_array_equal(image, same)
        expected = [points[36:42].mean(0), points[42:48].mean(0)]
        expected += [points[30], points[48], points[54]]
        np.testing.assert_allclose(five, expected, atol=1e-4)


@pytest.mark.parametrize("size", [80, 150, 240])
def test_points_lie_inside_in_a_face_like_order(size):
    for seed in range(8):
        _, p = draw(seed, 68, size)
        assert p.min() > 0.03 * size and p.max() < 0.97 * size
        axis = p[42:48].mean(0) - p[36:42].mean(0)  # From the viewer's left to right.
        assert 0.1 * size < np.linalg.norm(axis) < 0.3 * size
        across, down = p @ axis, p @ [-axis[1], axis[0]]
        for group in (slice(3, 14), slice(17, 27), slice(31, 36), slice(48, 55)):
            assert np.all(np.diff(across[group]) > 0)
        assert np.all(np.diff(across[54:60]) < 0)
        assert np.all(np.diff(down[27:31]) > 0)
        for upper, lower in ((37, 41), (38, 40), (43, 47), (44, 46)):
            assert down[upper] < down[lower]
        for upper, lower in ((50, 61), (51, 62), (62, 66), (66, 57), (57, 8)):
            assert down[upper] < down[lower]


def test_pupils_are_where_the_points_say():
    errors = []
    for seed in range(20):
        image, points = draw(seed, 5)
        unit = np.linalg.norm(points[1] - points[0])
        grey = cv2.GaussianBlur(image.mean(-1), (0, 0), 0.02 * unit)
        rows, columns = np.indices(grey.shape) + 0.5
        for x, y in points[:2]:
            near = np.hypot(columns - x, rows - y) < 0.1 * unit
            row, column = np.unravel_index(np.argmin(grey + 999 * ~near), grey.shape)
            assert np.hypot(column + 0.5 - x, row + 0.5 - y) < 1
            errors.append([column + 0.5 - x, row + 0.5 - y])
    # Half a pixel of shift in the drawing would show here.
    assert np.abs(np.mean(errors, 0)).max() < 0.15


def test_grey_levels_are_those_of_photographs():
    grey = np.stack([draw(seed, size=96)[0].mean(-1) for seed in range(12)])
    assert 70 < grey.mean() < 180
    assert np.all(grey.std((1, 2)) > 15)
    assert grey.mean((1, 2)).std() > 10


def test_a_layout_that_cannot_be_drawn():
    card = KeypointLayout("card", ("nw", "ne", "se", "sw"))
    with pytest.raises(ValueError, match="'mtfl5' or 'ibug68'. Received: 'card'"):
        synthetic.draw_face(np.random.default_rng(0), card)
    for one, other in zip(synthetic.draw_crop(0, card), synthetic.draw_crop(0)):
        np.testing.assert_array_equal(one, other)


def test_mtfl_layout(tmp_path):
    folder = synthetic.write_mtfl(tmp_path / "MTFL", training=3, testing=2, size=100)
    assert folder == tmp_path / "MTFL"
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["AFLW", "lfw_5590", "net_7876", "testing.txt", "training.txt"]
    training = (folder / "training.txt").read_bytes().split(b"\r\n")
    assert training[0].startswith(b"lfw_5590\\") and training[-1] == b" "
    assert [line[:10] for line in training[1:3]] == [b" lfw_5590\\", b" net_7876\\"]
    testing = (folder / "testing.txt").read_bytes().split(b"\r\n")
    assert testing[0].startswith(b"AFLW/") and testing[1].startswith(b" AFLW/")
    assert testing[2:] == [b" "]
    for part, lines in enumerate((training, testing)):
        for index, line in enumerate(lines[:-1]):
            path, *numbers = line.decode().split()
            assert len(numbers) == 14
            rng = np.random.default_rng([0, part, index])
            image, points = synthetic.draw_face(rng, size=100)
            labels = np.array(numbers[:10], float).reshape(2, 5).T
            np.testing.assert_allclose(labels, points + 0.5, atol=1e-4)
            assert (
                set(map(int, numbers[10:13])) <= {1, 2} and 2 <= int(numbers[13]) <= 4
            )
            stored = np.asarray(Image.open(folder / path.replace("\\", "/")))
            assert stored.shape == (100, 100, 3)
            assert np.abs(stored.astype(int) - image).mean() < 4


def test_300w_layout(tmp_path):
    folder = synthetic.write_300w(tmp_path, per_set=1, seed=5)
    sets = ["afw", "helen/testset", "helen/trainset"]
    sets += ["ibug", "lfpw/testset", "lfpw/trainset"]
    files = sorted(folder.rglob("*.pts"))
    assert [str(file.parent.relative_to(folder)) for file in files] == sets
    for file in files:
        image = cv2.imread(str(file.with_suffix(".jpg")))
        lines = file.read_bytes().decode().split("\n")
        assert lines[:3] == ["version: 1", "n_points:  68", "{"]
        assert lines[71:] == ["}", ""]
        points = np.array([line.split() for line in lines[3:71]], float) - 0.5
        assert points.min() > 0 and points.max() < len(image)
        eye = points[36:42].mean(0)
        radius = 0.09 * np.linalg.norm(points[42:48].mean(0) - eye)
        dark = centroid_of_darkness(image.mean(-1), eye, radius)
        np.testing.assert_allclose(dark, eye, atol=1)
    assert not list(folder.rglob(".*")), "no temporary file is left"


def test_a_longer_set_begins_with_the_shorter(tmp_path):
    short = synthetic.write_mtfl(tmp_path / "short", 1, 1, seed=2, size=80)
    long = synthetic.write_mtfl(tmp_path / "long", 2, 1, seed=2, size=80)
    first = [folder / "lfw_5590" / "face_0000.jpg" for folder in (short, long)]
    assert first[0].read_bytes() == first[1].read_bytes()
    testing = [(folder / "testing.txt").read_bytes() for folder in (short, long)]
    assert testing[0] == testing[1]


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError):
        synthetic.write_mtfl(tmp_path / "file", training=1, testing=0, size=80)
