import argparse
import csv
import dataclasses
import shutil
import sys
import time

import accuracy
import accuracy_by_pose
import common
import face_score
import faces_per_second
import fit_detector_box
import joint_model
import label_shift
import large_kernel_conv
import numpy as np
import photographs
import pytest
import refinement_threshold
import serving_load
import speed_goals
import table1_ties
import tile_limit

from rcn_keras import build_denoiser, build_rcn, from_preset
from rcn_keras.errors import InputError
from rcn_keras.faces.boxes import box_squares
from rcn_keras.faces.detect.geometry import as_mtcnn_draws
from rcn_keras.layout import FACE_5
from rcn_keras.presets import SHIPPED, load_preset, read_config


def test_multiply_adds_of_rcn6():
    assert faces_per_second.macs(build_rcn(branches=6)) == pytest.approx(
        0.115e9, rel=0.02
    )


def test_correction_recovers_a_known_map_despite_outliers():
    generator = np.random.default_rng(0)
    squares = generator.uniform([-20, 5, 80], [30, 40, 300], (200, 3))
    inside = generator.uniform(0.2, 0.8, (200, 5, 2))
    true_maps = generator.normal(0, 0.1, (5, 3, 2)) + [[1, 0], [0, 1], [0, 0]]
    wanted = np.einsum("nki,kij->nkj", inside, true_maps[:, :2]) + true_maps[:, 2]
    in_photograph = squares[:, None, 2:] * inside + squares[:, None, :2]
    true = squares[:, None, 2:] * wanted + squares[:, None, :2]
    spoiled = true.copy()
    spoiled[:8] += generator.normal(0, 200, (8, 5, 2))

    found = accuracy.fit_correction(in_photograph, spoiled, squares)
    np.testing.assert_allclose(found, true_maps, atol=1e-9)
    corrected = accuracy.apply_correction(in_photograph, found, squares)
    np.testing.assert_allclose(corrected, true, atol=1e-6)


def test_mirror_cancels_a_left_right_displacement():
    face = np.array([[30, 40], [70, 41], [52, 60], [35, 80], [66, 79]], "float64")
    face_in_mirror = np.array([[30, 41], [70, 40], [48, 60], [34, 79], [65, 80]])
    np.testing.assert_array_equal(label_shift.mirrored_back(face_in_mirror, 100), face)
    # A network that has learned 3 pixels too far right, and 2 too far down.
    learned = np.array([3, 2])
    back = label_shift.mirrored_back(face_in_mirror + learned, 100)
    np.testing.assert_array_equal((face + learned + back) / 2, face + [0, 2])


def test_the_loss_of_a_second_pass_left_to_faces_that_move():
    movement = np.array([0.01, 0.07, 0.2, 0.5])
    first, second = np.array([3.0, 4.0, 5.0, 9.0]), np.array([2.0, 3.5, 4.0, 3.0])
    rows = {
        row["threshold"]: row
        for row in refinement_threshold.table(movement, first, second)
    }
    share = {at: row["refined_percent"] for at, row in rows.items()}
    assert (share[0], share[0.05], share[0.1], share[np.inf]) == (100, 75, 50, 0)
    assert rows[0]["loss"] == 0 and rows[0]["nme_percent"] == second.mean()
    assert rows[0.05]["loss"] == 0.25 and rows[0.1]["loss"] == 0.375
    assert rows[np.inf]["nme_percent"] == first.mean()


def test_the_cells_that_share_the_largest_value():
    maps = np.zeros((1, 16, 16, 2), "float32")
    maps[0, 4:8, 8:12, 0] = 2.0  # a tile of 4x4 cells
    maps[0, 3, 5, 1] = 1.0
    first, last = table1_ties.best_cells(maps)
    np.testing.assert_array_equal(first, [[[8.5, 4.5], [5.5, 3.5]]])
    np.testing.assert_array_equal(last, [[[11.5, 7.5], [5.5, 3.5]]])


def test_the_limit_of_coarse_tiles():
    true = np.array([[[20.2, 8.0], [60.2, 8.0], [87.9, 7.9], [40, 40], [41, 44.5]]])
    first, middle = tile_limit.limit(true, 10)
    # Cells off, in x and y; over eyes 40 cells apart. A point beyond is taken inside.
    off = [(4, 0), (4, 0), (7, 7), (0, 0), (1, 4)]
    expected = np.mean([100 * np.hypot(x, y) / 40 for x, y in off])
    np.testing.assert_allclose(first, expected)
    off = [(0, 4), (0, 4), (3, 3), (4, 4), (3, 0)]
    expected = np.mean([100 * np.hypot(x, y) / 40 for x, y in off])
    np.testing.assert_allclose(middle, expected)
    assert tile_limit.limit(np.clip(true, 0, 79), 80) == [0, 0]


def test_errors_by_pose():
    errors = np.array([[0.01, 0.03], [0.04, 0.04], [0.10, 0.10]])
    rows = accuracy_by_pose.by_pose(errors, np.array([3, 3, 5]))
    assert [tuple(row.values()) for row in rows] == [
        ("frontal", 2, "3.00"),
        ("right profile", 1, "10.00"),
        ("all faces", 3, "5.33"),
        ("all poses alike", 3, "6.50"),
    ]


def test_medians_over_all_and_each_keypoint():
    offsets = np.zeros((7, 5, 2)) + [-1, 0.5]
    offsets[:, 2] = [4, -4]
    offsets[0] = 100  # one face gone wrong
    middle, resampled = label_shift.medians(offsets, resamples=10)
    np.testing.assert_array_equal(middle[[0, 1]], [[-1, 0.5], [-1, 0.5]])
    np.testing.assert_array_equal(middle[3], [4, -4])
    assert resampled.shape == (10, 6, 2)


def test_detector_constants_lead_from_box_to_square():
    box, wanted = np.array([10, 20, 50, 70.0]), (0.02, 0.07, 1.3)
    layout = dataclasses.replace(FACE_5, detector_square=wanted)
    (square,) = box_squares(box[None], layout)
    np.testing.assert_allclose(fit_detector_box.constants(box, square), wanted)


def test_a_detectors_boxes_less_mtcnns_are_mtcnns():
    own, mtcnns = np.array([0.02, 0.07, 1.3]), np.array([0.01, -0.05, 1.1])
    (moved,) = as_mtcnn_draws([[10, 20, 50, 70]], *fit_detector_box.less(own, mtcnns))
    squares = [
        box_squares(
            np.array([box], "float64"),
            dataclasses.replace(FACE_5, detector_square=tuple(constants)),
        )
        for box, constants in (([10, 20, 50, 70], own), (moved, mtcnns))
    ]
    np.testing.assert_allclose(squares[0], squares[1])


def test_matched_box_holds_the_face_and_lies_nearest():
    boxes = np.array([[0, 0, 90, 90], [30, 30, 70, 70], [55, 55, 99, 99]])
    keypoints = np.array([[48, 48], [52, 52]])
    np.testing.assert_array_equal(
        fit_detector_box.matched(boxes, keypoints), [30, 30, 70, 70]
    )
    assert fit_detector_box.matched(boxes, keypoints + 200) is None
    assert fit_detector_box.matched(np.zeros((0, 4)), keypoints) is None


def test_a_rerun_replaces_its_own_rows_only(tmp_path, monkeypatch):
    path = tmp_path / "results" / "numbers.csv"

    def wrote(command, rows):
        monkeypatch.setattr(sys, "argv", command.split())
        common.write_rows(path, rows)
        with path.open(newline="") as file:
            return list(csv.DictReader(file))

    wrote("/home/me/a.py --data /home/me/MTFL", [{"x": 1}, {"x": 2}])
    wrote("/home/me/b.py --data /home/me/MTFL", [{"x": 3, "y": 4}])
    rows = wrote("/elsewhere/a.py --data /elsewhere/MTFL/", [{"x": 5}])
    assert [(row["x"], row["y"]) for row in rows] == [("3", "4"), ("5", "")]
    assert rows[1]["command"] == "python benchmarks/a.py --data MTFL"
    assert rows[1]["date"] and rows[1]["device"]
    assert "/home" not in path.read_text()
    assert [file.name for file in path.parent.iterdir()] == ["numbers.csv"]


def test_missing_rival_is_reported_with_the_command(monkeypatch):
    def missing():
        raise ModuleNotFoundError("No module named 'dlib'")

    monkeypatch.setitem(common.RIVALS, "dlib", missing)
    with pytest.raises(ImportError, match=r"dlib.*pip install '\.\["):
        common.load_rival("dlib")


def test_missing_data_is_one_line_and_exit_code_2(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["x.py", "--data", str(tmp_path / "none")])
    with pytest.raises(SystemExit, match="2"):
        common.run(fit_detector_box.main)
    error = capsys.readouterr().err
    assert error.startswith("error:") and "none: no such folder" in error
    assert error.count("\n") == 1


def test_label_shift_runs_on_drawn_faces(mtfl_folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(label_shift, "split", lambda count: (None, range(count)))
    arguments = ["--data", mtfl_folder, "--faces", "4", "--results", tmp_path]
    monkeypatch.setattr(sys, "argv", ["label_shift.py", *map(str, arguments)])
    label_shift.main()
    assert "| rcn6_mtfl | mirror | aflw - lfw |" in capsys.readouterr().out
    with (tmp_path / "label_shift.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 2 * 4 * 6


def test_joint_table_by_hand():
    """Two faces of the common part, one challenging; the joint model halves errors."""
    rcn = np.array([[0.02], [0.06], [0.20]]) * np.ones((1, 68))
    errors = {("rcn", "paper grid"): rcn, ("joint", "paper grid"): rcn / 2}
    masks = {"common": np.array([1, 1, 0], bool), "full": np.ones(3, bool)}
    rows = joint_model.table(errors, masks, {"points": 68, "pictures": "plain"})
    expected = pytest.approx([4, 2, 28 / 3, 14 / 3], abs=1e-4)
    assert [row["nme_percent"] for row in rows] == expected
    assert rows[0]["less_rcn"] == rows[2]["less_rcn"] == ""
    assert rows[1]["less_rcn"] == -2.0
    assert rows[3]["less_rcn"] == pytest.approx(-14 / 3, abs=1e-4)
    assert [row["paper_percent"] for row in rows] == [4.70, 4.67, 5.54, 5.41]
    low, high = map(float, rows[1]["less_rcn_ci95"].split(" ... "))
    assert low == -3 and high == -1


def test_the_timed_denoiser_is_the_papers():
    options = argparse.Namespace(size=80, kernel_size=45, filters=64)
    for contender in ("direct", "fft"):
        model = large_kernel_conv.denoiser(contender, options)
        assert model.count_params() == build_denoiser().count_params() == 25_406_212


def test_goals_are_rows_of_what_was_measured():
    def face(contender, batch, milliseconds, ratio):
        row = {"contender": contender, "batch": batch, "ratio": ratio}
        return row | {"ms a face, median": milliseconds}

    def whole(what, detector, unit, median, memory=""):
        row = {"what": what, "detector": detector, "runtime": "openvino"}
        return row | {"unit": unit, "median": median, "MB": memory}

    faces = [
        face("dlib 68 points", 1, "1.40", "1.00"),
        face("rcn6_mtfl, openvino, known square", 1, "1.54", "1.10"),
        face("rcn6_mtfl, openvino, default", 1, "2.80", "2.00"),
        face("rcn6_mtfl, litert, 8-bit, network alone", 64, "0.50", "0.36"),
        face("joint_300w, openvino, network alone", 64, "7.00", "5.00"),
        face("rcn6_mtfl, floor: 0.115 G multiply-adds", "", "1.00", "0.71"),
    ]
    files = [
        whole("512x512 file to points", "mtcnn", "ms", "50.0"),
        whole("folder of 640x480 files", "yunet", "photographs/s", "40.0"),
        whole("command line, cold", "yunet", "s", "0.60", 350),
    ]
    exact = {"keras": (5.33, 0.0), "openvino": (5.33, 4e-5), "openvino-bf16": (5.36, 1)}
    rows = speed_goals.goals(faces, files, exact)
    measured = [float(row["measured"]) for row in rows]
    expected = [1.1, 2, 0.5, 7, 50, 40, 0.6, 350, 4e-5, 0.03]
    np.testing.assert_allclose(measured, expected, rtol=1e-3)
    met = [row["must met"] == "yes" for row in rows]
    assert met == [True, False, True, False, True, True, True, False, True, False]
    assert rows[2]["contender"] == "litert, 8-bit"


def test_a_cold_start_is_measured_without_what_this_process_holds():
    ballast = np.ones(100_000_000, "uint8")
    seconds, memory = photographs.start([sys.executable, "-c", "print(1)"])
    assert seconds > 0 and 5 < memory < 60 < ballast.nbytes / 1e6
    with pytest.raises(InputError, match="exit code 3"):
        photographs.start([sys.executable, "-c", "raise SystemExit(3)"])


def test_face_scores_of_each_kind_against_each_other(crops, monkeypatch):
    monkeypatch.setattr(face_score, "NOISE", 20)
    rows = list(face_score.measured(from_preset("rcn6_mtfl"), crops))
    kinds = [(row["kind"], row["against"]) for row in rows]
    assert len(set(kinds)) == 4 and rows[1]["others"] == 20
    assert all(0.5 < float(row["auroc"]) <= 1 for row in rows)
    assert float(rows[1]["others_above_half_percent"]) == 0


def test_a_preset_gets_its_line_anew(crops, tmp_path, monkeypatch):
    folder = tmp_path / "mine"
    shutil.copytree(SHIPPED / "rcn6_mtfl", folder)
    before = read_config(folder)
    exported = []
    monkeypatch.setattr(
        face_score, "export_model", lambda *given, **_: exported.append(given)
    )
    face_score.fit(load_preset(folder), folder, crops, tmp_path)
    after = read_config(folder)
    assert exported == [(folder,)]
    assert after["face_calibration"] != before["face_calibration"]
    assert after["backgrounds"] < before["backgrounds"]
    changed = {"face_calibration", "backgrounds"}
    assert {key for key in after if after[key] != before[key]} == changed
    assert (
        f"on {after['backgrounds']} backgrounds" in (folder / "README.md").read_text()
    )


class SlowGraph:
    """Answers rows with what their boxes say, and counts the rows of each call."""

    def __init__(self):
        self.batches = []

    def run(self, signature, image_bytes, boxes):
        self.batches.append(len(image_bytes))
        time.sleep(0.01)
        bad = np.array([data[:2] != b"\xff\xd8" for data in image_bytes])
        bad |= np.array([data[-2:] != b"\xff\xd9" for data in image_bytes])
        bad |= np.isnan(boxes).any(axis=1)
        points = np.where(bad, np.nan, boxes[:, 0])[:, None, None] * np.ones((5, 2))
        return {"keypoints": points, "confidence": np.ones((5,)) * ~bad[:, None]}


@pytest.mark.parametrize("batching", [False, True])
def test_every_client_gets_its_own_answer_under_load(batching):
    graph, requests = SlowGraph(), serving_load.examples("faces")
    expected = [serving_load.call(graph, "faces", [each])[0] for each in requests]
    graph.batches.clear()
    load = serving_load.Load(graph, "faces", batching, requests, expected)
    figures = load.run(8, 60)
    assert sum(graph.batches) == 60 and (max(graph.batches) > 1) == batching
    assert figures["largest_difference_pixels"] == "0.0000"
    assert float(figures["p50_ms"]) >= 10
    assert float(figures["p50_ms"]) <= float(figures["p99_ms"])


def test_a_strange_answer_under_load_is_found():
    graph, requests = SlowGraph(), serving_load.examples("faces")
    answers = [serving_load.call(graph, "faces", [each])[0] for each in requests]
    moved = [(points + 0.5, certainty) for points, certainty in answers]
    figures = serving_load.Load(graph, "faces", True, requests, moved).run(2, 20)
    assert figures["largest_difference_pixels"] == "0.5000"


def test_an_answer_to_a_poisoned_request_is_found(monkeypatch):
    graph, requests = SlowGraph(), serving_load.examples("faces")
    answers = [serving_load.call(graph, "faces", [each])[0] for each in requests]
    monkeypatch.setattr(serving_load, "poisoned", lambda request, number: request)
    with pytest.raises(ValueError, match="a poisoned request has an answer"):
        serving_load.Load(graph, "faces", False, requests, answers).run(2, 20)
