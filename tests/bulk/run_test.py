import collections
import io
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from rcn_keras.bulk.beam import FacesModelHandler
from rcn_keras.bulk.run import run_bulk
from rcn_keras.cli import main
from rcn_keras.data.synthetic import draw_face
from rcn_keras.errors import InputError
from rcn_keras.faces.images import left_out
from rcn_keras.predictor import FacePrediction
from rcn_keras.serving.pictures import wire_bytes

SHIPPED = "saved_models/rcn6_mtfl"
BROKEN = {
    "b_empty.jpg": "the file is empty",
    "d_text.jpg": "not an image",
    "f_cut.jpg": "truncated",
    "h_outside.jpg": "lies outside the picture",
    "i_no_boxes.jpg": "no boxes for this photograph",
}


def drawn(seed, kind="JPEG", **options):
    buffer = io.BytesIO()
    image, _ = draw_face(np.random.default_rng(seed), size=96)
    Image.fromarray(image).save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    """A folder of eleven photographs, of which five cannot be used, and their boxes."""
    folder = tmp_path_factory.mktemp("bulk") / "photos"
    folder.mkdir()
    turned = Image.Exif()
    turned[0x0112] = 6
    files = {
        "a.jpg": drawn(0),
        "c.png": drawn(1, "PNG"),
        "e_turned.jpg": drawn(2, exif=turned),
        "g.tif": drawn(3, "TIFF"),
        "j_nobody.jpg": drawn(4),
        "k.jpg": drawn(5),
        "b_empty.jpg": b"",
        "d_text.jpg": b"no picture",
        "f_cut.jpg": drawn(6)[:-400],
        "h_outside.jpg": drawn(7),
        "i_no_boxes.jpg": drawn(8),
    }
    boxes = {name: [[9, 12, 80, 88.5]] for name in files if name != "i_no_boxes.jpg"}
    boxes["j_nobody.jpg"] = []
    boxes["k.jpg"] = [[5, 5, 50, 60], [30.25, 20, 90, 90]]
    boxes["h_outside.jpg"] = [[5, 5, 50, 60], [200, 200, 300, 300]]
    for name, data in files.items():
        (folder / name).write_bytes(data)
    (folder.parent / "boxes.json").write_text(json.dumps(boxes))
    return folder


@pytest.fixture
def run(photographs, saved_model_folder, tmp_path):
    """Answers them in shards of three: four shards."""

    def run(output=tmp_path / "out", **changes):
        arguments = {
            "input_glob": f"{photographs}/*",
            "saved_model": saved_model_folder,
            "shard_size": 3,
            "boxes": photographs.parent / "boxes.json",
        }
        return run_bulk(output=output, **(arguments | changes))

    return run


def answers(output):
    """What the files say by the photographs' names; each must be there once."""
    found = {}
    for kind in ("faces", "failed"):
        for path in sorted(pathlib.Path(output).glob(f"{kind}-*.jsonl")):
            for line in path.read_text().splitlines():
                answer = json.loads(line)
                assert set(answer) == {"image", "faces" if kind == "faces" else "error"}
                name = os.path.basename(answer["image"])
                assert name not in found
                found[name] = answer
    return found


def test_every_photograph_is_answered_once(run, photographs, saved_model_folder):
    output = photographs.parent / "answers"
    summary = run(output)
    counts = {"photographs": 11, "faces": 6, "failed": 5, "left_from_earlier": 0}
    assert counts.items() <= summary.items()
    assert json.loads((output / "summary.json").read_text()) == summary
    found = answers(output)
    assert sorted(found) == sorted(os.listdir(photographs))
    for name, reason in BROKEN.items():
        assert reason in found[name]["error"]
        assert str(photographs) not in found[name]["error"]
    # The same as the model says of each by itself.
    handler = FacesModelHandler(saved_model_folder / "1")
    model = handler.load_model()
    boxes = json.loads((photographs.parent / "boxes.json").read_text())
    for name in set(found) - set(BROKEN):
        assert found[name]["image"] == str(photographs / name)
        data, _ = wire_bytes((photographs / name).read_bytes())
        rows = [(data, np.array(box)) for box in boxes[name]]
        located = [row.inference for row in handler.run_inference(rows, model)]
        expected = [
            FacePrediction(
                box,
                each["keypoints"].astype("float64"),
                each["confidence"],
                1.0,
                each["face_score"].item(),
            )
            for (_, box), each in zip(rows, located)
        ]
        expected = [face.as_dict() for face in expected]
        assert len(found[name]["faces"]) == len(expected)
        for face, other in zip(found[name]["faces"], expected):
            assert face["box"] == other["box"] and face["score"] == 1.0
            assert face["face_score"] == other["face_score"] == 0.4
            for key in ("keypoints", "confidence"):
                np.testing.assert_allclose(face[key], other[key], atol=2e-3)


def test_a_lost_shard_is_done_again_and_no_other(run, tmp_path):
    output = tmp_path / "out"
    run(output)
    before = answers(output)
    for lost in ("faces-00001-of-00004.jsonl", "faces-00003-of-00004.jsonl"):
        (output / lost).unlink()
    (output / "faces-00001-of-00004.jsonl.0123.part").write_text("half a line")
    times = {path: path.stat().st_mtime_ns for path in output.glob("faces-*.jsonl")}
    summary = run(output)
    assert summary["left_from_earlier"] == 6 and summary["photographs"] == 11
    assert answers(output) == before
    assert all(path.stat().st_mtime_ns == at for path, at in times.items())
    assert not list(output.glob("*.part"))
    assert run(output) == summary  # Nothing to do: the last work's.


def test_a_damaged_shard_is_named(run, tmp_path):
    run(tmp_path / "out")
    shard = tmp_path / "out" / "faces-00000-of-00004.jsonl"
    shard.write_text("".join(shard.read_text().splitlines(True)[:1]))
    with pytest.raises(InputError, match="faces-00000.* answers 2 photographs .* of 3"):
        run(tmp_path / "out")


SLOW = """
import sys, time
from rcn_keras.bulk.run import run_bulk

def slow(image):
    time.sleep(0.5)
    return [[9, 9, 90, 90]], [0.5]

def work(photographs, output, saved_model):
    return run_bulk(photographs, output, saved_model, shard_size=1, detector=slow)

if __name__ == "__main__":
    work(*sys.argv[1:])
"""


def test_killed_and_started_again(
    photographs, saved_model_folder, tmp_path, monkeypatch
):
    script, output = tmp_path / "slow_work.py", tmp_path / "out"
    script.write_text(SLOW)
    arguments = [f"{photographs}/*", str(output), str(saved_model_folder)]
    command = [sys.executable, str(script), *arguments]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None and not list(output.glob("faces-00001-*")):
            time.sleep(0.05)
        process.kill()
    assert process.returncode == -signal.SIGKILL
    done = len(list(output.glob("faces-*")))
    assert 2 <= done < 11
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(time, "sleep", lambda _: None)
    import slow_work

    summary = slow_work.work(*arguments)
    assert summary["left_from_earlier"] == done and summary["photographs"] == 11
    found = answers(output)
    assert sorted(found) == sorted(os.listdir(photographs))
    kinds = collections.Counter("error" in answer for answer in found.values())
    assert kinds == {False: 8, True: 3}  # There are no bad boxes here.


@pytest.mark.parametrize(
    "changes, reason",
    [
        ({"shard_size": 4}, r"shard_size: 3, now 4"),
        ({"boxes": None, "detector": "mtcnn"}, "detector: boxes of a file, now mtcnn"),
        ({"saved_model": SHIPPED}, "model: drawn/1, now rcn6_mtfl/1"),
    ],
)
def test_another_plan_is_refused(run, tmp_path, changes, reason):
    run()
    before = answers(tmp_path / "out")
    with pytest.raises(InputError, match=f"the answers of another plan .*{reason}"):
        run(**changes)
    assert answers(tmp_path / "out") == before


def test_other_photographs_are_another_plan(run, photographs, tmp_path):
    run(input_glob=f"{photographs}/[ab]*")
    with pytest.raises(InputError, match="photographs: 2, now 11"):
        run()
    (tmp_path / "out" / "plan.json").unlink()
    with pytest.raises(InputError, match="holds answers, but no plan.json"):
        run()


@pytest.mark.parametrize(
    "changes, reason",
    [
        ({"input_glob": "nowhere/*.jpg"}, "nowhere/.*: no file matches"),
        ({"input_glob": "*.jpg"}, "no file matches"),
        ({"input_glob": "gs://bucket/*.jpg"}, r"gs://.*apache-beam\[gcp\]"),
        ({"output": "out[1]"}, "no pattern"),
        ({"saved_model": "nowhere"}, "nowhere: no saved_model.pb"),
        ({"boxes": "nowhere.json"}, "nowhere.json: no such file"),
        ({"boxes": None, "detector": "other"}, "`detector` must be"),
        ({"shard_size": 0}, "at least 1. Received: 0 and 1"),
        ({"runner": "SparkRunner", "workers": 2}, "SparkRunner has its own options"),
        ({"runner": "NoRunner"}, "Unexpected pipeline runner: NoRunner"),
        ({"pipeline_arguments": ["--shrad_size=3"]}, "unknown options: shrad_size"),
    ],
)
def test_what_cannot_be_used_is_refused_before_the_work(run, tmp_path, changes, reason):
    with pytest.raises(InputError, match=reason):
        run(**changes)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("line", ["{\n", "[]\n", "{}\n"])
def test_a_shard_with_a_damaged_line_is_named(run, tmp_path, line):
    run()
    (tmp_path / "out" / "faces-00001-of-00004.jsonl").write_text(line)
    with pytest.raises(InputError, match="00001-of-00004.jsonl: damaged: remove the"):
        run()


@pytest.mark.parametrize("content", ["", "{", "[]"])
def test_a_damaged_plan_is_named(run, tmp_path, content):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "plan.json").write_text(content)
    with pytest.raises(InputError, match="out/plan.json: damaged"):
        run()


@pytest.mark.parametrize("content", [b"", b"\xff", b"\x08\x01\x12\x05\x0a"])
def test_a_damaged_saved_model(content, run, tmp_path):
    path = tmp_path / "model" / "saved_model.pb"
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(InputError, match="saved_model.pb: damaged, or not a Saved"):
        run(saved_model=path.parent)


@pytest.mark.parametrize("name", ["variables.index", "variables.data-00000-of-00001"])
def test_damaged_variables_are_named(tmp_path, name):
    folder = shutil.copytree(f"{SHIPPED}/1", tmp_path / "model")
    file = folder / "variables" / name
    file.write_bytes(file.read_bytes()[:50])
    for _ in range(2):
        with pytest.raises(InputError, match="model: cannot be loaded") as caught:
            FacesModelHandler(folder).load_model()
        assert "\n" not in str(caught.value)
        file.unlink(missing_ok=True)


def test_a_model_without_faces(run, tmp_path):
    folder = tmp_path / "model" / "1"
    function = tf.function(lambda x: x, input_signature=[tf.TensorSpec(())])
    tf.saved_model.save(tf.Module(), str(folder), signatures={"other": function})
    with pytest.raises(InputError, match="no signature `faces`.* Received:.* other"):
        run(saved_model=folder)


def test_patterns(run, photographs, tmp_path, monkeypatch):
    monkeypatch.chdir(photographs)
    whole = f"{photographs.parent}/**/[ac].*"
    for number, pattern in enumerate(("[ac].*", "../photos/[ac].*", whole)):
        run(tmp_path / str(number), input_glob=pattern)
        names = [answer["image"] for answer in answers(tmp_path / str(number)).values()]
        assert names == [
            pattern.replace("[ac].*", "a.jpg").replace("**", "photos"),
            pattern.replace("[ac].*", "c.png").replace("**", "photos"),
        ]


def test_answers_beside_the_photographs(run, photographs, tmp_path, monkeypatch):
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "a.jpg").write_bytes((photographs / "a.jpg").read_bytes())
    first = run(folder / "out", input_glob=str(folder))
    assert first["photographs"] == 1 and first["left_from_earlier"] == 0
    # Its own answers are no photographs, and nothing is left to do or to time.
    monkeypatch.chdir(folder)
    for output in (folder / "out", "out", "./out"):
        assert run(output, input_glob=f"{folder}/**") == first


@pytest.fixture
def command(capsys, saved_model_folder, tmp_path):
    """Runs `rcn-keras bulk`; gives its exit code, output lines and error lines."""

    def command(pattern, *arguments):
        model = ["--saved-model", saved_model_folder]
        line = ["bulk", pattern, tmp_path / "out", *model, *arguments]
        code = main([str(argument) for argument in line])
        output = capsys.readouterr()
        return code, output.out.splitlines(), output.err.splitlines()

    return command


def test_command(command, photographs, tmp_path):
    boxes = photographs.parent / "boxes.json"
    code, lines, errors = command(f"{photographs}/*", "--boxes", boxes)
    assert code == 1 and len(lines) == 1
    assert errors == [f"rcn-keras: failed: 5, see {tmp_path}/out/failed-*.jsonl"]
    assert json.loads(lines[0])["faces"] == 6 and len(answers(tmp_path / "out")) == 11


def test_hidden_files_and_pipes_are_left_out(command, photographs, tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "a.jpg").write_bytes((photographs / "a.jpg").read_bytes())
    (folder / "._a.jpg").write_bytes(b"of a Mac")
    os.mkfifo(folder / "b.jpg")
    boxes = photographs.parent / "boxes.json"
    for place in (folder, f"{folder}/*"):
        code, lines, errors = command(place, "--boxes", boxes)
        assert code == 0 and json.loads(lines[0])["photographs"] == 1
        assert errors == [f"rcn-keras: {left_out(place, 2)}"]
        shutil.rmtree(tmp_path / "out")


@pytest.mark.parametrize(
    "arguments, reason",
    [
        (["b_empty.jpg"], "failed: 1"),
        (["*.webp"], "no file matches"),
        (["a.jpg", "c.png", "out"], "c.png. Put the pattern in quotes"),
        (["*", "--shrad-size=3"], "unknown options: shrad_size"),
    ],
)
def test_command_that_can_do_nothing(command, photographs, arguments, reason):
    pattern, *others = arguments
    code, _, errors = command(f"{photographs}/{pattern}", *others)
    assert code == 2 and len(errors) == 1 and reason in errors[0]


def test_other_commands_refuse_unknown_options(capsys):
    with pytest.raises(SystemExit) as exit:
        main(["predict", "a.jpg", "--shard-size=3"])
    assert exit.value.code == 2
    assert "unrecognized arguments: --shard-size=3" in capsys.readouterr().err


def test_the_shipped_model_says_what_predict_says(command, capsys, tmp_path):
    photograph = "examples/astronaut.jpg"
    assert main(["predict", photograph]) == 0
    expected = json.loads(capsys.readouterr().out)
    code, _, errors = command(photograph, "--saved-model", SHIPPED)
    assert code == 0 and not errors
    (found,) = answers(tmp_path / "out").values()
    assert found["image"] == photograph
    (face,), (other,) = found["faces"], expected["faces"]
    assert face["box"] == other["box"] and face["score"] == other["score"]
    np.testing.assert_allclose(face["keypoints"], other["keypoints"], atol=0.05)
    np.testing.assert_allclose(face["confidence"], other["confidence"], atol=0.01)


def test_a_portable_runner(run, tmp_path):
    """The way of Flink's and Spark's runners: a job that is handed to a service."""
    run(tmp_path / "one")
    service = ["--job_endpoint=embed", "--environment_type=LOOPBACK"]
    run(tmp_path / "two", runner="PortableRunner", pipeline_arguments=service)
    assert answers(tmp_path / "two") == answers(tmp_path / "one")


@pytest.mark.slow
def test_two_workers(run, tmp_path):
    run(tmp_path / "one")
    run(tmp_path / "two", workers=2)
    assert answers(tmp_path / "two") == answers(tmp_path / "one")


@pytest.mark.slow
def test_a_worker_that_dies_ends_the_run(run, tmp_path, monkeypatch):
    (tmp_path / "dying.py").write_text("import os\ndef die(image): os._exit(9)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.syspath_prepend(tmp_path)
    from dying import die

    with pytest.raises(RuntimeError, match="a worker process died"):
        run(boxes=None, detector=die, workers=2)
