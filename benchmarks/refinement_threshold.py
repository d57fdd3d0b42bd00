"""From which movement of its square a face gains from the second pass.

On MTFL's validation faces, boxes from a detector: the error where the second pass is
left to those faces whose square moves by more than a threshold (`faces.boxes.STILL`),
the share of faces that need it, and what that costs against a second pass for all.
"""

import common
import numpy as np
from fit_detector_box import matched

from rcn_keras.data.mtfl import read_mtfl
from rcn_keras.data.splits import split
from rcn_keras.evaluation.errors import face_errors, normalized_errors
from rcn_keras.faces.boxes import box_squares, refined_squares, square_movement
from rcn_keras.faces.detect import get_detector
from rcn_keras.layout import FACE_5
from rcn_keras.predictor import Predictor

THRESHOLDS = (0, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.15, np.inf)


def main():
    parser = common.parser(
        __doc__, "python benchmarks/refinement_threshold.py --data MTFL"
    )
    parser.add_argument("--preset", default="rcn6_mtfl")
    parser.add_argument("--detector", default="mtcnn", help="as that of predict")
    common.count_option(parser, "--faces", None, "validation faces")
    options = parser.parse_args()
    listed = read_mtfl(options.data, "training")
    faces = [listed[i] for i in split(len(listed))[1]][: options.faces]
    locator = Predictor(options.preset, refinements=0).locator
    detector, rows = get_detector(options.detector), []
    for face, image, _ in common.photographs(faces, "photographs"):
        box = matched(detector(image)[0], face.keypoints)
        if box is None:
            continue
        square = box_squares(np.float64([box]), FACE_5)
        first, *_ = locator.locate_in_squares([image], square)
        size = np.array([image.shape[1::-1]])
        moved = refined_squares(first, FACE_5, square, size)
        second, *_ = locator.locate_in_squares([image], moved)
        errors = normalized_errors(
            face.keypoints[None], np.concatenate([first, second]), FACE_5
        )
        movement = square_movement(square, moved).item()
        rows.append((movement, *100 * face_errors(errors)))

    columns = {"detector": options.detector.split("/")[-1], "faces": len(faces)}
    rows = [columns | row for row in table(*np.transpose(rows))]
    print(common.markdown(rows))
    common.write_rows(options.results / "refinement_threshold.csv", rows)


def table(movement, first, second):
    """A row for each threshold.

    Args:
        movement: `(N,)`, of the squares of N faces, in sides.
        first, second: `(N,)`, errors after each pass, in percent.
    """
    rows = []
    for threshold in THRESHOLDS:
        refined = movement > threshold
        loss = np.where(refined, 0, first - second)
        spread = 1.96 * loss.std() / np.sqrt(len(loss))
        low, high = loss.mean() - spread, loss.mean() + spread
        rows.append(
            {
                "found": len(loss),
                "threshold": threshold,
                "refined_percent": round(100 * refined.mean(), 1),
                "nme_percent": round((second + loss).mean(), 4),
                "loss": round(loss.mean(), 4),
                "loss_ci95": f"{low:+.4f} to {high:+.4f}",
            }
        )
    return rows


if __name__ == "__main__":
    common.run(main)
