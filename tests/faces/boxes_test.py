import dataclasses

import numpy as np
import pytest
from keras import ops
from layer_checks import to_numpy

from rcn_keras.faces import boxes
from rcn_keras.layout import FACE_5, FACE_68, KeypointLayout

# Left eye, right eye, nose, mouth corners. The four without the nose span 30 x 35;
# squared 35 x 35 from (97, 90). Eyes and mouth are 35 apart: margins 43 and 33.
FACE = np.array([[100, 90], [130, 90], [900, 900], [105, 125], [125, 125]])
WIDE = np.array([[100, 90], [141, 90], [0, 0], [105, 110], [130, 110]])


@pytest.mark.parametrize(
    "face, ratio, width, height, expected",
    [
        (FACE, 1.25, 300, 300, (54, 47, 121)),
        (FACE, 0.95, 300, 300, (64, 57, 101)),
        (FACE + 0.7, 1.25, 300, 300, (54, 47, 121)),  # Bounds lose their fractions.
        # Wider than high: 41 x 20, so 11 above and 10 below, and a margin of 38.
        (WIDE, 0.95, 300, 300, (62, 41, 117)),
        # Beyond the left and the top border: moved right and down.
        (FACE - [60, 50], 1.25, 300, 300, (0, 0, 121)),
        (FACE - [0, 60], 1.25, 300, 300, (54, 0, 121)),
        # Beyond the right border, the bottom border, both: moved back.
        (FACE, 1.25, 160, 300, (39, 47, 121)),
        (FACE, 1.25, 300, 160, (54, 39, 121)),
        (FACE, 1.25, 160, 160, (39, 39, 121)),
        (FACE, 1.25, 175, 168, (54, 47, 121)),  # Just fits.
        # A picture lower, or narrower, than the square: 21 less, 11 of them before.
        (FACE - [50, 50], 1.25, 200, 100, (15, 0, 100)),
        (FACE - [50, 50], 1.25, 100, 200, (0, 11, 100)),
        (FACE - [50, 50], 1.25, 90, 100, (0, 5, 90)),
    ],
)
def test_keypoint_square(face, ratio, width, height, expected):
    found = boxes.keypoint_square(face, ratio, np.array([width, height]))
    assert found.tolist() == list(expected)


def test_negative_bounds_lose_their_fractions_too():
    # -0.9 becomes 0, not -1.
    face = FACE - [100.9, 50]
    size = np.array([300, 300])
    assert boxes.keypoint_square(face, 0.0, size).tolist() == [0, 40, 35]


def test_any_square_lies_inside_its_picture():
    rng = np.random.default_rng(0)
    for _ in range(300):
        size = rng.integers(1, 200, 2)
        faces = rng.uniform(-50, 250, (3, 5, 2))  # Several at once are as one by one.
        squares = boxes.keypoint_square(faces, 1.25, size)
        for face, (left, top, side) in zip(faces, squares):
            assert (boxes.keypoint_square(face, 1.25, size) == [left, top, side]).all()
            assert 0 <= left <= left + side <= size[0]
            assert 0 <= top <= top + side <= size[1]


@pytest.mark.parametrize(
    "keypoints", [np.zeros((4, 2)), np.zeros((5, 3)), np.full((5, 2), np.nan)]
)
def test_keypoints_that_do_not_fit(keypoints):
    with pytest.raises(ValueError, match=r"\(5, 2\) and finite. Received: shape"):
        boxes.training_squares(keypoints, FACE_5, 100, 100)


def test_training_squares():
    outer, inner = boxes.training_squares(FACE, FACE_5, 300, 300)
    assert outer == (54, 47, 121)
    # In the crop, 160 / 121 as large, the four span 60...100 by 56...103; squared
    # 56...103; 0.95 of the 46.28 between eyes and mouth is 43.
    assert inner == (13, 13, 133)


def test_training_square():
    found = boxes.training_square(FACE, FACE_5, 300, 300)
    step = 121 / 160
    np.testing.assert_allclose(found, [54 + 13 * step, 47 + 13 * step, 133 * step])


def whole(left, top, right, bottom):
    """68 points of which the first two span this box."""
    points = np.random.default_rng(0).uniform([left, top], [right, bottom], (68, 2))
    points[:2] = [left, top], [right, bottom]
    return points


@pytest.mark.parametrize(
    "box, scale, expected",
    [
        # 40 x 50, once rounded outwards: 5 to each side, then 17.5, rounded up.
        ((100.2, 50.5, 139.7, 99.1), 1.7, (77, 32, 86)),
        ((100.2, 50.5, 140.2, 99.1), 1.7, (77, 32, 86)),  # 9: 5 before, 4 after.
        ((100.2, 50.5, 139.7, 99.1), 1.3, (87, 42, 66)),
        # Wider than high, and over the picture's edges: 20 above and below.
        ((0, 0, 60, 20), 1.7, (-21, -41, 102)),
        ((0, 0, 60, 20), 1.3, (-9, -29, 78)),  # 0.15 of 60 is 9, not 10.
        ((-3.5, 7, 16, 24), 1.0, (-4, 5, 20)),  # 2 above, 1 below.
    ],
)
def test_bounding_square(box, scale, expected):
    found = boxes.bounding_square(whole(*box), scale)
    assert found.tolist() == list(expected)


def test_training_squares_of_68_points():
    outer, inner = boxes.training_squares(whole(100, 100, 150, 150), FACE_68, 120, 120)
    assert outer == (82, 82, 86)  # Whatever the size of the picture.
    # In the crop, 160 / 86 as large, the face spans 33.5...126.5.
    assert inner == (18, 18, 124)
    found = boxes.training_square(whole(100, 100, 150, 150), FACE_68, 120, 120)
    step = 86 / 160
    np.testing.assert_allclose(found, [82 + 18 * step, 82 + 18 * step, 124 * step])


def test_the_inner_square_lies_inside_the_crop():
    rng = np.random.default_rng(0)
    for _ in range(500):
        spread = 10 ** rng.uniform(0.1, 4, 2)  # From a pixel to thousands, and lines.
        points = rng.uniform(-50, 50, 2) + rng.uniform(0, 1, (68, 2)) * spread
        _, (left, top, side) = boxes.training_squares(points, FACE_68, 100, 100)
        assert min(left, top) > 14 and max(left, top) + side < 146


@pytest.mark.parametrize(
    "points_at, fault, message",
    [(5, 0.9, "no square"), (slice(None), np.nan, "finite")],
)
def test_68_points_that_leave_no_square(points_at, fault, message):
    points = np.full((68, 2), 20.5)
    points[points_at] += fault
    with pytest.raises(ValueError, match=message):
        boxes.training_squares(points, FACE_68, 100, 50)


def test_a_square_of_one_pixel_is_one():
    points = np.full((68, 2), 20.0)
    points[5] += 1
    outer, inner = boxes.training_squares(points, FACE_68, 100, 50)
    assert outer == (19, 19, 3) and inner[2] >= 1
    # One that is 1 within the crop and 0 in the photograph is none.
    five = 20.1 + 0.4 * np.array([[0, 0], [1, 0], [0.5, 0.5], [0, 1], [1, 1]])
    with pytest.raises(ValueError, match="no square of a pixel"):
        boxes.training_squares(five, FACE_5, 100, 50)


QUADRILATERAL = KeypointLayout("quadrilateral", ("nw", "ne", "se", "sw"))


def test_unknown_points_have_no_part_in_the_square():
    points = np.array([[10.2, 20.7], [60.1, 22.0], [np.nan, np.nan], [14.0, 71.5]])
    # By hand: x 10...61, y 20...72, so a side of 52, and 18 (0.35 of it) on each side.
    outer, inner = boxes.training_squares(points, QUADRILATERAL, 100, 100)
    side = 52 + 2 * 19
    assert outer == (10 - 1 - 19, 20 - 19, side)
    known = np.array([*points[:2], points[3], points[3]])
    assert (outer, inner) == boxes.training_squares(known, QUADRILATERAL, 100, 100)
    with pytest.raises(ValueError, match="finite"):
        five = np.array([[20, 20], [60, 20], [40, 40], [25, 60], [np.nan, 60]])
        boxes.training_squares(five, FACE_5, 100, 100)


def test_a_box_gives_the_square_where_a_detector_is_not_known():
    points, box = np.array([[30, 30], [50, 30], [50, 50.0], [30, 50]]), (10, 12, 70, 60)
    outer, inner = boxes.training_squares(points, QUADRILATERAL, 100, 100, box)
    left, top, side = boxes.box_squares(np.array([box], float), QUADRILATERAL)[0]
    step = outer[2] / boxes.CROP_SIZE
    assert left == outer[0] + inner[0] * step and top == outer[1] + inner[1] * step
    assert side == inner[2] * step
    # With constants of a detector it is the points' square, box or not.
    layout = dataclasses.replace(QUADRILATERAL, detector_square=(0.0, 0.0, 1.2))
    without = boxes.training_squares(points, layout, 100, 100)
    assert boxes.training_squares(points, layout, 100, 100, box) == without


def test_a_face_without_extent():
    with pytest.raises(ValueError, match="no square of a pixel in a picture of 100x50"):
        boxes.training_squares(np.full((5, 2), 20.0), FACE_5, 100, 50)


def test_a_detectors_box_leads_to_a_square_by_the_layouts_constants():
    # Mean side 50: the centre (30, 50) moves by (5, -10), the side is 75.
    layout = dataclasses.replace(FACE_5, detector_square=(0.1, -0.2, 1.5))
    found = boxes.box_squares(np.array([[10.0, 20, 50, 80]]), layout)
    np.testing.assert_allclose(found, [[-2.5, 2.5, 75]])


def test_without_constants_a_box_is_one_around_the_points():
    layout = KeypointLayout("card", ("a", "b", "c"))
    points = np.array([[10.0, 20], [50, 80], [30, 30]])
    found = boxes.box_squares(np.array([[10.0, 20, 50, 80]] * 2), layout)
    expected = boxes.training_square(points, layout, 100, 100)
    np.testing.assert_allclose(found, [expected] * 2)
    in_a_graph = boxes.box_squares(
        ops.convert_to_tensor(np.float32([[10, 20, 50, 80]])), layout, ops
    )
    np.testing.assert_allclose(to_numpy(in_a_graph), [expected], atol=1e-3)


@pytest.mark.parametrize("layout", [FACE_5, FACE_68], ids=["5", "68"])
def test_refined_squares_are_the_training_rules_or_the_old_ones(layout):
    rng = np.random.default_rng(0)
    sizes = rng.integers(100, 400, (40, 2))
    points = rng.uniform(-20, 300, (40, layout.count, 2))
    points[::4] = 50.0  # On one spot.
    old = rng.uniform(1, 100, (40, 3))
    expected = old.copy()
    for i in range(40):
        if i % 4:
            expected[i] = boxes.training_square(points[i], layout, *sizes[i])
    found = boxes.refined_squares(points, layout, old, sizes)
    np.testing.assert_allclose(found, expected)
    points, old, sizes = (
        ops.convert_to_tensor(array.astype("float32")) for array in (points, old, sizes)
    )
    in_a_graph = boxes.refined_squares(points, layout, old, sizes, ops)
    np.testing.assert_allclose(to_numpy(in_a_graph), expected, rtol=1e-4, atol=2.5)


@pytest.mark.parametrize("part, kept", [(0.0, True), (0.049, True), (0.052, False)])
def test_a_square_that_moves_by_a_twentieth_of_its_side_is_kept(part, kept):
    points, sizes = FACE[None].astype("float64"), np.array([[300.0, 300.0]])
    anywhere = np.array([[0.0, 0.0, 100.0]])
    refined = boxes.refined_squares(points, FACE_5, anywhere, sizes)
    moved = refined - [[part * refined[0, 2], 0, 0]]
    second = boxes.second_squares(points, FACE_5, moved, sizes)
    np.testing.assert_array_equal(second, moved if kept else refined)


def test_a_square_moves_by_its_centre_and_by_its_side():
    squares = np.tile([[10.0, 20, 100]], (4, 1))
    others = squares + [[0, 0, 0], [-30, 10, 0], [0, 10, -20], [20, 0, 20]]
    found = boxes.square_movement(squares, others)
    np.testing.assert_allclose(found, [0, 0.3, 0.2, 0.3])
