import dataclasses

import numpy as np
import pytest

from rcn_keras.data import face_shape
from rcn_keras.layout import (
    FACE_5,
    FACE_68,
    FACES,
    KeypointLayout,
    SquareRule,
    chosen_layout,
    mirror_pairs_by_name,
)

CATEGORY = {
    "id": 1,
    "name": "hand",
    "keypoints": ["wrist", "left_thumb", "Right_Thumb", "leftover"],
    "skeleton": [[1, 2], [1, 3]],
}


@pytest.mark.parametrize("layout", [FACE_5, FACE_68], ids=["5", "68"])
def test_mirror_pairs_mirror_a_face(layout):
    points = np.zeros((68, 3))
    half = np.array(face_shape.HALF.split(), float).reshape(-1, 3)
    for index, place in (
        (face_shape.LEFT, half),
        (face_shape.RIGHT, half * [-1, 1, 1]),
    ):
        for i, at in zip(index, place):
            if i < 68:
                points[i] = at
    if layout is FACE_5:
        eyes = points[36:42].mean(axis=0), points[42:48].mean(axis=0)
        points = np.stack([*eyes, *points[[30, 48, 54]]])
    order = np.arange(layout.count)
    for left, right in layout.mirror_pairs:
        order[[left, right]] = right, left
        assert points[left, 0] < points[right, 0]
    np.testing.assert_allclose(points[order] * [-1, 1, 1], points, atol=1e-9)


def test_the_outlines_of_68_points_hold_each_once_and_close_eyes_and_lips():
    lines = list(FACE_68.outlines.values())
    closed = [line[0] == line[-1] for line in lines]
    open_lines = [line[:-1] if end else line for line, end in zip(lines, closed)]
    assert sum(open_lines, ()) == tuple(range(68))
    assert closed == [False] * 5 + [True] * 4
    assert FACE_68.names[36] == "left_eye_1" and FACE_68.names[67] == "inner_lip_8"


def test_names_of_mirrored_points_differ_by_their_side():
    assert mirror_pairs_by_name(FACE_5.names) == FACE_5.mirror_pairs
    names = ["LeftEar", "left ear", "right ear", "left", "right"]
    assert mirror_pairs_by_name(names) == ((1, 2), (3, 4))
    names = ("leftear", "rightear", "L_Hip", "R_Hip", "eye.l", "eye.r", "tail", "trail")
    assert mirror_pairs_by_name(names) == ((0, 1), (2, 3), (4, 5))


@pytest.mark.parametrize("layout", [FACE_5, FACE_68], ids=["5", "68"])
def test_json_and_back(layout):
    back = KeypointLayout.from_json(layout.to_json())
    assert back == layout and isinstance(back.square, SquareRule)
    assert KeypointLayout.from_dict(layout.to_dict()) == layout
    assert back.square.context == layout.square.context


def test_the_least_that_a_layout_needs():
    layout = KeypointLayout.from_dict({"name": "card", "names": ["a", "b"]})
    assert layout.count == 2 and layout.normalizer == "box"
    assert layout.square == SquareRule("points", 1.7, 1.3)
    assert layout.square.context == 1.7 / 1.3
    assert KeypointLayout.from_json(layout.to_json()) == layout


def test_a_square_rule_may_leave_no_margin():
    assert SquareRule("points", 1.3, 1.3).context == 1
    assert SquareRule("points", 1.7, 1.3, context=1).context == 1


def test_a_coco_category():
    layout = KeypointLayout.from_coco_category(CATEGORY, outside="clip")
    assert layout.name == "hand" and layout.count == 4 and layout.outside == "clip"
    assert layout.mirror_pairs == ((1, 2),)
    assert layout.outlines == {"edge_1": (0, 1), "edge_2": (0, 2)}
    other = KeypointLayout.from_coco_category(CATEGORY, mirror_pairs=(), name="x")
    assert other.mirror_pairs == () and other.name == "x"
    with pytest.raises(ValueError, match="must have a list `keypoints`.*'cat'"):
        KeypointLayout.from_coco_category({"name": "cat"})
    with pytest.raises(ValueError, match="`outlines` must hold .* 0 to 3. Received: 4"):
        KeypointLayout.from_coco_category(CATEGORY | {"skeleton": [[1, 5]]})


def test_the_layout_that_is_given_or_that_of_a_face():
    assert chosen_layout(98, FACE_5) is FACE_5
    assert chosen_layout(68, None) is FACE_68 and FACES[5] is FACE_5
    with pytest.raises(ValueError, match="other than 5 or 68. Received: keypoints=98"):
        chosen_layout(98, None)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"names": ()}, r"different strings.*Received: names=\(\)"),
        ({"names": ("a", "a", "b", "c", "d")}, "different strings"),
        ({"names": (1, 2, 3, 4, 5)}, "different strings"),
        ({"mirror_pairs": ((0, 5),)}, "`mirror_pairs` must hold .* 0 to 4. .*: 5"),
        ({"mirror_pairs": ((0, 1), (1, 2))}, "must name a keypoint once"),
        ({"mirror_pairs": ((0, 1, 2),)}, "must be pairs"),
        ({"outlines": {"nose": (0, "b")}}, "`outlines` must hold .* Received: 'b'"),
        ({"normalizer": ((0,), (-1,))}, "`normalizer` must hold .* Received: -1"),
        ({"normalizer": ((0,), ())}, "two groups of keypoints, or 'box'"),
        ({"normalizer": "eyes"}, "two groups of keypoints, or 'box'"),
        ({"outside": "drop"}, "must be one of .* Received: outside='drop'"),
        ({"detector_square": (1, 2)}, r"\(shift_x, shift_y, scale\)"),
        ({"detector_square": None}, "needs a `detector_square`"),
        ({"names": tuple("abcdef")}, "is of 5 keypoints .* Received: 6 keypoints"),
    ],
)
def test_what_does_not_fit_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(FACE_5, **change)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("oval", 1.7, 1.3), "must be one of .* Received: kind='oval'"),
        (("points", 1.3, 1.7), "at most `outer`. Received: inner=1.7, outer=1.3"),
        (("points", 1.3, 0.0), "above 0"),
        (("points", 1.7, 1.3, 0.9), "at least 1. Received: context=0.9"),
    ],
)
def test_square_rules_that_do_not_fit(arguments, message):
    with pytest.raises(ValueError, match=message):
        SquareRule(*arguments)


@pytest.mark.parametrize(
    "text, message",
    [
        ("{", "must be a JSON object. Received: '{'"),
        ("[1]", "must be an object"),
        ('{"names": ["a"]}', "must be an object .*missing"),
        ('{"name": "a", "names": ["a"], "colour": 1}', "must be an object .*colour"),
        ('{"name": "a", "names": ["a"], "square": 3}', "must be an object"),
        ('{"name": "a", "names": 3}', "must be an object"),
        ('{"name": "a", "names": ["a"], "outlines": []}', "must be an object"),
    ],
)
def test_what_is_no_layout_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        KeypointLayout.from_json(text)


def test_the_squares_of_faces_are_the_papers_and_their_boxes_as_fitted():
    # results/detector_box.csv and detector_box_68.csv: MTCNN, on training faces.
    square = FACE_5.square
    assert (square.kind, square.outer, square.inner) == ("eyes_mouth", 1.25, 0.95)
    assert square.context == 1.2 and FACE_5.detector_square == (0.002, 0.077, 1.260)
    square = FACE_68.square
    assert (square.kind, square.outer, square.inner) == ("points", 1.7, 1.3)
    assert FACE_68.detector_square == (0.011, 0.156, 1.228)
    assert FACE_68.normalizer == ((36, 39), (42, 45)) and FACE_68.outside == "mask"
