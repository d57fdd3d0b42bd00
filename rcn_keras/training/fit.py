"""A thin `model.fit`: one recipe, one folder, resumable at any moment."""

import contextlib
import dataclasses
import itertools
import json
import pathlib
import time

import keras
import numpy as np
from keras import ops

from rcn_keras.data.attributes import repeated_by_pose
from rcn_keras.dtype_policy import dtype_policy
from rcn_keras.errors import InputError
from rcn_keras.files import check_writable, read_text, replaced
from rcn_keras.layers.tiling_conv2d import untiled
from rcn_keras.models import BUILDERS
from rcn_keras.presets import (
    CONFIG,
    LOG,
    load_preset,
    load_weights,
    preset_folder,
    read_config,
)
from rcn_keras.provenance import accelerators, emulates_bfloat16, record
from rcn_keras.training.callbacks import (
    Progress,
    Validation,
    read_log,
    validation_text,
    write_log,
)
from rcn_keras.training.muon import ConvolutionMuon
from rcn_keras.training.normalization import normalized, unfold
from rcn_keras.training.recipes import (
    RECIPE,
    as_dict,
    finish_length,
    layout,
    read_recipe,
    with_precision,
)
from rcn_keras.training.tasks import make_task

LAST = "last.keras"  # weights and optimiser at the end of the last full epoch
RUN = "run.json"  # machine, day, command and number of faces
BEST = "best.weights.h5"  # weights with the lowest validation error
BEFORE = "before.csv"  # the log of the preset that is fine-tuned
MAPS = "maps"  # what the names of layers that give keypoint maps begin with
# What is kept of that preset's configuration.
TOLD = ("trained_epochs", "training_minutes", "trained_on", "recipe")


def train(recipe, training, validation, out, resume=False, strategy=None, echo=print):
    """Trains a recipe; everything it leaves stands in `out`.

    `recipe.json`, `run.json` (machine, day, command), `log.csv` (a row an epoch; of the
    fine-tuned preset `before.csv`), `training.png`, `last.keras` (to resume) and
    `best.weights.h5` (lowest validation error). A run that was killed and resumed sees
    the same batches and ends with the same weights as one that ran through.

    Args:
        recipe: `Recipe`.
        training, validation: `Crops`.
        out: folder, made if missing.
        resume: bool, go on from `out/last.keras` if there is one.
        strategy: `None`, or a `tf.distribute` strategy to build the model under.
        echo: callable that takes a line of progress.

    Returns:
        `keras.Model` with the best weights.

    Raises:
        InputError: if `out` holds another run and `resume` is off, a run of another
            recipe or other faces, or damaged files; if there are too few faces, or the
            loss becomes NaN.
    """
    out = pathlib.Path(out)
    faces = {"training": len(training), "validation": len(validation)}
    if check_folder(out, recipe, resume):
        same_data(out, faces)
        recipe = dataclasses.replace(recipe, precision=read_recipe(out).precision)
    else:
        recipe = with_precision(recipe)
        _begin(out, recipe, faces)
    if recipe.precision == "mixed_bfloat16" and emulates_bfloat16():
        echo(
            "this processor has no bfloat16 instructions, the training will be many "
            "times slower than with --precision float32"
        )
    with dtype_policy(recipe.precision):
        return _trained(recipe, training, validation, out, strategy, echo)


def _trained(recipe, training, validation, out, strategy, echo):
    keras.utils.set_random_seed(recipe.seed)
    if recipe.pose_repeats:
        training = repeated_by_pose(training, recipe.pose_repeats)
    steps = len(training) // recipe.batch_size
    if steps < 1:
        raise InputError(
            f"{len(training)} training faces are fewer than one batch "
            f"({recipe.batch_size})"
        )
    task = make_task(recipe, training, validation)
    with strategy.scope() if strategy else contextlib.nullcontext():
        model = build_model(recipe)
        trained = _compiled_model(model, recipe, task, steps, out)
    first_epoch = int(np.asarray(trained.optimizer.iterations)) // steps

    progress = Progress(recipe.epochs, steps, recipe.batch_size, echo)
    watch = Validation(
        out,
        model,
        clean=task.clean,
        jittered=task.jittered,
        first_epoch=first_epoch,
        patience=recipe.patience,
        progress=progress,
    )
    if len(watch.rows) < first_epoch:
        raise InputError(
            f"{out / 'log.csv'}: tells of {len(watch.rows)} epochs, {LAST} of "
            f"{first_epoch}; begin again in another folder"
        )
    if recipe.weights and not first_epoch:
        echo(f"{recipe.weights}: {validation_text(watch.errors())}")
    started = time.monotonic()
    for augmentation, end in _phases(recipe):
        if first_epoch >= end or watch.exhausted():
            continue
        trained.fit(
            task.batches(augmentation, first_epoch),
            epochs=end,
            initial_epoch=first_epoch,
            steps_per_epoch=steps,
            verbose=0,
            shuffle=False,
            callbacks=[progress, watch],
        )
        first_epoch = end
    _plot(watch.rows, out / "training.png", echo)
    echo(f"trained for {(time.monotonic() - started) / 60:.1f} minutes")
    load_weights(model, out / BEST)
    return model


def _phases(recipe):
    """(augmentation, the epoch it ends with) of each part of a training."""
    finish = finish_length(recipe.finish_epochs, recipe.epochs)
    yield recipe.augmentation, recipe.epochs - finish
    yield recipe.finish, recipe.epochs


def _plot(rows, path, echo):
    try:
        from rcn_keras.plotting import plot_training

        plot_training(rows, path)
    except ImportError as error:
        echo(f"no plot of the training: {error}")


def build_model(recipe):
    """The untrained model of a recipe; a denoiser takes keypoints, not their maps."""
    own = {"from_keypoints": True} if recipe.model == "denoiser" else {}
    return BUILDERS[recipe.model](
        **recipe.arguments, **own, layout=layout(recipe), name=recipe.model
    )


def make_optimizer(recipe, steps):
    """The optimiser of a recipe with its schedule over `steps` steps an epoch."""
    if recipe.optimizer == "adadelta":
        return keras.optimizers.Adadelta(learning_rate=1.0, rho=0.95, epsilon=1e-8)
    schedule = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0,
        warmup_target=recipe.learning_rate,
        warmup_steps=recipe.warmup_steps,
        decay_steps=max(recipe.epochs * steps - recipe.warmup_steps, 1),
        alpha=recipe.final_rate,
    )
    if recipe.optimizer == "muon":
        return ConvolutionMuon(schedule)
    return keras.optimizers.Adam(schedule, clipnorm=recipe.clipnorm)


def _compiled_model(model, recipe, task, steps, out):
    """What is trained: the network itself, or a twin that is folded into it."""
    # XLA halves the speed of these networks on a CPU; "auto" would choose it.
    on_cpu = keras.backend.backend() == "tensorflow" and not accelerators()
    if (out / LAST).exists():
        try:
            trained = keras.saving.load_model(out / LAST)
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise InputError(
                f"{out / LAST}: damaged, the training cannot go on from it ({error})"
            ) from None
        if on_cpu:
            trained.jit_compile = False  # the training may have begun on a GPU
        return trained
    if recipe.weights:
        _take_weights(model, recipe.weights)
    # A processor multiplies less without tiles; an accelerator is not held up by them.
    trained = untiled(model) if on_cpu else model
    if recipe.normalization:
        trained = normalized(trained)
        if recipe.weights:
            unfold(model, trained, _some_images(task.batches(recipe.augmentation, 0)))
    trained.compile(
        optimizer=make_optimizer(recipe, steps),
        loss=task.loss,
        loss_weights=task.loss_weights,
        jit_compile=False if on_cpu else "auto",
    )
    return trained


def _some_images(batches, count=8):
    """The images of the first training batches."""
    images = [x for x, _ in itertools.islice(iter(batches), count)]
    return np.concatenate([ops.convert_to_numpy(x) for x in images])


def same_keypoints(recipe):
    """Whether the preset that is fine-tuned finds the keypoints of the recipe."""
    return load_preset(recipe.weights).model.layout.names == layout(recipe).names


def _take_weights(model, preset):
    """Gives a network the weights of a preset's. Where that finds other keypoints, the
    layers of keypoint maps are new: zero, which makes all cells equally likely. The
    features are larger than in a new network; random kernels would lead far astray."""
    before = load_preset(preset).model
    same = before.layout.names == model.layout.names
    try:
        for layer, other in zip(model.layers, before.layers, strict=True):
            if same or layer.name.partition("_")[0] != MAPS:
                layer.set_weights(other.get_weights())
            elif isinstance(layer, keras.layers.Conv2D):
                layer.set_weights([np.zeros(w.shape) for w in layer.weights])
    except ValueError as error:
        raise InputError(
            f"{preset}: not the weights of this recipe's network ({error})"
        ) from None


def _begin(out, recipe, faces):
    """Writes what a training's folder says of its beginning."""
    run = record() | {"faces": faces}
    (out / BEFORE).unlink(missing_ok=True)
    if recipe.weights:
        folder = preset_folder(recipe.weights)
        config = read_config(folder)
        lacking = [name for name in TOLD if name not in config]
        if lacking:
            raise InputError(f"{folder / CONFIG}: does not tell {', '.join(lacking)}")
        run["before"] = {name: config[name] for name in TOLD}
        write_log(out / BEFORE, read_log(folder / LOG))
    for name, content in ((RUN, run), (RECIPE, as_dict(recipe))):
        with replaced(out / name) as temporary:
            temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def read_run(folder: pathlib.Path) -> dict:
    """What a training's folder says of its beginning, empty if nothing.

    Raises:
        InputError: if the file is damaged.
    """
    path = pathlib.Path(folder) / RUN
    text = read_text(path) if path.is_file() else "{}"
    try:
        return json.loads(text)
    except ValueError as error:
        raise InputError(f"{path}: damaged ({error})") from None


def same_data(folder, faces):
    """Checks that a resumed training has as many faces as it began with.

    Args:
        folder: of the training.
        faces: dict, the number of `"training"` and `"validation"` faces.

    Raises:
        InputError: if not.
    """
    before = read_run(folder).get("faces", faces)
    if before != faces:
        raise InputError(
            f"{folder}: was trained with {before['training']} faces and validated with "
            f"{before['validation']}; here are {faces['training']} and "
            f"{faces['validation']}. Give the same --data (and --allow-missing, if it "
            "was there)"
        )


def check_folder(out, recipe, resume):
    """Whether a folder may be used for this training.

    A folder without a finished epoch holds nothing to lose and is taken over.

    Args:
        out, recipe, resume: as for `train`.

    Returns:
        bool, whether there is a training to go on with.

    Raises:
        InputError: as `train`.
    """
    out = pathlib.Path(out)
    check_writable(out)
    asked = json.loads(json.dumps(as_dict(recipe)))
    path = out / RECIPE
    if (out / LAST).exists():
        if not resume:
            raise InputError(
                f"{out}: holds a training already; pass --resume to go on with it, or "
                "another folder"
            )
        before = as_dict(read_recipe(out))
        differing = [
            f"{name}: {before[name]!s:.80} there, {asked[name]!s:.80} asked for"
            for name in asked
            if asked[name] not in (before[name], "auto")
        ]
        if differing:
            raise InputError(
                f"{path}: the training in this folder has another recipe "
                f"({'; '.join(differing)})"
            )
        return True
    if recipe.weights:  # better refused here than after the faces are cropped
        _take_weights(build_model(recipe), recipe.weights)
    return False
