import json
import pathlib
import shutil
import subprocess

import numpy as np
import pytest

from rcn_keras.faces.boxes import box_squares, second_squares
from rcn_keras.faces.crop import input_crop
from rcn_keras.layout import FACE_5

SCRIPT = """
import { readFileSync } from "node:fs";
import { grayOf, inputCrop, boxSquare, secondSquare } from "./crop.mjs";
const { rgba, width, height, squares, boxes, points, firsts, layout } =
  JSON.parse(readFileSync(0));
const picture = { gray: grayOf(rgba), width, height };
const rule = layout.square;
console.log(JSON.stringify({
  crops: squares.map((square) => [...inputCrop(picture, square, rule.context)]),
  squares: boxes.map((box) => boxSquare(box, layout.detector_square)),
  seconds: points.map((five, i) => secondSquare(five, rule, firsts[i], width, height)),
}));
"""

SIZE = np.array([120, 90])


@pytest.fixture(scope="module")
def inputs():
    random = np.random.default_rng(0)
    rgb = random.integers(0, 256, (90, 120, 3), dtype="uint8")
    face = np.array([[40.0, 35], [70, 38], [55, 52], [42, 66], [69, 68]])
    points = face + random.normal(0, 3, (6, 5, 2))
    points[1] += [60, -30]  # over two edges
    points[2] = 20  # on one spot
    points[3] *= 0.2
    return {
        "rgb": rgb,
        # Enlarged, shrunk, shrunk in blocks, over an edge, off the picture.
        "squares": [
            [30.2, 20.7, 41.3],
            [-20, -30, 150.5],
            [-300, -200.5, 700.5],
            [80, 60, 60],
            [200, 9, 30],
        ],
        "corners": random.uniform(0, 60, (5, 2)),
        "points": points,
        "firsts": first_squares(points),
    }


def first_squares(points):
    """Far from the second squares, but one just near enough and one just not."""
    far = np.tile([1.0, 2, 3], (len(points), 1))
    seconds = second_squares(points, FACE_5, far, SIZE)
    side = seconds[:, 2:]
    far[4] = (seconds - side * [0.02, 0.02, 0.047])[4]
    far[5] = (seconds + side * [-0.03, -0.03, 0.06])[5]
    return far


@pytest.fixture(scope="module")
def answer(inputs, tmp_path_factory):
    """What the page's functions return for them."""
    folder = tmp_path_factory.mktemp("demo")
    shutil.copy("docs/demo/crop.js", folder / "crop.mjs")
    (folder / "run.mjs").write_text(SCRIPT)
    rgb = inputs["rgb"]
    alpha = np.full(rgb.shape[:2] + (1,), 255)
    texts = {
        "rgba": np.concatenate([rgb, alpha], axis=2).ravel().tolist(),
        "width": rgb.shape[1],
        "height": rgb.shape[0],
        "squares": inputs["squares"],
        "boxes": boxes(inputs),
        "points": inputs["points"].tolist(),
        "firsts": inputs["firsts"].tolist(),
        "layout": json.loads(FACE_5.to_json()),
    }
    run = subprocess.run(
        ["node", folder / "run.mjs"],
        input=json.dumps(texts),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(run.stdout)


def boxes(inputs):
    corners = inputs["corners"]
    return np.concatenate([corners, corners + [30, 40]], axis=1).tolist()


def test_crops_are_those_of_the_predictor_to_a_grey_level(inputs, answer):
    for square, crop in zip(inputs["squares"], answer["crops"]):
        expected = input_crop(inputs["rgb"], square, FACE_5.square.context)
        difference = np.abs(np.reshape(crop, (80, 80)) - expected.astype(int))
        assert difference.max() <= 1 and difference.mean() < 0.01


def test_a_box_gives_the_square_of_the_predictor(inputs, answer):
    expected = box_squares(np.array(boxes(inputs)), FACE_5)
    np.testing.assert_allclose(answer["squares"], expected, atol=1e-9)


def test_the_second_square_is_that_of_the_predictor(inputs, answer):
    first = inputs["firsts"]
    expected = second_squares(inputs["points"], FACE_5, first, SIZE)
    kept = (expected == first).all(axis=1)
    # Points on one spot have no square; the fifth moves by less than is worth a pass.
    assert kept.tolist() == [False, False, True, False, True, False]
    np.testing.assert_allclose(answer["seconds"], expected, atol=1e-9)


def test_pages_name_no_other_server():
    for path in pathlib.Path("docs/demo").glob("*.js"):
        assert "//" not in path.read_text().replace("// ", "")
