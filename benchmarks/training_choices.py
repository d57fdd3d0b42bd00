"""What makes RCN-6, or TCDCN, learn better, one choice at a time, by validation only.

    python benchmarks/training_choices.py --data MTFL --out runs --choices muon flip
    python benchmarks/training_choices.py --data MTFL --out runs --search tcdcn
    python benchmarks/training_choices.py --data MTFL --out runs --search jitter

Each choice is a training of the search's base with some fields of the recipe changed, a
short one but for the jitter's. The error is that of the last epoch on MTFL's 1,000
validation faces, which no test set has a part in. `before` is the choice that a row is
to be compared with. A run that is finished in `--out` is only read, wherever it was
trained: on an accelerator `rcn-keras train-many` runs them side by side, from lines
such as

    choice_muon_0.01: table2_rcn6_occlusion --epochs 8 --learning-rate 0.01
    choice_jitter_rotation_20: table2_rcn6_occlusion --set augmentation.rotation=20
"""

import contextlib
import dataclasses
import functools
import pathlib
from unittest import mock

import common
from keras import ops

from rcn_keras.data.augmentation import Augmentation, Augmenter
from rcn_keras.data.sets import load_training
from rcn_keras.training import fit
from rcn_keras.training.callbacks import read_log
from rcn_keras.training.recipe import Recipe, read_recipe
from rcn_keras.training.recipes import RECIPES
from rcn_keras.training.run_folder import read_run

BASE = Recipe(
    "rcn",
    {"branches": 6},
    Augmentation(flip=False),
    normalization="batch",
    optimizer="muon",
    learning_rate=0.02,
    epochs=8,
)
# Of each: what it is compared with, and what of the recipe it changes.
CHOICES = {
    "plain": (
        None,
        {"normalization": None, "optimizer": "adam", "learning_rate": 2e-3},
    ),
    "normalized": ("plain", {"optimizer": "adam", "learning_rate": 2e-3}),
    "rate_6e-3": ("normalized", {"optimizer": "adam", "learning_rate": 6e-3}),
    "muon": ("rate_6e-3", {"optimizer": "muon", "learning_rate": 0.02}),
    "muon_0.01": ("muon", {"learning_rate": 0.01}),
    "muon_0.04": ("muon", {"learning_rate": 0.04}),
    "batch_32": ("muon", {"batch_size": 32}),
    "epochs_16": ("muon", {"epochs": 16}),
    "rotation_20": ("muon", {"augmentation": Augmentation(rotation=20.0, flip=False)}),
    "flip": ("muon", {"augmentation": Augmentation()}),
    "poses": ("muon", {"pose_repeats": (5, 2, 1, 2, 5), "epochs": 5}),
    "wide": ("muon", {"arguments": {"branches": 6, "width": 2}}),
    "teacher_0.5": ("muon", {"teacher": "rcn6_wide"}),
    "teacher_1": ("muon", {"teacher": "rcn6_wide", "teacher_weight": 1.0}),
    "average": ("muon", {}),
    "gamma": ("muon", {}),
}

# The paper searched TCDCN's settings too: around those of Table 3, each the other way,
# and all of them as TCDCN has them, under the augmentation of the other networks.
TCDCN = dataclasses.replace(RECIPES["table3_tcdcn"], epochs=6)


def tcdcn(**arguments):
    return {"arguments": TCDCN.arguments | arguments}


TCDCN_CHOICES = {
    "tcdcn": (None, {}),
    "tcdcn_occlusion": (
        "tcdcn",
        {"augmentation": Augmentation(rotation=20.0, flip=False)},
    ),
    "tcdcn_rotation_40": (
        "tcdcn",
        {"augmentation": Augmentation(flip=False, occlusion=False)},
    ),
    "tcdcn_absolute_tanh": ("tcdcn", tcdcn(activation="absolute_tanh")),
    "tcdcn_features_100": ("tcdcn", tcdcn(features=100)),
    "tcdcn_features_256": ("tcdcn", tcdcn(features=256)),
    "tcdcn_rate_1e-3": ("tcdcn", {"learning_rate": 1e-3}),
    "tcdcn_rate_4e-3": ("tcdcn", {"learning_rate": 4e-3}),
    "tcdcn_keypoints": ("tcdcn", tcdcn(attributes=False)),
    "tcdcn_unsearched": (
        "tcdcn",
        {"augmentation": Augmentation(flip=False)}
        | tcdcn(activation="absolute_tanh", features=100),
    ),
}
# The paper searched the jitter too (footnote 7): each of its amounts, less and more.
JITTER = RECIPES["table2_rcn6_occlusion"]
AMOUNTS = {
    "rotation": (0.0, 20.0, 30.0, 50.0, 60.0),
    "scale": (0.0, 0.05, 0.2),
    "translation": (0.0, 0.05, 0.2),
}


def jittered(**amount):
    return {"augmentation": dataclasses.replace(JITTER.augmentation, **amount)}


JITTER_CHOICES = {"jitter": (None, {})} | {
    f"jitter_{field}_{amount:g}": ("jitter", jittered(**{field: amount}))
    for field, amounts in AMOUNTS.items()
    for amount in amounts
}
# Of each search: the base, what its choices change, and the file of the numbers.
SEARCHES = {
    "rcn6": (BASE, CHOICES, "training_choices.csv"),
    "tcdcn": (TCDCN, TCDCN_CHOICES, "table3_search.csv"),
    "jitter": (JITTER, JITTER_CHOICES, "jitter_search.csv"),
}


def averaged():
    """At the end of each epoch the weights become their moving average."""
    steps = 9000 // BASE.batch_size
    optimizer = functools.partial(
        fit.ConvolutionMuon,
        use_ema=True,
        ema_momentum=0.99,
        ema_overwrite_frequency=steps,
    )
    return mock.patch.object(fit, "ConvolutionMuon", optimizer)


def brightened():
    """Each training image is raised to a power of 0.6 to 1.65."""
    augment = Augmenter.__call__

    def call(self, images, keypoints, squares, draws):
        images, keypoints = augment(self, images, keypoints, squares, draws)
        if self.training:
            # The draws have no number to spare: one that depends on all of them.
            number = ops.sum(draws, axis=1) * 97.0
            power = ops.exp(number - ops.floor(number) - 0.5)[:, None, None, None]
            images = 255.0 * (images / 255.0) ** power
        return images, keypoints

    return mock.patch.object(Augmenter, "__call__", call)


# What no recipe has: put in place while the choice is trained.
EXPERIMENTS = {"average": averaged, "gamma": brightened}


def main():
    example = "python benchmarks/training_choices.py --data MTFL --out runs"
    parser = common.parser(__doc__, example)
    parser.add_argument(
        "--out", type=pathlib.Path, required=True, help="folder of the trainings"
    )
    parser.add_argument(
        "--search", choices=SEARCHES, default="rcn6", help="default: %(default)s"
    )
    parser.add_argument(
        "--choices",
        nargs="+",
        metavar="CHOICE",
        help="of "
        + "; of ".join(", ".join(choices) for _, choices, _ in SEARCHES.values())
        + " (default: all)",
    )
    options = parser.parse_args()
    base, choices, file = SEARCHES[options.search]
    unknown = sorted(set(options.choices or ()) - set(choices))
    if unknown:
        parser.error(f"no choice of {options.search}: {', '.join(unknown)}")
    faces = functools.cache(lambda: load_training(options.data))
    rows = []
    for name in options.choices or choices:
        before, changes = choices[name]
        recipe = dataclasses.replace(base, **changes)
        folder = options.out / f"choice_{name}"
        common.say(name)
        if not is_finished(folder):
            with EXPERIMENTS.get(name, contextlib.nullcontext)():
                fit.train(recipe, *faces(), folder, resume=True, echo=common.say)
        rows.append(row(name, before, changes, folder))
        common.write_rows(options.results / file, rows)


def is_finished(folder):
    """Whether a folder holds a training with all of its epochs."""
    log = read_log(folder / "log.csv")
    return bool(log) and len(log) >= read_recipe(folder).epochs


def row(name, before, changes, folder):
    """The row of a finished training."""
    log, recipe, run = (
        read_log(folder / "log.csv"),
        read_recipe(folder),
        read_run(folder),
    )
    last = log[-1]
    text = "; ".join(f"{field}={value}" for field, value in changes.items())
    if name in EXPERIMENTS:
        text = EXPERIMENTS[name].__doc__
    return {
        "choice": name,
        "before": before or "",
        "changes": text,
        "epochs": recipe.epochs,
        "seed": recipe.seed,
        "precision": recipe.precision,
        "loss": round(last["loss"], 4),
        "validation_subpixel": round(100 * last["val_nme_clean"], 4),
        "validation_paper_grid": round(100 * last["val_nme_clean_grid"], 4),
        "validation_jittered": round(100 * last["val_nme"], 4),
        "training_minutes": round(sum(each["seconds"] for each in log) / 60, 1),
        "training_device": run["device"],
        "training_date": run["date"],
    }


if __name__ == "__main__":
    common.run(main)
