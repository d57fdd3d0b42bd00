"""How often keypoints of a confidence are right, on validation faces.

    python benchmarks/reliability.py --data MTFL rcn6_mtfl

Right is within 10 % of the unit of error. Boxes from the true keypoints, sub-pixel; ten
bins of equal width. It draws the diagram of `docs/guides/confidence.md` too.
"""

import pathlib

import common
import numpy as np

from rcn_keras.data.sets import load_test_set
from rcn_keras.evaluation.protocols import with_true_boxes
from rcn_keras.plotting import plot_calibration
from rcn_keras.presets import load_preset

PICTURE = pathlib.Path(__file__).resolve().parents[1] / "docs" / "reliability.png"
BINS = 10


def main():
    parser = common.parser(
        __doc__, "python benchmarks/reliability.py --data MTFL rcn6_mtfl"
    )
    parser.add_argument("preset", help="name or folder")
    options = parser.parse_args()
    preset = load_preset(options.preset)
    crops = load_test_set(options.data, "validation", None, preset.model.layout)
    errors, confidence = with_true_boxes(preset, crops)
    correct = errors["subpixel"] <= 0.1
    rows = [{"preset": preset.name} | row for row in by_bin(confidence, correct)]
    print(common.markdown(rows))
    common.write_rows(options.results / "reliability.csv", rows)
    plot_calibration(confidence, correct, BINS, save=PICTURE)


def by_bin(confidence, correct):
    """A row for each bin of confidence that any keypoint is in.

    Args:
        confidence: `(N, K)` in [0, 1].
        correct: `(N, K)` bool.
    """
    number = np.minimum((confidence * BINS).astype(int), BINS - 1)
    return [
        {
            "confidence": f"{i / BINS:.1f} to {(i + 1) / BINS:.1f}",
            "keypoints": inside.sum(),
            "mean_confidence": f"{confidence[inside].mean():.3f}",
            "share_correct": f"{correct[inside].mean():.3f}",
        }
        for i in range(BINS)
        if (inside := number == i).any()
    ]


if __name__ == "__main__":
    common.run(main)
