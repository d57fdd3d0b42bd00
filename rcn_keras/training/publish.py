"""From a finished training to a preset: decoder and confidence, both by validation."""

import json
import pathlib
import shutil

import keras
import numpy as np

from rcn_keras import codec
from rcn_keras.data.annotations import KEYPOINT_NAMES
from rcn_keras.data.augmentation import Augmentation
from rcn_keras.data.batches import input_images
from rcn_keras.errors import InputError
from rcn_keras.evaluation.errors import normalized_errors
from rcn_keras.evaluation.inference import decoded_model, run
from rcn_keras.files import replaced
from rcn_keras.layers import KeypointDecoder
from rcn_keras.models import BUILDERS
from rcn_keras.presets import load_weights, save_preset
from rcn_keras.training.callbacks import read_log


def publish(run_folder, validation, out):
    """Writes a preset from a training's best weights.

    The decoder is the sub-pixel rule with the lowest error on the clean validation
    faces; the line of the confidence is fitted on the clean and the jittered and
    occluded ones together.

    Args:
        run_folder: folder that `rcn-keras train` left.
        validation: `Crops` of the validation split.
        out: folder of the preset.

    Returns:
        dict, the preset's configuration.

    Raises:
        InputError: if the folder holds no finished epoch.
    """
    run_folder, out = pathlib.Path(run_folder), pathlib.Path(out)
    recipe_file = run_folder / "recipe.json"
    if not recipe_file.is_file():
        raise InputError(f"{recipe_file}: no such file (is this a training's folder?)")
    try:
        recipe = json.loads(recipe_file.read_text())
    except ValueError as error:
        raise InputError(f"{recipe_file}: damaged ({error})") from None
    keras.config.set_dtype_policy("float32")
    model = BUILDERS[recipe["model"]](**recipe["arguments"], name=recipe["model"])
    load_weights(model, run_folder / "best.weights.h5")

    clean = input_images(validation)
    jittered = input_images(validation, Augmentation(flip=False), seed=0)
    decoded = run(decoded_model(model), clean[0])
    errors = {
        method: float(normalized_errors(clean[1], decoded[method]).mean())
        for method in codec.DECODERS
    }
    decoder = min(errors, key=errors.get)
    grid = normalized_errors(clean[1], decoded["argmax"], grid=True).mean()
    bare = keras.Model(model.input, KeypointDecoder(decoder)(model.output))
    bare.compile(jit_compile=keras.backend.backend() == "jax")
    mass, correct = [], []
    for images, keypoints in (clean, jittered):
        found = run(bare, images)
        mass.append(found["confidence"].ravel())
        error = normalized_errors(keypoints, found["keypoints"])
        correct.append((error < 0.1).ravel())
    slope, offset = fit_line(np.concatenate(mass), np.concatenate(correct))

    run_file = run_folder / "run.json"
    made = json.loads(run_file.read_text()) if run_file.is_file() else {}
    log = read_log(run_folder / "log.csv")
    config = {
        "model": recipe["model"],
        "arguments": recipe["arguments"],
        "decoder": decoder,
        "calibration": [round(slope, 4), round(offset, 4)],
        "keypoints": KEYPOINT_NAMES[model.output_shape[-1]],
        "input": {"size": 80, "channels": 1, "values": "grey 0...255"},
        "crop": "square of 5 keypoints, ratio 0.95 (rcn_keras.faces.boxes)",
        "validation": {
            "faces": len(validation),
            "subpixel_nme": {k: round(100 * v, 4) for k, v in errors.items()},
            "paper_grid_nme": round(100 * float(grid), 4),
        },
        "paper": recipe["paper"],
        "recipe": recipe,
        "trained_epochs": len(log),
        "trained_on": made,
        "training_minutes": round(sum(row["seconds"] for row in log) / 60, 1),
        "license": "weights: Apache-2.0; their training data (MTFL): research",
        "reference": "Honari et al., Recombinator Networks, CVPR 2016",
    }
    save_preset(out, model, config)
    with replaced(out / "training_log.csv") as temporary:
        shutil.copyfile(run_folder / "log.csv", temporary)
    return config


def fit_line(mass, correct, steps=100):
    """Logistic regression of "correct" on the log odds of the mass, by Newton's method.

    Args:
        mass: `(M,)` in (0, 1).
        correct: `(M,)` bool.
        steps: int, at most.

    Returns:
        slope, offset: floats.
    """
    mass = np.clip(np.asarray(mass, "float64"), 1e-6, 1 - 1e-6)
    x = np.stack([np.log(mass) - np.log1p(-mass), np.ones_like(mass)], axis=1)
    weights = np.array([1.0, 0.0])
    for _ in range(steps):
        p = 1 / (1 + np.exp(-np.clip(x @ weights, -30, 30)))
        gradient = x.T @ (p - correct)
        curvature = (x * (p * (1 - p))[:, None]).T @ x + 1e-6 * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        weights = weights - step
        if np.abs(step).max() < 1e-8:
            break
    return float(weights[0]), float(weights[1])
