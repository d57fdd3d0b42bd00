"""Images a second through the two augmentation layers inside `tf.data`.

    python benchmarks/augmentation_speed.py --csv results/augmentation_speed.csv

Random bytes stand in for the 160x160 crops: the layers' time does not depend on what
is in a picture.
"""

import argparse
import pathlib
import statistics
import time

import numpy as np

from rcn_keras.data.crops import Crops
from rcn_keras.data.pipeline import training_dataset
from rcn_keras.files import write_csv
from rcn_keras.layout import FACE_5
from rcn_keras.provenance import record


def images_per_second(batch_size=64, batches=150):
    """One measurement, after ten batches of warm-up."""
    rng = np.random.default_rng(0)
    count = 512
    crops = Crops(
        images=rng.integers(0, 256, (count, 160, 160, 1), dtype=np.uint8),
        keypoints=rng.uniform(40, 120, (count, 5, 2)).astype("float32"),
        squares=np.tile(np.float32([13, 13, 133]), (count, 1)),
        outer=np.tile(np.float32([0, 0, 160]), (count, 1)),
        picture=np.tile(np.float32([[0, 0], [160, 160]]), (count, 1, 1)),
        border=np.zeros((count, 5), "uint8"),
        faces=[None] * count,
        failures=[],
        layout=FACE_5,
    )
    stream = iter(training_dataset(crops, batch_size))
    for _ in range(10):
        next(stream)
    started = time.perf_counter()
    for _ in range(batches):
        next(stream)
    return batches * batch_size / (time.perf_counter() - started)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--csv", type=pathlib.Path)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    speeds = [images_per_second() for _ in range(options.repeats)]
    row = {
        "images_per_second_median": round(statistics.median(speeds)),
        "images_per_second_max": round(max(speeds)),
        "batch_size": 64,
        **record(),
    }
    print(row)
    if options.csv:
        write_csv(options.csv, [row])


if __name__ == "__main__":
    main()
