import keras
import numpy as np
import pytest
from layer_checks import assert_same, run_layer_test, to_numpy

from rcn_keras.layers import RandomKeypointAffine
from rcn_keras.layers.random_keypoint_affine import DRAWS

PAIRS = [[0, 1], [3, 4]]
SWAPPED = [1, 0, 2, 4, 3]


def blobs(keypoints, side, sigma):
    """`(N, side, side, K)`: channel k holds a bright blob at keypoint k."""
    centers = np.arange(side) + 0.5
    dx = centers[None, None, :, None] - keypoints[:, None, None, :, 0]
    dy = centers[None, :, None, None] - keypoints[:, None, None, :, 1]
    return (200 * np.exp(-(dx**2 + dy**2) / (2 * sigma**2))).astype("float32")


def centroids(images):
    """`(N, K, 2)` centre of mass of each channel."""
    centers = np.arange(images.shape[1]) + 0.5
    mass = images.sum(axis=(1, 2))
    x = (images.sum(axis=1) * centers[:, None]).sum(axis=1) / mass
    y = (images.sum(axis=2) * centers[:, None]).sum(axis=1) / mass
    return np.stack([x, y], axis=-1)


def faces(seed, count=8):
    rng = np.random.default_rng(seed)
    keypoints = rng.uniform(66, 94, (count, 5, 2)).astype("float32")
    sides = rng.uniform(90, 110, (count, 1))
    corners = 80 - sides / 2 + rng.uniform(-4, 4, (count, 2))
    return {
        "images": blobs(keypoints, 160, sigma=3),
        "keypoints": keypoints,
        "squares": np.concatenate([corners, sides], axis=1).astype("float32"),
    }


def tiny(count):
    """Many faces with images of next to nothing, for statistics on the keypoints."""
    return {
        "images": np.zeros((count, 4, 4, 1), "float32"),
        "keypoints": np.tile(np.float32([[20, 30], [40, 30], [30, 50]]), (count, 1, 1)),
        "squares": np.tile(np.float32([10, 20, 40]), (count, 1)),
    }


@pytest.mark.parametrize("flip_pairs", [None, PAIRS])
def test_layer(flip_pairs, tmp_path):
    arguments = {
        "size": 12,
        "scale": 0.2,
        "translation": 0.05,
        "rotation": 10.0,
        "flip_pairs": flip_pairs,
        "seed": 3,
    }
    inputs = {
        "images": np.random.default_rng(0).random((2, 20, 20, 1), "float32"),
        "keypoints": np.full((2, 5, 2), 9, "float32"),
        "squares": np.float32([[2, 3, 15], [0, 0, 20]]),
    }
    cls = RandomKeypointAffine
    out = run_layer_test(cls, arguments, inputs, tmp_path, training=False)
    assert out["images"].shape == (2, 12, 12, 1)


@pytest.mark.parametrize("seed", range(4))
def test_blobs_land_on_the_moved_keypoints(seed):
    inputs = faces(seed)
    layer = RandomKeypointAffine(flip_pairs=PAIRS, seed=seed)
    draws = np.random.default_rng(seed).random((8, DRAWS), "float32")
    draws[:, 4] = np.arange(8) / 8  # Half of them flipped.
    out = to_numpy(layer(inputs, draws=draws))
    expected = centroids(out["images"])
    for n in range(8):
        order = SWAPPED if draws[n, 4] > 0.5 else range(5)
        difference = out["keypoints"][n] - expected[n][order]
        assert np.abs(difference).max() < 0.1
    moved = np.abs(
        out["keypoints"] - to_numpy(layer(inputs, training=False))["keypoints"]
    )
    assert moved.max() > 5


def test_follows_the_papers_map():
    """REFERENCE of the formula: A(p) = 80 / (s w) Rot(-theta) (p - c) + (40, 40)."""
    inputs, draws = faces(0), np.random.default_rng(1).random((8, DRAWS), "float32")
    out = to_numpy(RandomKeypointAffine()(inputs, draws=draws))["keypoints"]
    for n in range(8):
        left, top, w = inputs["squares"][n]
        s, tx, ty, theta = 2 * draws[n, :4] - 1
        s, tx, ty, theta = 1 + 0.1 * s, 0.1 * tx * w, 0.1 * ty * w, theta * np.pi / 4.5
        c = [left + w / 2 + tx, top + w / 2 + ty]
        turn = [[np.cos(theta), np.sin(theta)], [-np.sin(theta), np.cos(theta)]]
        expected = 80 / (s * w) * (inputs["keypoints"][n] - c) @ np.transpose(turn) + 40
        np.testing.assert_allclose(out[n], expected, atol=1e-3)


def test_without_training_the_square_is_cut_out():
    image = np.random.default_rng(0).uniform(0, 255, (1, 160, 160, 1)).astype("float32")
    keypoints = np.float32([[[30, 50], [100, 120]]])
    layer = RandomKeypointAffine()

    def cut(square):
        inputs = {"images": image, "keypoints": keypoints}
        inputs["squares"] = np.float32([square])
        return to_numpy(layer(inputs, training=False))

    out = cut([20, 30, 80])
    np.testing.assert_allclose(out["images"][0], image[0, 30:110, 20:100], atol=1e-3)
    np.testing.assert_allclose(out["keypoints"], keypoints - [20, 30], atol=1e-4)
    out = cut([0, 0, 160])  # Reduced by two: each sample lies amid four pixels.
    expected = image.reshape(80, 2, 80, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(out["images"][0, :, :, 0], expected, atol=1e-3)
    np.testing.assert_allclose(out["keypoints"], keypoints / 2, atol=1e-4)


def test_outside_of_the_crop_is_black():
    inputs = tiny(1) | {"images": np.full((1, 160, 160, 1), 200, "float32")}
    inputs["squares"] = np.float32([[-80, 0, 160]])
    out = to_numpy(RandomKeypointAffine()(inputs, training=False))["images"][0]
    assert not out[:, :40].any()
    np.testing.assert_allclose(out[1:-1, 41:], 200, atol=1e-3)


def assert_mirrored(flipped, plain):
    assert_same(flipped["images"], plain["images"][:, :, ::-1], atol=1e-2)
    mirrored = plain["keypoints"][:, SWAPPED] * [-1, 1] + [80, 0]
    assert_same(flipped["keypoints"], mirrored, atol=1e-3)


def test_a_flip_mirrors_and_swaps():
    inputs, draws = faces(2), np.full((8, DRAWS), 0.5, "float32")
    layer = RandomKeypointAffine(flip_pairs=PAIRS)
    plain = to_numpy(layer(inputs, draws=draws))
    draws[:, 4] = 0.9
    flipped = to_numpy(layer(inputs, draws=draws))
    assert_mirrored(flipped, plain)
    # Without pairs the same number flips nothing, nor does training=False.
    unpaired = RandomKeypointAffine()
    assert_same(unpaired(inputs, draws=draws), plain, atol=1e-4)
    assert_same(layer(inputs, training=False), plain, atol=1e-4)


def test_a_flip_is_the_mirror_image_whatever_else_is_drawn():
    inputs, draws = faces(2), np.random.default_rng(2).random((8, DRAWS), "float32")
    layer = RandomKeypointAffine(flip_pairs=PAIRS)
    draws[:, 4] = 0.1
    plain = to_numpy(layer(inputs, draws=draws))
    draws[:, 4] = 0.9
    flipped = to_numpy(layer(inputs, draws=draws))
    assert_mirrored(flipped, plain)


def test_draws_cover_their_ranges_evenly():
    layer = RandomKeypointAffine(size=4, flip_pairs=[[0, 1]], seed=0)
    p = to_numpy(layer(tiny(4000)))["keypoints"]
    # In the square of side 40 the eyes were 20 apart, level, the third point below.
    across, down = p[:, 1] - p[:, 0], p[:, 2] - p[:, :2].mean(axis=1)
    angle = np.degrees(np.arctan2(-down[:, 0], down[:, 1]))
    scale = (20 * 4 / 40) / np.hypot(*across.T)
    flipped = across[:, 0] * down[:, 1] - across[:, 1] * down[:, 0] < 0
    assert not flipped.any()  # The swap keeps the order of the face.
    for values, bound in ((angle, 40), (scale - 1, 0.1)):
        assert np.abs(values).max() <= bound * 1.001
        assert values.min() < -0.98 * bound and values.max() > 0.98 * bound
        assert abs(values.mean()) < 0.05 * bound
        assert values.std() == pytest.approx(bound / np.sqrt(3), rel=0.04)


def test_half_are_flipped_and_translations_fill_their_range():
    layer = RandomKeypointAffine(
        size=4, scale=0, rotation=0, flip_pairs=[[0, 1]], seed=1
    )
    inputs = tiny(2000)
    inputs["keypoints"] = inputs["keypoints"] + np.float32([4, 0])  # Off the middle.
    p = to_numpy(layer(inputs))["keypoints"]
    # A tenth of the square is 0.4 of the output's 4 pixels.
    y = p[:, 0, 1] - 1.0
    assert np.abs(y).max() <= 0.4001 and y.min() < -0.39 and y.max() > 0.39
    assert y.std() == pytest.approx(0.4 / np.sqrt(3), rel=0.05)
    x = p[:, 2, 0]
    assert 0.46 < (x < 2).mean() < 0.54  # 2.4 on average, 1.6 if flipped.


def test_same_draws_or_seed_same_result():
    inputs = faces(0, count=2)
    draws = np.random.default_rng(0).random((2, DRAWS), "float32")
    layer = RandomKeypointAffine(seed=1)
    assert_same(layer(inputs, draws=draws), to_numpy(layer(inputs, draws=draws)))
    first, second = RandomKeypointAffine(seed=5), RandomKeypointAffine(seed=5)
    out = to_numpy(first(inputs))
    assert_same(second(inputs), out)
    assert np.abs(to_numpy(first(inputs))["keypoints"] - out["keypoints"]).max() > 1


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="tf.data")
def test_in_tf_data():
    import tensorflow as tf

    inputs = faces(0, count=4)
    inputs["images"] = inputs["images"].astype("uint8")
    layer = RandomKeypointAffine(seed=0)
    dataset = tf.data.Dataset.from_tensor_slices(inputs).repeat(2).batch(4).map(layer)
    first, second = dataset.as_numpy_iterator()
    assert first["images"].shape == (4, 80, 80, 5)
    assert np.abs(first["keypoints"] - centroids(first["images"])).max() < 0.1
    assert np.abs(first["keypoints"] - second["keypoints"]).max() > 1


GOOD = {
    "images": np.zeros((2, 9, 9, 1), "float32"),
    "keypoints": np.zeros((2, 5, 2), "float32"),
    "squares": np.float32([[0, 0, 9], [0, 0, 9]]),
}


@pytest.mark.parametrize(
    "inputs",
    [
        {name: value for name, value in GOOD.items() if name != "squares"},
        {name: value for name, value in GOOD.items() if name != "keypoints"},
        {name: value[0] for name, value in GOOD.items()},
        GOOD | {"images": np.zeros((2, 9, 9), "float32")},
        GOOD | {"squares": np.zeros((2, 4), "float32")},
    ],
)
def test_other_inputs_are_named(inputs):
    layer = RandomKeypointAffine(8)
    layer(GOOD)
    with pytest.raises(ValueError, match=r"\(N, 3\): call `.batch\(\)` before"):
        layer(inputs)
