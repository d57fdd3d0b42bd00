"""Where the errors of one's own keypoints lie: along the lines of the face, or across.

    python benchmarks/own_contours.py --data webmorph --out runs --recipes own_fine

Takes the presets that `own_keypoints.py` left in `--out`. A keypoint lies on a line if,
in the mean shape of the held-out faces, the steps from the one numbered before it and
to the one numbered after it differ by less than a factor of two and turn by less than
60 degrees; the line's direction is that between these two neighbours. Sub-pixel, in
percent of the distance of the pupils.
"""

import common
import numpy as np
import own_keypoints

from rcn_keras import codec
from rcn_keras.data.batches import input_images
from rcn_keras.data.own import load_own_test, read_own
from rcn_keras.evaluation.inference import run
from rcn_keras.models.keypoint_model import compiled
from rcn_keras.presets import load_preset


def main():
    options, tables = own_keypoints.finished_trainings(
        __doc__, "python benchmarks/own_contours.py --data webmorph --out runs"
    )
    rows = []
    for recipe in options.recipes:
        model = load_preset(options.out / f"mixed_{recipe}_preset").model
        reading = {"layout": model.layout, "images": options.data / "images"}
        for name in sorted(tables.keys() - {"training"}):
            annotations = read_own(tables[name], **reading)
            crops = load_own_test(
                annotations, tables[name], "all", input_size=model.input_size
            )
            images, true = input_images(crops)
            network = compiled(model.input, model.decode(model.output))
            predicted = run(network, images)["keypoints"]
            row = {"recipe": recipe, "set": name, "faces": len(true)}
            rows.append(row | split(true, predicted, model.layout))
    print(common.markdown(rows))
    common.write_rows(options.results / "own_contours.csv", rows)


def split(true, predicted, layout):
    """The row of a set: the errors of keypoints on lines, by direction, and of others.

    Args:
        true, predicted: `(N, K, 2)` in pixels of the input.
        layout: `KeypointLayout` of the K keypoints.
    """
    true, predicted = np.float64(true), np.float64(predicted)
    distance = np.float64(codec.normalizing_distance(true, layout))[:, None]
    along, across = (
        100 * errors / distance for errors in directed_errors(true, predicted)
    )
    errors, on_line = np.hypot(along, across), lines(true)
    worst = [layout.names[i] for i in np.argsort(errors.mean(axis=0))[:-21:-1]]
    return {
        "subpixel_nme": round(errors.mean(), 3),
        "on_lines": int(on_line.sum()),
        "on_lines_nme": round(errors[:, on_line].mean(), 3),
        "along": round(along[:, on_line].mean(), 3),
        "across": round(across[:, on_line].mean(), 3),
        "others_nme": round(errors[:, ~on_line].mean(), 3),
        "above_2": int((errors.mean(axis=0) >= 2).sum()),
        "worst": " ".join(worst),
    }


def lines(true):
    """Which of the K keypoints of `(N, K, 2)` lie on a line: `(K,)` bool."""
    mean = true.mean(axis=0)
    steps = np.diff(mean, axis=0)
    lengths = np.linalg.norm(steps, axis=1)
    before, after = lengths[:-1], lengths[1:]
    turn = (steps[:-1] * steps[1:]).sum(axis=1) / (before * after)
    even = np.maximum(before, after) < 2 * np.minimum(before, after)
    return np.pad(even & (turn > 0.5), 1)


def directed_errors(true, predicted):
    """Errors along and across the direction between the neighbours by number, two
    `(N, K)` in pixels, absolute; the first and the last keypoint have one neighbour."""
    padded = np.pad(true, [(0, 0), (1, 1), (0, 0)], mode="edge")
    direction = padded[:, 2:] - padded[:, :-2]
    direction = direction / np.linalg.norm(direction, axis=-1, keepdims=True)
    error = predicted - true
    along = (error * direction).sum(axis=-1)
    across = error[..., 0] * direction[..., 1] - error[..., 1] * direction[..., 0]
    return np.abs(along), np.abs(across)


if __name__ == "__main__":
    common.run(main)
