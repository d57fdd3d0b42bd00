"""One's own keypoints through the commands, from a file to ONNX: quadrilaterals."""

import contextlib
import io
import json

import cv2
import keras
import numpy as np
import pytest
from PIL import Image

from rcn_keras.cli import main
from rcn_keras.layout import KeypointLayout
from rcn_keras.models import KeypointModel
from rcn_keras.presets import load_preset

NAMES = ("nw", "ne", "se", "sw")
PICTURES = 20
DATA = ("--data", "quadrilaterals.csv", "--images", "pictures")
TRAIN = ("train", "own", *DATA, "--layout", "layout.json", "--epochs", 2)
TRAIN += ("--precision", "float32", "--weights", "rcn6_mtfl", "--out", "run")
PREDICT = ("predict", "pictures/00.png", "--preset", "preset")


def write_quadrilaterals(folder, seed=0):
    """Two quadrilaterals in each of 20 pictures, with boxes, as a table.

    A tenth of the points is unknown, and all but one of the last instance's.
    """
    rng = np.random.default_rng(seed)
    corners = [f"{name}_{axis}" for name in NAMES for axis in "xy"]
    lines = [",".join(["image", "x0", "y0", "x1", "y1", *corners])]
    (folder / "pictures").mkdir()
    for number in range(PICTURES):
        image = rng.integers(60, 120, (100, 200), "uint8")
        for left in (20, 120):
            points = np.array([[0, 0], [60, 0], [60, 60], [0, 60]], float)
            points += [left, 20] + rng.uniform(-12, 12, (4, 2))
            pixels = np.round((points - 0.5) * 256).astype("int32")
            cv2.fillPoly(image, [pixels], int(rng.integers(160, 250)), cv2.LINE_AA, 8)
            box = *points.min(0) - 3, *points.max(0) + 3
            last = number == PICTURES - 1 and left == 120
            unknown = rng.random(4) < 0.1
            unknown = np.array([False, True, True, True]) if last else unknown
            cells = [
                "" if missing else f"{value:.3f}"
                for point, missing in zip(points, unknown)
                for value in point
            ]
            row = [f"{number:02d}.png", *(f"{value:.3f}" for value in box), *cells]
            lines.append(",".join(row))
        Image.fromarray(image).save(folder / "pictures" / f"{number:02d}.png")
    path = folder / "quadrilaterals.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def run(folder, *arguments):
    """Runs a command line in a folder; its exit code, output and error lines."""
    out, errors = io.StringIO(), io.StringIO()
    with (
        contextlib.chdir(folder),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(errors),
    ):
        code = main([str(argument) for argument in arguments])
    assert "Traceback" not in errors.getvalue()
    return code, out.getvalue(), errors.getvalue().splitlines()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    write_quadrilaterals(folder)
    return folder


@pytest.fixture(scope="module")
def described(folder):
    """What `layout` answers."""
    answer = run(folder, "layout", *DATA[1:], "--out", "drawn")
    (folder / "layout.json").write_text(answer[1])
    return answer


@pytest.fixture(scope="module")
def trained(folder, described):
    """What `train` answers with that layout."""
    return run(folder, *TRAIN)


@pytest.fixture(scope="module")
def published(folder, trained):
    """What `make-preset` answers of that training."""
    return run(folder, "make-preset", "run", *DATA, "--out", "preset")


def test_layout_reads_the_keypoints_off_the_file(folder, described):
    code, out, errors = described
    assert code == 0, errors
    layout = KeypointLayout.from_json(out)
    assert layout.names == NAMES and layout.normalizer == "box"
    stderr = "\n".join(errors)
    assert "mirror pairs: none: pictures are not mirrored" in stderr
    assert "40 instances in 20 pictures, 40 with a box" in stderr
    drawn = sorted(path.name for path in (folder / "drawn").iterdir())
    assert drawn == [f"{number:02d}.png" for number in range(8)]


def test_train_starts_from_a_preset_of_other_keypoints(folder, described, trained):
    code, out, errors = trained
    stderr = "\n".join(errors)
    assert code == 0, stderr
    assert "rcn6_mtfl finds other keypoints: the last layer begins anew" in stderr
    assert "36 instances for training, 4 for validation (4 with a known unit " in stderr
    assert "epoch 2/2" in out
    recipe = json.loads((folder / "run" / "recipe.json").read_text())
    assert recipe["layout"] == json.loads(described[1])
    assert not recipe["augmentation"]["flip"]


def test_train_refuses_a_folder_that_holds_a_training(folder, trained):
    code, _, errors = run(folder, *TRAIN)
    assert code == 2 and "holds a training already" in errors[-1]


def test_make_preset_measures_and_describes(folder, described, published):
    code, out, _ = published
    assert code == 0 and json.loads(out)["faces"] == 4
    preset = load_preset(folder / "preset")
    assert preset.model.layout == KeypointLayout.from_json(described[1])
    assert preset.config["refinements"] == 0
    card = (folder / "preset" / "README.md").read_text()
    assert "nw, ne, se, sw of the layout" in card
    assert "diagonal of the box" in card and "boxes=[[x0, y0, x1, y1]]" in card


def test_evaluate_measures_what_make_preset_did(folder, published):
    evaluate = ("evaluate", "preset", *DATA, "--set", "validation")
    code, out, errors = run(folder, *evaluate, "--json", "numbers.json")
    assert code == 0, errors
    assert "preset on quadrilaterals.csv, validation: 4 instances" in out
    assert "errors in percent of the diagonal of the box around the known" in out
    assert "NME %" in out and "FR" not in out and "AUC" not in out
    numbers = json.loads((folder / "numbers.json").read_text())
    held_out = numbers["protocols"]["subpixel"]["nme"]
    config = load_preset(folder / "preset").config
    measured = config["validation"]["subpixel_nme"][config["decoder"]]
    assert held_out == pytest.approx(measured, abs=1.0)  # the mean of faces' means


def test_evaluate_takes_the_whole_file(folder, published):
    code, out, _ = run(folder, "evaluate", "preset", *DATA, "--set", "all")
    assert code == 0 and "preset on quadrilaterals.csv, all: 40 instances" in out


def test_predict_asks_for_the_boxes_that_no_detector_finds(folder, published):
    code, out, errors = run(folder, *PREDICT)
    assert code == 2 and out == "" and "use `predict --boxes`" in errors[-1]


def test_predict_finds_the_keypoints_in_given_boxes(folder, published):
    boxes = {"00.png": [[15, 15, 90, 90], [112, 10, 190, 90]]}
    (folder / "boxes.json").write_text(json.dumps(boxes))
    code, out, _ = run(folder, *PREDICT, "--boxes", "boxes.json", "--out", "found")
    assert code == 0
    first, second = (face["keypoints"] for face in json.loads(out)["faces"])
    assert np.shape(first) == np.shape(second) == (4, 2)
    assert (folder / "found" / "00.png").is_file()


def test_export_writes_onnx(folder, published):
    pytest.importorskip("tf2onnx")
    code, _, errors = run(folder, "export", "preset", "exported", "--format", "onnx")
    assert code == 0, errors
    assert (folder / "exported" / "preset.onnx").is_file()


@pytest.fixture(scope="module")
def small_preset(folder):
    """The name of a preset for the quadrilaterals, of one layer."""
    keras.utils.set_random_seed(0)
    images = keras.Input((80, 80, 1))
    maps = keras.layers.Conv2D(4, 17, padding="same")(images / 16)
    model = KeypointModel(images, maps, KeypointLayout("cards", NAMES))
    model.save_to_preset(folder / "small")
    return "small"


def test_8_bit_onnx_of_ones_own_keypoints(folder, small_preset):
    pytest.importorskip("tf2onnx")
    (folder / "box.json").write_text('{"00.png": [[15, 15, 90, 90]]}')
    predict = ("predict", "pictures/00.png", "--preset", small_preset)
    predict += ("--boxes", "box.json", "--runtime")
    code, exact, _ = run(folder, *predict, "keras")
    assert code == 0
    code, _, errors = run(folder, *predict, "openvino-int8")
    quantize = ("export", small_preset, "--format", "onnx", "--quantize")
    assert code == 2 and " ".join(quantize) in errors[-1]
    code, _, errors = run(folder, *quantize)
    assert code == 2 and "give --data" in errors[-1]
    code, _, errors = run(folder, *quantize, *DATA)
    assert code == 0, errors
    code, rounded, _ = run(folder, *predict, "openvino-int8")
    assert code == 0
    first, second = (
        json.loads(out)["faces"][0]["keypoints"] for out in (exact, rounded)
    )
    assert 0.002 < np.median(np.abs(np.subtract(first, second))) < 2
    (folder / "others.csv").write_text("image,a_x,a_y\npictures/00.png,1,2\n")
    code, _, errors = run(folder, *quantize, "--force", "--data", "others.csv")
    assert code == 2 and len(errors) == 1
    assert "others.csv: expected the 4 keypoints of the layout" in errors[0]


def test_8_bit_litert_of_ones_own_keypoints(folder, small_preset):
    pytest.importorskip("tf2onnx")
    litert = ("export", small_preset, "exported", "--format", "litert", "--quantize")
    code, _, errors = run(folder, *litert)
    assert code == 2 and "8-bit litert needs training crops: give --data" in errors[-1]
    code, _, errors = run(folder, *litert, *DATA)
    assert code == 0, errors
    assert (folder / "exported" / "small_int8.tflite").is_file()


def test_what_was_understood_is_said(tmp_path):
    file = write_quadrilaterals(tmp_path)
    text = file.read_text()
    for name, other in zip(NAMES, ("left_top", "right_top", "tip", "left_end")):
        text = text.replace(f"{name}_", f"{other}_")
    file.write_text(text.replace("00.png", "gone.png"))
    options = ("--images", "pictures", "--normalizer", "left_top,right_top")
    code, out, errors = run(tmp_path, "layout", file, *options)
    assert code == 0 and json.loads(out)["mirror_pairs"] == [[0, 1]]
    stderr = "\n".join(errors)
    assert "left out in total: 2" in stderr and "no picture 'gone.png'" in stderr
    assert "mirror pairs: left_top - right_top\n" in stderr
    assert "same point in a mirrored picture: left_end" in stderr
    assert "the distance between left_top and right_top" in stderr
    assert "38 instances in 19 pictures" in stderr
    known = np.array([line.split(",")[5::2] for line in text.splitlines()[3:]]) != ""
    counts = ("left_top", "right_top", "tip", "left_end"), known.sum(axis=0)
    line = ", ".join(f"{name} {count}" for name, count in zip(*counts) if count < 38)
    assert f"known in fewer instances: {line}" in stderr


def test_what_training_leaves_out_is_said_before_it(tmp_path):
    file = write_quadrilaterals(tmp_path)
    lines = file.read_text().splitlines()
    cells = lines[3].split(",")
    lines[3] = ",".join([*cells[:5], "900", "40", *cells[7:]])
    file.write_text("\n".join(lines) + "\n")
    (tmp_path / "pictures" / "05.png").write_bytes(b"no picture")
    code, out, errors = run(tmp_path, "layout", file, "--images", "pictures")
    assert code == 0 and json.loads(out)["names"] == list(NAMES)
    far = [line for line in errors if "far outside the picture of 200x100" in line]
    assert len(far) == 1 and f"{file}:4" in far[0]
    assert sum("05.png" in line for line in errors) == 2
    assert errors[-1].endswith("left out in total: 3")
    code, _, trained = run(
        *(tmp_path, "train", "own", "--data", file, "--images", "pictures"),
        *("--out", "run", "--epochs", 1, "--batch-size", 999),
    )
    assert code == 2  # fewer instances than one batch; it had read the pictures
    left_out = {line for line in errors if "left out: " in line}
    assert len(left_out) == 3 and left_out & set(trained)


def test_data_that_do_not_fit_are_one_line(tmp_path):
    write_quadrilaterals(tmp_path)
    evaluate = ("evaluate", "rcn6_mtfl", *DATA, "--set", "validation")
    code, _, errors = run(tmp_path, *evaluate)
    assert code == 2 and len(errors) == 1
    assert "expected the 5 keypoints of the layout 'mtfl5'; found 4" in errors[0]
    code, _, errors = run(tmp_path, "train", "own", "--data", tmp_path, "--out", "run")
    assert code == 2 and len(errors) == 1 and "no such file" in errors[0]
    train = ("train", "own", *DATA, "--out", "run")
    code, _, errors = run(tmp_path, *train, "--normalizer", "nw,north")
    assert code == 2 and len(errors) == 1 and "found 'nw,north'" in errors[0]
    code, _, errors = run(tmp_path, "train", "demo_denoiser", *DATA, "--out", "run")
    assert code == 2 and "a recipe of a denoiser" in errors[-1]
    code, _, errors = run(tmp_path, "train", "own", *DATA[:2], "--out", "run")
    assert code == 2 and "no picture '00.png'" in errors[-1]
