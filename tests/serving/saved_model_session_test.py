import pathlib
import subprocess
import sys
import threading

import numpy as np
import pytest
import tensorflow as tf
from saved_model_session import (
    SavedModelSession,
    read_cases,
    run_in_fresh_process,
    write_cases,
)

BENCHMARKS = pathlib.Path(__file__).parents[2] / "benchmarks"
PICTURES = [b"", b"\0", b"ends in zeros\0\0", bytes(range(256)) * 40]


class Sums(tf.Module):
    """Every kind of tensor, and a row that can fail."""

    def __init__(self):
        self.weights = tf.Variable(
            np.linspace(-1, 1, 48).reshape(16, 3), dtype="float32"
        )

    @tf.function(input_signature=[tf.TensorSpec([None, 4, 4, 1], name="images")])
    def floats(self, images):
        flat = tf.reshape(images, [-1, 16])
        return {"sums": flat @ self.weights, "count": tf.shape(images)[0]}

    @tf.function(input_signature=[tf.TensorSpec([None, 4, 4, 1], "uint8", "images")])
    def bytes(self, images):
        return {"sums": self.floats(tf.cast(images, "float32"))["sums"]}

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], "string", "data"),
            tf.TensorSpec([None, 2], "int64", "boxes"),
        ]
    )
    def strings(self, data, boxes):
        lengths = tf.strings.length(data)
        pairs = tf.stack([data, data + b"\0"], axis=1)
        return {"lengths": lengths, "pairs": pairs, "areas": boxes[:, 0] * boxes[:, 1]}

    @tf.function(input_signature=[tf.TensorSpec(None, name="x")])
    def of_any_rank(self, x):
        tf.debugging.assert_non_negative(x, message="x must not be negative")
        return {"positive": x > 0, "x": x}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    module, folder = Sums(), tmp_path_factory.mktemp("saved_model")
    names = ("floats", "bytes", "strings", "of_any_rank")
    signatures = {name: getattr(module, name) for name in names}
    tf.saved_model.save(module, str(folder), signatures)
    return folder


@pytest.fixture(scope="module")
def session(folder):
    with SavedModelSession(folder) as session:
        yield session


def requests(batch):
    """A request of each signature."""
    generator = np.random.default_rng(batch)
    images = generator.uniform(0, 255, (batch, 4, 4, 1))
    return {
        "floats": {"images": images.astype("float32")},
        "bytes": {"images": images.astype("uint8")},
        "strings": {
            "data": [PICTURES[i % len(PICTURES)] for i in range(batch)],
            "boxes": generator.integers(0, 2**40, (batch, 2)),
        },
        "of_any_rank": {"x": images[0, ..., 0].astype("float32")},
    }


def assert_as_tensorflow(folder, cases, answers):
    loaded = tf.saved_model.load(str(folder))
    for case, signatures in cases.items():
        for signature, inputs in signatures.items():
            given = {name: tf.constant(value) for name, value in inputs.items()}
            wanted = loaded.signatures[signature](**given)
            found = answers[case][signature]
            assert found.keys() == wanted.keys()
            for name, tensor in wanted.items():
                assert found[name].dtype == tensor.dtype.as_numpy_dtype
                np.testing.assert_array_equal(found[name], tensor.numpy())


def test_signatures(session):
    floats, strings = (session.signatures[name] for name in ("floats", "strings"))
    assert sorted(session.signatures) == ["bytes", "floats", "of_any_rank", "strings"]
    tensor, dtype, shape = floats["inputs"]["images"]
    assert (tensor, dtype, shape) == ("floats_images:0", "float32", (None, 4, 4, 1))
    assert floats["outputs"]["sums"][1:] == ("float32", (None, 3))
    assert floats["outputs"]["count"][1:] == ("int32", ())
    assert strings["inputs"]["data"][1:] == ("object", (None,))
    assert strings["inputs"]["boxes"][1:] == ("int64", (None, 2))
    assert session.signatures["of_any_rank"]["outputs"]["positive"][1:] == (
        "bool",
        None,
    )


@pytest.mark.parametrize("batch", [1, 7, 64])
def test_answers_are_tensorflows(folder, session, batch):
    cases = {"case": requests(batch)}
    answers = {
        "case": {name: session.run(name, **x) for name, x in cases["case"].items()}
    }
    assert_as_tensorflow(folder, cases, answers)


def test_empty_batch(session):
    answer = session.run("strings", data=[], boxes=np.zeros((0, 2), "int64"))
    assert answer["pairs"].shape == (0, 2) and answer["lengths"].shape == (0,)
    sums = session.run("floats", images=np.zeros((0, 4, 4, 1), "float32"))["sums"]
    assert sums.shape == (0, 3)


def test_a_failing_graph_reports_why_and_runs_again(session):
    with pytest.raises(RuntimeError, match="x must not be negative"):
        session.run("of_any_rank", x=-1.0)
    assert session.run("of_any_rank", x=2.0)["positive"] == np.array(True)


@pytest.mark.parametrize(
    "signature, inputs, error, message",
    [
        ("none", {}, ValueError, "signature must be one of .*Received: 'none'"),
        ("floats", {}, ValueError, r"must be \['images'\]. Received: \[\]"),
        ("floats", {"image": 0}, ValueError, r"Received: \['image'\]"),
        ("bytes", {"images": np.zeros((1, 4, 4, 1))}, TypeError, "float64.*uint8"),
        ("strings", {"data": ["a"], "boxes": [[1, 2]]}, TypeError, "must be bytes"),
    ],
)
def test_wrong_requests(session, signature, inputs, error, message):
    with pytest.raises(error, match=message):
        session.run(signature, **inputs)


def test_threads_ask_at_once(session):
    wanted = session.run("strings", **requests(64)["strings"])
    found = []

    def ask():
        for _ in range(20):
            found.append(session.run("strings", **requests(64)["strings"]))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 80
    for answer in found:
        np.testing.assert_array_equal(answer["pairs"], wanted["pairs"])


def test_no_saved_model(tmp_path):
    with pytest.raises(RuntimeError, match=str(tmp_path)):
        SavedModelSession(tmp_path)


def test_closed(folder):
    session = SavedModelSession(folder)
    session.close()
    session.close()
    with pytest.raises(ValueError, match="closed"):
        session.run("floats", images=np.zeros((1, 4, 4, 1)))


def test_files_keep_every_byte(tmp_path):
    data = np.array([PICTURES[:2], PICTURES[2:]], "object")
    images = np.arange(6, dtype="uint8").reshape(1, 2, 3)
    write_cases(tmp_path / "x.npz", {"a": {"b": {"data": data, "images": images}}})
    back = read_cases(tmp_path / "x.npz")["a"]["b"]
    assert back["data"].tolist() == data.tolist()
    np.testing.assert_array_equal(back["images"], images)


def test_fresh_process(folder):
    cases = {str(batch): requests(batch) for batch in (1, 7, 64)}
    assert_as_tensorflow(folder, cases, run_in_fresh_process(folder, cases))


def test_a_fresh_process_that_fails(folder):
    with pytest.raises(RuntimeError, match="x must not be negative"):
        run_in_fresh_process(folder, {"case": {"of_any_rank": {"x": -1.0}}})


@pytest.mark.parametrize("name", ["tensorflow", "keras.layers", "rcn_keras"])
def test_the_process_imports_none_of_them(name):
    code = f"""
import sys
sys.path.append({str(BENCHMARKS)!r})
import saved_model_session
assert not any(name in sys.modules for name in saved_model_session.REFUSED)
sys.meta_path.insert(0, saved_model_session.Refusal())
import {name}
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    package = name.partition(".")[0]
    assert f"ImportError: {package} must not be imported here" in ran.stderr
