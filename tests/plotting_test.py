import builtins
import sys

import numpy as np
import pytest
from PIL import Image

from rcn_keras import plotting
from rcn_keras.data.synthetic import draw_face

GREEN, ORANGE = (0, 158, 115), (230, 159, 0)


def face(seed=0, keypoints=5, size=150):
    return draw_face(np.random.default_rng(seed), keypoints, size)


def centroid(image, background):
    """Continuous pixels of the centre of all that is drawn on a plain background."""
    weight = np.abs(image.astype("float64") - background).sum(-1)
    rows, columns = np.indices(weight.shape) + 0.5
    return np.array([(weight * columns).sum(), (weight * rows).sum()]) / weight.sum()


@pytest.mark.parametrize("place", [(50.0, 50.0), (47.25, 61.75), (60.5, 40.4)])
@pytest.mark.parametrize("side", [100, 400])
def test_discs_are_drawn_where_the_keypoints_are(place, side):
    photograph = np.full((100, 120, 3), 255, "uint8")
    box = [200, 200, 200 + side, 200 + side]  # Outside: it sets the size alone.
    faces = [{"box": box, "keypoints": [place]}]
    drawn = plotting.draw_keypoints(photograph, faces)
    np.testing.assert_allclose(centroid(drawn, 255), place, atol=0.15)


def test_low_confidence_has_another_color():
    photograph = np.zeros((100, 100, 3), "uint8")
    confidence = np.array([0.49, 0.5])
    face = {"box": [0, 0, 400, 400], "keypoints": [[30.5, 30.5], [70.5, 60.5]]}
    drawn = plotting.draw_keypoints(photograph, [{**face, "confidence": confidence}])
    assert tuple(drawn[30, 30]) == ORANGE and tuple(drawn[60, 70]) == GREEN
    drawn = plotting.draw_keypoints(photograph, [face])
    assert tuple(drawn[30, 30]) == GREEN


@pytest.mark.parametrize("level", [0, 128, 255])
def test_keypoints_show_on_any_skin(level):
    photograph = np.full((100, 100, 3), level, "uint8")
    faces = [{"box": [0, 0, 200, 200], "keypoints": [[50.0, 50.0]]}]
    drawn = plotting.draw_keypoints(photograph, faces)
    around = drawn[42:58, 42:58].astype(int).mean(-1)
    assert np.abs(around - level).max() > 90


def test_the_photograph_is_left_alone_and_any_kind_is_taken():
    image, points = face(keypoints=68)
    faces = [{"box": [10, 10, 140, 140], "keypoints": points.tolist(), "score": 0.9}]
    before = image.copy()
    for photograph in (image, image[..., 0], np.dstack([image, image[..., 0]])):
        drawn = plotting.draw_keypoints(photograph, faces)
        assert drawn.shape == image.shape and drawn.dtype == np.uint8
        assert np.any(drawn != image)
    np.testing.assert_array_equal(image, before)
    np.testing.assert_array_equal(plotting.draw_keypoints(image, []), image)


def test_outlines_of_68_points():
    _, points = face(keypoints=68, size=300)
    blank = np.full((300, 300, 3), 255, "uint8")
    drawn = plotting.draw_keypoints(blank, [{"keypoints": points}])
    for first, second, joined in ((7, 8, 1), (36, 41, 1), (60, 67, 1), (16, 17, 0)):
        # A third of the way: between the discs of the two.
        x, y = (points[first] * 0.5 + points[second] * 0.5).astype(int)
        assert (drawn[y - 1 : y + 2, x - 1 : x + 2].min() < 250) == bool(joined)


def test_points_that_are_unknown_or_outside():
    image, points = face(keypoints=68)
    points[3] = np.nan
    faces = [{"keypoints": points}, {"keypoints": np.full((5, 2), np.nan)}]
    faces += [{"keypoints": [[-1e4, 50], [2e4, 1e4]], "box": [-90, -90, 400, 500]}]
    plotting.draw_keypoints(image, faces)


def check(figure, path):
    """The figure is matplotlib's, without pyplot, and its file a picture of it."""
    from matplotlib.figure import Figure

    assert isinstance(figure, Figure)
    with Image.open(path) as picture:
        assert min(picture.size) > 100
        assert np.asarray(picture.convert("L")).std() > 5
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_plot_keypoints(tmp_path):
    image, points = face()
    path = tmp_path / "keypoints.png"
    figure = plotting.plot_keypoints(image, points + 1.0, points, path)
    check(figure, path)
    assert figure.axes[0].get_title() == "mean error 1.41 pixels"
    assert figure.axes[0].images[0].get_extent() == [0, 150, 150, 0]
    plotting.plot_keypoints(image.mean(-1), points)


def test_plot_training(tmp_path):
    rows = [
        {"epoch": "1", "loss": "7.5", "val_nme": "0.09", "learning_rate": "0.001"},
        {"epoch": "2", "loss": 0.0, "val_nme": "", "learning_rate": None},
        {"epoch": 3, "loss": 5.5, "val_nme": 0.05},
    ]
    path = tmp_path / "training.png"
    figure = plotting.plot_training(rows, path)
    check(figure, path)
    left, right = figure.axes[:2]
    np.testing.assert_array_equal(left.lines[0].get_xydata()[:, 0], [1, 2, 3])
    np.testing.assert_array_equal(left.lines[0].get_ydata(), [7.5, 0, 5.5])
    np.testing.assert_allclose(right.lines[0].get_ydata(), [9, np.nan, 5])


@pytest.mark.parametrize("rows", [[], [{"epoch": 1}], [{"loss": 1}, {"val_loss": 2}]])
def test_plot_training_with_columns_missing(rows, tmp_path):
    plotting.plot_training(rows, tmp_path / "training.png")


def test_plot_ced(tmp_path):
    path = tmp_path / "ced.png"
    errors = {"faces": [0.01, 0.03, 0.3], "keypoints": np.full((4, 5), 0.05)}
    figure = plotting.plot_ced(errors, path)
    check(figure, path)
    faces, keypoints = figure.axes[0].lines
    np.testing.assert_allclose(faces.get_xdata(), [0, 1, 3, 30, 30])
    np.testing.assert_allclose(faces.get_ydata(), [0, 100 / 3, 200 / 3, 100, 100])
    assert keypoints.get_label() == "keypoints (mean 5.00 %)"


def test_plot_calibration(tmp_path):
    confidence = np.array([[0.1, 0.1, 0.9], [0.9, 0.9, 1.0]])
    correct = np.array([[False, True, True], [True, False, True]])
    path = tmp_path / "calibration.png"
    figure = plotting.plot_calibration(confidence, correct, bins=2, path=path)
    check(figure, path)
    measured = figure.axes[0].lines[1].get_xydata()
    np.testing.assert_allclose(measured, [[0.1, 0.5], [0.925, 0.75]])
    title = figure.axes[0].get_title()
    assert (
        title == f"expected calibration error {(0.4 * 2 + 0.175 * 4) / 6 * 100:.1f} %"
    )


def test_plot_calibration_of_unequal_shapes():
    with pytest.raises(ValueError, match=r"same shape. Received: \(3,\) and \(2,\)"):
        plotting.plot_calibration(np.zeros(3), np.zeros(2))


def test_plot_heatmaps(tmp_path):
    image, _ = face(size=80)
    maps = np.zeros((40, 40, 3))
    maps[10, 20, 0] = maps[30, 5, 1] = 7.0
    path = tmp_path / "maps.png"
    figure = plotting.plot_heatmaps(image, maps, ["a", "b", "flat"], path)
    check(figure, path)
    assert [axes.get_title() for axes in figure.axes] == ["a", "b", "flat"]
    np.testing.assert_allclose(figure.axes[0].lines[0].get_xydata(), [[20.5, 10.5]])


def test_no_pyplot_state():
    before = "matplotlib.pyplot" in sys.modules
    plotting.plot_ced({})
    assert ("matplotlib.pyplot" in sys.modules) == before


def test_matplotlib_missing(monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"pip install 'rcn-keras\[plot\]'"):
        plotting.plot_ced({})
