"""Ours against the recorded answers of tensorflow-addons 0.23.0 itself.

`tests/golden/make_tfa_golden.py` wrote the answers and lists the arrays.

Two coordinate conventions meet here. A TFA vector maps output pixel *indices* to
input pixel indices (the first pixel's centre is 0), and so does the one of
`keras.ops.image.affine_transform`; our matrices map *continuous* coordinates (the
first pixel's centre is ½).

At the border all three agree on zero padding, tap by tap: each of the four pixels of
a bilinear sample that lies outside the image counts as 0, so that a sample within
one pixel of the border fades to 0. No sample is zeroed as a whole for lying outside.
"""

from pathlib import Path

import keras
import numpy as np
import pytest

from rcn_keras.layers.warp import warp_affine

GOLDEN = dict(np.load(Path(__file__).parents[1] / "golden" / "tfa_0_23_0.npz"))

# Input coordinates are below 64, where float32 rounds by at most 2e-6; the five or
# so roundings on the way to one displace a sample by up to 1e-5 pixel on each axis,
# and a step between neighbours is at most 255 grey levels.
ATOL = 2 * 255 * 1e-5

BATCHES = pytest.mark.parametrize("batch", ["grey", "colour", "smooth"])


def to_matrices(vectors):
    """TFA vectors (N, 8), index to index → our matrices (N, 2, 3), continuous.

    With index = continuous - ½ on both sides, A(c - ½) + t + ½ = Ac + (t + ½ - A½).
    """
    matrices = vectors[:, :6].reshape(-1, 2, 3).astype("float64")
    matrices[:, :, 2] += 0.5 - matrices[:, :, :2].sum(axis=2) / 2
    return matrices.astype("float32")


def to_vectors(matrices):
    """The way back: our matrices (N, 2, 3) → TFA vectors (N, 8)."""
    matrices = matrices.astype("float64")
    matrices[:, :, 2] -= 0.5 - matrices[:, :, :2].sum(axis=2) / 2
    vectors = np.pad(matrices.reshape(-1, 6), ((0, 0), (0, 2)))
    return vectors.astype("float32")


def rotation_matrices(angles, height, width):
    """TFA's rotations (N,), in radians, as our matrices (N, 2, 3).

    Output → input by [[cos, -sin], [sin, cos]] about the image's centre. As y points
    down, the content seen on the screen turns counter-clockwise.
    """
    cos, sin = np.cos(angles), np.sin(angles)
    linear = np.moveaxis(np.array([[cos, -sin], [sin, cos]]), -1, 0)
    centre = np.array([width / 2, height / 2])
    return np.concatenate([linear, (centre - linear @ centre)[:, :, None]], axis=2)


def translation_matrices(translations):
    """TFA's translations (N, 2) of the content, as our matrices (N, 2, 3)."""
    linear = np.tile(np.eye(2), (len(translations), 1, 1))
    return np.concatenate([linear, -translations[:, :, None]], axis=2)


def affine_transform(images, vectors, interpolation="bilinear"):
    output = keras.ops.image.affine_transform(
        images,
        vectors,
        interpolation=interpolation,
        fill_mode="constant",
        fill_value=0,
        data_format="channels_last",
    )
    return keras.ops.convert_to_numpy(output)


def warp(images, matrices, height, width):
    output = warp_affine(images, matrices.astype("float32"), height, width)
    return keras.ops.convert_to_numpy(output)


def assert_close(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=0, atol=ATOL)


def test_golden_versions():
    assert GOLDEN["tfa_version"] == "0.23.0"
    assert str(GOLDEN["tf_version"]).startswith("2.15.")


@BATCHES
def test_affine_transform(batch):
    images, vectors = GOLDEN[f"images_{batch}"], GOLDEN["transforms"]
    expected = GOLDEN[f"transform_{batch}"]
    assert_close(affine_transform(images, vectors), expected)


@BATCHES
def test_affine_transform_nearest(batch):
    images, vectors = GOLDEN[f"images_{batch}"], GOLDEN["transforms"]
    actual = affine_transform(images, vectors, interpolation="nearest")
    # Values are copied, and the script made sure that no coordinate is a tie.
    np.testing.assert_array_equal(actual, GOLDEN[f"transform_nearest_{batch}"])


@BATCHES
@pytest.mark.parametrize("row", [0, 1])
def test_affine_transform_rotate(batch, row):
    images, angles = GOLDEN[f"images_{batch}"], GOLDEN["angles"][row]
    vectors = to_vectors(rotation_matrices(angles, 24, 20))
    assert_close(affine_transform(images, vectors), GOLDEN[f"rotate_{batch}"][row])


@BATCHES
def test_affine_transform_translate(batch):
    images = GOLDEN[f"images_{batch}"]
    vectors = to_vectors(translation_matrices(GOLDEN["translations"]))
    assert_close(affine_transform(images, vectors), GOLDEN[f"translate_{batch}"])


@BATCHES
def test_warp_affine(batch):
    images, matrices = GOLDEN[f"images_{batch}"], to_matrices(GOLDEN["transforms"])
    assert_close(warp(images, matrices, 24, 20), GOLDEN[f"transform_{batch}"])


@BATCHES
def test_warp_affine_resized(batch):
    images, matrices = GOLDEN[f"images_{batch}"], to_matrices(GOLDEN["transforms"])
    assert_close(warp(images, matrices, 18, 30), GOLDEN[f"transform_resized_{batch}"])


@BATCHES
@pytest.mark.parametrize("row", [0, 1])
def test_warp_affine_rotate(batch, row):
    images, angles = GOLDEN[f"images_{batch}"], GOLDEN["angles"][row]
    matrices = rotation_matrices(angles, 24, 20)
    assert_close(warp(images, matrices, 24, 20), GOLDEN[f"rotate_{batch}"][row])


@BATCHES
def test_warp_affine_translate(batch):
    images = GOLDEN[f"images_{batch}"]
    matrices = translation_matrices(GOLDEN["translations"])
    assert_close(warp(images, matrices, 24, 20), GOLDEN[f"translate_{batch}"])


def test_border_taps_outside_count_as_zero():
    # The first transform reads at (x - ¼, y + ⅜): in the lower left corner only one
    # tap of four lies inside the image, with weight ¾ · ⅝.
    images, matrices = GOLDEN["images_grey"], to_matrices(GOLDEN["transforms"])
    expected = images[0, -1, 0] * 0.75 * 0.625
    assert_close(GOLDEN["transform_grey"][0, -1, 0], expected)
    assert_close(affine_transform(images, GOLDEN["transforms"])[0, -1, 0], expected)
    assert_close(warp(images, matrices, 24, 20)[0, -1, 0], expected)


def test_conversions_are_inverse():
    vectors = GOLDEN["transforms"]
    np.testing.assert_allclose(to_vectors(to_matrices(vectors)), vectors, atol=4e-6)
