import cv2
import numpy as np
import pytest
from scipy import ndimage
from skimage.transform import SimilarityTransform

import rcn_keras
from rcn_keras.data.synthetic import draw_face
from rcn_keras.errors import InputError
from rcn_keras.faces.align import TEMPLATES, align, inverse, similarity, warped
from rcn_keras.faces.images import read_image
from rcn_keras.layout import FACE_5, FACE_68, KeypointLayout

POINTS = np.array(
    [[203.5, 101], [247, 103.5], [225.5, 127.5], [202.5, 140], [244, 141]]
)


@pytest.fixture(scope="module")
def photograph():
    return read_image("examples/astronaut.jpg")


def random_similarity(rng, low, high):
    angle, scale = rng.uniform(-np.pi, np.pi), np.exp(rng.uniform(*np.log([low, high])))
    a, b = scale * np.cos(angle), scale * np.sin(angle)
    return np.array([[a, -b, rng.normal()], [b, a, rng.normal()]])


def mapped(matrix, points):
    return points @ matrix[:, :2].T + matrix[:, 2]


def test_similarity_is_that_of_scikit_image_and_of_a_plain_least_squares_solution():
    rng = np.random.default_rng(0)
    for _ in range(50):
        points, targets = rng.normal(0, 50, (2, 5, 2))
        matrix = similarity(points, targets)
        theirs = SimilarityTransform.from_estimate(points, targets)
        np.testing.assert_allclose(matrix, theirs.params[:2], atol=1e-9)
        x, y = points.T
        one, zero = np.ones(5), np.zeros(5)
        rows = np.r_[np.c_[x, -y, one, zero], np.c_[y, x, zero, one]]
        (a, b, c, d), *_ = np.linalg.lstsq(rows, targets.T.ravel(), rcond=None)
        np.testing.assert_allclose(matrix, [[a, -b, c], [b, a, d]], atol=1e-9)


@pytest.mark.parametrize("template", TEMPLATES)
def test_the_two_matrices_are_inverse_and_move_with_the_crop(photograph, template):
    face = align(photograph, POINTS, template=template)
    assert face.image.shape == (112, 112, 3) and face.image.dtype == np.uint8
    there = mapped(face.to_crop, POINTS)
    np.testing.assert_allclose(mapped(face.to_photograph, there), POINTS, atol=1e-9)
    twice = align(photograph, POINTS, size=224, template=template)
    np.testing.assert_allclose(mapped(twice.to_crop, POINTS), 2 * there, atol=1e-9)


def test_a_marked_pixel_lands_where_the_matrix_says():
    image = np.zeros((300, 300, 3), "uint8")
    image[140:144, 150:154] = 255  # its middle is (152, 142)
    points = 1.6 * POINTS - 1.6 * POINTS.mean(axis=0) + 150
    face = align(image, points)
    weight = face.image[..., 0].astype("float64")
    rows, columns = np.indices(weight.shape) + 0.5
    center = [
        (weight * columns).sum() / weight.sum(),
        (weight * rows).sum() / weight.sum(),
    ]
    expected = mapped(face.to_crop, np.array([152.0, 142.0]))
    np.testing.assert_allclose(center, expected, atol=0.05)


def test_arcface_crop_has_the_published_points_of_a_face_that_fits():
    published = [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366]]
    published = np.array([*published, [41.5493, 92.3655], [70.7299, 92.2041]]) + 0.5
    face = align(np.zeros((200, 200, 3), "uint8"), published + 30)
    np.testing.assert_allclose(face.to_crop, [[1, 0, -30], [0, 1, -30]], atol=1e-9)


def test_eyes_are_level_and_as_far_apart_as_asked(photograph):
    face = align(photograph, POINTS, 200, "eyes", eye_distance=0.3)
    eyes = mapped(face.to_crop, POINTS[:2])
    np.testing.assert_allclose(eyes, [[70, 80], [130, 80]], atol=1e-9)


def test_ffhq_crop_is_upright_around_the_face_and_mirrored_at_the_edges():
    upright = np.array([[60.0, 60], [100, 60], [80, 80], [65, 100], [95, 100]])
    white = np.full((160, 160, 3), 255, "uint8")
    face = align(white, upright, template="ffhq")
    # Half its side is twice the eye distance, its middle a tenth of the way to the
    # mouth below the eyes.
    left_top = mapped(face.to_photograph, np.zeros(2))
    np.testing.assert_allclose(left_top, [0, -16], atol=1e-9)
    assert face.image.min() == 255
    assert align(white, upright + 60).image.min() == 0


def test_68_points_align_as_their_five():
    image, points = draw_face(np.random.default_rng(3), FACE_68, 200)
    _, five = draw_face(np.random.default_rng(3), FACE_5, 200)
    one, other = align(image, points), align(image, five)
    np.testing.assert_allclose(one.to_crop, other.to_crop, atol=1e-4)


def test_any_layout_with_these_names_and_a_list_of_faces(photograph):
    layout = KeypointLayout("mine", ("chin", *FACE_5.names[::-1]))
    points = np.concatenate([[[220, 170]], POINTS[::-1]])
    one, two = rcn_keras.align(
        photograph, [{"keypoints": points}, points], layout=layout
    )
    np.testing.assert_array_equal(one.image, two.image)
    expected = align(photograph, POINTS)
    np.testing.assert_array_equal(one.to_crop, expected.to_crop)
    assert align(photograph, []) == []


def test_crops_of_200_moved_pictures_agree_within_half_a_grey_level(photograph):
    # Blurred a little, so that moving the picture by splines of order 5 loses nothing;
    # rounding both crops to whole grey levels alone makes a difference of 0.41.
    gray = cv2.GaussianBlur(photograph[..., 1], (0, 0), 1.5)
    smooth = np.repeat(gray[..., None], 3, axis=2)
    expected = align(smooth, POINTS).image.astype("float64")
    coefficients = ndimage.spline_filter(gray.astype("float64"), 5)
    x, y = np.meshgrid(*[np.arange(270) + 0.5] * 2)
    rng, errors = np.random.default_rng(0), []
    for _ in range(200):
        matrix = random_similarity(rng, 0.85, 1.15)
        matrix[:, 2] += 135 - matrix[:, :2] @ POINTS.mean(axis=0)
        column, row = (a * x + b * y + c - 0.5 for a, b, c in inverse(matrix))
        moved = ndimage.map_coordinates(
            coefficients, [row, column], order=5, prefilter=False
        )
        moved = np.rint(np.clip(moved, 0, 255)).astype("uint8")
        moved = np.repeat(moved[..., None], 3, axis=2)
        crop = align(moved, mapped(matrix, POINTS)).image
        errors.append(np.sqrt(np.mean((crop - expected) ** 2)))
    print(f"RMS difference: mean {np.mean(errors):.3f}, largest {np.max(errors):.3f}")
    assert np.max(errors) < 0.5


def test_a_large_picture_is_averaged_and_not_aliased():
    stripes = np.zeros((1000, 1000, 3), "uint8")
    stripes[:, ::2] = 255
    crop = warped(stripes, np.array([[0.05, 0, 0], [0, 0.05, 0]]), 50)
    np.testing.assert_allclose(crop[2:-2, 2:-2], 127.5, atol=6)


def test_a_pixel_of_a_small_crop_is_the_mean_of_those_it_covers():
    noise = np.random.default_rng(0).integers(0, 256, (500, 500, 3)).astype("uint8")
    crop = warped(noise, np.array([[0.1, 0, 0], [0, 0.1, 0]]), 50)
    means = noise.reshape(50, 10, 50, 10, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(crop[2:-2, 2:-2], means[2:-2, 2:-2], atol=1)


@pytest.mark.parametrize(
    "arguments, reason",
    [
        ({"template": "other"}, "arcface, ffhq, eyes. Received: 'other'"),
        ({"size": 0}, "between 1 and 4096 pixels. Received: size=0"),
        ({"eye_distance": 0}, "above 0 and at most 1"),
        ({"face": np.ones((5, 2))}, "not on one spot"),
        ({"face": np.full((5, 2), np.nan)}, "five finite points"),
        ({"face": np.ones((7, 2))}, "shape (7, 2)"),
        ({"layout": KeypointLayout("card", tuple("abcde"))}, "'card'"),
    ],
)
def test_what_cannot_be_aligned_is_named(photograph, arguments, reason):
    with pytest.raises(InputError) as error:
        align(photograph, **{"face": POINTS} | arguments)
    assert reason in str(error.value)
