"""Where MTFL's points really are, in pixels of the photographs.

Every figure is the median of (prediction - label) over faces:

- plain: the prediction on the image.
- mirror: the mean of that and of the prediction on the mirrored image, mirrored back
  (x -> width - x, left and right keypoints traded). Whatever a network has learned
  about labels that lie too far left or right cancels, so in x this is the displacement
  of the labels itself; in y it says no more than plain does. (The square is drawn from
  the labels, which gives them a say; a network trained with shifted squares hardly
  heeds its place.)

Our network: validation faces of LFW and of the web (`net`), and AFLW. With `--rival` an
independent model as well, on faces whose attribute "pose" says frontal. It defines its
points a little differently, so in y only its difference between two sets counts: the
rows "aflw - lfw".
"""

import common
import numpy as np

from rcn_keras.data.mtfl import read_mtfl
from rcn_keras.data.splits import split
from rcn_keras.errors import InputError
from rcn_keras.evaluation.inference import decoded_model, run
from rcn_keras.faces.boxes import INPUT_SIZE
from rcn_keras.faces.crop import input_crop, to_photograph
from rcn_keras.layout import FACE_5
from rcn_keras.presets import load_preset

FRONTAL = 3
NAMES = ["all", *FACE_5.names]


def main():
    parser = common.parser(
        __doc__, "python benchmarks/label_shift.py --data MTFL --rival dlib"
    )
    parser.add_argument("--preset", default="rcn6_mtfl", help="default: %(default)s")
    common.count_option(parser, "--faces", None, "of each set at most")
    parser.add_argument(
        "--rival",
        nargs="+",
        default=[],
        choices=list(common.RIVALS),
        help="independent models",
    )
    options = parser.parse_args()
    preset = load_preset(options.preset)
    rivals = [common.load_rival(name) for name in options.rival]

    listed, aflw = (read_mtfl(options.data, part) for part in ("training", "testing"))
    validation = [listed[i] for i in split(len(listed))[1]]
    ours = sets(validation, aflw, options.faces)
    frontal = [[face for face in part if is_frontal(face)] for part in (listed, aflw)]
    theirs = sets(*frontal, options.faces)

    rows = measured(preset.name, ours, lambda faces: network_offsets(preset, faces))
    for rival in rivals:
        measure = lambda faces, rival=rival: rival_offsets(rival, faces)  # noqa: E731
        rows += measured(rival.name, theirs, measure)
    print(common.markdown([shown(row) for row in rows if row["keypoint"] == "all"]))
    print("\nper keypoint, x and y:\n")
    print(common.markdown(list(per_keypoint(rows))))
    common.write_rows(options.results / "label_shift.csv", rows)


def sets(listed, aflw, count):
    """Faces of LFW, of the web and of AFLW, `count` of each at most."""
    folders = {
        "lfw": [face for face in listed if "lfw" in face.image.parent.name],
        "net": [face for face in listed if "net" in face.image.parent.name],
        "aflw": aflw,
    }
    for name, faces in folders.items():
        if not faces:
            raise InputError(f"no faces of {name} in the lists of MTFL")
    return {name: faces[:count] for name, faces in folders.items()}


def is_frontal(face):
    return face.attributes["pose"] == FRONTAL


def network_offsets(preset, faces):
    """Offsets of a preset's predictions.

    Returns:
        dict: "plain" and "mirror" to `(N, 5, 2)`, prediction - label in pixels of the
        photographs.
    """
    crops, squares, labels = [], [], []
    for face, image, square in common.photographs(faces, "faces"):
        crops.append(input_crop(image, square, FACE_5.square.context)[..., None])
        squares.append(square)
        labels.append(face.keypoints)
    crops, model = np.stack(crops), decoded_model(preset.model)
    plain, mirrored = (
        run(model, images)[preset.model.decoder]
        for images in (crops, crops[:, :, ::-1])
    )
    mirror = (plain + mirrored_back(mirrored, INPUT_SIZE)) / 2
    return {
        "plain": to_photograph(plain, squares, INPUT_SIZE) - labels,
        "mirror": to_photograph(mirror, squares, INPUT_SIZE) - labels,
    }


def rival_offsets(rival, faces):
    """Offsets of a rival's predictions, as `network_offsets`."""
    plain, mirror = [], []
    for face, image, square in common.photographs(faces, f"faces, {rival.name}"):
        width, box = image.shape[1], common.square_box(square)
        points = common.five_points(rival, image, box)
        mirrored_box = np.array([width - box[2], box[1], width - box[0], box[3]])
        mirrored = common.five_points(rival, image[:, ::-1], mirrored_box)
        plain.append(points - face.keypoints)
        both = (points + mirrored_back(mirrored, width)) / 2
        mirror.append(both - face.keypoints)
    return {"plain": np.array(plain), "mirror": np.array(mirror)}


def mirrored_back(points, width):
    """Points found in a mirrored image as points of the image itself.

    Args:
        points: `(..., 5, 2)` in continuous pixels of the mirrored image.
        width: float, of the image.

    Returns:
        `(..., 5, 2)`: x -> width - x, and left and right keypoints traded.
    """
    order = np.arange(5)
    for left, right in FACE_5.mirror_pairs:
        order[[left, right]] = right, left
    points = np.array(points, "float64")[..., order, :]
    points[..., 0] = width - points[..., 0]
    return points


def medians(offsets, resamples=300, seed=0):
    """Median offsets, and the same of bootstrap resamples of the faces.

    Args:
        offsets: `(N, 5, 2)`.

    Returns:
        `(6, 2)`: x and y over all keypoints and of each; `(resamples, 6, 2)`.
    """

    def statistic(values):
        every = np.median(values.reshape(-1, 2), axis=0)
        return np.vstack([every, np.median(values, axis=0)])

    generator = np.random.default_rng(seed)
    picks = generator.integers(0, len(offsets), (resamples, len(offsets)))
    return statistic(offsets), np.stack([statistic(offsets[pick]) for pick in picks])


def measured(name, faces, measure):
    """One row for each test, set and keypoint."""
    offsets = {part: measure(listed) for part, listed in faces.items()}
    rows = []
    for test in ("plain", "mirror"):
        shifts = {part: medians(values[test]) for part, values in offsets.items()}
        shifts["aflw - lfw"] = [a - b for a, b in zip(shifts["aflw"], shifts["lfw"])]
        for part, (middle, resampled) in shifts.items():
            low, high = np.percentile(resampled, [2.5, 97.5], axis=0)
            count = len(offsets[part][test]) if part in offsets else ""
            head = {"network": name, "test": test, "set": part, "faces": count}
            for i, keypoint in enumerate(NAMES):
                row = head | {"keypoint": keypoint}
                for axis in (0, 1):
                    for end, numbers in (("", middle), ("_low", low), ("_high", high)):
                        row["xy"[axis] + end] = round(float(numbers[i, axis]), 4)
                rows.append(row)
    return rows


def shown(row):
    """A row over all keypoints as it is printed."""
    out = {key: row[key] for key in ("network", "test", "set", "faces")}
    for axis in "xy":
        middle, low, high = (row[axis + part] for part in ("", "_low", "_high"))
        out[f"{axis}, median (95 %)"] = f"{middle:+.2f} ({low:+.2f} ... {high:+.2f})"
    return out


def per_keypoint(rows):
    """One line of a table for each test and set."""
    for start in range(0, len(rows), len(NAMES)):
        part = rows[start + 1 : start + len(NAMES)]
        yield {key: part[0][key] for key in ("network", "test", "set")} | {
            row["keypoint"]: f"{row['x']:+.2f} {row['y']:+.2f}" for row in part
        }


if __name__ == "__main__":
    common.run(main)
