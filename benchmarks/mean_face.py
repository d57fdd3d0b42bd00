"""The mean face in three dimensions, from the two-dimensional points of 300-W.

The annotated points 18 to 68 of the training faces (no outline of the jaw: it is
another line on the head in every pose) and their mirror images, each centred and
brought to one size, are factorised into rigid views of one shape (Tomasi and Kanade,
IJCV 1992) under a camera without perspective whose axes are orthogonal and of equal
length. The shape is turned so that x runs along the eyes to the viewer's right, y down
to the mouth and z away from the viewer; the origin is between the eye centres, whose
distance is the unit.

What `rcn_keras.faces.pose` uses of it goes there by hand.
"""

import common
import numpy as np

from rcn_keras.data.three_hundred_w import TRAINING, read_300w
from rcn_keras.faces.five_points import five_points
from rcn_keras.layout import FACE_68

INNER = np.arange(17, 68)


def main():
    parser = common.parser(__doc__, "python benchmarks/mean_face.py --data 300W")
    options = parser.parse_args()
    faces = read_300w(options.data, TRAINING, allow_missing=True)
    shape = mean_face(np.array([face.keypoints for face in faces], "float64"))
    rows = [
        {"keypoint": FACE_68.names[index], "index": int(index)}
        | {axis: f"{value:.3f}" for axis, value in zip("xyz", place)}
        | {"faces": len(faces)}
        for index, place in zip(INNER, shape)
    ]
    print(common.markdown(rows))
    common.write_rows(options.results / "mean_face.csv", rows)


def mean_face(keypoints):
    """The rigid shape whose views the faces are.

    Args:
        keypoints: `(N, 68, 2)`.

    Returns:
        `(51, 3)`, of the keypoints 17 to 67.
    """
    mirror = np.arange(68)
    for one, other in FACE_68.mirror_pairs:
        mirror[one], mirror[other] = other, one
    mirrored = keypoints[:, mirror] * [-1, 1]
    views = np.concatenate([keypoints, mirrored])[:, INNER]
    views = views - views.mean(axis=1, keepdims=True)
    views = views / np.sqrt((views**2).sum(axis=(1, 2), keepdims=True))
    left, values, right = np.linalg.svd(
        np.concatenate([views[..., 0], views[..., 1]]), full_matrices=False
    )
    x, y = np.split(left[:, :3] * values[:3], 2)
    # The symmetric L with x L x = y L y and x L y = 0 in every view makes the axes of
    # the cameras orthogonal and of equal length; its size is arbitrary.
    equations = [_products(x, x) - _products(y, y), _products(x, y)]
    size = (_products(x, x) + _products(y, y)).sum(axis=0, keepdims=True)
    wanted = np.append(np.zeros(2 * len(x)), 2.0 * len(x))
    solution = np.linalg.lstsq(np.concatenate([*equations, size]), wanted, rcond=None)
    metric = np.zeros((3, 3))
    metric[np.triu_indices(3)] = solution[0]
    metric = np.triu(metric) + np.triu(metric, 1).T
    values, axes = np.linalg.eigh(metric)
    shape = np.linalg.solve(axes * np.sqrt(values), right[:3]).T
    return _upright(shape)


def _products(a, b):
    """The coefficients of the 6 entries of a symmetric L in a L b, `(N, 6)`."""
    products = a[:, :, None] * b[:, None]
    products = products + np.triu(products.swapaxes(1, 2), 1)
    return products[:, *np.triu_indices(3)]


def _upright(shape):
    everything = np.zeros((68, 3))
    everything[INNER] = shape
    flat = five_points(everything[:, :2]), five_points(everything[:, [2, 2]])[:, :1]
    left, right, nose, *mouth = np.concatenate(flat, axis=1)
    middle, unit = (left + right) / 2, np.linalg.norm(right - left)
    x = (right - left) / unit
    down = np.mean(mouth, axis=0) - middle
    y = down - (down @ x) * x
    y /= np.linalg.norm(y)
    z = np.cross(x, y)
    # From views alone a shape and its mirror image in depth are one: the nose is to
    # lie towards the viewer.
    z = z * -np.sign((nose - middle) @ z)
    return (shape - middle) @ np.stack([x, y, z], axis=1) / unit


if __name__ == "__main__":
    common.run(main)
