"""Training throughput with batch normalisation against without, in one run.

    python benchmarks/training_speed.py --data MTFL

RCN-6 on real crops, augmentation included; the two are timed in turns, so that what
the machine does beside it falls on both. The ratio is the median of the rounds'.
"""

import dataclasses
import time

import common
import keras
import numpy as np

from rcn_keras.data.sets import load_training
from rcn_keras.provenance import accelerators
from rcn_keras.training.fit import make_optimizer
from rcn_keras.training.network import build_model
from rcn_keras.training.normalization import normalized
from rcn_keras.training.recipe import with_precision
from rcn_keras.training.recipes import get_recipe
from rcn_keras.training.tasks import make_task

ROUNDS, STEPS = 7, 12


def main():
    parser = common.parser(__doc__, "python benchmarks/training_speed.py --data MTFL")
    parser.add_argument("--recipe", default="rcn6_mtfl", help="default: %(default)s")
    parser.add_argument(
        "--precision",
        default="auto",
        choices=["auto", "float32", "mixed_bfloat16"],
        help="default: %(default)s",
    )
    options = parser.parse_args()
    recipe = get_recipe(options.recipe, precision=options.precision, teacher=None)
    recipe = with_precision(recipe)
    keras.config.set_dtype_policy(recipe.precision)
    training, validation = load_training(options.data)
    task = make_task(recipe, training, validation.take(range(10)))
    step = {
        "without": _stepper(build_model(recipe), recipe, task),
        "with": _stepper(normalized(build_model(recipe)), recipe, task),
    }
    speeds = {name: [] for name in step}
    for _ in range(ROUNDS):
        for name, run in step.items():
            started = time.perf_counter()
            run(STEPS)
            seconds = time.perf_counter() - started
            speeds[name].append(STEPS * recipe.batch_size / seconds)
    ratios = np.divide(speeds["with"], speeds["without"])
    row = {
        "recipe": options.recipe,
        "optimizer": "adam",
        "precision": recipe.precision,
        "batch_size": recipe.batch_size,
        "images_per_second_without": round(float(np.median(speeds["without"])), 1),
        "images_per_second_with": round(float(np.median(speeds["with"])), 1),
        "ratio": round(float(np.median(ratios)), 3),
        "ratio_low": round(float(ratios.min()), 3),
        "ratio_high": round(float(ratios.max()), 3),
        "rounds": ROUNDS,
    }
    print(common.markdown([row]))
    common.write_rows(options.results / "training_speed.csv", [row])


def _stepper(model, recipe, task):
    """A callable that trains for some batches; warm when it is returned."""
    on_cpu = keras.backend.backend() == "tensorflow" and not accelerators()
    model.compile(
        make_optimizer(dataclasses.replace(recipe, optimizer="adam"), 100),
        loss=task.loss,
        jit_compile=False if on_cpu else "auto",
    )
    batches = iter(task.batches(recipe.augmentation, 0))

    def run(steps):
        for _ in range(steps):
            model.train_on_batch(*next(batches))

    run(3)
    return run


if __name__ == "__main__":
    common.run(main)
