import numpy as np
import pytest

from rcn_keras.evaluation import errors
from rcn_keras.layout import FACE_5, FACE_68

# Eyes 10 apart.
TRUE = np.array(
    [[[20.9, 30.2], [30.9, 30.2], [25.5, 35.5], [21.0, 40.0], [29.0, 40.0]]]
)


def test_errors_are_in_eye_distances():
    predicted = TRUE + [[3, 4]]
    found = errors.normalized_errors(TRUE, predicted, FACE_5)
    assert found.shape == (1, 5) and found.dtype == "float64"
    np.testing.assert_allclose(found, 0.5, rtol=1e-6)


def test_the_papers_grid_floors_both():
    predicted = TRUE.copy()
    predicted[0, 0] = [20.1, 30.9]  # The same cell.
    predicted[0, 1] = [31.0, 30.2]  # The next one, a tenth of a pixel off.
    grid = errors.normalized_errors(TRUE, predicted, FACE_5, grid=True)
    np.testing.assert_allclose(grid, [[0, 0.1, 0, 0, 0]], rtol=1e-6)
    subpixel = errors.normalized_errors(TRUE, predicted, FACE_5)
    np.testing.assert_allclose(subpixel[0, :2], [np.hypot(0.8, 0.7) / 10, 0.01])


def test_the_papers_grid_ends_at_its_border():
    true, predicted = np.tile(TRUE, (2, 1, 1)), np.tile(TRUE, (2, 1, 1))
    true[0, 2], predicted[0, 2] = [85.0, -3.0], [79.5, 0.5]
    true[1, 2], predicted[1, 2] = [40.5, 79.5], [40.5, 99.0]
    grid = errors.normalized_errors(true, predicted, FACE_5, grid=True)
    assert not grid.any()
    assert errors.normalized_errors(true, predicted, FACE_5)[:, 2].all()
    larger = errors.normalized_errors(true, predicted, FACE_5, grid=True, size=160)
    assert larger[:, 2].all()


def test_the_eye_distance_is_not_floored():
    true = TRUE.copy()
    true[0, 0] = [20.4, 30.2]  # 10.5 apart, 10 between the cells.
    found = errors.normalized_errors(true, true + [2, 0], FACE_5, grid=True)
    np.testing.assert_allclose(found, 2 / 10.5, rtol=1e-6)


def test_68_keypoints():
    true = np.random.default_rng(0).uniform(0, 80, (2, 68, 2))
    eyes = true[:, [36, 39]].mean(axis=1) - true[:, [42, 45]].mean(axis=1)
    found = errors.normalized_errors(true, true + [0, 2], FACE_68)
    expected = 2 / np.hypot(*eyes.T)
    np.testing.assert_allclose(found, np.tile(expected[:, None], 68), rtol=1e-5)


def test_the_distance_of_the_outer_corners():
    true = np.random.default_rng(0).uniform(0, 80, (3, 68, 2))
    found = errors.normalized_errors(true, true + [3, 4], errors.FACE_68_OUTER_CORNERS)
    corners = np.hypot(*(true[:, 36] - true[:, 45]).T)
    np.testing.assert_allclose(found, np.tile(5 / corners[:, None], 68), rtol=1e-5)
    with pytest.raises(ValueError, match="the 68 of the layout .* Received: 5"):
        errors.normalized_errors(TRUE, TRUE, errors.FACE_68_OUTER_CORNERS)


def test_a_keypoint_that_is_not_known():
    true = TRUE.copy()
    true[0, 2] = np.nan
    for grid in (False, True):
        found = errors.normalized_errors(true, TRUE + [0, 1], FACE_5, grid)
        assert np.isnan(found[0]).tolist() == [False, False, True, False, False]
        np.testing.assert_allclose(found[0, [0, 1, 3, 4]], 0.1, rtol=1e-6)


def test_the_49_inner_points():
    # 1-based: no 1 to 17, no 61, no 65.
    kept = [n for n in range(1, 69) if n not in (*range(1, 18), 61, 65)]
    assert len(kept) == 49 and (errors.INNER_49 + 1).tolist() == kept


# Faces of 3, 7, 9 and 15 %.
TABLE = np.array([[0.02, 0.04], [0.06, 0.08], [0.09, 0.09], [0.20, 0.10]])


def test_a_face_is_the_mean_of_its_known_keypoints():
    nan = np.nan
    faces = errors.face_errors([[0.1, 0.3], [nan, 0.2], [nan, nan], [np.inf, 0.1]])
    np.testing.assert_allclose(faces, [0.2, 0.2, nan, np.inf])


def test_summary():
    found = errors.summary(TABLE)
    assert found.pop("ci95")[0] < 8.5
    assert found == {
        "nme": 8.5,
        "failure_rate_8": 50.0,
        "failure_rate_10": 25.0,
        "auc_10": 27.5,
        "per_keypoint": [9.25, 7.75],
    }


def test_summary_without_what_is_not_known():
    table = np.array([[0.02, np.nan], [0.06, 0.08], [np.nan, np.nan], [np.nan, 0.12]])
    found = errors.summary(table)
    assert found["nme"] == pytest.approx(7.0)  # Of 2, 7 and 12 %.
    assert found["per_keypoint"] == [4.0, 10.0]
    assert found["failure_rate_10"] == pytest.approx(100 / 3, abs=1e-3)
    assert found["auc_10"] == pytest.approx(100 * (0.8 + 0.3) / 3, abs=1e-3)


def test_a_failure_is_above_the_bound():
    found = errors.summary(np.array([[0.08, 0.08], [0.1, 0.1]]))
    assert (found["failure_rate_8"], found["failure_rate_10"]) == (50.0, 0.0)


def test_faces_that_were_missed_are_failures():
    found, without = errors.summary(TABLE, missed=4), errors.summary(TABLE)
    assert (found["failure_rate_8"], found["failure_rate_10"]) == (75.0, 62.5)
    assert found["auc_10"] == 13.75
    assert all(found[key] == without[key] for key in ("nme", "ci95", "per_keypoint"))


def test_interval():
    faces = np.random.default_rng(0).normal(0.06, 0.02, (2000, 1))
    low, high = errors.summary(faces)["ci95"]
    half = 1.96 * 100 * faces.std() / np.sqrt(2000)
    assert low == pytest.approx(100 * faces.mean() - half, abs=0.1 * half)
    assert high == pytest.approx(100 * faces.mean() + half, abs=0.1 * half)
    assert errors.summary(faces)["ci95"] == [low, high]
    assert errors.summary(faces, seed=1)["ci95"] != [low, high]
    assert errors.summary(np.full((9, 5), 0.05))["ci95"] == [5.0, 5.0]


def test_cumulative_error():
    faces = [0.05, 0.15, 0.10, 0.30]
    thresholds, shares = errors.cumulative_error(faces, limit=0.2, points=5)
    np.testing.assert_allclose(thresholds, [0, 0.05, 0.1, 0.15, 0.2])
    np.testing.assert_array_equal(shares, [0, 0.25, 0.5, 0.75, 0.75])
    assert len(errors.cumulative_error(faces)[0]) == 201


def test_area_under_curve():
    assert errors.area_under_curve([0.0, 0.0], 0.1) == 1
    assert errors.area_under_curve([0.1, 0.5], 0.1) == 0
    assert errors.area_under_curve([0.025, 0.5], 0.1) == pytest.approx(0.375)
    faces = np.random.default_rng(0).uniform(0, 0.2, 500)
    thresholds, shares = errors.cumulative_error(faces, limit=0.1, points=100_001)
    area = np.trapezoid(shares, thresholds) / 0.1
    assert errors.area_under_curve(faces, 0.1) == pytest.approx(area, abs=1e-4)


def test_calibration_error_by_hand():
    confidence = np.array([[0.95, 0.85], [0.15, 0.95]])
    correct = np.array([[True, False], [False, True]])
    # Bins: 0.95 twice, both right; 0.85 wrong; 0.15 wrong.
    expected = (2 * 0.05 + 0.85 + 0.15) / 4
    assert errors.calibration_error(confidence, correct) == pytest.approx(expected)
    assert errors.calibration_error(np.ones(3), np.ones(3, bool)) == 0
    # One bin holds all from 0.3 up to 0.4: (0.31 + 0.39 - 1) / 2.
    found = errors.calibration_error([0.31, 0.39], [True, False])
    assert found == pytest.approx(0.15)


def test_a_keypoint_that_never_counts_has_no_mean():
    values = np.array([[0.1, np.nan], [0.3, np.nan]])
    found = errors.summary(values)
    assert found["per_keypoint"] == [20.0, None] and found["nme"] == 20.0


def test_degenerate_labels_are_left_out():
    rng = np.random.default_rng(0)
    true, predicted = rng.uniform(0, 80, (2, 3, 5, 2))
    expected = errors.normalized_errors(true, predicted, FACE_5)
    true[1, 1] = true[1, 0]  # both eyes on one spot
    true[2, 4] = [np.inf, 3]
    found = errors.normalized_errors(true, predicted, FACE_5)
    expected[1], expected[2, 4] = np.nan, np.nan
    np.testing.assert_array_equal(found, expected)
    grid = errors.normalized_errors(true, predicted, FACE_5, grid=True)
    np.testing.assert_array_equal(np.isnan(grid), np.isnan(expected))


def test_auroc_is_the_share_of_pairs_in_order():
    rng = np.random.default_rng(0)
    positive, negative = rng.integers(2, 9, 40), rng.integers(0, 7, 30)
    order = np.sign(positive[:, None] - negative[None])
    expected = (order + 1).mean() / 2
    assert (order == 0).any()  # Ties count one half.
    assert errors.auroc(positive, negative) == pytest.approx(expected)
    assert errors.auroc([2, 3], [0, 1]) == 1 and errors.auroc([0], [1]) == 0
    assert errors.auroc(np.ones(5), np.ones(4)) == 0.5
