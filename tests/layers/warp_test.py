import keras
import numpy as np
import pytest
from layer_checks import to_numpy

from rcn_keras.layers import warp


def random_case(seed, images=4, source=(14, 17), channels=3):
    rng = np.random.default_rng(seed)
    pictures = rng.integers(0, 256, (images, *source, channels)).astype("uint8")
    linear = np.eye(2) + rng.uniform(-0.6, 0.6, (images, 2, 2))
    offset = rng.uniform(-6, 6, (images, 2, 1))
    return pictures, np.concatenate([linear, offset], axis=2).astype("float32")


def sampled(image, x, y):
    """One bilinear sample at continuous (x, y), tap by tap, zeros outside."""
    x, y = x - 0.5, y - 0.5
    total = 0.0
    for column in (int(np.floor(x)), int(np.floor(x)) + 1):
        for row in (int(np.floor(y)), int(np.floor(y)) + 1):
            if 0 <= row < image.shape[0] and 0 <= column < image.shape[1]:
                weight = (1 - abs(x - column)) * (1 - abs(y - row))
                total += weight * image[row, column].astype("float64")
    return total


def warped(images, transforms, height, width):
    out = np.zeros((len(images), height, width, images.shape[3]))
    for n, row, column in np.ndindex(len(images), height, width):
        x, y = transforms[n].astype("float64") @ [column + 0.5, row + 0.5, 1]
        out[n, row, column] = sampled(images[n], x, y)
    return out


def gathered(images, transforms, height, width):
    """The warp as every backend but TensorFlow computes it."""
    linear = transforms[:, :, :2]
    offset = transforms[:, :, 2] + 0.5 * linear.sum(axis=2) - 0.5
    images = keras.ops.cast(images, "float32")
    linear, offset = map(keras.ops.convert_to_tensor, (linear, offset))
    return to_numpy(warp._warp_gather(images, linear, offset, height, width))


BOTH = pytest.mark.parametrize(
    "warp_affine", [lambda *a: to_numpy(warp.warp_affine(*a)), gathered]
)


@BOTH
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_equals_numpy(warp_affine, dtype):
    images, transforms = random_case(0)
    out = warp_affine(images.astype(dtype), transforms, 9, 11)
    assert out.dtype == "float32"
    np.testing.assert_allclose(out, warped(images, transforms, 9, 11), atol=5e-3)


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_both_ways_agree(dtype):
    images, transforms = random_case(1, images=16, channels=1)
    images = images.astype(dtype)
    ours = to_numpy(warp.warp_affine(images, transforms, 20, 12))
    np.testing.assert_allclose(ours, gathered(images, transforms, 20, 12), atol=5e-3)


@BOTH
def test_identity(warp_affine):
    images, _ = random_case(2)
    transforms = np.tile(np.eye(2, 3, dtype="float32"), (4, 1, 1))
    np.testing.assert_array_equal(warp_affine(images, transforms, 14, 17), images)


@BOTH
@pytest.mark.parametrize("x, y", [(3, 0), (-2, 5), (100, 0)])
def test_whole_pixel_shifts_are_exact(warp_affine, x, y):
    images, _ = random_case(3)
    transform = np.array([[1, 0, x], [0, 1, y]], "float32")
    out = warp_affine(images, np.tile(transform, (4, 1, 1)), 14, 17)
    expected = np.zeros((4, 14, 17, 3))
    for row, column in np.ndindex(14, 17):
        if 0 <= row + y < 14 and 0 <= column + x < 17:
            expected[:, row, column] = images[:, row + y, column + x]
    np.testing.assert_array_equal(out, expected)
