import errno
import io
import json
import os
import pathlib
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from rcn_keras.cli import main
from rcn_keras.presets import load_preset, preset_folder
from rcn_keras.runtime import installed_runtimes
from rcn_keras.training.recipe import RECIPE, as_dict
from rcn_keras.training.recipes import RECIPES

PHOTO = "examples/astronaut.jpg"


@pytest.fixture
def run(capsys):
    """Runs a command line; gives its exit code, output lines and error lines."""

    def run(*arguments):
        code = main([str(argument) for argument in arguments])
        output = capsys.readouterr()
        assert "Traceback" not in output.err
        return code, output.out.splitlines(), output.err.splitlines()

    return run


@pytest.fixture
def boxes(tmp_path):
    path = tmp_path / "boxes.json"
    path.write_text(json.dumps({"astronaut.jpg": [[180, 65, 265, 172]]}))
    return path


def test_predict_prints_one_object_an_image_and_draws(run, tmp_path):
    out = tmp_path / "drawn"
    code, lines, _ = run("predict", PHOTO, "--out", out)
    assert code == 0 and len(lines) == 1
    record = json.loads(lines[0])
    assert record["image"] == PHOTO
    (face,) = record["faces"]
    assert set(face) == {"box", "keypoints", "confidence", "score", "face_score"}
    eyes = [[203.5, 101], [247, 103.5]]
    np.testing.assert_allclose(face["keypoints"][:2], eyes, atol=2.5)
    drawn = np.asarray(Image.open(out / "astronaut.png")).astype(int)
    changed = np.abs(drawn - np.asarray(Image.open(PHOTO)).astype(int)).sum(-1) > 60
    x, y = np.round(face["keypoints"][0]).astype(int)
    assert changed[y - 3 : y + 4, x - 3 : x + 4].any() and changed.mean() < 0.05


def test_predict_reads_a_picture_that_is_piped_in(run, tmp_path):
    (tmp_path / "boxes.json").write_text('{"stdin": [[180, 65, 265, 172]]}')
    read, write = os.pipe()
    photograph = io.BytesIO()
    Image.open(PHOTO).save(photograph, "JPEG", quality=50)
    assert os.write(write, photograph.getvalue()) < 2**16  # fits into the pipe
    os.close(write)
    kept = os.dup(0)
    os.dup2(read, 0)
    try:
        code, lines, errors = run(
            "predict", "/dev/stdin", "--boxes", tmp_path / "boxes.json"
        )
    finally:
        os.dup2(kept, 0)
        os.close(kept)
        os.close(read)
    assert (code, errors) == (0, []) and len(json.loads(lines[0])["faces"]) == 1


def test_predict_continues_past_broken_images(run, tmp_path, boxes):
    folder = tmp_path / "photos"
    folder.mkdir()
    whole = pathlib.Path(PHOTO).read_bytes()
    (folder / "astronaut.jpg").write_bytes(whole)
    (folder / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "empty.png").write_bytes(b"")
    (folder / "text.jpg").write_text("no image")
    Image.new("RGB", (1, 1)).save(folder / "pixel.png")
    Image.new("RGB", (300, 200), "gray").save(folder / "blank.png")
    code, lines, errors = run("predict", folder)
    assert code == 1
    records = {os.path.basename(json.loads(line)["image"]): line for line in lines}
    assert set(records) == {"astronaut.jpg", "pixel.png", "blank.png"}
    assert json.loads(records["blank.png"])["faces"] == []
    text = "\n".join(errors)
    for name, reason in {
        "cut.jpg": "truncated",
        "empty.png": "the file is empty",
        "text.jpg": "not an image",
        "blank.png": "no face found",
        "pixel.png": "no face found",
    }.items():
        (line,) = [line for line in errors if name in line]
        assert reason in line, text


def test_lines_of_predict_are_boxes_again(run, tmp_path, boxes):
    code, lines, _ = run("predict", PHOTO, "--boxes", boxes)
    assert code == 0
    again = tmp_path / "again.jsonl"
    again.write_text("\n".join(lines))
    code, repeated, _ = run("predict", PHOTO, "--boxes", again)
    assert code == 0 and repeated == lines


@pytest.mark.parametrize(
    "arguments, reason",
    [
        (["missing.jpg"], "missing.jpg: no such file"),
        ([PHOTO, "--preset", "rcn9"], "no preset named 'rcn9'"),
        ([PHOTO, "--boxes", "missing.json"], "missing.json: no such file"),
        ([PHOTO, "--detector", "missing.onnx"], "missing.onnx"),
        ([PHOTO, "--detector", "other"], "other"),
    ],
)
def test_predict_bad_arguments(run, arguments, reason):
    code, lines, errors = run("predict", *arguments)
    assert code == 2 and not lines
    assert len(errors) == 1 and reason in errors[0]


@pytest.mark.parametrize("content", ["{", "[1]", '{"a.jpg": [[1, 2]]}', '"text"'])
def test_predict_bad_file_of_boxes(run, tmp_path, content):
    path = tmp_path / "boxes.json"
    path.write_text(content)
    code, _, errors = run("predict", PHOTO, "--boxes", path)
    assert code == 2 and "expected JSON" in errors[0]


def test_predict_box_outside_or_none_for_this_photograph(run, tmp_path):
    path = tmp_path / "boxes.json"
    path.write_text(json.dumps({"astronaut.jpg": [[900, 900, 950, 950]]}))
    code, _, errors = run("predict", PHOTO, "--boxes", path)
    assert code == 2 and "outside the picture of 512x512" in errors[0]
    path.write_text(json.dumps({"another.jpg": [[0, 0, 9, 9]]}))
    code, _, errors = run("predict", PHOTO, "--boxes", path)
    assert code == 2 and "no boxes for this photograph" in errors[0]


def test_predict_folder_without_images(run, tmp_path):
    code, _, errors = run("predict", tmp_path)
    assert code == 2 and len(errors) == 1 and "no images in this folder" in errors[0]


def test_predict_continues_past_a_folder_without_images(run, tmp_path, boxes):
    code, lines, errors = run("predict", tmp_path / "no", PHOTO, "--boxes", boxes)
    assert code == 1 and len(lines) == 1
    assert len(errors) == 1 and "no: no such file" in errors[0]
    (tmp_path / "empty").mkdir()
    code, lines, errors = run("predict", tmp_path / "empty", PHOTO, "--boxes", boxes)
    assert code == 1 and len(lines) == 1
    assert len(errors) == 1 and "no images in this folder" in errors[0]


def test_what_was_not_foreseen_is_one_line_too(run, monkeypatch):
    def fail():
        raise RuntimeError("over\nflow")

    monkeypatch.setattr("rcn_keras.presets.list_presets", fail)
    code, _, errors = run("list")
    assert code == 2 and "RuntimeError: over flow" in errors[0] and len(errors) == 1
    monkeypatch.setenv("RCN_KERAS_TRACEBACK", "1")
    with pytest.raises(RuntimeError):
        main(["list"])


@pytest.mark.parametrize(
    "option", [("--epochs", "0"), ("--batch-size", "0"), ("--seed", "-1")]
)
def test_numbers_out_of_range_are_refused(option, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["train", "demo", "--data", "d", "--out", "o", *option])
    assert caught.value.code == 2
    assert "must be at least" in capsys.readouterr().err


def test_predict_out_that_cannot_be_written(run, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    code, lines, errors = run("predict", PHOTO, "--out", blocked / "inside")
    assert code == 2 and not lines
    assert len(errors) == 1 and "cannot write there" in errors[0]


def test_predict_leaves_the_photographs_alone(run, tmp_path, boxes):
    photo = tmp_path / "astronaut.png"  # what the drawn picture would be called
    Image.open(PHOTO).save(photo)
    before = photo.read_bytes()
    code, lines, errors = run("predict", photo, "--boxes", boxes, "--out", tmp_path)
    assert code == 2 and not lines and photo.read_bytes() == before
    assert len(errors) == 1 and "name another folder" in errors[0]


def test_demo_data_leaves_a_data_set_alone(run, tmp_path):
    (tmp_path / "training.txt").write_text("somebody's list")
    for keypoints in (5, 68):
        code, _, errors = run("demo-data", tmp_path, "--keypoints", keypoints)
        assert code == 2 and len(errors) == 1 and "is not empty" in errors[0]
    assert (tmp_path / "training.txt").read_text() == "somebody's list"


def test_make_preset_refuses_what_is_no_results_file_before_the_work(run, tmp_path):
    results = tmp_path / "training.txt"
    results.write_text("lfw/a.jpg 1 2 3")
    (tmp_path / RECIPE).write_text(json.dumps(as_dict(RECIPES["demo"])))
    out = tmp_path / "out"
    code, _, errors = run(
        "make-preset", tmp_path, "--data", "d", "--out", out, "--results", results
    )
    assert code == 2 and len(errors) == 1
    assert "training.txt: not results of `rcn-keras evaluate --csv`" in errors[0]


def test_two_photographs_of_one_name_are_drawn_apart(run, tmp_path, boxes):
    for name in "ab":
        (tmp_path / name).mkdir()
        shutil.copy(PHOTO, tmp_path / name)
    photos = [tmp_path / name / "astronaut.jpg" for name in "ab"]
    out = tmp_path / "out"
    code, lines, _ = run("predict", *photos, "--boxes", boxes, "--out", out)
    assert code == 0 and len(lines) == 2
    assert len(list(out.iterdir())) == 2


def test_train_publish_and_evaluate_on_drawn_faces(run, tmp_path):
    data, out, preset = tmp_path / "data", tmp_path / "run", tmp_path / "preset"
    assert run("demo-data", data, "--faces", 60)[0] == 0
    train = ["train", "demo", "--data", data, "--out", out]
    small = ["--epochs", 2, "--batch-size", 16]
    code, lines, _ = run(*train, *small)
    assert code == 0 and any("validation" in line for line in lines)
    code, _, errors = run(*train, *small)
    assert code == 2 and "--resume" in errors[-1]
    assert run(*train, *small, "--resume")[0] == 0
    assert run("make-preset", out, "--data", data, "--out", preset)[0] == 0
    report, table = tmp_path / "report.json", tmp_path / "results.csv"
    code, lines, _ = run(
        *["evaluate", preset, "--data", data, "--set", "aflw", "--no-detector"],
        *["--json", report, "--csv", table],
    )
    assert code == 0
    report_numbers = json.loads(report.read_text())
    assert report_numbers["set"] == "aflw" and report_numbers["faces"] == 60
    assert set(report_numbers["protocols"]) == {
        "paper_grid",
        "subpixel",
        "paper_grid_shift_corrected",
        "subpixel_shift_corrected",
    }
    for numbers in report_numbers["protocols"].values():
        assert numbers["ci95"][0] <= numbers["nme"] <= numbers["ci95"][1]
        assert len(numbers["per_keypoint"]) == 5
    rows = table.read_text().splitlines()
    assert len(rows) == 5 and "rcn-keras" not in rows[0]
    assert any("subpixel" in line for line in lines)
    code, _, _ = run("predict", PHOTO, "--preset", preset)
    assert code == 0


@pytest.fixture(scope="module")
def joint_parts(tmp_path_factory):
    """Drawn faces of 68 points without ibug, and presets made from them: RCN, denoiser
    and joint model."""
    folder = tmp_path_factory.mktemp("joint")
    data, parts = folder / "data", [folder / "demo_68", folder / "demo_denoiser"]

    def done(*arguments):
        assert main([str(argument) for argument in arguments]) == 0

    done("demo-data", data, "--faces", 60, "--keypoints", 68)
    shutil.rmtree(data / "ibug")
    for preset in parts:
        out = folder / "run" / preset.name
        short = ("--epochs", 1, "--batch-size", 8)
        done("train", preset.name, "--data", data, "--out", out, *short)
        done("make-preset", out, "--data", data, "--out", preset)
    done("join", *parts, "--data", data, "--out", folder / "joint")
    return data, *parts, folder / "joint"


def test_a_training_reports_which_faces_of_300w_it_has(run, joint_parts, tmp_path):
    data, rcn, _, _ = joint_parts
    train = ("train", "demo_68", "--data", data, "--out", tmp_path / "run")
    code, lines, errors = run(*train, "--epochs", 1, "--batch-size", 8)
    assert code == 0 and any("validation" in line for line in lines)
    assert "afw 10 of 337, helen/trainset 10 of 2000" in errors[-1]
    assert "300-W" in (rcn / "README.md").read_text()


def test_a_joint_model_holds_what_was_fitted_to_it(joint_parts):
    *_, joint = joint_parts
    loaded = load_preset(joint)
    assert loaded.config["trained_epochs"] == "1+1"
    assert loaded.model.calibration == tuple(loaded.config["calibration"])
    assert loaded.model.decoder == loaded.config["decoder"]
    card = (joint / "README.md").read_text()
    assert "Joint model of `demo_68` and `demo_denoiser`" in card


def test_presets_that_cannot_be_joined(run, joint_parts, tmp_path):
    data, rcn, denoiser, _ = joint_parts
    fewer = tmp_path / "fewer"
    shutil.copytree(data, fewer, ignore=shutil.ignore_patterns("image_000[5-9]*"))
    out = tmp_path / "joint"
    for first, second, faces, target, reason in [
        (denoiser, rcn, data, out, "expected a preset of kind rcn; found denoiser"),
        (rcn, denoiser, data, rcn, "holds another preset (rcn)"),
        ("rcn6_mtfl", denoiser, data, out, "rcn6_mtfl finds 5 keypoints"),
        (rcn, denoiser, fewer, out, "was validated on 3 faces, this data gives 1"),
    ]:
        code, _, errors = run("join", first, second, "--data", faces, "--out", target)
        assert code == 2 and reason in errors[-1], errors


def test_a_joint_model_is_measured_on_the_parts_of_300w(run, joint_parts, tmp_path):
    data, _, _, joint = joint_parts
    evaluate = ["evaluate", joint, "--data", data, "--set", "300w", "--no-detector"]
    code, _, errors = run(*evaluate)
    assert code == 2 and "ibug" in errors[-1] and "--allow-missing" in errors[-1]
    path, table = tmp_path / "report.json", tmp_path / "results.csv"
    evaluate += ["--allow-missing", "--border-snap", "--json", path, "--csv", table]
    code, lines, errors = run(*evaluate)
    assert code == 0 and any("ibug" in line for line in errors)
    assert any("paper (300-W common" in line for line in lines)
    assert "300w_common" in table.read_text()
    report = json.loads(path.read_text())
    assert report["set"] == "300w" and report["faces"] == 20
    common = report["subsets"]["300w_common"]
    assert list(report["subsets"]) == ["300w_common"] and common["faces"] == 20
    assert "10 of 330" in common["set_name"] and "10 of 224" in common["set_name"]
    protocols = common["protocols"]
    assert len(protocols["paper_grid"]["per_keypoint"]) == 68
    assert len(protocols["subpixel_49_occluded"]["per_keypoint"]) == 49
    wide, narrow = protocols["subpixel_outer_corners"], protocols["subpixel"]
    assert wide["nme"] < narrow["nme"]  # outer corners lie further apart
    assert "paper_grid_border_snapped" in protocols


def test_a_set_that_does_not_fit_the_network_is_refused(run, joint_parts, tmp_path):
    data, _, _, joint = joint_parts
    odd = tmp_path / "odd.csv"
    odd.write_text("a,b\n")
    on_300w = [joint, "--data", data, "--set", "300w", "--no-detector"]
    code, _, errors = run("evaluate", *on_300w, "--csv", odd)
    assert code == 2 and "odd.csv: not a results file" in errors[-1]
    snap = ["evaluate", "rcn6_mtfl", "--data", data, "--set", "aflw", "--border-snap"]
    assert "--border-snap is for" in run(*snap)[2][-1]
    code, _, errors = run("evaluate", joint, "--data", data, "--set", "aflw")
    assert code == 2 and "finds 68 keypoints" in errors[0]


def test_a_joint_model_predicts_and_its_denoiser_does_not(run, joint_parts):
    data, _, denoiser, joint = joint_parts
    code, lines, _ = run("predict", PHOTO, "--preset", joint)
    assert code == 0
    assert len(json.loads(lines[0])["faces"][0]["keypoints"]) == 68
    code, _, errors = run("predict", PHOTO, "--preset", denoiser)
    assert code == 2 and "it is a denoiser" in errors[0]
    on_300w = ["--data", data, "--set", "300w", "--allow-missing"]
    code, lines, _ = run("evaluate", denoiser, *on_300w)
    assert code == 0 and any("moved_35_before" in line for line in lines)


def test_train_bad_arguments(run, tmp_path):
    code, _, errors = run("train", "rcn9", "--data", tmp_path, "--out", tmp_path / "o")
    assert code == 2 and "no recipe named 'rcn9'" in errors[0]
    missing = tmp_path / "none"
    code, _, errors = run("train", "demo", "--data", missing, "--out", tmp_path / "o")
    assert code == 2 and "no such folder" in errors[0]


def test_list_and_info(run):
    code, lines, _ = run("list")
    assert code == 0 and any("rcn6_mtfl" in line for line in lines)
    code, lines, _ = run("info", "rcn6_mtfl")
    assert code == 0 and any("310,229 parameters" in line for line in lines)


def test_info_lists_the_runtimes_whose_file_the_preset_has(run, tmp_path):
    mine = tmp_path / "mine"
    shutil.copytree(preset_folder("rcn6_mtfl"), mine)
    (mine / "model_int8.onnx").unlink()
    code, lines, _ = run("info", mine)
    (line,) = [line for line in lines if line.startswith("runtimes: ")]
    without_file = {"litert", "openvino-int8"}
    names = [name for name in installed_runtimes() if name not in without_file]
    assert code == 0 and "keras" in names
    assert line == f"runtimes: {', '.join(names)} (auto: {names[0]})"


def test_import_brings_in_no_heavy_package():
    """Beyond what `import keras` itself brings in."""
    program = (
        "import sys, keras; before = set(sys.modules); import rcn_keras; "
        "heavy = {'tensorflow', 'cv2', 'mtcnn', 'matplotlib', 'PIL'}; "
        "print(sorted(heavy & (set(sys.modules) - before)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True
    )
    assert done.stdout.strip() == "[]", done.stderr


def test_predict_into_a_folder_without_permission(run, tmp_path, monkeypatch):
    def refuse(path):  # as the system does, but for root
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(pathlib.Path, "touch", refuse)
    code, _, errors = run("predict", PHOTO, "--out", tmp_path / "out")
    assert code == 2 and "cannot write there" in errors[0]
