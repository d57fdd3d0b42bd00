"""Writes `tfa_0_23_0.npz`: what tensorflow-addons 0.23.0 itself computes.

tensorflow-addons has ended and does not install beside Keras 3, so its answers are
recorded once, in an environment of their own, and `tests/layers/tfa_parity_test.py`
compares ours with them. The file is in the repository: run this only to change it.

    python3.11 -m venv tfa-venv
    tfa-venv/bin/pip install "tensorflow-cpu==2.15.*" "tensorflow-addons==0.23.0" \
        "numpy<2"
    tfa-venv/bin/python tests/golden/make_tfa_golden.py

The arrays, with four images of 24 rows and 20 columns in each batch:

    tfa_version, tf_version    strings
    images_{grey,colour,smooth}
                               (4, 24, 20, C) float32, 0…255; the first two are noise
    transforms                 (4, 8) float32, output pixel index → input pixel index
    angles                     (2, 4) float32, radians: two rotations of each image
    translations               (4, 2) float32, (dx, dy) in pixels

and for each of the three batches, bilinear unless the name says otherwise and zero
outside the image:

    transform_{batch}          (4, 24, 20, C)
    transform_nearest_{batch}  (4, 24, 20, C)
    transform_resized_{batch}  (4, 18, 30, C), the same transforms on another canvas
    rotate_{batch}             (2, 4, 24, 20, C)
    translate_{batch}          (4, 24, 20, C)
"""

from pathlib import Path

import numpy as np
import tensorflow as tf
import tensorflow_addons as tfa

HEIGHT, WIDTH = 24, 20
RESIZED = (18, 30)


def make_images(rng):
    """Returns a dict of batches (4, 24, 20, C), float32 in 0…255."""
    grey = rng.uniform(0, 255, (4, HEIGHT, WIDTH, 1))
    # Whole numbers, as in a decoded photograph; they also compress better.
    colour = rng.integers(0, 256, (4, HEIGHT, WIDTH, 3))
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    phase = np.arange(4)[:, None, None]
    smooth = 127.5 + 127.5 * np.sin(0.3 * x + phase) * np.cos(0.2 * y)
    batches = {"grey": grey, "colour": colour, "smooth": smooth[..., None]}
    return {name: batch.astype("float32") for name, batch in batches.items()}


def make_transforms(rng):
    """Returns (4, 8) vectors: a shift, a mirror and two general affine maps."""
    transforms = np.zeros((4, 8))
    # Fractions that float32 holds exactly: the test knows the border weights by hand.
    transforms[0, :6] = [1, 0, -0.25, 0, 1, 0.375]
    transforms[1, :6] = [-1, 0, WIDTH - 1, 0, 1, 0]
    linear = np.eye(2) + rng.uniform(-0.5, 0.5, (2, 2, 2))
    transforms[2:, [0, 1, 3, 4]] = linear.reshape(2, 4)
    transforms[2:, [2, 5]] = rng.uniform(-5, 5, (2, 2))
    return transforms.astype("float32")


def assert_no_ties(transforms):
    """Nearest must not hang on rounding: no coordinate lies halfway between pixels."""
    rows, columns = max(HEIGHT, RESIZED[0]), max(WIDTH, RESIZED[1])
    y, x = np.mgrid[:rows, :columns]
    points = np.stack([x, y, np.ones_like(x)]).reshape(3, -1)
    coordinates = transforms[:, :6].reshape(-1, 2, 3).astype("float64") @ points
    assert np.abs(coordinates % 1 - 0.5).min() > 1e-5


def main():
    rng = np.random.default_rng(0)
    batches = make_images(rng)
    transforms = make_transforms(rng)
    assert_no_ties(transforms)
    angles = np.deg2rad([[40, -40, 90, 7.3], [-13, 180, 0, 123]]).astype("float32")
    translations = np.array([[3, -2], [0.5, 0.5], [-4.3, 1.7], [25, 0]], "float32")

    golden = {
        "tfa_version": tfa.__version__,
        "tf_version": tf.__version__,
        "transforms": transforms,
        "angles": angles,
        "translations": translations,
    }
    constant = {"fill_mode": "constant", "fill_value": 0.0}
    bilinear = {"interpolation": "bilinear", **constant}
    nearest = {"interpolation": "nearest", **constant}
    transform, rotate = tfa.image.transform, tfa.image.rotate
    for name, images in batches.items():
        golden[f"images_{name}"] = images
        golden[f"transform_{name}"] = transform(images, transforms, **bilinear)
        golden[f"transform_nearest_{name}"] = transform(images, transforms, **nearest)
        golden[f"transform_resized_{name}"] = transform(
            images, transforms, output_shape=RESIZED, **bilinear
        )
        golden[f"rotate_{name}"] = [rotate(images, row, **bilinear) for row in angles]
        golden[f"translate_{name}"] = tfa.image.translate(
            images, translations, **bilinear
        )
    np.savez_compressed(Path(__file__).with_name("tfa_0_23_0.npz"), **golden)


if __name__ == "__main__":
    main()
