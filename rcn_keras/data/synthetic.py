"""Drawn faces with exact keypoints, made from a seed, free of any licence.

The shape of a face, and how it is seen, come from `data.face_shape`.
"""

from pathlib import Path

import numpy as np
from PIL import Image

from rcn_keras._types import PathLike
from rcn_keras.data.face_shape import EYES, FOREHEAD, JAW, random_shape, random_view
from rcn_keras.faces.boxes import INPUT_SIZE
from rcn_keras.faces.crop import input_crop
from rcn_keras.files import replaced
from rcn_keras.layout import FACE_5, FACE_68, KeypointLayout

DRAWN = (FACE_5.name, FACE_68.name)  # layouts of the faces drawn here

ENLARGED = 3  # Faces are drawn this many times larger, then reduced by area.

SKIN = np.array([[238, 202, 180], [216, 170, 138], [172, 120, 88], [98, 66, 50]])
HAIR = np.array([[26, 22, 20], [72, 48, 32], [176, 138, 84], [130, 60, 34], [170] * 3])
IRIS = np.array([[70, 44, 28], [92, 70, 40], [84, 112, 140], [86, 108, 76]])


def _curve(*parts):
    """Catmull-Rom curves through the points of each part `(n, 2)`, end to end."""
    curves, t = [], np.arange(8)[:, None, None] / 8
    for part in parts:
        ends = 2 * part[[0, -1]] - part[[1, -2]]
        p = np.concatenate([ends[:1], part, ends[1:]])
        a, b, c, d = (p[i : len(p) - 3 + i] for i in range(4))
        curve = b + t * (c - a) / 2 + t**2 * (a - 2.5 * b + 2 * c - d / 2)
        curve += t**3 * (1.5 * (b - c) + (d - a) / 2)
        curves += [curve.swapaxes(0, 1).reshape(-1, 2), part[-1:]]
    return np.concatenate(curves)


def _disc(centre, radius, ratio=1.0):
    angle = np.linspace(0, 2 * np.pi, 40)
    return centre + radius * np.stack([np.cos(angle), ratio * np.sin(angle)], 1)


def _fill(image, points, colour, width=None):
    """Fills an outline, or with a width draws a line; in final picture pixels."""
    import cv2  # Here, since most uses of the package draw nothing.

    # OpenCV counts from the centre of the first pixel, we from its corner.
    points = [np.round((points * ENLARGED - 0.5) * 16).astype(np.int32)]
    colour = [float(c) for c in np.broadcast_to(colour, 3)]
    if width is None:
        cv2.fillPoly(image, points, colour, cv2.LINE_AA, 4)
    else:
        width = max(1, round(width * ENLARGED))
        cv2.polylines(image, points, False, colour, width, cv2.LINE_AA, 4)


def _head(rng, image, points, matrix, skin, hair):
    """Hair, neck, clothes, ears, and skin with its soft lights and shadows."""
    behind, axes = points[[0, 16]].mean(0), matrix[:, :2].T
    down, unit = axes[1], np.linalg.norm(axes[1])
    low = 0.1 if rng.random() < 0.55 else rng.uniform(1.2, 2.4)
    wide, high = rng.uniform([1.12, -1.75], [1.4, -1.35])
    back = np.array([(-wide, low), (-wide, -0.4), (-0.8, 0.9 * high), (0, high)])
    back = np.concatenate([back, back[2::-1] * [-1, 1]])
    _fill(image, behind + _curve(back) @ axes, hair * 0.9)
    neck, shirt = _disc([0, 1.8], rng.uniform(0.6, 0.8), 2), _disc([0, 4.3], 2.4, 0.8)
    _fill(image, behind + neck @ axes, skin * 0.7)
    _fill(image, behind + shirt @ axes, rng.uniform(10, 240, 3))
    for x in (-1.13, 1.13):
        _fill(image, behind + _disc([x, 0.3], 0.17, 1.7) @ axes, skin * 0.85)
    _fill(image, _curve(points[JAW], points[FOREHEAD]), skin)
    _fill(image, _curve(points[JAW]), skin * 0.6, 1)
    for eye in (points[36:42].mean(0), points[42:48].mean(0)):
        _fill(image, _disc(eye - 0.08 * down, 0.33 * unit, 0.6), skin * 0.9)
    _fill(image, points[[27, 30, rng.choice([31, 35])]], skin * 0.83)
    _fill(image, points[[31, 33, 35]] + 0.06 * down, skin * 0.75)
    _fill(image, _disc(points[57] + 0.09 * down, 0.2 * unit, 0.4), skin * 0.9)
    _fill(image, _disc(points[30], 0.1 * unit), skin * 1.12)
    top, arch = points[FOREHEAD] - points[27], np.sin(np.linspace(0, np.pi, 11))
    line = top * (1 - rng.uniform(0.1, 0.4) * arch ** rng.uniform(0.3, 2))[:, None]
    _fill(image, points[27] + _curve(1.12 * top, line[::-1]), hair)


def _features(rng, image, points, matrix, skin, hair):
    """Brows, eyes, nose and mouth."""
    right, down, unit = matrix[:, 0], matrix[:, 1], np.linalg.norm(matrix[:, 1])
    thick = rng.uniform(0.02, 0.05) * np.array([0.4, 1, 1.1, 1.1, 0.9])[:, None] * down
    for brow in (points[17:22], points[26:21:-1]):
        _fill(image, _curve(brow - thick, (brow + thick)[::-1]), hair * 0.5)
    iris, side = IRIS[rng.integers(4)] * rng.uniform(0.8, 1.2), rng.choice([-1, 1])
    for eye in EYES:
        upper, lower = points[eye][:4], points[eye][[3, 4, 5, 0]]
        _fill(image, _curve(upper - 0.07 * down), skin * 0.62, 0.02 * unit)
        _fill(image, _curve(upper, lower), (226, 222, 218))
        centre, ball, inside = points[eye].mean(0), image.copy(), np.zeros_like(image)
        for radius, colour in ((0.105, iris / 2), (0.09, iris), (0.05, 3)):
            _fill(ball, _disc(centre, radius * unit), colour)
        _fill(ball, _disc(centre + 0.055 * (side * right - down), 0.016 * unit), 250)
        _fill(inside, _curve(upper, lower), 255)
        np.copyto(image, ball, where=inside > 127)
        _fill(image, _curve(lower), skin * 0.55, 0.015 * unit)
        _fill(image, _curve(upper), (52, 38, 34), 0.03 * unit)
    for wing, hole in ((31, 32), (35, 34)):
        edge = np.stack([points[wing] - 0.13 * down, points[wing] + 0.02 * down])
        _fill(image, edge, skin * 0.6, 0.025 * unit)
        _fill(image, _disc(points[hole] - 0.03 * down, 0.055 * unit, 0.6), skin * 0.3)
    _fill(image, _curve(points[31:36]), skin * 0.62, 0.02 * unit)
    _fill(image, _disc(points[30], 0.05 * unit), 0.7 * skin + 75)
    red = skin * [0.86, 0.55, 0.56] * rng.uniform(0.85, 1.1)
    upper, lower = points[48:55], points[[54, 55, 56, 57, 58, 59, 48]]
    roof, floor = points[60:65], points[[64, 65, 66, 67, 60]]
    _fill(image, _curve(upper, lower), red)
    _fill(image, _curve(upper, roof[::-1]), red * 0.84)
    _fill(image, _curve(roof, floor), (58, 18, 20))
    # The teeth; nothing of them shows when the mouth is shut.
    _fill(image, _curve(roof, 0.45 * roof[::-1] + 0.55 * floor), (228, 222, 210))
    _fill(image, _curve(roof), red * 0.42, 0.022 * unit)


def _draw(rng, layout, size):
    """A picture, its points, and the MTFL labels gender (any), smile, glasses, pose."""
    import cv2

    shape, smile = random_shape(rng)
    matrix, offset, yaw = random_view(rng, shape, size)
    points = shape @ matrix.T + offset
    skin = rng.dirichlet([0.6] * 4) @ SKIN * rng.uniform(0.9, 1.08)
    hair = HAIR[rng.integers(len(HAIR))] * rng.uniform(0.6, 1.1) * min(1, skin[0] / 200)
    corners = rng.uniform(10, 190, (2, 2, 1)) + rng.uniform(0, 60, (2, 2, 3))
    image = cv2.resize(corners.astype("uint8"), [ENLARGED * size] * 2)
    for _ in range(rng.integers(3, 14)):
        centre, radius = rng.uniform(0, size, 2), rng.uniform(0.03, 0.25) * size
        ring, quad = _disc(0, radius, 0.6), rng.uniform(-radius, radius, (4, 2))
        shape = centre + (ring if rng.random() < 0.5 else quad)
        _fill(image, shape, rng.normal(rng.uniform(0, 255), 30, 3))
    image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.3, 4) * ENLARGED)
    _head(rng, image, points, matrix, skin, hair)
    image = cv2.GaussianBlur(image, (0, 0), 0.006 * size * ENLARGED)
    _features(rng, image, points, matrix, skin, hair)
    image = cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)
    away = np.stack(np.meshgrid(*[np.arange(size) + 0.5] * 2), -1) - points.mean(0)
    away /= np.linalg.norm(matrix)
    light = 0.2 * np.exp(-(away**2).sum(-1)) + away @ rng.uniform(-0.4, [0.4, 0.1])
    light = np.clip(rng.uniform(0.7, 1.05) + light, 0.3, 1.5)[..., None]
    image = image * light * rng.uniform(0.92, 1.08, 3)
    image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.2, 0.8))
    image = np.round(image + rng.normal(0, rng.uniform(1, 5), image.shape))
    if layout.name == FACE_5.name:
        points = [*(points[eye].mean(0) for eye in EYES), *points[[30, 48, 54]]]
    labels = [rng.integers(1, 3), 2 - (smile > 0.5), 2, 3 + (yaw > 12) - (yaw < -12)]
    return np.clip(image, 0, 255).astype(np.uint8), np.array(points[:68]), labels


def draw_face(
    rng: np.random.Generator, layout: KeypointLayout = FACE_5, size: int = 150
) -> tuple[np.ndarray, np.ndarray]:
    """Draws one face.

    Args:
        rng: `numpy.random.Generator`; the same state draws the same face, in either
            layout.
        layout: `FACE_5` or `FACE_68`.
        size: side of the square picture, in pixels.

    Returns:
        The picture, uint8 RGB `(size, size, 3)`, and its points, float32 `(K, 2)` in
        continuous pixels, all inside it. Those of `FACE_5` follow from those of
        `FACE_68`: the means of 36-41 and of 42-47, then 30, 48 and 54.

    Raises:
        ValueError: if `layout` is neither.
    """
    if layout.name not in DRAWN:
        raise ValueError(
            f"`layout` must be {FACE_5.name!r} or {FACE_68.name!r}. "
            f"Received: {layout.name!r}"
        )
    image, points, _ = _draw(rng, layout, size)
    return image, points.astype(np.float32)


def draw_crop(
    seed: int, layout: KeypointLayout = FACE_5, input_size: int = INPUT_SIZE
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draws one face, and crops it so that it fills the network's input.

    Args:
        seed: int.
        layout: `KeypointLayout` whose points bound the face, those of `FACE_5` where it
            is neither of those that can be drawn.
        input_size: int, S, side of the network's input in pixels.

    Returns:
        The picture, uint8 RGB `(150, 150, 3)`, the square around the face's middle as
        `[x0, y0, x1, y1]` in its pixels, and what lies in it, uint8 grey `(S, S, 1)`.
    """
    drawn = FACE_68 if layout.name == FACE_68.name else FACE_5
    image, points = draw_face(np.random.default_rng(seed), drawn)
    middle, half = points.mean(axis=0), np.ptp(points, axis=0).max() / 2
    box = np.concatenate([middle - half, middle + half])
    square, context = (*box[:2], 2 * half), FACE_5.square.context
    return image, box, input_crop(image, square, context, input_size)[..., None]


def _write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    with replaced(path) as temporary:
        if isinstance(content, str):
            temporary.write_text(content, encoding="utf-8", newline="")
        else:
            Image.fromarray(content).save(temporary, quality=95)


def write_mtfl(
    folder: PathLike,
    training: int = 300,
    testing: int = 60,
    seed: int = 0,
    size: int = 150,
) -> Path:
    """Writes `training` and `testing` drawn faces in the layout of MTFL v1.0.

    As released (1-based pixel centres, backslashes in `training.txt`, CRLF, a space
    before each line but the first, a last line of one space), but without the shift
    of the testing labels. A face follows from the seed, its set and its number alone.
    Returns the folder.
    """
    folder = Path(folder)
    for part, count in enumerate((training, testing)):
        text = ""
        for index in range(count):
            rng = np.random.default_rng([seed, part, index])
            image, points, labels = _draw(rng, FACE_5, size)
            where = "AFLW" if part else "net_7876" if 2 * index >= count else "lfw_5590"
            file = f"face_{index:04d}.jpg"
            _write(folder / where / file, image)
            path = where + ("/" if part else "\\") + file
            numbers = [f"{number:.6f}" for number in (points + 0.5).T.flat]
            text += " ".join(map(str, [path, *numbers, *labels])) + "\r\n "
        _write(folder / ("testing.txt" if part else "training.txt"), text)
    return folder


def write_300w(folder: PathLike, per_set: int = 20, seed: int = 0) -> Path:
    """Writes `per_set` drawn faces in each set of 300-W: `.jpg` and 1-based `.pts`.

    A face follows from the seed, its set and its number alone.
    """
    sets = ["afw", "ibug", "helen/trainset", "helen/testset"]
    for part, name in enumerate([*sets, "lfpw/trainset", "lfpw/testset"]):
        for index in range(per_set):
            rng = np.random.default_rng([seed, 2 + part, index])
            image, points, _ = _draw(rng, FACE_68, int(rng.integers(160, 281)))
            rows = "".join(f"{x:.6f} {y:.6f}\n" for x, y in points + 0.5)
            path = Path(folder) / name / f"image_{index:04d}.jpg"
            _write(path, image)
            text = "version: 1\nn_points:  68\n{\n" + rows + "}\n"
            _write(path.with_suffix(".pts"), text)
    return Path(folder)
