"""Random input for the predictor, and damaged files for the commands.

    python tests/fuzz/fuzz.py predictor --minutes 10
    python tests/fuzz/fuzz.py commands --minutes 20

Nothing but `InputError`, no exit code but 0, 1 and 2, no case of more than 60 seconds.
Prints the counts. A fault of the predictor ends the run; that of a command is printed
with the file that led to it, and the exit code is 1.
"""

import argparse
import collections
import contextlib
import io
import json
import os
import pathlib
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings

import hypothesis
import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

LIMIT = 60  # seconds of one case
SLOW = 0.1  # share of the commands of many seconds
PHOTO = pathlib.Path(__file__).parents[2] / "examples" / "astronaut.jpg"
TYPES = st.sampled_from("?bBhHiIqQefdgFSUO").map(np.dtype) | st.sampled_from(
    [np.dtype(name) for name in (">u2", ">i4", ">f4", "M8[s]")]
)
SHAPES = st.lists(st.integers(0, 40), max_size=4).map(tuple) | st.tuples(
    st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 3, 4])
)


@st.composite
def pictures(draw):
    dtype, shape = draw(TYPES), draw(SHAPES)
    if dtype.kind in "SUO":
        return np.zeros(shape, dtype)
    seed = draw(st.integers(0, 2**32 - 1))
    scale = draw(st.sampled_from([0, 1, 1.001, 255, 4095, 65535, -1, 1e30, np.nan]))
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        values = np.random.default_rng(seed).random(shape) * scale
        return np.asarray(values).astype(dtype)


NUMBERS = st.floats(-100, 200) | st.floats() | st.integers(-(10**20), 10**20)
BOXES = (
    st.none()
    | st.lists(st.lists(NUMBERS, min_size=4, max_size=4), max_size=3)
    | st.lists(NUMBERS, max_size=9)
    | arrays.arrays("float32", st.tuples(st.integers(0, 3), st.integers(0, 5)))
    | st.sampled_from(["boxes", 7, [None], [[1, 2, 3, "a"]], {}])
)
IMAGES = pictures() | st.none() | st.binary(max_size=99) | st.text(max_size=9)


def fuzz_predictor(end):
    """Counts of what `Predictor.__call__` makes of random pictures and boxes."""
    import rcn_keras
    from rcn_keras.errors import InputError

    predictor = rcn_keras.Predictor(
        rcn_keras.build_rcn(branches=4),
        detector=lambda image: (np.float32([[2, 2, 9, 9]]), np.float32([0.5])),
    )
    counts = collections.Counter()

    @hypothesis.settings(
        max_examples=200,
        deadline=None,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(IMAGES, BOXES)
    def case(image, boxes):
        with limited(), warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            try:
                faces = predictor(image, boxes)
            except InputError as error:
                assert "\n" not in str(error)
                counts["InputError"] += 1
                return
        assert all(np.isfinite(face.keypoints).all() for face in faces)
        counts["answered"] += 1

    while time.monotonic() < end:
        case()
    return counts


def fuzz_commands(end, seed):
    """Counts of the exit codes of commands whose files are damaged."""
    from rcn_keras import cli

    os.environ["RCN_KERAS_TRACEBACK"] = "1"  # what is not foreseen is raised
    chance, counts = random.Random(seed), collections.Counter()
    with tempfile.TemporaryDirectory() as name:
        whole, folder = pathlib.Path(name) / "whole", pathlib.Path(name) / "damaged"
        os.environ["XDG_CACHE_HOME"] = name  # where `download` would put its file
        whole.mkdir()
        write_files(whole, cli.main)
        fast, slow = commands(folder)
        while time.monotonic() < end:
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(whole, folder)
            victim, arguments = chance.choice(slow if chance.random() < SLOW else fast)
            path = folder / victim
            path.write_bytes(damaged(path.read_bytes(), chance))
            said = io.StringIO()
            try:
                with (
                    limited(),
                    contextlib.redirect_stdout(said),
                    contextlib.redirect_stderr(said),
                ):
                    code = cli.main(arguments)
            except SystemExit as stopped:
                code = stopped.code
            except Exception:
                code = "fault"
                kept = pathlib.Path(tempfile.mkdtemp()) / path.name
                shutil.copy(path, kept)
                print(f"fault: {arguments}, file kept: {kept}", file=sys.stderr)
                traceback.print_exc()
            if code not in (0, 1, 2):
                print(f"exit code {code}: {arguments}", file=sys.stderr, flush=True)
                code = "fault"
            counts[f"{arguments[0]} {victim}: {code}"] += 1
    return counts


def write_files(folder, run):
    """What the commands read, whole; made by commands where they are what makes it."""
    import cv2

    import rcn_keras
    from rcn_keras.data.synthetic import write_300w, write_mtfl
    from rcn_keras.presets import SHIPPED

    write_mtfl(folder / "mtfl", training=12, testing=2)
    write_300w(folder / "300w", per_set=4)
    for name in ("rcn6_mtfl", "rcn5_300w", "denoiser_300w"):
        shutil.copytree(SHIPPED / name, folder / name)
    shutil.copy(PHOTO, folder / "a.jpg")
    photo = cv2.resize(cv2.imread(str(PHOTO)), (160, 160))
    codec = cv2.VideoWriter.fourcc(*"MJPG")
    film = cv2.VideoWriter(str(folder / "film.avi"), codec, 25, (160, 160))
    for _ in range(4):
        film.write(photo)
    film.release()
    rcn_keras.build_rcn(branches=4).save(folder / "own.keras")
    (folder / "list.txt").write_text(f"{folder.parent / 'damaged' / 'a.jpg'}\n")
    (folder / "boxes.json").write_text('{"a.jpg": [[180, 65, 265, 172]]}')
    (folder / "points.csv").write_text("image,a_x,a_y,b_x,b_y\na.jpg,3,4,200,90\n")
    coco = {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 512, "height": 512}],
        "categories": [{"id": 1, "name": "face", "keypoints": ["a", "b"]}],
        "annotations": [
            {"image_id": 1, "category_id": 1, "keypoints": [3, 4, 2, 99, 9, 2]}
        ],
    }
    (folder / "coco.json").write_text(json.dumps(coco))
    deeplabcut = "scorer,me,me\nbodyparts,a,a\ncoords,x,y\na.jpg,3,4\n"
    (folder / "deeplabcut.csv").write_text(deeplabcut)
    label = {
        "original_width": 512,
        "original_height": 512,
        "value": {"x": 10, "y": 20, "keypointlabels": ["a"]},
    }
    task = {"data": {"img": "a.jpg"}, "annotations": [{"result": [label]}]}
    (folder / "label_studio.json").write_text(json.dumps([task]))
    (folder / "jobs.txt").write_text("one: demo --epochs 1 --batch-size 2\n")
    data, brief = ["--data", str(folder / "mtfl")], ["--epochs", "1"]
    brief += ["--batch-size", "2"]
    for arguments in (
        ["layout", str(folder / "points.csv")],
        ["pack", *data, "--out", str(folder / "packed")],
        ["train", "demo", *data, "--out", str(folder / "run"), *brief],
        ["evaluate", "rcn6_mtfl", *data, "--set", "aflw", "--no-detector"]
        + ["--csv", str(folder / "results.csv")],
        ["export", "rcn6_mtfl", str(folder / "saved")],
    ):
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            assert run(arguments) == 0, arguments
        if arguments[0] == "layout":
            (folder / "layout.json").write_text(said.getvalue())


def commands(folder):
    """Pairs of a file's name and a command that reads it: those of seconds, and those
    of many."""

    def at(*arguments):
        return [str(folder / a[1:]) if a[0] == "/" else a for a in arguments]

    predict = at("predict", "/a.jpg", "--boxes", "/boxes.json")
    preset = [*predict, *at("--preset", "/rcn6_mtfl")]
    mtfl, own = at("--data", "/mtfl"), at("--data", "/points.csv")
    resume = ["demo", *mtfl, *at("--out", "/run"), "--resume", "--epochs", "1"]
    published = at("make-preset", "/run", "--data", "/mtfl", "--out", "/made")
    measure = at("evaluate", "/rcn6_mtfl", "--data", "/mtfl", "--set")
    joined = at("join", "/rcn5_300w", "/denoiser_300w", "--data", "/300w")
    joined += at("--out", "/joint", "--allow-missing")
    short = ["--epochs", "1", "--batch-size", "2"]
    fast = [
        ("a.jpg", predict),
        ("a.jpg", [*predict, *at("--out", "/drawn", "--crops", "/cut")]),
        ("boxes.json", predict),
        ("list.txt", at("predict", "/list.txt", "--format", "csv", "--to", "/o.csv")),
        ("rcn6_mtfl/config.json", preset),
        ("rcn6_mtfl/model.onnx", [*preset, "--runtime", "openvino"]),
        ("rcn6_mtfl/model.onnx", [*preset, "--runtime", "onnxruntime"]),
        ("rcn6_mtfl/model.weights.h5", [*preset, "--runtime", "keras"]),
        ("rcn6_mtfl/config.json", at("info", "/rcn6_mtfl")),
        (
            "rcn6_mtfl/model.onnx",
            at("predict", "/a.jpg", "--detector", "/rcn6_mtfl/model.onnx"),
        ),
        ("a.jpg", at("align", "/a.jpg", "--out", "/aligned")),
        ("film.avi", at("video", "/film.avi", "--jsonl", "/faces.jsonl")),
        ("points.csv", at("layout", "/points.csv", "--out", "/drawn")),
        ("coco.json", at("layout", "/coco.json")),
        ("deeplabcut.csv", at("layout", "/deeplabcut.csv")),
        ("label_studio.json", at("layout", "/label_studio.json")),
        ("layout.json", at("layout", "/points.csv", "--layout", "/layout.json")),
        ("points.csv", ["train", "own", *own, *at("--out", "/new"), *short]),
        ("mtfl/training.txt", at("pack", "--data", "/mtfl", "--out", "/again")),
        ("run/recipe.json", ["train", *resume]),
        ("run/log.csv", ["train", *resume]),
        ("run/run.json", published),
        ("run/recipe.json", published),
        ("rcn5_300w/config.json", joined),
        ("a.jpg", at("download", "yunet", "--url") + [f"file://{folder}/a.jpg"]),
        ("a.jpg", at("demo-data", "/mtfl")),
        ("a.jpg", ["list"]),
        (
            "results.csv",
            [*measure, "aflw", "--no-detector", *at("--csv", "/results.csv")],
        ),
    ]
    slow = [
        ("mtfl/testing.txt", [*measure, "aflw"]),
        ("mtfl/training.txt", [*measure, "validation", "--no-detector"]),
        ("run/log.csv", published),
        ("run/best.weights.h5", published),
        ("run/last.keras", ["train", *resume]),
        (
            "packed/packed.json",
            at("train", "demo", "--data", "/packed", "--out", "/new") + short,
        ),
        (
            "packed/faces_000.npz",
            at("train", "demo", "--data", "/packed", "--out", "/new") + short,
        ),
        ("mtfl/training.txt", ["train", "demo", *mtfl, *at("--out", "/new"), *short]),
        ("denoiser_300w/model.weights.h5", joined),
        ("own.keras", at("export", "/own.keras", "/out", "--format", "litert")),
        (
            "rcn6_mtfl/config.json",
            at("export", "/rcn6_mtfl", "--format", "onnx", "--force"),
        ),
        (
            "rcn6_mtfl/model.weights.h5",
            at("export", "/rcn6_mtfl", "/out", "--format", "onnx"),
        ),
        ("a.jpg", at("bulk", "/a.jpg", "/found", "--saved-model", "/saved")),
        (
            "boxes.json",
            at(
                "bulk",
                "/a.jpg",
                "/found",
                "--saved-model",
                "/saved",
                "--boxes",
                "/boxes.json",
            ),
        ),
        (
            "saved/1/saved_model.pb",
            at("bulk", "/a.jpg", "/found", "--saved-model", "/saved"),
        ),
        (
            "jobs.txt",
            at("train-many", "/jobs.txt", "--data", "/mtfl", "--out", "/many")
            + ["--minutes", "0.5"],
        ),
        (
            "mtfl/training.txt",
            [
                "reproduce",
                "table2",
                *mtfl,
                *at("--out", "/table"),
                "--recipes",
                "table2_rcn4",
                *short,
            ],
        ),
    ]
    return fast, slow


def damaged(data, chance):
    """The bytes cut, with some of them changed, or with others put between."""
    data = bytearray(data)
    kind = chance.randrange(4)
    if kind == 0:
        return bytes(data[: chance.randrange(len(data))])
    for _ in range(chance.choice([1, 3, 30])):
        place = chance.randrange(len(data))
        if kind == 1:
            data[place] = chance.randrange(256)
        elif kind == 2:
            data[place:place] = chance.choice(
                [
                    b"\0",
                    b"\xff\xfe",
                    b"\xef\xbb\xbf",
                    b"-",
                    b"1e999",
                    b"NaN",
                    b"[",
                    b'"',
                ]
            )
        else:
            del data[place : place + chance.randrange(1, 9)]
            data = data or bytearray(b" ")
    return bytes(data)


@contextlib.contextmanager
def limited():
    def stop(*_):
        raise TimeoutError(f"more than {LIMIT} seconds")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(LIMIT)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["predictor", "commands"])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    end = time.monotonic() + 60 * options.minutes
    if options.what == "predictor":
        counts = fuzz_predictor(end)
    else:
        counts = fuzz_commands(end, options.seed)
    for name, count in sorted(counts.items()):
        print(f"{count:7d} {name}")
    print(f"{counts.total():7d} in all")
    return int(any(name.endswith("fault") for name in counts))


if __name__ == "__main__":
    sys.exit(main())
