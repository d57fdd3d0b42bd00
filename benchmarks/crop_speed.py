"""Milliseconds of the crop alone: a square of a photograph to the network's input.

    python benchmarks/crop_speed.py

Squares of so many pixels a side, of the shipped photograph enlarged, one at a time. A
time is the median over the rounds, in each of which the sides take turns.
"""

import common
import cv2
import numpy as np
from photographs import PHOTOGRAPH
from timing import fix_cores, in_batches, timed

from rcn_keras.faces.crop import input_crops
from rcn_keras.faces.images import read_image
from rcn_keras.layout import FACE_5

SIDES = (90, 200, 900)
ENLARGED = 1600  # side of the photograph
ROUNDS, TIMES = 21, 200


def main():
    parser = common.parser(__doc__, "python benchmarks/crop_speed.py", data=False)
    options = parser.parse_args()
    threads = fix_cores(2)
    image = cv2.resize(read_image(PHOTOGRAPH), (ENLARGED, ENLARGED))
    contenders = [contender(image, side, threads) for side in SIDES]
    milliseconds = timed(contenders, ROUNDS)
    rows = [
        {
            "side": side,
            "ms": round(float(np.median(times)), 3),
            "minimum": round(float(times.min()), 3),
            "threads": threads,
        }
        for side, times in zip(SIDES, milliseconds.T)
    ]
    print(common.markdown(rows))
    common.write_rows(options.results / "crop_speed.csv", rows)


def contender(image, side, threads):
    square = np.array([[(ENLARGED - side) / 2] * 2 + [side]])

    def step(part):
        return input_crops([image], square, FACE_5.square.context)

    return in_batches(f"side of {side}", 1, TIMES, step, threads)


if __name__ == "__main__":
    common.run(main)
