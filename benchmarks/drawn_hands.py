"""Keypoints that are no face's, by the commands alone: 21 points of drawn hands.

    python benchmarks/drawn_hands.py --out runs

Hands of a wrist and five fingers of four joints each, drawn from a seed on noise. A
tenth of the points is left out of the tables, as a labeller would leave out those that
are hidden; boxes are given. One table is trained on, by the recipe `own` with fewer
epochs, the other is measured on. Errors are sub-pixel, in percent of the diagonal of
the box around the known points. A training that is finished in `--out` is only read.
"""

import json
import pathlib

import common
import cv2
import numpy as np
import own_keypoints

from rcn_keras.files import write_csv

FINGERS = ("thumb", "index", "middle", "ring", "little")
NAMES = ("wrist", *(f"{finger}_{joint}" for finger in FINGERS for joint in range(1, 5)))
SIZE = 128  # side of a picture in pixels
ANGLES = np.radians([-55, -22, -4, 14, 34])  # of the fingers, 0 upright
LENGTHS = np.array([0.75, 1.0, 1.1, 1.0, 0.8])
MISSING = 0.1


def main():
    parser = common.parser(
        __doc__, "python benchmarks/drawn_hands.py --out runs", data=False
    )
    parser.add_argument(
        "--out", type=pathlib.Path, required=True, help="folder of pictures and runs"
    )
    common.count_option(parser, "--hands", 160, "hands to train on")
    common.count_option(parser, "--epochs", 12, "epochs of the training")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    training = write_hands(options.out, "training", options.hands, 0)
    test = write_hands(options.out, "test", 40, 1)
    run, preset = options.out / "hands", options.out / "hands_preset"
    epochs = ["--epochs", str(options.epochs), "--resume"]
    own_keypoints.rcn_keras("train", "own", "--data", training, *epochs, "--out", run)
    own_keypoints.rcn_keras("make-preset", run, "--data", training, "--out", preset)
    numbers = options.out / "numbers.json"
    measured = ["--data", test, "--set", "all", "--json", numbers]
    own_keypoints.rcn_keras("evaluate", preset, *measured)
    report = json.loads(numbers.read_text(encoding="utf-8"))
    rows = [own_keypoints.row("drawn", "test", run, report)]
    common.write_rows(options.results / "drawn_hands.csv", rows)
    print(common.markdown(rows))


def write_hands(out, part, count, seed):
    """Draws `count` hands into a folder and writes their table; returns its path."""
    rows = []
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        picture, points = draw_hand(rng)
        name = f"{part}_{number:03d}.png"
        cv2.imwrite(str(out / name), picture)
        low, high = points.min(axis=0) - 4, points.max(axis=0) + 4
        row = {"image": name} | dict(zip(("x0", "y0", "x1", "y1"), [*low, *high]))
        for keypoint, point in zip(NAMES, points):
            if rng.random() > MISSING:
                row |= {f"{keypoint}_{axis}": v for axis, v in zip("xy", point)}
        rows.append({column: _rounded(value) for column, value in row.items()})
    columns = ["image", "x0", "y0", "x1", "y1"]
    columns += [f"{name}_{axis}" for name in NAMES for axis in "xy"]
    path = out / f"{part}.csv"
    write_csv(path, rows, columns)
    return path


def draw_hand(rng):
    """A grey picture `(SIZE, SIZE)` uint8, and its `(21, 2)` continuous points."""
    points = [np.zeros(2)]
    for angle, length in zip(ANGLES, LENGTHS):
        direction = angle * rng.uniform(0.8, 1.2) + rng.uniform(-0.1, 0.1)
        curl = rng.uniform(-0.15, 0.15)
        joint = np.array([np.sin(direction), -np.cos(direction)]) * 0.9
        points.append(joint)
        for _ in range(3):
            direction += curl
            step = 0.32 * length * np.array([np.sin(direction), -np.cos(direction)])
            joint = joint + step
            points.append(joint)
    turn, scale = np.radians(rng.uniform(-25, 25)), rng.uniform(0.16, 0.22) * SIZE
    cos, sin = scale * np.cos(turn), scale * np.sin(turn)
    points = np.array(points) @ [[cos, sin], [-sin, cos]]
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    points += SIZE / 2 - middle + rng.uniform(-8, 8, 2)
    picture = np.full((SIZE, SIZE), rng.uniform(30, 120), "float32")
    skin, width = rng.uniform(150, 230), 0.28 * scale
    places = np.round((points - 0.5) * 16).astype(int)
    for finger in range(5):
        line = places[[0, *range(1 + 4 * finger, 5 + 4 * finger)]]
        shade = skin * rng.uniform(0.9, 1.1)
        cv2.polylines(picture, [line], False, shade, round(width), cv2.LINE_AA, 4)
    picture += rng.normal(0, 6, picture.shape)
    return np.clip(np.round(picture), 0, 255).astype("uint8"), points


def _rounded(value):
    return value if isinstance(value, str) else round(float(value), 3)


if __name__ == "__main__":
    common.run(main)
