import json

import cv2
import numpy as np
import pytest

from rcn_keras.cli import main
from rcn_keras.data.face_shape import random_shape
from rcn_keras.layout import FACE_68, mirror_pairs_by_shape

PAIRS = ((0, 7), (1, 4), (2, 6))  # 3 and 5 lie on the axis


def instances(count=12, noise=0.02):
    """Instances of a symmetric shape, each moved, turned, scaled and disturbed."""
    rng = np.random.default_rng(0)
    shape = rng.uniform(-1, 1, (8, 2))
    shape[[3, 5], 0] = 0
    for i, j in PAIRS:
        shape[i, 0] = -0.2 - abs(shape[i, 0])
        shape[j] = shape[i] * [-1, 1]
    shapes = []
    for turn in rng.uniform(-0.5, 0.5, count):
        matrix = [[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]
        moved = (shape + rng.normal(0, noise, shape.shape)) @ np.transpose(matrix)
        shapes.append(moved * rng.uniform(20, 40) + rng.uniform(80, 120, 2))
    return np.array(shapes)


def test_pairs_are_found_without_names():
    shapes = instances()
    shapes[3, 2] = np.nan  # not complete
    assert mirror_pairs_by_shape(shapes) == PAIRS
    assert mirror_pairs_by_shape(shapes[..., ::-1]) == PAIRS  # lying on its side


def test_keypoints_that_coincide_in_the_mean_keep_to_their_line():
    """Lines of five points that cross each other by turns: one is above in half of the
    instances, so that both are at one place in the mean."""
    rng, x = np.random.default_rng(1), np.array([-2, -1, 0, 1, 2])
    bent = rng.uniform(-0.3, 0.3, (40, 1)) * (5 - x**2)
    lines = [np.stack([x + 0 * bent, side * bent], axis=-1) for side in (1, -1)]
    nose = np.tile([[0.0, 5]], (40, 1, 1))
    shapes = 20 * np.concatenate([*lines, nose], axis=1)
    shapes += rng.normal(0, 0.2, shapes.shape)
    expected = ((0, 4), (1, 3), (5, 9), (6, 8))
    assert mirror_pairs_by_shape(shapes) == expected


def test_the_pairs_of_a_face_are_those_of_its_layout():
    rng = np.random.default_rng(0)
    shapes = [random_shape(rng)[0][:68, :2] for _ in range(30)]
    expected = {tuple(sorted(pair)) for pair in FACE_68.mirror_pairs}
    assert set(mirror_pairs_by_shape(shapes)) == expected


def test_a_shape_that_is_no_mirror_image_is_refused():
    with pytest.raises(ValueError, match="no mirror image of itself"):
        mirror_pairs_by_shape([[[0, 0], [5, 0], [1, 1], [0, 9]]] * 5)
    shapes = instances(6)
    shapes[:2, 0] = np.nan
    with pytest.raises(ValueError, match="5 instances or more .* Received: 4"):
        mirror_pairs_by_shape(shapes)


def test_the_command_line_takes_them(tmp_path, capsys):
    lines = ["image," + ",".join(f"p{i}_x,p{i}_y" for i in range(8))]
    for number, shape in enumerate(instances()):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.zeros((200, 200), "uint8"))
        lines.append(f"{number}.png," + ",".join(f"{x:.2f}" for x in shape.ravel()))
    table = tmp_path / "points.csv"
    table.write_text("\n".join(lines) + "\n")
    assert main(["layout", str(table)]) == 0
    assert json.loads(capsys.readouterr().out)["mirror_pairs"] == []
    assert main(["layout", str(table), "--mirror-by-shape"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["mirror_pairs"] == [list(pair) for pair in PAIRS]
    assert "mirror pairs: p0 - p7, p1 - p4, p2 - p6" in captured.err
    table.write_text("\n".join(lines[:3]) + "\n")
    assert main(["layout", str(table), "--mirror-by-shape"]) == 2
    assert f"{table}: mirror pairs by shape take 5 instances" in capsys.readouterr().err
