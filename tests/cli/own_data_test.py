"""One's own keypoints through the commands, from a file to ONNX: quadrilaterals."""

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


@pytest.fixture
def run(capsys, tmp_path, monkeypatch):
    """Runs a command line in a folder; its exit code, output and error lines."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        code = main([str(argument) for argument in arguments])
        output = capsys.readouterr()
        assert "Traceback" not in output.err
        return code, output.out, output.err.splitlines()

    return run


def test_from_a_file_of_keypoints_to_onnx(run, tmp_path):
    file = write_quadrilaterals(tmp_path).name
    data = ("--data", file, "--images", "pictures")

    code, out, errors = run("layout", file, "--images", "pictures", "--out", "drawn")
    layout = KeypointLayout.from_json(out)
    assert code == 0, errors
    assert layout.names == NAMES and layout.normalizer == "box"
    stderr = "\n".join(errors)
    assert "mirror pairs: none: pictures are not mirrored" in stderr
    assert "40 instances in 20 pictures, 40 with a box" in stderr
    drawn = sorted(path.name for path in (tmp_path / "drawn").iterdir())
    assert drawn == [f"{number:02d}.png" for number in range(8)]
    (tmp_path / "layout.json").write_text(out)

    train = ("train", "own", *data, "--layout", "layout.json", "--epochs", 2)
    train += ("--precision", "float32", "--weights", "rcn6_mtfl")
    code, out, errors = run(*train, "--out", "run")
    stderr = "\n".join(errors)
    assert code == 0, stderr
    assert "rcn6_mtfl finds other keypoints: the last layer begins anew" in stderr
    assert "36 instances for training, 4 for validation (4 with a known unit " in stderr
    assert "epoch 2/2" in out
    recipe = json.loads((tmp_path / "run" / "recipe.json").read_text())
    assert recipe["layout"] == layout.to_dict() and not recipe["augmentation"]["flip"]
    code, out, errors = run(*train, "--out", "run")
    assert code == 2 and "holds a training already" in errors[-1]

    code, out, _ = run("make-preset", "run", *data, "--out", "preset")
    assert code == 0 and json.loads(out)["faces"] == 4
    preset = load_preset("preset")
    assert preset.model.layout == layout and preset.config["refinements"] == 0
    card = (tmp_path / "preset" / "README.md").read_text()
    assert "nw, ne, se, sw of the layout" in card
    assert "diagonal of the box" in card and "boxes=[[x0, y0, x1, y1]]" in card

    evaluate = ("evaluate", "preset", *data, "--json", "numbers.json")
    code, out, _ = run(*evaluate, "--set", "validation")
    assert code == 0
    assert "preset on quadrilaterals.csv, validation: 4 instances" in out
    assert "errors in percent of the diagonal of the box around the known" in out
    assert "NME %" in out and "FR" not in out and "AUC" not in out
    numbers = json.loads((tmp_path / "numbers.json").read_text())
    held_out = numbers["protocols"]["subpixel"]["nme"]
    measured = preset.config["validation"]["subpixel_nme"][preset.config["decoder"]]
    assert held_out == pytest.approx(measured, abs=1.0)  # the mean of faces' means
    code, out, _ = run(*evaluate, "--set", "all")
    assert code == 0 and "preset on quadrilaterals.csv, all: 40 instances" in out

    code, out, errors = run("predict", "pictures/00.png", "--preset", "preset")
    assert code == 2 and out == "" and "use `predict --boxes`" in errors[-1]
    boxes = {"00.png": [[15, 15, 90, 90], [112, 10, 190, 90]]}
    (tmp_path / "boxes.json").write_text(json.dumps(boxes))
    predict = ("predict", "pictures/00.png", "--preset", "preset")
    code, out, _ = run(*predict, "--boxes", "boxes.json", "--out", "found")
    assert code == 0
    first, second = (face["keypoints"] for face in json.loads(out)["faces"])
    assert np.shape(first) == np.shape(second) == (4, 2)
    assert (tmp_path / "found" / "00.png").is_file()

    pytest.importorskip("tf2onnx")
    code, out, _ = run("export", "preset", "exported", "--format", "onnx")
    assert code == 0 and (tmp_path / "exported" / "preset.onnx").is_file()


@pytest.fixture
def small_preset(tmp_path):
    """The folder of a preset for the quadrilaterals, of one layer."""
    keras.utils.set_random_seed(0)
    images = keras.Input((80, 80, 1))
    maps = keras.layers.Conv2D(4, 17, padding="same")(images / 16)
    model = KeypointModel(images, maps, KeypointLayout("cards", NAMES))
    model.save_to_preset(tmp_path / "small")


def test_8_bit_files_of_ones_own_keypoints(run, tmp_path, small_preset):
    pytest.importorskip("tf2onnx")
    file = write_quadrilaterals(tmp_path).name
    data = ("--data", file, "--images", "pictures")
    (tmp_path / "boxes.json").write_text('{"00.png": [[15, 15, 90, 90]]}')
    predict = ("predict", "pictures/00.png", "--preset", "small", "--boxes")
    predict += ("boxes.json", "--runtime")
    code, exact, _ = run(*predict, "keras")
    assert code == 0
    code, _, errors = run(*predict, "openvino-int8")
    quantize = ("export", "small", "--format", "onnx", "--quantize")
    assert code == 2 and " ".join(quantize) in errors[-1]
    code, _, errors = run(*quantize)
    assert code == 2 and "--data on the command line" in errors[-1]
    code, _, errors = run(*quantize, *data)
    assert code == 0, errors
    code, rounded, _ = run(*predict, "openvino-int8")
    assert code == 0
    first, second = (
        json.loads(out)["faces"][0]["keypoints"] for out in (exact, rounded)
    )
    assert 0.002 < np.median(np.abs(np.subtract(first, second))) < 2

    litert = ("export", "small", "exported", "--format", "litert", "--quantize")
    code, _, errors = run(*litert)
    assert code == 2 and "to quantize litert" in errors[-1]
    code, _, errors = run(*litert, *data)
    assert code == 0, errors
    assert (tmp_path / "exported" / "small_int8.tflite").is_file()

    (tmp_path / "others.csv").write_text("image,a_x,a_y\npictures/00.png,1,2\n")
    code, _, errors = run(*quantize, "--force", "--data", "others.csv")
    assert code == 2 and len(errors) == 1
    assert "others.csv: expected the 4 keypoints of the layout" in errors[0]


def test_what_was_understood_is_said(run, tmp_path):
    file = write_quadrilaterals(tmp_path)
    text = file.read_text()
    for name, other in zip(NAMES, ("left_top", "right_top", "tip", "left_end")):
        text = text.replace(f"{name}_", f"{other}_")
    file.write_text(text.replace("00.png", "gone.png"))
    options = ("--images", "pictures", "--normalizer", "left_top,right_top")
    code, out, errors = run("layout", file, *options)
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


def test_what_training_leaves_out_is_said_before_it(run, tmp_path):
    file = write_quadrilaterals(tmp_path)
    lines = file.read_text().splitlines()
    cells = lines[3].split(",")
    lines[3] = ",".join([*cells[:5], "900", "40", *cells[7:]])
    file.write_text("\n".join(lines) + "\n")
    (tmp_path / "pictures" / "05.png").write_bytes(b"no picture")
    code, out, errors = run("layout", file, "--images", "pictures")
    assert code == 0 and json.loads(out)["names"] == list(NAMES)
    far = [line for line in errors if "far outside the picture of 200x100" in line]
    assert len(far) == 1 and f"{file}:4" in far[0]
    assert sum("05.png" in line for line in errors) == 2
    assert errors[-1].endswith("left out in total: 3")
    code, _, trained = run(
        *("train", "own", "--data", file, "--images", "pictures", "--out", "run"),
        *("--epochs", 1, "--batch-size", 999),
    )
    assert code == 2  # fewer instances than one batch; it had read the pictures
    left_out = {line for line in errors if "left out: " in line}
    assert len(left_out) == 3 and left_out & set(trained)


def test_data_that_do_not_fit_are_one_line(run, tmp_path):
    file = write_quadrilaterals(tmp_path).name
    data = ("--data", file, "--images", "pictures")
    code, _, errors = run("evaluate", "rcn6_mtfl", *data, "--set", "validation")
    assert code == 2 and len(errors) == 1
    assert "expected the 5 keypoints of the layout 'mtfl5'; found 4" in errors[0]
    code, _, errors = run("train", "own", "--data", tmp_path, "--out", "run")
    assert code == 2 and len(errors) == 1 and "no such file" in errors[0]
    train = ("train", "own", *data, "--out", "run")
    code, _, errors = run(*train, "--normalizer", "nw,north")
    assert code == 2 and len(errors) == 1 and "found 'nw,north'" in errors[0]
    code, _, errors = run("train", "demo_denoiser", *data, "--out", "run")
    assert code == 2 and "a recipe of a denoiser" in errors[-1]
    code, _, errors = run("train", "own", "--data", file, "--out", "run")
    assert code == 2 and "no picture '00.png'" in errors[-1]
