"""Errors by MTFL's pose, from the left profile to the right one.

    python benchmarks/accuracy_by_pose.py --data MTFL --set validation rcn6_mtfl

Boxes from the true keypoints, sub-pixel; on AFLW against its labels as released and
shift-corrected. `all poses alike` is the mean of the five means: three in four of
MTFL's faces look ahead, and their mean error says little about the others.
"""

import common
import numpy as np

from rcn_keras.data.attributes import attribute_labels
from rcn_keras.data.sets import load_test_set
from rcn_keras.evaluation.protocols import ground_truth_boxes, label_shift
from rcn_keras.presets import load_preset

POSES = ("left profile", "left", "frontal", "right", "right profile")


def main():
    parser = common.parser(
        __doc__,
        "python benchmarks/accuracy_by_pose.py --data MTFL --set aflw rcn6_mtfl",
    )
    parser.add_argument("presets", nargs="+", help="names or folders")
    parser.add_argument("--set", choices=["validation", "aflw"], default="validation")
    options = parser.parse_args()
    presets = [load_preset(name) for name in options.presets]
    crops = load_test_set(options.data, options.set)
    poses = attribute_labels(crops.faces, "pose")
    rows = []
    for preset in presets:
        errors = ground_truth_boxes(preset.model, crops, label_shift(options.set))
        for protocol, values in errors.items():
            if protocol.startswith("subpixel"):
                columns = {
                    "preset": preset.name,
                    "set": options.set,
                    "protocol": protocol,
                }
                rows += [columns | row for row in by_pose(values, poses)]
    print(common.markdown(rows))
    common.write_rows(options.results / "accuracy_by_pose.csv", rows)


def by_pose(errors, poses):
    """A row for each pose that there is, for all faces, and for all poses alike.

    Args:
        errors: `(N, K)` fractions.
        poses: `(N,)` ints, 1 to 5.
    """
    of_face = 100 * errors.mean(axis=1)
    groups = {name: of_face[poses == i] for i, name in enumerate(POSES, 1)}
    groups = {name: values for name, values in groups.items() if len(values)}
    groups["all faces"] = of_face
    rows = [
        {"pose": name, "faces": len(values), "nme_percent": f"{values.mean():.2f}"}
        for name, values in groups.items()
    ]
    alike = np.mean([values.mean() for values in list(groups.values())[:-1]])
    faces, error = len(of_face), f"{alike:.2f}"
    return rows + [{"pose": "all poses alike", "faces": faces, "nme_percent": error}]


if __name__ == "__main__":
    common.run(main)
