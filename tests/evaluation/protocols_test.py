import numpy as np
import pytest

from rcn_keras import build_rcn
from rcn_keras.errors import InputError
from rcn_keras.evaluation import protocols, tables
from rcn_keras.evaluation.errors import normalized_errors
from rcn_keras.predictor import FacePrediction


class Oracle:
    """Finds every face exactly, moved by a known number of pixels; one it misses."""

    def __init__(self, faces, moved, missing):
        self.faces, self.moved, self.missing, self.calls = faces, moved, missing, 0

    def __call__(self, image):
        face, number = self.faces[self.calls], self.calls
        self.calls += 1
        if number == self.missing:
            return []
        points = face.keypoints + self.moved
        low, high = points.min(0) - 9, points.max(0) + 9
        elsewhere = FacePrediction(np.array([0, 0, 2, 2]), points * 0, None, 1.0)
        box = np.concatenate([low, high])
        return [elsewhere, FacePrediction(box, points, None, 1.0)]


def test_detector_protocol_by_hand(crops):
    faces = crops.faces[:4]
    oracle = Oracle(faces, moved=[3.0, 4.0], missing=2)
    errors = protocols.detector_boxes(oracle, faces, label_shift=1.0)
    for face, values in zip(faces, errors["detector"]):
        if face is faces[2]:
            assert np.isinf(values).all()
            continue
        eyes = np.linalg.norm(face.keypoints[0] - face.keypoints[1])
        np.testing.assert_allclose(values, 5.0 / eyes, rtol=1e-4)
    moved = np.hypot(4.0, 5.0) / np.hypot(3.0, 4.0)  # labels one pixel back
    np.testing.assert_allclose(
        errors["detector_shift_corrected"][0], errors["detector"][0] * moved, rtol=1e-4
    )
    report = protocols.report("oracle", "aflw", errors)
    numbers = report["protocols"]["detector"]
    assert numbers["detected"] == 3 and report["faces"] == 4
    assert numbers["failure_rate_10"] >= 25  # the missing face fails
    assert np.isfinite(numbers["nme"])
    assert "3 of 4 faces found" in tables.protocol_table(report, {"aflw": 5.6})


def test_detector_that_finds_nothing(crops):
    errors = protocols.detector_boxes(lambda image: [], crops.faces[:2])
    with pytest.raises(InputError, match="none of the 2 faces"):
        protocols.report("m", "aflw", errors)


def test_shift_correction_by_hand(crops):
    """Predictions that lie a pixel left of and above the labels are right again."""
    few = crops.take(range(3))
    model = build_rcn(branches=4)
    errors = protocols.ground_truth_boxes(model, few, label_shift=1.0)
    assert set(errors) == {
        "paper_grid",
        "subpixel",
        "paper_grid_shift_corrected",
        "subpixel_shift_corrected",
    }
    assert all(values.shape == (3, 5) for values in errors.values())
    assert set(protocols.ground_truth_boxes(model, few)) == {"paper_grid", "subpixel"}
    # One pixel of the photograph, in interocular distances.
    photograph = np.stack([face.keypoints for face in few.faces])
    one = normalized_errors(photograph, photograph - [1.0, 0.0])
    change = errors["subpixel"] - errors["subpixel_shift_corrected"]
    assert (np.abs(change) <= np.sqrt(2) * one * 1.01).all()
    assert np.abs(change).max() > 0


def test_only_aflw_has_a_label_shift():
    assert protocols.label_shift("aflw") == 1.0
    assert protocols.label_shift("afw") == protocols.label_shift("validation") == 0.0


def test_table_and_rows(tmp_path):
    errors = {"paper_grid": np.full((4, 5), 0.05), "subpixel": np.full((4, 5), 0.04)}
    report = protocols.report("m", "aflw", errors)
    text = tables.protocol_table(report, {"aflw": 5.6})
    assert "5.60" in text and "paper (AFLW, paper grid)" in text
    path = tmp_path / "sub" / "rows.csv"
    tables.write_rows(path, report, {"recipe": {"seed": 4}})
    tables.write_rows(path, report, {"recipe": {"seed": 5}})
    lines = path.read_text().splitlines()
    assert len(lines) == 3  # replaced, not added
    assert ",5.0," in lines[1] and ",4.0," in lines[2]
