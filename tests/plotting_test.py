import builtins
import sys

import numpy as np
import pytest
from PIL import Image

from rcn_keras import plotting
from rcn_keras.data.synthetic import draw_face
from rcn_keras.layout import FACES

GREEN, ORANGE = (0, 158, 115), (230, 159, 0)


def face(seed=0, keypoints=5, size=150):
    return draw_face(np.random.default_rng(seed), FACES[keypoints], size)


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
    drawn = plotting.draw(photograph, faces)
    np.testing.assert_allclose(centroid(drawn, 255), place, atol=0.15)


def test_low_confidence_has_another_color():
    photograph = np.zeros((100, 100, 3), "uint8")
    confidence = np.array([0.49, 0.5])
    face = {"box": [0, 0, 400, 400], "keypoints": [[30.5, 30.5], [70.5, 60.5]]}
    drawn = plotting.draw(photograph, [{**face, "confidence": confidence}])
    assert tuple(drawn[30, 30]) == ORANGE and tuple(drawn[60, 70]) == GREEN
    drawn = plotting.draw(photograph, [face])
    assert tuple(drawn[30, 30]) == GREEN


@pytest.mark.parametrize("level", [0, 128, 255])
def test_keypoints_show_on_any_skin(level):
    photograph = np.full((100, 100, 3), level, "uint8")
    faces = [{"box": [0, 0, 200, 200], "keypoints": [[50.0, 50.0]]}]
    drawn = plotting.draw(photograph, faces)
    around = drawn[42:58, 42:58].astype(int).mean(-1)
    assert np.abs(around - level).max() > 90


@pytest.mark.parametrize("white, dtype", [(1, "float32"), (255, "float64")])
def test_a_picture_of_floats_is_drawn_as_its_bytes(white, dtype):
    image, points = face()
    image[0, 0] = 255
    faces = [{"keypoints": points}]
    drawn = plotting.draw((image * (white / 255)).astype(dtype), faces)
    np.testing.assert_array_equal(drawn, plotting.draw(image, faces))


def test_the_photograph_is_left_alone_and_any_kind_is_taken():
    image, points = face(keypoints=68)
    faces = [{"box": [10, 10, 140, 140], "keypoints": points.tolist(), "score": 0.9}]
    before = image.copy()
    for photograph in (image, image[..., 0], np.dstack([image, image[..., 0]])):
        drawn = plotting.draw(photograph, faces)
        assert drawn.shape == image.shape and drawn.dtype == np.uint8
        assert np.any(drawn != image)
    np.testing.assert_array_equal(image, before)
    np.testing.assert_array_equal(plotting.draw(image, []), image)


def test_outlines_of_68_points():
    _, points = face(keypoints=68, size=300)
    blank = np.full((300, 300, 3), 255, "uint8")
    drawn = plotting.draw(blank, [{"keypoints": points}])
    for first, second, joined in ((7, 8, 1), (36, 41, 1), (60, 67, 1), (16, 17, 0)):
        # A third of the way: between the discs of the two.
        x, y = (points[first] * 0.5 + points[second] * 0.5).astype(int)
        assert (drawn[y - 1 : y + 2, x - 1 : x + 2].min() < 250) == bool(joined)


def test_points_that_are_unknown_or_outside():
    image, points = face(keypoints=68)
    points[3] = np.nan
    faces = [{"keypoints": points}, {"keypoints": np.full((5, 2), np.nan)}]
    faces += [{"keypoints": [[-1e4, 50], [2e4, 1e4]], "box": [-90, -90, 400, 500]}]
    drawn = plotting.draw(image, faces)
    without = plotting.draw(image, [{"keypoints": points}])
    same = bool((drawn == without).all())
    assert same and not (drawn == image).all()


@pytest.mark.parametrize("size", [60, 150, 4000])
def test_five_keypoints_show_on_small_and_large_pictures(size):
    import cv2

    _, points = face()
    blank = np.full((size, size, 3), 0, "uint8")
    drawn = plotting.draw(blank, [{"keypoints": points * size / 150}])
    shown = (drawn.max(axis=-1) > 40).astype("uint8")
    assert cv2.connectedComponents(shown, connectivity=4)[0] - 1 == 5
    # Looked at 1000 pixels wide, a mark is at least three pixels wide.
    share = np.any(drawn != 0, axis=-1).sum() / 5 / size**2
    assert np.sqrt(share) * min(size, 1000) > 3 * min(size, 1000) / 1000


def test_68_keypoints_of_a_small_face_are_dots():
    _, points = face(keypoints=68, size=60)
    blank = np.full((60, 60, 3), 255, "uint8")
    drawn = plotting.draw(blank, [{"keypoints": points}])
    changed = np.abs(drawn.astype(int) - 255).sum(axis=-1) > 120
    # A disc with its rings would be 12 pixels at least.
    assert 50 < changed.sum() < 68 * 8


def test_a_small_face_in_a_large_picture_has_larger_marks():
    _, points = face()
    place = [{"keypoints": points + 1000}]
    areas = [
        np.any(plotting.draw(np.full((s, s, 3), 255, "uint8"), place) != 255, axis=-1)
        for s in (1200, 4000)
    ]
    assert areas[1].sum() > 1.5 * areas[0].sum()


def test_what_the_predictor_returns_is_drawn_with_its_identity():
    from rcn_keras.video import TrackedFace

    image, points = face(size=300)
    box, confidence = np.array([40.0, 60, 260, 280]), np.linspace(0, 1, 5)
    tracked = TrackedFace(box, points, confidence, 0.9, 7)
    plain = {"box": box, "keypoints": points, "confidence": confidence}
    drawn, bare = plotting.draw(image, [tracked]), plotting.draw(image, [plain])
    changed = np.argwhere(np.any(drawn != bare, axis=-1))
    assert len(changed) and changed[:, 0].max() < 62  # above the box


def test_axes_of_a_head_start_at_the_nose():
    image, points = face(keypoints=68, size=300)
    one = {"keypoints": points}
    drawn = plotting.draw(image, [one], axes=True)
    changed = np.any(drawn != plotting.draw(image, [one]), axis=-1)
    rows, columns = np.nonzero(changed)
    x, y = points[30]
    assert np.hypot(columns - x, rows - y).min() < 12 and changed.sum() > 100


def check(figure, path):
    """The figure is matplotlib's, without pyplot, and its file a picture of it."""
    from matplotlib.figure import Figure

    assert isinstance(figure, Figure)
    with Image.open(path) as picture:
        assert min(picture.size) > 100
        assert np.asarray(picture.convert("L")).std() > 5
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def drawn(axes, kind):
    """`(M, 2)` places of the axes' markers, "predicted" or "true"."""
    lines = [line for line in axes.lines if line.get_label() == kind]
    return np.concatenate([line.get_xydata() for line in lines])


def joined(axes):
    """The ends of the lines between two places, `(M, 2, 2)`."""
    lines = [line.get_xydata() for line in axes.lines]
    return np.array([line for line in lines if line.shape == (2, 2)])


def test_plot_keypoints(tmp_path):
    image, points = face()
    path = tmp_path / "keypoints.png"
    figure = plotting.plot_keypoints(image, points + 1.0, points, save=path)
    check(figure, path)
    [axes] = figure.axes
    assert axes.get_title() == "mean error 1.41 pixels"
    assert axes.images[0].get_extent() == [0, 150, 150, 0]
    np.testing.assert_allclose(drawn(axes, "predicted"), points + 1.0)
    np.testing.assert_allclose(drawn(axes, "true"), points)
    np.testing.assert_allclose(joined(axes), np.stack([points, points + 1.0], 1))


def test_plot_keypoints_of_several_faces_in_a_view():
    image, points = face()
    faces = np.stack([points, points + 3.0, points + np.nan])
    [axes] = plotting.plot_keypoints(image.mean(-1), faces, view=[10, 20, 90, 70]).axes
    assert axes.get_xlim() == (10, 90) and axes.get_ylim() == (70, 20)
    np.testing.assert_allclose(drawn(axes, "predicted"), faces.reshape(-1, 2))
    assert axes.get_legend() is None
    [axes] = plotting.plot_keypoints(image, faces, faces).axes
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert sorted(labels) == ["predicted", "true"]
    plotting.plot_keypoints(image, np.zeros((0, 5, 2)))


def test_plot_keypoints_joins_the_outlines_of_68_points():
    image, points = face(keypoints=68)
    [axes] = plotting.plot_keypoints(image[..., :1], points).axes
    outlines = [line.get_xydata() for line in axes.lines[:-1]]
    assert sum(map(len, outlines)) == 68 + 4  # closed lines
    np.testing.assert_allclose(outlines[0], points[:17])
    np.testing.assert_allclose(outlines[-1], points[[*range(60, 68), 60]])


def test_plot_mosaic(tmp_path):
    faces = [face(seed, size=80) for seed in range(6)]
    images = np.stack([image for image, _ in faces])
    true = np.stack([points for _, points in faces])
    far = np.linalg.norm(true[:, 1] - true[:, 0], axis=-1)[:, None, None]
    shift = far * np.array([1, 0])
    # From easy to hard 2, 4, 3; 1, 0, 5. Of each part the face is shown whose errors
    # are nearest to the means: 4, and 1, though the middle of its part is 0.
    first = true + np.array([3, 5, 1, 4, 2, 9])[:, None, None] / 100 * shift
    second = true + np.array([8, 5, 5, 4, 5, 9])[:, None, None] / 100 * shift
    path = tmp_path / "mosaic.png"
    predictions = {"a": first, "b": second}
    figure = plotting.plot_mosaic(images, true, predictions, (0, 50, 99, 100), path)
    check(figure, path)
    titles = [axes.get_title() for axes in figure.axes]
    # Nothing is left of the hardest hundredth.
    assert titles == ["0 to 50 %\n2.0 %", "50 to 99 %\n5.0 %", "5.0 %", "5.0 %"]
    for axes, shown in zip(figure.axes, [4, 1, 4, 1]):
        np.testing.assert_array_equal(axes.images[0].get_array(), images[shown])
        np.testing.assert_allclose(drawn(axes, "true"), true[shown])
    np.testing.assert_allclose(drawn(figure.axes[3], "predicted"), second[1])
    sides = [figure.axes[i].get_ylabel() for i in (0, 2)]
    assert sides == ["a\nmean 3.5 %", "b\nmean 5.0 %"]


def test_mosaic_of_faces_that_one_network_did_not_find():
    image, points = face(size=80)
    images, true = np.stack([image] * 3), np.stack([points] * 3)
    found = true + 1
    found[1] = np.nan
    networks = {"a": found, "b": true}
    figure = plotting.plot_mosaic(images, true, networks, (0, 100))
    assert "nan" not in "".join(axes.get_title() for axes in figure.axes)
    for faces, named in ((slice(1, 2), networks), (slice(0), networks)):
        left = {name: part[faces] for name, part in named.items()}
        with pytest.raises(ValueError, match="Received: 0 faces"):
            plotting.plot_mosaic(images[faces], true[faces], left)
    for plot in (plotting.plot_mosaic, plotting.plot_comparison):
        with pytest.raises(ValueError, match="3 faces .* 0 networks"):
            plot(images, true, {})


def test_plot_mosaic_of_more_faces_than_fit_a_row():
    image, points = face(size=80)
    images, true = np.stack([image[..., :1]] * 12), np.stack([points] * 12)
    cuts = np.linspace(0, 100, 13)
    figure = plotting.plot_mosaic(images, true, {"a": true}, cuts)
    assert len(figure.axes) == 20
    assert [bool(axes.images) for axes in figure.axes] == 12 * [True] + 8 * [False]


def test_plot_comparison(tmp_path):
    faces = [face(seed, size=80) for seed in range(2)]
    images = np.stack([image for image, _ in faces])
    true = np.stack([points for _, points in faces])
    true[1, 2] = np.nan
    far = np.linalg.norm(true[0, 1] - true[0, 0])
    predictions = {"a": true + [0.1 * far, 0], "b": true.copy()}
    path = tmp_path / "comparison.png"
    predictions["b"][0, :, 1] += 0.2 * far
    figure = plotting.plot_comparison(
        images[:1], true[:1], {n: p[:1] for n, p in predictions.items()}, save=path
    )
    check(figure, path)
    assert [axes.get_title() for axes in figure.axes] == ["10.0 %", "20.0 %"]
    assert figure.axes[0].images[0].get_clim() == (0, 255)
    names = [axes.get_ylabel() for axes in figure.axes]
    assert names == ["a\nmean 10.0 %", "b\nmean 20.0 %"]
    # A row of faces in the order given, whatever their errors.
    figure = plotting.plot_comparison(images, true, predictions, ["dark", "far"])
    assert [axes.get_title() for axes in figure.axes][0] == "dark\n10.0 %"
    for axes, shown in zip(figure.axes, [0, 1, 0, 1]):
        np.testing.assert_array_equal(axes.images[0].get_array(), images[shown])
    np.testing.assert_allclose(drawn(figure.axes[2], "predicted"), predictions["b"][0])


def test_plot_inputs(tmp_path):
    images, points = np.zeros((3, 80, 80, 1)), np.arange(30.0).reshape(3, 5, 2)
    path = tmp_path / "inputs.png"
    images[:, 20:60, 20:60] = 255
    figure = plotting.plot_inputs(images, points, columns=2, save=path)
    check(figure, path)
    for axes, place in zip(figure.axes, points):
        np.testing.assert_allclose(drawn(axes, "predicted"), place)
    assert not figure.axes[3].images


def test_plot_training(tmp_path):
    rows = [
        {"epoch": "1", "loss": "7.5", "val_nme": "0.09", "learning_rate": "0.001"},
        {"epoch": "2", "loss": 0.0, "val_nme": "", "learning_rate": None},
        {"epoch": 3, "loss": 5.5, "val_nme": 0.05},
    ]
    path = tmp_path / "training.png"
    figure = plotting.plot_training(rows, save=path)
    check(figure, path)
    left, right = figure.axes[:2]
    np.testing.assert_array_equal(left.lines[0].get_xydata()[:, 0], [1, 2, 3])
    np.testing.assert_array_equal(left.lines[0].get_ydata(), [7.5, 0, 5.5])
    np.testing.assert_allclose(right.lines[0].get_ydata(), [9, np.nan, 5])


@pytest.mark.parametrize("rows", [[], [{"epoch": 1}], [{"loss": 1}, {"val_loss": 2}]])
def test_plot_training_with_columns_missing(rows, tmp_path):
    path = tmp_path / "training.png"
    figure = plotting.plot_training(rows, path)
    check(figure, path)
    heights = [line.get_ydata() for axes in figure.axes for line in axes.lines]
    drawn = sorted(value for line in heights for value in line if np.isfinite(value))
    assert drawn == [row[key] for row in rows for key in row if key != "epoch"]


def test_plot_convergence(tmp_path):
    runs = {
        "a": [
            {"epoch": "1", "val_nme_clean": "0.5"},
            {"epoch": 3, "val_nme_clean": 0.02},
        ],
        "b": [{"val_nme_clean": 0.1}, {"val_nme_clean": ""}],
    }
    path = tmp_path / "convergence.png"
    figure = plotting.plot_convergence(runs, save=path)
    check(figure, path)
    a, b = figure.axes[0].lines
    np.testing.assert_allclose(a.get_xydata(), [[1, 50], [3, 2]])
    np.testing.assert_allclose(b.get_xydata(), [[1, 10], [2, np.nan]])
    assert [a.get_label(), b.get_label()] == ["a (last 2.00 %)", "b (last 10.00 %)"]
    assert figure.axes[0].get_yscale() == "log"
    plotting.plot_convergence({"empty": []}, column="val_loss")


def test_plot_ced(tmp_path):
    path = tmp_path / "ced.png"
    errors = {"faces": [0.01, 0.03, 0.3], "keypoints": np.full((4, 5), 0.05)}
    figure = plotting.plot_ced(errors, save=path)
    check(figure, path)
    faces, keypoints = figure.axes[0].lines
    np.testing.assert_allclose(faces.get_xdata(), [0, 1, 3, 30, 30])
    np.testing.assert_allclose(faces.get_ydata(), [0, 100 / 3, 200 / 3, 100, 100])
    assert keypoints.get_label() == "keypoints (mean 5.00 %)"


def test_faces_that_were_not_found_count_as_failures():
    errors = {"a": [0.05, np.inf], "b": np.array([[0.3, np.nan], [0.01, 0.03]])}
    for plot in (plotting.plot_ced, plotting.plot_failure_rate):
        plot(errors)
    one, two = plotting.plot_ced(errors).axes[0].lines
    assert one.get_label() == "a (mean 5.00 %)"
    assert one.get_ydata()[one.get_xdata() <= 20].max() == 50
    assert two.get_label() == "b (mean 16.00 %)"


def test_plot_failure_rate(tmp_path):
    path = tmp_path / "failures.png"
    errors = {"a": [0.01, 0.03, 0.12, 0.3]}
    figure = plotting.plot_failure_rate(errors, threshold=2.0, save=path)
    check(figure, path)
    curve, mark = figure.axes[0].lines
    np.testing.assert_allclose(curve.get_xdata(), [0, 1, 3, 12, 30])
    np.testing.assert_allclose(curve.get_ydata(), [100, 75, 50, 25, np.nan])
    assert curve.get_label() == "a (75.0 %)" and set(mark.get_xdata()) == {2.0}
    assert figure.axes[0].get_ylim() == (20, 110)


def test_plot_difficulty(tmp_path):
    path = tmp_path / "difficulty.png"
    error = np.arange(1, 21) / 100
    mixed = np.random.default_rng(0).permutation(20)
    errors = {"a": error[mixed], "b": np.stack([error, 3 * error], 1)[mixed]}
    figure = plotting.plot_difficulty(errors, parts=2, save=path)
    check(figure, path)
    a, b = figure.axes[0].lines
    np.testing.assert_allclose(a.get_xdata(), [25, 75])
    means = [np.exp(np.log(part).mean()) for part in np.split(100 * error, 2)]
    np.testing.assert_allclose(a.get_ydata(), means)
    np.testing.assert_allclose(b.get_ydata(), 2 * np.array(means))
    assert len(plotting.plot_difficulty(errors).axes[0].lines[0].get_xdata()) == 4


def test_difficulty_leaves_out_for_all_what_one_network_lacks():
    """Networks of the same errors stay alike, whichever face one of them lacks."""
    errors = {name: np.linspace(0.01, 0.2, 10) for name in "ab"}
    errors["a"][0] = errors["b"][9] = np.nan
    a, b = plotting.plot_difficulty(errors).axes[0].lines
    np.testing.assert_array_equal(a.get_ydata(), b.get_ydata())
    errors["a"][0] = 0.01
    a, b = plotting.plot_difficulty(errors).axes[0].lines
    np.testing.assert_array_equal(a.get_ydata(), b.get_ydata())


def test_difficulty_leaves_a_face_out_that_one_network_did_not_find():
    errors = {"a": [0.1, np.inf, 0.1], "b": [0.2, 0.9, 0.2]}
    a, b = plotting.plot_difficulty(errors).axes[0].lines
    np.testing.assert_allclose([a.get_ydata(), b.get_ydata()], [[10], [20]])
    with pytest.raises(ValueError, match=r"same faces. Received: {'a': 1, 'b': 2}"):
        plotting.plot_difficulty({"a": [0.1], "b": [0.1, 0.2]})
    for nothing in ({}, {"a": [np.nan]}, {"a": [np.inf, 0.1], "b": [0.1, np.nan]}):
        with pytest.raises(ValueError, match="no face that all networks found"):
            plotting.plot_difficulty(nothing)


@pytest.mark.parametrize("plot", [plotting.plot_ced, plotting.plot_failure_rate])
@pytest.mark.parametrize("nothing", [[], [np.nan], [[np.nan, np.nan]]])
def test_errors_of_no_known_face(plot, nothing):
    with pytest.raises(ValueError, match="known error. Received: 'b'"):
        plot({"a": [0.1], "b": nothing})


def test_plot_groups(tmp_path):
    errors = {
        "a": {"easy": [0.01, 0.03, np.nan], "hard": [[0.1, np.nan], [0.2, 0.4]]},
        "b": {"easy": [0.02], "hard": [0.3]},
    }
    path = tmp_path / "groups.png"
    figure = plotting.plot_groups(errors, save=path)
    check(figure, path)
    [axes] = figure.axes
    heights = [[bar.get_height() for bar in bars] for bars in axes.containers[1::2]]
    np.testing.assert_allclose(heights, [[2, 20], [2, 30]])
    assert [text.get_text() for text in axes.get_xticklabels()] == ["easy", "hard"]
    [whiskers] = axes.containers[0].lines[2]
    low, high = np.array(whiskers.get_segments())[:, :, 1].T
    np.testing.assert_allclose([low, high], [[1, 10], [3, 30]])
    for wrong in ({}, {"a": {}}, {"a": errors["a"], "b": {"easy": [0.1]}}):
        with pytest.raises(ValueError, match="the same groups of each network"):
            plotting.plot_groups(wrong)


def test_plot_branch_counts(tmp_path):
    errors = {"first": {"a": {5: 0.06, 4: 0.07}, "b": {6: 0.05}}, "second": {}}
    paper = {"first": {"c": {4: 0.03}, "a": {4: 0.08}}, "second": {"b": {}}}
    path = tmp_path / "branches.png"
    figure = plotting.plot_branch_counts(errors, paper, save=path)
    check(figure, path)
    first, second = figure.axes
    assert [axes.get_title() for axes in (first, second)] == ["first", "second"]
    lines = [line for line in first.lines if len(line.get_xdata())]
    marks = [line.get_xydata().tolist() for line in lines]
    wanted = [[[4, 3]], [[4, 8]], [[4, 7], [5, 6]], [[6, 5]]]
    for points, place in zip(marks, wanted, strict=True):
        np.testing.assert_allclose(points, place)
    assert [line.get_linestyle() for line in lines] == ["--", "--", "-", "-"]
    colors = [line.get_color() for line in lines]
    assert colors[1] == colors[2] and len(set(colors)) == 3
    [legend] = figure.legends
    labels = [text.get_text() for text in legend.get_texts()]
    assert labels == ["a", "b", "c", "paper"]
    assert not any(len(line.get_xdata()) for line in second.lines)


@pytest.mark.parametrize("errors", [{}, {"first": {}}, {"first": {"a": {}}}])
def test_plot_branch_counts_of_nothing(errors, tmp_path):
    path = tmp_path / "branches.png"
    figure = plotting.plot_branch_counts(errors, save=path)
    check(figure, path)
    assert not any(len(line.get_xdata()) for axes in figure.axes for line in axes.lines)


def test_plot_calibration(tmp_path):
    confidence = np.array([[0.1, 0.1, 0.9], [0.9, 0.9, 1.0]])
    correct = np.array([[False, True, True], [True, False, True]])
    path = tmp_path / "calibration.png"
    figure = plotting.plot_calibration(confidence, correct, bins=2, save=path)
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


@pytest.mark.parametrize(
    "plot", [plotting.plot_heatmaps, plotting.plot_heatmaps_together]
)
def test_heatmaps_have_a_name_each(plot):
    with pytest.raises(ValueError, match="must be 5, one for each map. Received: \\['"):
        plot(np.zeros((8, 8)), np.zeros((8, 8, 5)), ["nose"])


def test_plot_heatmaps(tmp_path):
    image, _ = face(size=80)
    maps = np.zeros((40, 40, 3))
    maps[10, 20, 0] = maps[30, 5, 1] = 7.0
    path = tmp_path / "maps.png"
    figure = plotting.plot_heatmaps(image, maps, ["a", "b", "flat"], save=path)
    check(figure, path)
    assert [axes.get_title() for axes in figure.axes] == ["a", "b", "flat"]
    np.testing.assert_allclose(figure.axes[0].lines[0].get_xydata(), [[20.5, 10.5]])


def test_plot_heatmaps_together(tmp_path):
    image, _ = face(size=80)
    maps = np.zeros((40, 40, 3))
    maps[10, 20, 0] = maps[30, 5, 1] = 2.0
    path = tmp_path / "together.png"
    figure = plotting.plot_heatmaps_together(image, maps, ["a", "b", "c"], save=path)
    check(figure, path)
    [axes] = figure.axes
    overlay = axes.images[1].get_array()
    blue, orange = np.array([0, 114, 178]) / 255, np.array([230, 159, 0]) / 255
    np.testing.assert_allclose(overlay[10, 20], [*blue, 0.9])
    np.testing.assert_allclose(overlay[30, 5], [*orange, 0.9])
    assert overlay[..., 3].sum() == pytest.approx(1.8)
    assert [t.get_text() for t in axes.get_legend().get_texts()] == ["a", "b", "c"]
    many = plotting.plot_heatmaps_together(image, np.zeros((8, 8, 68)))
    assert many.axes[0].get_legend() is None


def test_plot_branches(tmp_path):
    image, _ = face(size=80)
    coarse, fine = np.zeros((2, 80, 80, 2))
    coarse[:40, :, 0] = 1
    fine[20, 60, 0] = fine[70, 5, 1] = 50
    true = [[61.5, 21.5], [5.5, 70.5]]
    path = tmp_path / "branches.png"
    branches = {"branch_1": coarse, "branch_2": fine}
    networks = {"sum": coarse + fine + 9, "RCN": 2 * fine}
    figure = plotting.plot_branches(
        image, branches, networks, true, ["a", "b"], save=path
    )
    check(figure, path)
    grid = np.reshape(figure.axes, (4, 4))
    titles = [axes.get_title() for axes in grid[0]]
    assert titles == ["branch 1", "branch 2", "sum", "RCN"]
    assert [axes.get_ylabel() for axes in grid[:, 0]] == [
        "a",
        "softmax",
        "b",
        "softmax",
    ]
    first, second, total, other = (axes.images[0] for axes in grid[0])
    assert first.get_clim() == second.get_clim() == (-50, 50)
    # The median of the first map is one half, with nine on top in the sum.
    assert first.get_array()[79, 0] == -0.5 and second.get_array()[20, 60] == 50
    assert total.get_array()[20, 60] == 50.5 and total.get_clim() == (-50.5, 50.5)
    assert other.get_clim() == (-100, 100)
    spread = [axes.get_title() for axes in grid[3]]
    assert spread == ["6400 cells", "1 cells", "1 cells", "1 cells"]
    for axes in grid[:2].flat:
        np.testing.assert_allclose(axes.lines[-1].get_xydata(), [true[0]])
    for axes in grid[1, 2:]:
        np.testing.assert_allclose(drawn(axes, "predicted"), [[60.5, 20.5]])
    labels = [axes.get_legend_handles_labels()[1] for axes in grid[1]]
    assert labels == [["true"], ["true"], ["predicted", "true"], ["predicted", "true"]]
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["predicted", "true"]
    figure = plotting.plot_branches(
        image, branches, networks, true, ["a", "b"], crosses="another network"
    )
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["predicted", "another network"]


def test_plot_table(tmp_path):
    paper = {"AFLW": {"SumNet": {"1001": 0.07, "0001": 0.4}, "RCN": {"1001": 0.06}}}
    errors = {"AFLW": {"RCN": {"0001": 0.5}}, "AFW": {"RCN": {"0010": 0.1}}}
    path = tmp_path / "table.png"
    figure = plotting.plot_table(errors, paper, save=path)
    check(figure, path)
    left, right = figure.axes
    assert [left.get_title(), right.get_title()] == ["AFLW", "AFW"]
    assert [t.get_text() for t in right.get_xticklabels()] == ["1001", "0001", "0010"]
    places = [line.get_xydata().tolist() for line in left.lines[:4]]
    assert places == [
        [[-0.15, pytest.approx(7)], [0.85, 40]],
        [],
        [[0.15, 6]],
        [[1.15, 50]],
    ]
    hollow = [line.get_markerfacecolor() == plotting.WHITE for line in left.lines[:4]]
    assert hollow == [True, False, True, False]
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["SumNet", "RCN", "paper"]
    plotting.plot_table({"AFLW": {}, "AFW": {}})
    plotting.plot_table({})


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
    with pytest.raises(ImportError, match=r"pip install '.\[plot\]'"):
        plotting.plot_ced({})
