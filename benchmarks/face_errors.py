"""The error of every keypoint of every test face: numbers only, no face.

    python benchmarks/face_errors.py --data MTFL --afw 300W sumnet6_mtfl rcn6_mtfl

AFLW and AFW (or AFW-337, derived), boxes from the true keypoints, sub-pixel, in percent
of the eye distance, labels as released. A row is a face, in the order of its list;
`pose` is MTFL's, 1 to 5 from the left profile to the right one. Presets that are not
named keep their rows.
"""

import csv
import gzip
import io
import pathlib

import common

from rcn_keras import provenance
from rcn_keras.data.sets import load_test_set
from rcn_keras.evaluation.protocols import ground_truth_boxes
from rcn_keras.files import replaced
from rcn_keras.layout import FACE_5
from rcn_keras.presets import load_preset

FILE = "face_errors.csv.gz"


def main():
    parser = common.parser(
        __doc__,
        "python benchmarks/face_errors.py --data MTFL --afw 300W rcn6_mtfl",
    )
    parser.add_argument("presets", nargs="+", help="names or folders")
    parser.add_argument(
        "--afw", type=pathlib.Path, required=True, help="folder of AFW or of 300-W"
    )
    options = parser.parse_args()
    presets = [load_preset(name) for name in options.presets]
    folders = {"aflw": options.data, "afw": options.afw}
    rows = []
    for set_name, folder in folders.items():
        crops = load_test_set(folder, set_name)
        for preset in presets:
            errors = ground_truth_boxes(preset.model, crops)["subpixel"]
            rows += face_rows(preset.name, set_name, crops.faces, errors)
            common.say(f"{preset.name}, {set_name}: {100 * errors.mean():.2f} %")
    path = options.results / FILE
    origin = provenance.record() | {"command": common.command()}
    rows = [row | origin for row in rows]
    measured = {preset.name for preset in presets}
    kept = [row for row in read_rows(path) if row["preset"] not in measured]
    write_rows(path, kept + rows)


def face_rows(preset, set_name, faces, errors):
    """A row for each face.

    Args:
        preset, set_name: strs.
        faces: list of N `Face`.
        errors: `(N, 5)` fractions.
    """
    return [
        {
            "preset": preset,
            "set": set_name,
            "face": number,
            "pose": face.attributes.get("pose", ""),
            **{name: f"{100 * e:.2f}" for name, e in zip(FACE_5.names, of_face)},
        }
        for number, (face, of_face) in enumerate(zip(faces, errors), 1)
    ]


def read_rows(path):
    """The rows of a results file, none where there is no file."""
    if not path.exists():
        return []
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write_rows(path, rows):
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    with replaced(path) as temporary:
        # Without the time of day: the same rows are the same bytes.
        temporary.write_bytes(gzip.compress(text.getvalue().encode(), 9, mtime=0))


if __name__ == "__main__":
    common.run(main)
