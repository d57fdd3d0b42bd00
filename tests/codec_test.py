import numpy as np
import pytest
from layer_checks import to_numpy

from rcn_keras import codec
from rcn_keras.layout import FACE_5, FACE_68, KeypointLayout


def gaussian_maps(centers, side=40, sigma=1.2):
    """Log probabilities `(1, side, side, K)` of Gaussians at `(K, 2)` centres."""
    cells = np.arange(side) + 0.5
    dx = cells[None, :, None] - centers[:, 0]
    dy = cells[:, None, None] - centers[:, 1]
    return (-(dx**2 + dy**2) / (2 * sigma**2)).astype("float32")[None]


def random_maps(shape=(3, 12, 15, 4), seed=0):
    return np.random.default_rng(seed).normal(0, 3, shape).astype("float32")


def softmax(maps):
    exponential = np.exp(maps.astype("float64") - maps.max(axis=(1, 2), keepdims=True))
    return exponential / exponential.sum(axis=(1, 2), keepdims=True)


def test_encode():
    points = np.float32([[[0, 0], [0.99, 0], [1, 0], [3.5, 2.2], [79.9, 79.9]]])
    cells = to_numpy(codec.encode(points, 80, 80))
    assert cells.dtype == "int32"
    np.testing.assert_array_equal(cells, [[0, 0, 1, 2 * 80 + 3, 6399]])


def test_encode_outside_goes_to_the_border_cell():
    points = np.float32([[[-5, 2.5], [12.0, 2.5], [3.5, -0.1], [3.5, 7], [99, -99]]])
    cells = to_numpy(codec.encode(points, height=7, width=12))
    np.testing.assert_array_equal(cells, [[24, 35, 3, 75, 11]])


@pytest.mark.parametrize("method", codec.DECODERS)
def test_decode_undoes_encode(method):
    rng = np.random.default_rng(0)
    points = np.stack([rng.uniform(0, 20, (3, 4)), rng.uniform(0, 15, (3, 4))], axis=-1)
    maps = np.full((3, 15 * 20, 4), -50, "float32")
    cells = to_numpy(codec.encode(points.astype("float32"), 15, 20))
    np.put_along_axis(maps, cells[:, None], 50, axis=1)
    found = to_numpy(codec.decode(maps.reshape(3, 15, 20, 4), method))
    # A single cell says no more than where its centre is.
    np.testing.assert_allclose(found, np.floor(points) + 0.5, atol=1e-5)


@pytest.mark.parametrize("tile", [1, 4])
def test_peak_cells_equals_argmax(tile):
    maps = random_maps((3, 80, 80, 5))
    index = maps.reshape(3, -1, 5).argmax(axis=1)
    x, y = map(to_numpy, codec.peak_cells(maps, tile))
    np.testing.assert_array_equal(x, index % 80)
    np.testing.assert_array_equal(y, index // 80)


def test_peak_cells_reaches_every_cell():
    maps = np.eye(13 * 7, dtype="float32").reshape(13, 7, 13, 7).transpose(2, 3, 0, 1)
    maps = maps.reshape(1, 13, 7, 91)
    x, y = map(to_numpy, codec.peak_cells(maps))
    np.testing.assert_array_equal(x[0], np.arange(91) % 7)
    np.testing.assert_array_equal(y[0], np.arange(91) // 7)


def test_of_equal_cells_the_first_wins():
    maps = np.zeros((1, 6, 8, 2), "float32")
    maps[0, 2, 5, 0] = maps[0, 2, 7, 0] = maps[0, 4, 1, 0] = 9
    found = to_numpy(codec.decode(maps, "argmax"))
    np.testing.assert_array_equal(found, [[[5.5, 2.5], [0.5, 0.5]]])


@pytest.mark.parametrize("method", codec.DECODERS)
@pytest.mark.parametrize("value", [0.0, 1e30, -1e30])
def test_constant_maps_decode_to_something_finite(method, value):
    maps = np.full((2, 8, 8, 3), value, "float32")
    maps[1, 3, 4, 1] += 1e30
    found = to_numpy(codec.decode(maps, method))
    assert found.shape == (2, 3, 2) and found.dtype == "float32"
    assert (found >= 0).all() and (found <= 8).all()


@pytest.mark.parametrize("method, off", [("quadratic", 1e-3), ("local_mean", 0.05)])
def test_the_centre_of_a_gaussian_is_found(method, off):
    rng = np.random.default_rng(0)
    centers = rng.uniform(6, 34, (300, 2))
    found = to_numpy(codec.decode(gaussian_maps(centers), method))[0]
    assert np.abs(found - centers).max() < off
    coarse = to_numpy(codec.decode(gaussian_maps(centers), "argmax"))[0]
    np.testing.assert_allclose(coarse, np.floor(centers) + 0.5)


def border_centers(inner, outer):
    """Centres between `inner` and `outer` pixels from one of the four borders."""
    centers = np.random.default_rng(0).uniform(6, 34, (400, 2))
    depth = np.random.default_rng(1).uniform(inner, outer, 400)
    side, axis = np.arange(400) % 2, np.arange(400) // 2 % 2
    centers[np.arange(400), axis] = np.where(side, 40 - depth, depth)
    return centers


# How near to the border the whole window of each rule fits.
@pytest.mark.parametrize("method, depth", [("quadratic", 1.001), ("local_mean", 3)])
def test_the_centre_of_a_gaussian_is_found_near_the_border(method, depth):
    centers = border_centers(depth, 5)
    found = to_numpy(codec.decode(gaussian_maps(centers), method))[0]
    assert np.abs(found - centers).max() < 0.05


@pytest.mark.parametrize("method, bound", [("quadratic", 0.5), ("local_mean", 1.0)])
def test_at_the_border_itself_a_point_is_off_by_less_than_a_cell(method, bound):
    centers = border_centers(0, 3)
    found = to_numpy(codec.decode(gaussian_maps(centers), method))[0]
    assert np.abs(found - centers).max() < bound


def local_mean(maps, radius):
    """`local_mean` in float64 numpy, one map after another."""
    maps = maps.astype("float64")
    batch, height, width, keypoints = maps.shape
    found = np.zeros((batch, keypoints, 2))
    for n, k in np.ndindex(batch, keypoints):
        row, column = np.unravel_index(maps[n, :, :, k].argmax(), (height, width))
        rows = np.arange(max(row - radius, 0), min(row + radius + 1, height))
        columns = np.arange(max(column - radius, 0), min(column + radius + 1, width))
        weight = np.exp(maps[n, rows[:, None], columns, k])
        found[n, k, 0] = (weight.sum(0) * (columns + 0.5)).sum() / weight.sum()
        found[n, k, 1] = (weight.sum(1) * (rows + 0.5)).sum() / weight.sum()
    return found


@pytest.mark.parametrize("radius", [0, 1, 3])
def test_local_mean_equals_numpy(radius):
    maps = random_maps()
    found = to_numpy(codec.decode(maps, "local_mean", radius))
    np.testing.assert_allclose(found, local_mean(maps, radius), atol=1e-5)


@pytest.mark.parametrize("size, radius", [(15, 3), (80, 3), (112, 4), (160, 6)])
def test_the_window_of_local_mean_grows_with_the_map(size, radius):
    maps = np.random.default_rng(2).normal(0, 0.3, (2, size, size, 3))
    found = to_numpy(codec.decode(maps.astype("float32")))
    np.testing.assert_allclose(found, local_mean(maps, radius), atol=1e-4)
    assert np.abs(found - local_mean(maps, radius - 1)).max() > 0.01


def test_unknown_method():
    with pytest.raises(ValueError, match="Received: 'mean'"):
        codec.decode(random_maps(), "mean")


def test_spatial_softmax_equals_numpy():
    maps = random_maps()
    found = to_numpy(codec.spatial_softmax(maps))
    np.testing.assert_allclose(found, softmax(maps), atol=1e-6)
    assert to_numpy(codec.spatial_softmax(maps.astype("float16"))).dtype == "float32"


def test_no_probability_is_too_small_for_float32():
    maps = np.full((1, 80, 80, 2), -1e30, "float32")
    maps[0, 7, 7, 0], maps[0, 8, 8, 1] = 1e30, -9e29
    found = to_numpy(codec.spatial_softmax(maps))
    assert found.min() > np.finfo("float32").tiny  # numpy may raise on underflow
    np.testing.assert_allclose(found.sum(axis=(1, 2)), 1, atol=1e-6)


def test_mass_within_equals_numpy():
    probabilities = softmax(random_maps())
    points = np.random.default_rng(1).uniform(-1, 14, (3, 4, 2))
    radii = np.array([0.6, 2.0, 4.0])
    cells = np.stack(np.meshgrid(np.arange(15) + 0.5, np.arange(12) + 0.5), axis=-1)
    distance = np.linalg.norm(cells[None, :, :, None] - points[:, None, None], axis=-1)
    near = distance <= radii[:, None, None, None]
    expected = (probabilities * near).sum(axis=(1, 2))
    inputs = [x.astype("float32") for x in (probabilities, points, radii)]
    np.testing.assert_allclose(
        to_numpy(codec.mass_within(*inputs)), expected, atol=1e-6
    )
    same = to_numpy(codec.mass_within(*inputs[:2], 2.0))
    np.testing.assert_allclose(same[1], expected[1], atol=1e-6)


def test_a_cell_whose_centre_is_at_the_radius_counts():
    cells = np.full((1, 9, 11, 1), 0.01, "float32")
    point = np.float32([[[5.5, 4.5]]])
    # 13 cells have their centre within 2 of one: 1 + 3 + 5 + 3 + 1.
    found = to_numpy(codec.mass_within(cells, point, 2.0))
    np.testing.assert_allclose(found, 0.13, atol=1e-6)


def test_distance_between_the_eyes():
    five = np.zeros((2, 5, 2))
    five[0, :2] = [10, 20], [13, 24]
    five[1, :2] = [1, 1], [1, 8]
    np.testing.assert_allclose(
        to_numpy(codec.normalizing_distance(five, FACE_5)), [5, 7]
    )
    many = np.random.default_rng(0).uniform(0, 80, (3, 68, 2))
    left, right = many[:, [36, 39]].mean(axis=1), many[:, [42, 45]].mean(axis=1)
    expected = np.hypot(*(left - right).T)
    np.testing.assert_allclose(
        to_numpy(codec.normalizing_distance(many, FACE_68)), expected
    )
    with pytest.raises(ValueError, match="the 5 of the layout 'mtfl5'. Received: 7"):
        codec.normalizing_distance(np.zeros((1, 7, 2)), FACE_5)


def test_diagonal_of_the_box_around_the_known_points():
    layout = KeypointLayout("card", ("a", "b", "c", "d"), normalizer="box")
    points = np.array([[[10.0, 5], [13, 9], [11, 7], [10, 8]]] * 2)
    points[1, 1] = np.nan
    found = to_numpy(codec.normalizing_distance(points, layout))
    np.testing.assert_allclose(found, [5, np.hypot(1, 3)])
    points[0, 1:] = np.nan  # The box around one point is no unit.
    found = to_numpy(codec.normalizing_distance(points, layout))
    np.testing.assert_allclose(found, [np.nan, np.hypot(1, 3)])


CENTERS = np.array(
    [[12.5, 20.5], [27.5, 20.5], [20.5, 25.5], [14.5, 30.5], [26.5, 30.5]]
)


def sure_of(maps, points, **line):
    log_odds = codec.mass_log_odds(maps, points, FACE_5)
    return to_numpy(codec.confidence(log_odds, **line))


def test_confidence_is_the_mass_within_a_tenth_of_the_eyes_distance():
    maps = gaussian_maps(CENTERS, sigma=1.5)
    points = CENTERS[None].astype("float32")  # The eyes are 15 apart: radius 1.5.
    found = sure_of(maps, points)
    expected = codec.mass_within(softmax(maps).astype("float32"), points, 1.5)
    np.testing.assert_allclose(found, to_numpy(expected), atol=1e-5)
    # A predicted face of no size still gets a radius of one pixel.
    points = np.full((1, 5, 2), 20.5, "float32")
    expected = codec.mass_within(softmax(maps).astype("float32"), points, 1.0)
    found = sure_of(maps, points)
    np.testing.assert_allclose(found, np.maximum(to_numpy(expected), 1e-6), atol=1e-5)


def test_confidence_counts_the_whole_circle_from_corner_to_corner():
    maps = random_maps((2, 60, 110, 5))
    for keypoint, (row, column) in enumerate([(0, 0), (59, 109), (0, 109), (30, 50)]):
        maps[:, row, column, keypoint] = 14  # above all others
    points = codec.decode(maps, "argmax")
    found = sure_of(maps, points)
    points = to_numpy(points).astype("float64")
    radius = 0.1 * np.linalg.norm(points[:, 0] - points[:, 1], axis=-1)
    assert radius.min() > 12  # as long as it can be
    cells = np.stack(np.meshgrid(np.arange(110) + 0.5, np.arange(60) + 0.5), axis=-1)
    offsets = cells[None, :, :, None] - points[:, None, None]
    near = np.linalg.norm(offsets, axis=-1) <= radius[:, None, None, None]
    expected = (softmax(maps) * near).sum(axis=(1, 2))
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_confidence_counts_the_whole_circle_between_cells():
    # The eyes are in opposite corners, and the others anywhere within their cells: the
    # circle reaches farther to one side.
    maps, rng = random_maps((40, 9, 17, 5)), np.random.default_rng(1)
    points = rng.uniform(0, [17, 9], (40, 5, 2)).astype("float32")
    points[:, 0], points[:, 1] = [0.01, 0.01], [16.99, 8.99]
    radius = 0.1 * np.hypot(16.98, 8.98)
    expected = codec.mass_within(softmax(maps).astype("float32"), points, radius)
    expected = np.clip(to_numpy(expected), 1e-6, 1 - 1e-6)
    np.testing.assert_allclose(sure_of(maps, points), expected, atol=1e-5)


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (5, 2)])
@pytest.mark.parametrize("method", codec.DECODERS)
def test_maps_smaller_than_the_window_are_decoded(method, shape):
    maps = random_maps((2, *shape, 5))
    found = to_numpy(codec.decode(maps, method))
    assert (found >= 0).all() and (found <= shape[::-1]).all()
    assert np.isfinite(sure_of(maps, found)).all()


def test_maps_that_are_nan_give_keypoints_that_are_nan_and_leave_the_others():
    maps = random_maps((2, 12, 15, 5))
    expected = to_numpy(codec.decode(maps))[1]
    maps[0] = np.nan
    found = codec.decode(maps)
    sure = sure_of(maps, found)
    found = to_numpy(found)
    assert np.isnan(found[0]).all() and np.isnan(sure[0]).all()
    np.testing.assert_array_equal(found[1], expected)
    assert np.isfinite(sure[1]).all()


def test_confidence_rises_with_the_mass():
    points = CENTERS[None].astype("float32")
    widths = [8.0, 4.0, 2.0, 1.0, 0.5]
    for line in ({}, {"slope": 0.4, "offset": -1.0}):
        found = [
            sure_of(gaussian_maps(CENTERS, sigma=s), points, **line) for s in widths
        ]
        assert (np.diff(found, axis=0) > 0).all()
        assert np.min(found) > 0 and np.max(found) < 1


def test_confidence_follows_its_line_in_log_odds():
    maps, points = gaussian_maps(CENTERS, sigma=2.0), CENTERS[None].astype("float32")
    bare = sure_of(maps, points).astype("float64")
    odds = 0.7 * np.log(bare / (1 - bare)) - 0.3
    found = sure_of(maps, points, slope=0.7, offset=-0.3)
    np.testing.assert_allclose(found, 1 / (1 + np.exp(-odds)), atol=1e-5)


def test_face_score_is_the_line_of_the_mean_log_odds():
    maps = np.concatenate([gaussian_maps(CENTERS, sigma=s) for s in (0.5, 2.0, 8.0)])
    points = np.repeat(CENTERS[None], 3, axis=0).astype("float32")
    log_odds = codec.mass_log_odds(maps, points, FACE_5)
    found = to_numpy(codec.face_score(log_odds, 0.7, -0.3))
    # The mass in numpy: within a tenth of the eyes' distance of 15.
    grid = np.stack(np.meshgrid(*map(np.arange, maps.shape[2:0:-1])), axis=-1) + 0.5
    offsets = np.linalg.norm(grid[None, :, :, None] - points[:, None, None], axis=-1)
    mass = (softmax(maps) * (offsets <= 1.5)).sum(axis=(1, 2))
    mass = np.clip(mass, 1e-6, 1 - 1e-6)
    mean = np.log(mass / (1 - mass)).mean(axis=1)
    np.testing.assert_allclose(found, 1 / (1 + np.exp(0.3 - 0.7 * mean)), atol=1e-5)
    assert found.shape == (3,) and (np.diff(found) < 0).all()
