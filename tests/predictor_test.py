import numpy as np
import pytest

import rcn_keras
from rcn_keras import codec
from rcn_keras.data.synthetic import draw_face
from rcn_keras.errors import InputError
from rcn_keras.faces.boxes import training_square
from rcn_keras.faces.images import read_image
from rcn_keras.layout import FACE_5
from rcn_keras.predictor import Predictor

PHOTO = "examples/astronaut.jpg"
BOX = [180, 65, 265, 172]
# Eye centres, nose tip and mouth corners, read off the enlarged photograph by eye.
POINTS = [[203.5, 101], [247, 103.5], [225.5, 127.5], [202.5, 140], [244, 141]]


@pytest.fixture(scope="module")
def predictor():
    return Predictor.from_preset("rcn6_mtfl")


def test_finds_the_keypoints_of_the_shipped_photograph(predictor):
    (face,) = predictor(PHOTO, boxes=[BOX])
    np.testing.assert_allclose(face.keypoints, POINTS, atol=2.5)
    assert face.confidence.shape == (5,) and (face.confidence > 0.8).all()
    assert face.score == 1.0
    fields = face.as_dict()
    assert set(fields) == {"box", "keypoints", "confidence", "score", "face_score"}
    assert np.shape(fields["keypoints"]) == (5, 2) and fields["box"] == BOX


def test_arrays_of_every_kind_give_one_answer(predictor):
    rgb = read_image(PHOTO)
    (expected,) = predictor(rgb, boxes=[BOX])
    alpha = np.full((*rgb.shape[:2], 1), 7, "uint8")
    same = [rgb.astype("uint16") * 257, np.concatenate([rgb, alpha], axis=2)]
    with open(PHOTO, "rb") as file:
        same.append(file.read())
    for array in [*same, rgb.astype("float32")]:
        (face,) = predictor(array, boxes=[BOX])
        np.testing.assert_array_equal(face.keypoints, expected.keypoints)
    gray = np.rint(rgb @ [0.299, 0.587, 0.114]).astype("uint8")
    for array in (gray, gray[:, :, None]):
        (face,) = predictor(array, boxes=[BOX])
        np.testing.assert_allclose(face.keypoints, expected.keypoints, atol=0.1)


def test_a_list_gives_a_list_of_lists(predictor):
    faces = predictor([PHOTO, read_image(PHOTO)], boxes=[[BOX, BOX], []])
    assert [len(found) for found in faces] == [2, 0]
    assert predictor([], boxes=[]) == []
    for boxes in ([[BOX], [BOX]], 5):
        with pytest.raises(InputError, match="one list of boxes is needed for each of"):
            predictor([PHOTO], boxes=boxes)


def test_forty_faces_at_once_equal_each_alone(predictor):
    rng = np.random.default_rng(0)
    sheet = np.zeros((5 * 130, 8 * 130, 3), "uint8")
    boxes = []
    for i in range(40):
        x, y = i % 8 * 130, i // 8 * 130
        sheet[y : y + 130, x : x + 130], points = draw_face(rng, size=130)
        left, top, side = training_square(points, FACE_5, 130, 130)
        boxes.append([x + left, y + top, x + left + side, y + top + side])
    together = predictor(sheet, boxes=boxes)
    assert len(together) == 40
    for i in (0, 7, 39):
        (alone,) = predictor(sheet, boxes=[boxes[i]])
        np.testing.assert_allclose(alone.keypoints, together[i].keypoints, atol=1e-3)


def test_photograph_twice_as_large_gives_points_twice_as_far(predictor):
    from PIL import Image

    image = Image.open(PHOTO).convert("RGB")
    large = np.asarray(image.resize((1024, 1024), Image.Resampling.BICUBIC))
    (small_face,) = predictor(np.asarray(image), boxes=[BOX])
    (large_face,) = predictor(large, boxes=[np.multiply(BOX, 2)])
    np.testing.assert_allclose(large_face.keypoints, 2 * small_face.keypoints, atol=2.0)


def test_refinement_corrects_a_poor_box(predictor):
    once = Predictor(predictor.model, refinements=0)
    poor = [165, 45, 285, 195]
    image = read_image(PHOTO)
    (plain,) = once(image, boxes=[poor])
    (refined,) = predictor(image, boxes=[poor])
    good = predictor(image, boxes=[BOX])[0].keypoints
    far = np.abs(plain.keypoints - good).mean()
    assert np.abs(refined.keypoints - good).mean() <= max(far, 0.3)


def test_box_faults_name_the_box(predictor):
    image = read_image(PHOTO)
    with pytest.raises(InputError, match="outside the picture of 512x512"):
        predictor(image, boxes=[[600, 600, 700, 700]])
    for box in ([-1e9, -1e9, 1e9, 1e9], [-1e308, 0, 1e308, 9]):
        with pytest.raises(InputError, match="more than 10 times|x1 > x0"):
            predictor(image, boxes=[box])
    for box in ([10, 10, 5, 20], [np.nan, 0, 1, 1]):
        with pytest.raises(InputError, match="x1 > x0"):
            predictor(image, boxes=[box])


def test_boxes_of_another_shape(predictor):
    for boxes in ([[1, 2, 3]], ["left"]):
        with pytest.raises(InputError, match="boxes must be"):
            predictor(PHOTO, boxes=boxes)


def test_any_callable_is_a_detector(predictor):
    def detector(image):
        assert image.dtype == np.uint8 and image.shape[2] == 3
        useless = [900, 900, 950, 950]
        return np.float32([BOX, useless]), np.float32([0.9, 0.8])

    own = Predictor(predictor.model, detector=detector)
    (face,) = own(PHOTO)
    assert face.score == pytest.approx(0.9)
    np.testing.assert_allclose(face.keypoints, POINTS, atol=2.5)


def test_covered_keypoint_is_less_certain(predictor):
    image = read_image(PHOTO).copy()
    clear = predictor(image, boxes=[BOX])[0]
    image[85:115, 188:222] = 0  # the left eye
    covered = predictor(image, boxes=[BOX])[0]
    assert covered.confidence[0] < clear.confidence[0]


def test_a_box_without_a_face_has_a_low_face_score(predictor):
    image = read_image(PHOTO)
    noise = np.random.default_rng(0).integers(0, 256, image.shape).astype("uint8")
    beside = [(20, 20), (300, 20), (330, 300), (20, 300), (10, 150)]
    boxes = [BOX, *([x, y, x + 120, y + 120] for x, y in beside)]
    face, *others = predictor(image, boxes=boxes)
    (nothing,) = predictor(noise, boxes=[BOX])
    assert face.face_score > 0.95 and isinstance(face.face_score, float)
    scores = [other.face_score for other in others]
    assert np.median(scores) < 0.1 and max(scores) < 0.7
    assert nothing.face_score < 0.2
    assert face.as_dict()["face_score"] == pytest.approx(face.face_score, abs=1e-4)


def test_a_network_without_a_calibration_has_no_face_score():
    predictor = Predictor(rcn_keras.build_rcn(branches=4))
    (face,) = predictor(PHOTO, boxes=[BOX])
    assert np.isnan(face.face_score) and face.as_dict()["face_score"] is None


def test_preset_network_and_predictor_agree(predictor):
    from rcn_keras.faces.crop import input_crop, to_photograph

    image = read_image(PHOTO)
    square = (160.0, 75.0, 110.0)
    crop = input_crop(image, square, FACE_5.square.context)[None, :, :, None].astype(
        "float32"
    )
    maps = rcn_keras.from_preset("rcn6_mtfl")(crop)
    expected = to_photograph(np.asarray(codec.decode(maps)), [square], 80)
    once = Predictor(predictor.model, refinements=0)
    found, *_ = once.locate([image], [square])
    np.testing.assert_allclose(found, expected, atol=1e-3)


@pytest.mark.parametrize(
    "squares",
    [
        [[1, 2]],
        [1, 2, 30],
        [[1, 2, 30]] * 2,
        [[1, np.nan, 30]],
        [[1, 2, 0]],
        [["left", 2, 30]],
    ],
)
def test_squares_that_cannot_be_used(predictor, squares):
    image = np.zeros((60, 60, 3), "uint8")
    with pytest.raises(InputError, match="`squares` must be .* Received: "):
        predictor.locate([image], squares)


def test_squares_of_a_picture_of_any_kind(predictor):
    square = [[170, 60, 110]]
    found, *_ = predictor.locate([PHOTO], square)
    expected, *_ = predictor.locate([read_image(PHOTO)], square)
    np.testing.assert_array_equal(found, expected)
    with pytest.raises(InputError, match="image 0: .*not finite"):
        predictor.locate([np.full((60, 60, 3), np.nan)], [[1, 2, 30]])


def test_a_layout_without_a_detectors_constants_needs_boxes():
    layout = rcn_keras.KeypointLayout("card", ("nw", "ne", "se", "sw"))
    own = Predictor(rcn_keras.build_rcn(branches=4, layout=layout))
    with pytest.raises(InputError, match="boxes must be given.*'card'"):
        own(PHOTO)
    (face,) = own(PHOTO, boxes=[BOX])
    assert face.keypoints.shape == (4, 2) and face.confidence.shape == (4,)
    with_constants = Predictor(own.model, box_constants=(0.0, 0.0, 1.3))
    assert with_constants.layout.detector_square == (0.0, 0.0, 1.3)


def test_other_networks_are_refused():
    with pytest.raises(ValueError, match="must take grey crops"):
        Predictor(rcn_keras.build_rcn(branches=4, channels=3))
    with pytest.raises(ValueError, match="must give maps.*keypoints, gender"):
        Predictor(rcn_keras.build_tcdcn())
