"""Three-dimensional faces of 68 points, and views of them.

The points are numbers of our own making. A face is deformed, turned and projected, so
that the keypoints of its picture are exact.
"""

import numpy as np

# The viewer's left half of a face, x y z: z towards the viewer, the origin between
# the eyes, one unit the interocular distance. Points in the order of `LEFT`.
HALF = """
  -1.12 .00 -.30   -1.10 .22 -.21   -1.05 .52 -.13   -.97 .84 -.05   -.85 1.15 .02
  -.70 1.42 .07    -.52 1.62 .12    -.30 1.76 .14    0 1.80 .15
  -.90 -.22 -.12   -.75 -.36 -.02   -.57 -.40 .05    -.39 -.37 .09   -.21 -.30 .12
  0 -.02 .12   0 .19 .22   0 .40 .34   0 .60 .45   -.23 .70 .10   -.12 .745 .19
  0 .77 .24        -.73 .02 -.10    -.59 -.08 -.01   -.41 -.08 .02   -.27 .03 .00
  -.41 .07 .02     -.59 .07 -.01    -.40 1.08 .00    -.24 1.01 .13   -.09 .97 .20
  0 .99 .21        0 1.26 .20       -.12 1.25 .19    -.26 1.19 .11
  -.33 1.085 .03   -.12 1.075 .16   0 1.08 .18       0 1.10 .18      -.12 1.095 .16
  -1.06 -.39 -.22  -.95 -.66 -.15   -.78 -.87 -.09   -.55 -1.02 -.04
  -.28 -1.12 -.01  0 -1.15 0
"""
# 300-W numbers, then 68 to 78 around the forehead; `RIGHT` mirrors `LEFT`.
LEFT = [*range(9), *range(17, 22), *range(27, 34), *range(36, 42), *range(48, 52)]
LEFT += [57, 58, 59, 60, 61, 62, 66, 67, *range(78, 72, -1)]
RIGHT = [*range(16, 7, -1), *range(26, 21, -1), 27, 28, 29, 30, 35, 34, 33, 45, 44, 43]
RIGHT += [42, 47, 46, 54, 53, 52, 51, 57, 56, 55, 64, 63, 62, 66, 65, *range(68, 74)]
JAW, BROWS, NOSE, MOUTH = slice(0, 17), slice(17, 27), slice(27, 36), slice(48, 68)
EYES, FOREHEAD = (slice(36, 42), slice(42, 48)), slice(68, 79)


def random_shape(rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """One person with one expression: `(79, 3)` units, and the smile from 0 to 1."""
    p, half = np.zeros((79, 3)), np.array(HALF.split(), float).reshape(-1, 3)
    p[LEFT], p[RIGHT] = half, half * [-1, 1, 1]
    x, y = p[:, 0], p[:, 1]  # Views: writing to them moves the points.
    smile, gape = rng.uniform(0, 1), max(0, rng.uniform(-0.2, 0.25))
    p[JAW, :2] *= rng.uniform([0.94, 0.92], [1.06, 1.06])
    y[BROWS] += rng.uniform(-0.07, 0.02) + rng.uniform(-0.1, 0.1) * np.abs(x[BROWS])
    p[NOSE, :2] *= rng.uniform([0.85, 0.94], [1.2, 1.06])
    spacing, opening = rng.uniform(0.94, 1.06), rng.uniform([0.9, 0.75], [1.12, 1.3])
    for eye in EYES:
        centre = p[eye, :2].mean(0)
        p[eye, :2] = (p[eye, :2] - centre) * opening + centre * [spacing, 1]
    y[MOUTH] = 1.08 + (y[MOUTH] - 1.08) * rng.uniform(0.75, 1.35)
    x[MOUTH] *= rng.uniform(0.88, 1.08) * (1 + 0.22 * smile)
    y[MOUTH] -= 0.14 * smile * (np.abs(x[MOUTH]) / 0.4) ** 2 - 0.03
    y[MOUTH] += rng.uniform(-0.04, 0.06) + rng.uniform(-0.04, 0.04) * x[MOUTH]
    y[[*range(55, 60), 65, 66, 67]] += gape * np.array([6, 9, 10, 9, 6, 9, 10, 9]) / 10
    y[4:13] += 0.6 * gape
    return p, smile


def random_view(
    rng: np.random.Generator, shape: np.ndarray, size: int
) -> tuple[np.ndarray, np.ndarray, float]:
    """The matrix `(2, 3)`, offset and yaw of a view with all points in the picture."""
    yaw, pitch, roll = np.radians(rng.uniform([-32, -12, -30], [32, 12, 30]))
    (a, b, c), (d, e, f) = np.cos([yaw, pitch, roll]), np.sin([yaw, pitch, roll])
    matrix = np.array([[c, -f], [f, c]]) @ [[a, d * e, d * b], [0, b, -e]]
    matrix *= rng.uniform(0.2, 0.29) * size
    matrix *= min(1, 0.92 * size / np.ptp(shape[:68] @ matrix.T, axis=0).max())
    flat = shape[:68] @ matrix.T
    free = 0.46 * size - np.ptp(flat, axis=0) / 2
    wander = np.clip(rng.uniform(-0.12, 0.12, 2) * size, -free, free)
    return matrix, size / 2 + wander - (flat.max(0) + flat.min(0)) / 2, np.degrees(yaw)
