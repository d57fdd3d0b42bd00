import io
import sys

import apache_beam
import numpy as np
import pytest
from apache_beam.ml.inference.base import KeyedModelHandler, RunInference
from apache_beam.testing.util import assert_that
from PIL import Image

from rcn_keras.bulk.beam import FacesModelHandler
from rcn_keras.data.synthetic import draw_face


@pytest.fixture(scope="module")
def handler(saved_model_folder):
    return FacesModelHandler(saved_model_folder / "1")


@pytest.fixture(scope="module")
def model(handler):
    return handler.load_model()


@pytest.fixture(scope="module")
def examples():
    found = []
    for seed in range(7):
        image, _ = draw_face(np.random.default_rng(seed), size=60 + seed)
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, ["JPEG", "PNG"][seed % 2])
        found.append((buffer.getvalue(), [seed, 2, 50, 55 + seed]))
    return found


@pytest.fixture(scope="module")
def alone(handler, model, examples):
    """What comes of each example by itself."""
    return [next(handler.run_inference([each], model)).inference for each in examples]


def check(found, expected):
    assert len(found) == len(expected)
    for one, other in zip(found, expected):
        assert one["keypoints"].shape == (5, 2) and one["confidence"].shape == (5,)
        for name in ("keypoints", "confidence", "face_score"):
            np.testing.assert_allclose(one[name], other[name], atol=1e-3)


@pytest.mark.parametrize("limits", [{}, {"max_batch_size": 3}, {"max_bytes": 9000}])
def test_a_batch_is_the_same_as_each_alone(
    saved_model_folder, model, examples, alone, limits
):
    handler = FacesModelHandler(saved_model_folder / "1", **limits)
    found = list(handler.run_inference(examples, model))
    assert [result.example for result in found] == examples
    check([result.inference for result in found], alone)


def test_garbage_leaves_the_others(handler, model, examples, alone):
    rows = [*examples[:3], (b"no picture", [0, 0, 9, 9]), *examples[3:]]
    found = [result.inference for result in handler.run_inference(rows, model)]
    assert np.isnan(found[3]["keypoints"]).all()
    assert (found[3]["confidence"] == 0).all() and found[3]["face_score"] == 0
    check(found[:3] + found[4:], alone)


def test_in_a_pipeline(handler, examples, alone):
    order = {example[0]: number for number, example in enumerate(examples)}

    def matches(found):
        found = sorted(found, key=lambda result: order[result.example[0]])
        check([result.inference for result in found], alone)

    with apache_beam.Pipeline("FnApiRunner") as pipeline:
        located = pipeline | apache_beam.Create(examples) | RunInference(handler)
        assert_that(located, matches)


def test_in_a_pipeline_with_keys(handler, examples, alone):
    def matches(found):
        found = dict(found)
        assert sorted(found) == list(range(len(alone)))
        check([found[key].inference for key in sorted(found)], alone)

    with apache_beam.Pipeline("FnApiRunner") as pipeline:
        named = pipeline | apache_beam.Create(list(enumerate(examples)))
        located = named | RunInference(KeyedModelHandler(handler))
        assert_that(located, matches)


def test_without_beam(monkeypatch):
    monkeypatch.delitem(sys.modules, "rcn_keras.bulk.beam")
    monkeypatch.setitem(sys.modules, "apache_beam.ml.inference.base", None)
    with pytest.raises(ImportError, match=r"pip install '.\[beam\]'"):
        import rcn_keras.bulk.beam  # noqa: F401
