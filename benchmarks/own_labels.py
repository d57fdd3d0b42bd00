"""How well the labels of one's own keypoints say where along a line a point belongs.

    python benchmarks/own_labels.py --data webmorph

Takes the faces of `own_keypoints.py`'s split `mixed`, and no pictures: what is known of
a face comes from its own labels. The points on lines are those of `own_contours.py`.
Three guesses of where along its line each of them lies, from little known to nearly
everything:

- the mean shape of the training faces, moved, turned and scaled onto the face;
- the labelled line from end to end, its points spaced as in the mean of the training
  faces;
- all other points, and of those on lines the place across the line: a ridge
  regression, fitted on the training faces.

Errors along the line, of the faces to test on, in percent of the distance of the
pupils. No network that learns from these faces can be expected to do better than the
last one.
"""

import pathlib
import tempfile

import common
import numpy as np
from own_contours import directed_errors, lines
from own_keypoints import PUPILS, write_tables

from rcn_keras.data.own import read_own

STRENGTHS = np.geomspace(1e-4, 1, 13)  # of the ridge regression, chosen by folds
FOLDS = 8  # of the training faces


def main():
    parser = common.parser(__doc__, "python benchmarks/own_labels.py --data webmorph")
    options = parser.parse_args()
    faces = {}
    with tempfile.TemporaryDirectory() as folder:
        tables = write_tables(
            options.data / "keypoints.csv", "mixed", pathlib.Path(folder)
        )
        for name, table in tables.items():
            read = read_own(table, normalizer=PUPILS, images=options.data / "images")
            points = np.stack([face.keypoints for face in read.faces])
            faces[name] = points.astype("float64")
    training = faces.pop("training")
    rows = guesses(training, np.concatenate(list(faces.values())))
    print(common.markdown(rows))
    common.write_rows(options.results / "own_labels.csv", rows)


def guesses(training, test):
    """The row of each guess; both `(N, K, 2)`, the first two points the pupils."""
    mean = aligned_mean(training)
    training, test = aligned(training, mean), aligned(test, mean)
    on_line = lines(mean[None])
    found = {
        "mean shape": np.broadcast_to(mean, test.shape),
        "labelled line, mean spacing": spaced(training, test, on_line),
        "all but the place along": regressed(training, test, mean, on_line),
    }
    return [
        {
            "known": known,
            "faces": len(test),
            "on_lines": int(on_line.sum()),
            "along": round(100 * directed_errors(test, guess)[0][:, on_line].mean(), 3),
        }
        for known, guess in found.items()
    ]


def aligned_mean(faces):
    """The mean shape `(K, 2)` about the origin, its pupils 1 apart."""
    mean = faces[0] - faces[0].mean(axis=0)
    for _ in range(10):
        mean = aligned(faces, mean).mean(axis=0)
        mean = mean / np.linalg.norm(mean[0] - mean[1])
    return mean


def aligned(faces, shape):
    """Faces `(N, K, 2)` moved and turned onto such a shape, their pupils 1 apart."""
    points = faces[..., 0] + 1j * faces[..., 1]
    points = points - points.mean(axis=1, keepdims=True)
    points = points / np.abs(points[:, :1] - points[:, 1:2])
    goal = shape[:, 0] + 1j * shape[:, 1]
    turn = (points.conj() * goal).sum(axis=1, keepdims=True)
    points = points * turn / np.abs(turn)
    return np.stack([points.real, points.imag], axis=-1)


def spaced(training, test, on_line):
    """The points of each line at the mean shares of its length."""
    found = test.copy()
    inner = np.flatnonzero(on_line)
    for run in np.split(inner, np.flatnonzero(np.diff(inner) > 1) + 1):
        line = slice(run[0] - 1, run[-1] + 2)
        shares = np.stack([lengths(face[line]) for face in training])
        shares = (shares / shares[:, -1:]).mean(axis=0)
        for face, points in zip(found, test[:, line]):
            walked = lengths(points)
            at = shares * walked[-1]
            face[line] = np.stack(
                [np.interp(at, walked, points[:, axis]) for axis in (0, 1)], axis=1
            )
    return found


def lengths(points):
    """How far it is along points `(P, 2)` from the first to each: `(P,)`."""
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    return np.concatenate([[0], np.cumsum(steps)])


def regressed(training, test, mean, on_line):
    """The place along the line by ridge regression from all other coordinates."""
    direction = np.zeros_like(mean)
    direction[1:-1] = mean[2:] - mean[:-2]
    direction = direction[on_line] / np.linalg.norm(
        direction[on_line], axis=1, keepdims=True
    )
    normal = np.stack([-direction[:, 1], direction[:, 0]], axis=1)

    def parts(faces):
        off = faces - mean
        along, across = ((off[:, on_line] * d).sum(-1) for d in (direction, normal))
        others = off[:, ~on_line].reshape(len(off), -1)
        return along, across, np.concatenate([across, others], axis=1)

    goal, _, known = parts(training)
    _, across, seen = parts(test)
    fold = np.arange(len(known)) % FOLDS

    def left_out(strength):
        errors = [
            ridge(known[fold != k], goal[fold != k], known[fold == k], strength)
            - goal[fold == k]
            for k in range(FOLDS)
        ]
        return np.abs(np.concatenate(errors)).mean()

    along = ridge(known, goal, seen, min(STRENGTHS, key=left_out))
    found = test.copy()
    found[:, on_line] = (
        mean[on_line] + along[..., None] * direction + across[..., None] * normal
    )
    return found


def ridge(known, goal, seen, strength):
    """The goals `(M, G)` of M rows seen, from N rows known with their goals."""
    mean = known.mean(axis=0)
    known, seen = known - mean, seen - mean
    kernel = known @ known.T + strength * np.eye(len(known))
    weights = np.linalg.solve(kernel, goal - goal.mean(axis=0))
    return seen @ known.T @ weights + goal.mean(axis=0)


if __name__ == "__main__":
    common.run(main)
