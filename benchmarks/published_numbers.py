"""Whether the shipped presets still have the errors that results/accuracy.csv prints.

    python benchmarks/published_numbers.py --data MTFL --data-68 300W

Measured anew with boxes from the true keypoints, and compared in percent with two
digits, as they are printed. Exit code 1 if one differs. Nothing is written.
"""

import csv
import pathlib
import sys

import common

from rcn_keras.data.sets import load_test_set
from rcn_keras.evaluation import protocols
from rcn_keras.evaluation.errors import summary
from rcn_keras.layout import FACE_68
from rcn_keras.presets import list_presets, load_preset


def main():
    parser = common.parser(
        __doc__, "python benchmarks/published_numbers.py --data MTFL --data-68 300W"
    )
    parser.add_argument(
        "--data-68", type=pathlib.Path, required=True, help="folder of 300-W"
    )
    options = parser.parse_args()
    with (options.results / "accuracy.csv").open(
        encoding="utf-8-sig", newline=""
    ) as file:
        published = [row for row in csv.DictReader(file)]
    rows = []
    for name in list_presets():
        preset = load_preset(name)
        of_preset = [row for row in published if row["model"] == name]
        for set_name in sorted({row["set"] for row in of_preset}):
            errors = measured(preset, set_name, options)
            rows += [
                compared(row, errors[row["protocol"]])
                for row in of_preset
                if row["set"] == set_name and row["protocol"] in errors
            ]
    print(common.markdown(rows))
    different = sum(row["published"] != row["measured"] for row in rows)
    common.say(f"{len(rows)} numbers compared, {different} differ")
    sys.exit(1 if different else 0)


def measured(preset, set_name, options):
    """Protocol to `(N, K)` errors."""
    layout = preset.model.layout
    folder = options.data
    if layout.name == FACE_68.name or set_name == "afw":
        folder = options.data_68
    # 300-W's common subset is the whole of its official test faces that there are.
    name = "300w" if set_name.startswith("300w") else set_name
    crops = load_test_set(folder, name, None, layout, allow_missing=True)
    shift = protocols.label_shift(set_name)
    return protocols.with_true_boxes(preset, crops, shift)[0]


def compared(row, errors):
    """A published number and the one that was measured now."""
    return {
        "preset": row["model"],
        "set": row["set"],
        "protocol": row["protocol"],
        "published": f"{float(row['nme_percent']):.2f}",
        "measured": f"{summary(errors)['nme']:.2f}",
    }


if __name__ == "__main__":
    common.run(main)
