import csv
import json
import re

import numpy as np

from rcn_keras import build_denoiser, build_rcn
from rcn_keras.data.annotations import Face
from rcn_keras.data.batches import input_images
from rcn_keras.data.sets import load_test_set
from rcn_keras.evaluation import protocols, reports, tables
from rcn_keras.evaluation.errors import normalized_errors
from rcn_keras.evaluation.inference import decoded_model, run
from rcn_keras.layout import FACE_5, FACE_68, KeypointLayout
from rcn_keras.predictor import FacePrediction
from rcn_keras.reproduction.snapping import border_snapped_errors, snapped


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
    errors = protocols.detector_boxes(oracle, crops.take(range(4)), label_shift=1.0)
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
    report = reports.report("oracle", "aflw", errors)
    numbers = report["protocols"]["detector"]
    assert numbers["detected"] == 3 and report["faces"] == 4
    assert numbers["failure_rate_10"] >= 25  # the missing face fails
    assert np.isfinite(numbers["nme"])
    assert "3 of 4 faces found" in tables.protocol_table(report, {"aflw": 5.6})


def test_a_detector_that_finds_nothing_loses_nothing_else(crops, tmp_path):
    errors = {"subpixel": np.full((2, 5), 0.05)}
    errors |= protocols.detector_boxes(lambda image: [], crops.take([0, 1]))
    report = reports.report("m", "aflw", errors)
    assert report["protocols"]["subpixel"]["nme"] == 5.0
    nothing = report["protocols"]["detector"]
    assert nothing["detected"] == 0 and nothing["failure_rate_10"] == 100
    assert nothing["nme"] is None and nothing["ci95"] == [None, None]
    table = tables.protocol_table(report, {})
    assert "0 of 2 faces found" in table and re.search(r"detector +- +- - +100", table)
    json.dumps(report, allow_nan=False)
    tables.write_rows(tmp_path / "rows.csv", report, {})
    with (tmp_path / "rows.csv").open() as file:
        last = list(csv.DictReader(file))[-1]
    assert last["detected"] == "0" and last["nme_percent"] == ""


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
    one = normalized_errors(photograph, photograph - [1.0, 0.0], FACE_5)
    change = errors["subpixel"] - errors["subpixel_shift_corrected"]
    assert (np.abs(change) <= np.sqrt(2) * one * 1.01).all()
    assert np.abs(change).max() > 0


def test_only_aflw_has_a_label_shift():
    assert protocols.label_shift("aflw") == 1.0
    assert protocols.label_shift("afw") == protocols.label_shift("validation") == 0.0


def test_table_and_rows(tmp_path):
    errors = {"paper_grid": np.full((4, 5), 0.05), "subpixel": np.full((4, 5), 0.04)}
    report = reports.report("m", "aflw", errors)
    text = tables.protocol_table(report, {"aflw": 5.6})
    assert "5.60" in text and "paper (AFLW, paper grid)" in text
    path = tmp_path / "sub" / "rows.csv"
    tables.write_rows(path, report, {"recipe": {"seed": 4}})
    tables.write_rows(path, report, {"recipe": {"seed": 5}})
    lines = path.read_text().splitlines()
    assert len(lines) == 3  # replaced, not added
    assert ",5.0," in lines[1] and ",4.0," in lines[2]


def test_the_table_of_ones_own_keypoints_names_their_unit():
    report = reports.report("m", "all", {"subpixel": np.full((4, 2), 0.09)})
    eyes = KeypointLayout("own", ("left", "right"), normalizer=((0,), (1,)))
    text = tables.protocol_table(report, {}, eyes)
    assert "4 instances\nerrors in percent of the distance between left and" in text
    assert re.search(
        r"FR 8 % +FR 10 % +AUC 10 %.*\nsubpixel +9.00 .* 100.00 +0.00", text
    )
    boxes = tables.protocol_table(report, {}, KeypointLayout("own", ("left", "right")))
    assert "9.00" in boxes and "the diagonal of the box" in boxes
    assert "FR" not in boxes and "AUC" not in boxes


def _faces(*subsets):
    return [Face("x.jpg", np.zeros((68, 2)), "x.pts", {"subset": s}) for s in subsets]


def test_parts_of_300w_are_weighted_by_their_faces():
    faces = _faces("helen/testset", "lfpw/testset", "ibug")
    errors = {"subpixel": np.array([[0.02], [0.04], [0.09]]) * np.ones((1, 68))}
    parts = reports.subset_reports("m", faces, errors)
    found = {r["set"]: r["protocols"]["subpixel"]["nme"] for r in parts}
    assert found == {"300w_common": 3.0, "300w_challenging": 9.0, "300w_full": 5.0}
    assert [r["faces"] for r in parts] == [2, 1, 3]
    assert parts[0]["set_name"] == (
        "300-W common (helen/testset 1 of 330, lfpw/testset 1 of 224)"
    )
    paper = {"300w_common": 4.7}
    assert "4.70" in tables.protocol_table(parts[0], paper)
    assert "paper" not in tables.protocol_table(parts[1], paper)
    assert len(reports.subset_reports("m", faces[:1], {"p": np.ones((1, 68))})) == 1


def test_protocols_of_68_points_by_hand(three_hundred_w_folder):
    crops = load_test_set(three_hundred_w_folder, "300w", layout=FACE_68)
    images, true = input_images(crops)
    model = build_rcn(branches=4, keypoints=68)
    model.set_decoder("argmax")
    errors = protocols.ground_truth_boxes_68(model, crops)
    found = run(decoded_model(model), images)["argmax"]
    distance = np.linalg.norm(found - true, axis=-1)
    eyes = [true[:, a : b + 1 : b - a].mean(axis=1) for a, b in ((36, 39), (42, 45))]
    eyes = np.linalg.norm(eyes[0] - eyes[1], axis=-1)
    corners = np.linalg.norm(true[:, 36] - true[:, 45], axis=-1)
    np.testing.assert_allclose(errors["subpixel"], distance / eyes[:, None], rtol=1e-5)
    inner = [i for i in range(17, 68) if i not in (60, 64)]
    np.testing.assert_allclose(
        errors["subpixel_49_outer_corners"],
        distance[:, inner] / corners[:, None],
        rtol=1e-5,
    )
    cells = np.linalg.norm(np.floor(found) - np.clip(np.floor(true), 0, 79), axis=-1)
    np.testing.assert_allclose(errors["paper_grid"], cells / eyes[:, None], rtol=1e-5)
    assert (errors["subpixel_occluded"] != errors["subpixel"]).any()
    snap = border_snapped_errors(model, crops)
    assert set(snap) == {"paper_grid_border_snapped", "subpixel_border_snapped"}
    distance = np.linalg.norm(snapped(found, crops) - true, axis=-1)
    np.testing.assert_allclose(
        snap["subpixel_border_snapped"], distance / eyes[:, None], rtol=1e-5
    )


def test_confidence_is_measured_where_nothing_is_floored(crops):
    model = build_rcn(branches=4)
    sure = protocols.confidences(model, crops)
    assert sure.shape == (24, 5) and (sure >= 0).all() and (sure <= 1).all()
    errors = {"paper_grid": np.zeros((24, 5)), "subpixel": np.zeros((24, 5))}
    report = reports.report("m", "aflw", errors, np.full((24, 5), 0.75))
    assert "calibration_error" not in report["protocols"]["paper_grid"]
    assert report["protocols"]["subpixel"]["calibration_error"] == 25.0
    assert "calibration error of confidence 25.00 %" in tables.protocol_table(
        report, {}
    )


def test_moved_keypoints_alone_count(three_hundred_w_folder):
    crops = load_test_set(three_hundred_w_folder, "300w", layout=FACE_68)
    denoiser = build_denoiser(filters=(2,), kernel_size=3, pooling=4)
    errors = protocols.moved_keypoints(denoiser, crops, counts=(5, 68))
    assert list(errors) == ["moved_5_before", "moved_5", "moved_68_before", "moved_68"]
    assert ((~np.isnan(errors["moved_5"])).sum(axis=1) <= 5).all()
    # Moved anywhere in a square of 80, eyes some 25 apart.
    assert 1 < np.nanmean(errors["moved_68_before"]) < 3
    report = reports.report("d", "300w", errors)
    assert report["protocols"]["moved_5"]["nme"] > 0
    assert len(report["protocols"]["moved_5"]["per_keypoint"]) == 68
