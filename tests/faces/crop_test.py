import tracemalloc

import numpy as np
import pytest
from layer_checks import to_numpy
from PIL import Image

from rcn_keras.faces import crop, taps
from rcn_keras.layers import RandomKeypointAffine
from rcn_keras.layout import FACE_5

CONTEXT = FACE_5.square.context


def photograph(seed=0, height=150, width=190):
    """Fairly smooth, without colour, within 20...235."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(20, 236, (30, 38)).astype("uint8"))
    large = small.resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(large.convert("RGB"))


def blob(x, y, height=150, width=190, sigma=4.0):
    dx = np.arange(width)[None] + 0.5 - x
    dy = np.arange(height)[:, None] + 0.5 - y
    grey = np.rint(250 * np.exp(-(dx**2 + dy**2) / (2 * sigma**2)))
    return grey.astype("uint8")[..., None].repeat(3, axis=2)


def centroid(image):
    mass = image.astype("float64")
    centers = np.arange(len(image)) + 0.5
    x, y = (mass * centers).sum(), (mass * centers[:, None]).sum()
    return np.array([x, y]) / mass.sum()


@pytest.mark.parametrize(
    "square, size",
    [
        ((20, 10, 120), 160),  # Enlarged,
        ((20, 10, 120), 80),  # reduced,
        ((30, 20, 80), 80),  # copied;
        ((0, 0, 150), 160),  # up to three borders;
        ((40, 0, 150), 40),  # reduced a lot, up to the other border;
        ((33.3, 12.7, 101.5), 160),  # not at whole pixels.
    ],
)
def test_equals_pillows_lanczos(square, size):
    image = photograph()
    grey = image[:, :, 0]
    left, top, side = square
    box = (left, top, left + side, top + side)
    found = crop.crop_square(image, square, size)
    assert found.shape == (size, size) and found.dtype == np.uint8

    def pillows(array):
        lanczos = Image.Resampling.LANCZOS
        return np.asarray(Image.fromarray(array).resize((size, size), lanczos, box))

    assert np.abs(found - pillows(grey.astype("float32"))).max() < 0.51
    # On bytes Pillow rounds between its two passes as well, we only at the end.
    difference = np.abs(found - pillows(grey).astype(int))
    assert difference.max() <= 2 and np.mean(difference > 1) < 1e-3


def test_grey_weighs_the_colours():
    image = np.zeros((10, 10, 3), np.uint8)
    for colour, grey in (([255, 0, 0], 76), ([0, 255, 0], 150), ([0, 0, 255], 29)):
        image[:] = colour
        assert (crop.crop_square(image, (0, 0, 10), 10) == grey).all()


def test_the_stored_crop_is_160_wide():
    assert crop.crop_square(photograph(), (0, 0, 100)).shape == (160, 160)


def test_black_outside():
    image = np.full((60, 60, 3), 200, np.uint8)
    found = crop.crop_square(image, (-30, 20, 60), 120)
    inside = np.zeros((120, 120), bool)
    inside[:80, 60:] = True
    assert (found[inside] == 200).all() and not found[~inside].any()


@pytest.mark.parametrize("square", [(100, 0, 50), (0, -80, 40), (-500, 900, 2.5)])
def test_a_square_wholly_outside_is_black(square):
    image = np.full((60, 60, 3), 200, np.uint8)
    assert not crop.crop_square(image, square, 16).any()


def test_squares_smaller_than_a_pixel_and_larger_than_all():
    image = np.full((60, 60, 3), 200, np.uint8)
    assert (crop.crop_square(image, (30.2, 30.4, 0.1), 16) == 200).all()
    found = crop.crop_square(image, (-6000, -6000, 12060), 67)
    assert found.max() <= 200 and np.count_nonzero(found) <= 1


def test_what_lies_around_a_photograph_takes_no_memory():
    image = np.full((400, 400, 3), 200, np.uint8)
    tracemalloc.start()
    crop.crop_square(image, (-4000, -4000, 8400))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 20e6  # bytes; as grey pixels the square has 70 million


@pytest.mark.parametrize("seed", range(5))
def test_a_blob_lands_where_to_crop_says(seed):
    rng = np.random.default_rng(seed)
    x, y, side = rng.uniform([80, 60, 90], [110, 90, 140])
    square = np.array([x, y, side]) - [*rng.uniform(0.4, 0.6, 2) * side, 0]
    for size in (160, 80):
        found = centroid(crop.crop_square(blob(x, y), square, size))
        expected = crop.to_crop(np.array([[[x, y]]]), square[None], size)[0, 0]
        assert np.abs(found - expected).max() < 0.05


@pytest.mark.parametrize("size", [80, 48])
@pytest.mark.parametrize("square", [(70, 40, 60), (40.6, 30.3, 101.2), (-20, 60, 70)])
def test_the_input_of_a_square_is_what_training_sees(square, size):
    image, square = photograph(), np.array(square, "float64")
    margin = (CONTEXT - 1) / 2 * square[2]
    outer = square + [-margin, -margin, 2 * margin]
    stored = crop.crop_square(image, outer, 2 * size)[None, :, :, None]
    inner = (square - [*outer[:2], 0]) * 2 * size / outer[2]
    inputs = {
        "images": stored,
        "squares": inner[None],
        "keypoints": np.zeros((1, 1, 2)),
    }
    seen = RandomKeypointAffine(size)(inputs, training=False)["images"]
    found = crop.input_crop(image, square, CONTEXT, size)
    assert found.shape == (size, size) and found.dtype == np.uint8
    # There the stored crop is rounded to bytes in between.
    assert np.abs(found - to_numpy(seen)[0, :, :, 0]).max() <= 1


def test_a_blob_lands_where_the_input_crop_says():
    square = np.array([50.3, 20.8, 90.4])
    found = centroid(crop.input_crop(blob(90.0, 70.0), square, CONTEXT))
    expected = crop.to_crop(np.array([[[90.0, 70.0]]]), square[None], 80)[0, 0]
    assert np.abs(found - expected).max() < 0.05


def test_to_crop_and_to_photograph():
    points = np.array([[[10.0, 20.0], [70.0, 100.0]], [[0.0, 0.0], [5.0, 5.0]]])
    squares = np.array([[10, 20, 40], [-5, -10, 160]])
    found = crop.to_crop(points, squares, 80)
    expected = [[[0, 0], [120, 160]], [[2.5, 5], [5, 7.5]]]
    np.testing.assert_allclose(found, expected)
    np.testing.assert_allclose(crop.to_photograph(found, squares, 80), points)


def dense(index, weights, length):
    matrix = np.zeros((len(index), length))
    np.add.at(matrix, (np.arange(len(index))[:, None], index), weights)
    return matrix


def test_lanczos_taps_copy_whole_pixels():
    index, weights = taps.lanczos_taps(start=2, side=5, size=5, length=20)
    np.testing.assert_allclose(dense(index, weights, 20), np.eye(20)[2:7], atol=1e-6)


@pytest.mark.parametrize("side, size", [(30.0, 10), (5.5, 40)])
def test_lanczos_taps_sum_to_one_inside_and_to_none_outside(side, size):
    index, weights = taps.lanczos_taps(-side / 3, side, size, length=50)
    assert weights.dtype == "float32"
    assert index.min() >= 0 and index.max() < 50
    centers = -side / 3 + (np.arange(size) + 0.5) * side / size
    np.testing.assert_allclose(weights.sum(axis=1), centers >= 0, atol=1e-6)


@pytest.mark.parametrize(
    "side, size, block",
    [
        (60, 20, 1),  # 3 pixels to one of the crop
        (79, 20, 1),
        (80, 20, 2),  # two blocks or more to a pixel
        (300, 20, 4),
        (321, 20, 8),
    ],
)
def test_lanczos_taps_equal_numpy_over_averaged_blocks(side, size, block):
    start, length, step = 40.3, 640, side / size
    centers = start + (np.arange(size) + 0.5) * step
    blocks = np.arange(0, length, block) + block / 2
    offset = (blocks - centers[:, None]) / step
    weights = np.sinc(offset) * np.sinc(offset / 3) * (np.abs(offset) < 3)
    weights = np.repeat(weights, block, axis=1)
    expected = weights / weights.sum(axis=1, keepdims=True)
    found = dense(*taps.lanczos_taps(start, side, size, length), length)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_pixel_is_inside_from_the_first_edge_to_just_before_the_last():
    # Centres at 0, 2 and 4 of a photograph of 4 pixels.
    _, weights = taps.lanczos_taps(start=-1, side=6, size=3, length=4)
    np.testing.assert_allclose(weights.sum(axis=1), [1, 1, 0], atol=1e-6)
    found = crop.crop_square(np.full((4, 4, 3), 200, np.uint8), (-1, -1, 6), 3)
    np.testing.assert_array_equal(found, [[200, 200, 0], [200, 200, 0], [0, 0, 0]])


def test_grey_is_rounded_to_the_nearest_level():
    image = np.random.default_rng(0).integers(0, 256, (40, 50, 3)).astype("uint8")
    found = crop.gray(image)
    assert (found == np.trunc(found)).all()
    assert np.abs(found - image @ [0.299, 0.587, 0.114]).max() < 0.5001


def test_the_taps_of_the_input_give_the_input():
    image, square = photograph(), (40.6, 30.3, 80.2)
    found = crop.gray(image)
    for axis, (first, second) in enumerate(taps.input_taps(square, 190, 150, CONTEXT)):
        matrix = dense(*second, 160) @ dense(*first, image.shape[axis])
        found = np.moveaxis(np.tensordot(matrix, found, (1, axis)), 0, axis)
    assert np.abs(crop.input_crop(image, square, CONTEXT) - found).max() < 1


def through_taps(image, square, size):
    """A crop as an exported graph makes it: by one matrix for each axis."""
    left, top, side = square
    rows, columns = (
        dense(*taps.lanczos_taps(start, side, size, length), length)
        for start, length in zip((top, left), image.shape)
    )
    return np.clip(rows @ crop.gray(image) @ columns.T, 0, 255)


@pytest.mark.parametrize("seed", range(30))
def test_the_crop_is_what_the_taps_of_the_exported_graph_say(seed):
    """Squares of 1 pixel to 6 photographs, most of them over an edge."""
    rng = np.random.default_rng(seed)
    image = photograph(seed, *rng.integers(1, 400, 2))
    side = float(np.exp(rng.uniform(0, np.log(2400))))
    square = (*(rng.uniform(-0.9 * side, 0.9 * length) for length in (200, 200)), side)
    expected = through_taps(image, square, 40)
    # A grey value in between, 0.5, may be rounded up by one and down by the other.
    assert np.abs(crop.crop_square(image, square, 40) - expected).max() < 1.7


def test_a_large_face_is_averaged_first_and_stays_near_pillows_lanczos():
    image = photograph(0, 900, 1000)
    found = crop.crop_square(image, (50, 30, 800), 80).astype(int)
    picture = Image.fromarray(image[:, :, 0])
    box = (50, 30, 850, 830)
    expected = picture.resize((80, 80), Image.Resampling.LANCZOS, box=box)
    difference = np.abs(found - np.asarray(expected).astype(int))
    assert difference.max() <= 2 and difference.mean() < 0.5


def test_the_kinds_of_memory_a_photograph_may_lie_in():
    image = np.random.default_rng(0).integers(0, 256, (150, 190, 3)).astype("uint8")
    square = (20.2, 10.7, 120)
    expected = crop.crop_square(image, square)
    image.flags.writeable = False
    for view in (image, np.asfortranarray(image), image[::-1].copy()[::-1]):
        np.testing.assert_array_equal(crop.crop_square(view, square), expected)


@pytest.mark.parametrize("count", [0, 1, 20])
def test_input_crops_are_those_of_each_face(count):
    images = [photograph(seed) for seed in range(count)]
    squares = np.random.default_rng(0).uniform(20, 90, (count, 3))
    found = crop.input_crops(images, squares, CONTEXT)
    assert found.shape == (count, 80, 80, 1) and found.dtype == np.uint8
    for one, image, square in zip(found, images, squares):
        expected = crop.input_crop(image, square, CONTEXT)
        np.testing.assert_array_equal(one[..., 0], expected)
