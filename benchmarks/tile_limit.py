"""How exact keypoints can be that are read from coarse tiles: a limit for Table 1.

    python benchmarks/tile_limit.py --data MTFL --afw 300W

The true keypoints themselves, each put where a network that always chose the right one
of 10x10 (20x20, 40x40, 80x80) tiles would put it: at the tile's first cell of the 80x80
grid, as the paper's rule does where cells share the largest value, or at its middle. On
the paper's grid, boxes from the true keypoints.
"""

import common
import numpy as np

from rcn_keras.data.batches import input_images
from rcn_keras.data.sets import load_test_set
from rcn_keras.evaluation.errors import normalized_errors
from rcn_keras.faces.boxes import INPUT_SIZE
from rcn_keras.layout import FACE_5


def main():
    parser = common.parser(
        __doc__, "python benchmarks/tile_limit.py --data MTFL --afw 300W"
    )
    parser.add_argument("--afw", required=True, help="folder of AFW, or of 300-W")
    options = parser.parse_args()
    rows = []
    for part, folder in {"aflw": options.data, "afw": options.afw}.items():
        _, true = input_images(load_test_set(folder, part))
        for tiles in (10, 20, 40, 80):
            first, middle = limit(true, tiles)
            row = {"set": part, "faces": len(true), "tiles": tiles}
            row |= {"first_percent": f"{first:.2f}", "middle_percent": f"{middle:.2f}"}
            rows.append(row)
    print(common.markdown(rows))
    common.write_rows(options.results / "tile_limit.csv", rows)


def limit(true: np.ndarray, tiles: int) -> list[float]:
    """Mean errors in percent with the first cell and with the middle of the right tile.

    Args:
        true: `(N, 5, 2)` in pixels of the 80x80 input.
        tiles: int, tiles along a side.
    """
    side = INPUT_SIZE // tiles
    corner = side * (np.clip(true, 0, INPUT_SIZE - 1) // side)
    return [
        100 * normalized_errors(true, corner + offset, FACE_5, grid=True).mean()
        for offset in (0.5, side / 2)
    ]


if __name__ == "__main__":
    common.run(main)
