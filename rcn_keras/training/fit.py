"""A thin `model.fit`: one recipe, one folder, resumable at any moment."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import pathlib
import time
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops

from rcn_keras._types import Echo, PathLike
from rcn_keras.data.attributes import repeated_by_pose
from rcn_keras.dtype_policy import dtype_policy
from rcn_keras.errors import InputError
from rcn_keras.layers.tiling_conv2d import untiled
from rcn_keras.models import KeypointModel
from rcn_keras.presets import load_weights
from rcn_keras.provenance import accelerators, emulates_bfloat16
from rcn_keras.random_state import random_state
from rcn_keras.training.callbacks import Progress, Validation, validation_text
from rcn_keras.training.muon import ConvolutionMuon
from rcn_keras.training.network import build_model, take_weights
from rcn_keras.training.normalization import normalized, unfold
from rcn_keras.training.recipe import Recipe, finish_length, read_recipe, with_precision
from rcn_keras.training.run_folder import (
    BEST,
    LAST,
    check_folder,
    same_data,
    write_start,
)
from rcn_keras.training.tasks import make_task

if TYPE_CHECKING:
    from rcn_keras.data.crops import Crops


def train(
    recipe: Recipe,
    training: Crops,
    validation: Crops,
    out: PathLike,
    resume: bool = False,
    strategy: Any = None,
    echo: Echo = print,
) -> KeypointModel:
    """Trains a recipe; everything it leaves stands in `out`.

    `recipe.json`, `run.json` (machine, day, command), `log.csv` (a row an epoch; of the
    fine-tuned preset `before.csv`), `training.png`, `last.keras` (to resume) and
    `best.weights.h5` (lowest validation error). A run that was killed and resumed sees
    the same batches and ends with the same weights as one that ran through.

    Args:
        recipe: `Recipe`.
        training, validation: `Crops`.
        out: folder, made if missing.
        resume: bool, continue from `out/last.keras` if there is one.
        strategy: `None`, or a `tf.distribute` strategy to build the model under.
        echo: callable that takes a line of progress.

    Returns:
        `keras.Model` with the best weights.

    Raises:
        InputError: if `out` holds another run and `resume` is off, a run of another
            recipe or other faces, or damaged files; if there are too few faces, or the
            loss becomes NaN.
        ImportError: if Keras runs on a backend that only predicts.
    """
    if keras.backend.backend() not in ("tensorflow", "jax"):
        raise ImportError(
            "training needs Keras on TensorFlow or JAX: KERAS_BACKEND=tensorflow or jax"
        )
    out = pathlib.Path(out)
    faces = {"training": len(training), "validation": len(validation)}
    if check_folder(out, recipe, resume):
        same_data(out, faces)
        recipe = dataclasses.replace(recipe, precision=read_recipe(out).precision)
    else:
        recipe = with_precision(recipe)
        write_start(out, recipe, faces)
    if recipe.precision == "mixed_bfloat16" and emulates_bfloat16():
        echo(
            "this processor has no bfloat16 instructions, the training will be many "
            "times slower than with --precision float32"
        )
    with dtype_policy(recipe.precision), random_state(recipe.seed):
        return _trained(recipe, training, validation, out, strategy, echo)


def _trained(recipe, training, validation, out, strategy, echo):
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
            f"{out / 'log.csv'}: has {len(watch.rows)} epochs, {LAST} "
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
    finish = finish_length(recipe)
    yield recipe.augmentation, recipe.epochs - finish
    yield recipe.finish, recipe.epochs


def _plot(rows, path, echo):
    try:
        from rcn_keras.plotting import plot_training

        plot_training(rows, path)
    except ImportError as error:
        echo(f"no plot of the training: {error}")


def make_optimizer(recipe: Recipe, steps: int) -> keras.optimizers.Optimizer:
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
                f"{out / LAST}: damaged, the training cannot be resumed ({error})"
            ) from None
        if on_cpu:
            trained.jit_compile = False  # the training may have begun on a GPU
        return trained
    if recipe.weights:
        take_weights(model, recipe.weights)
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
