"""From a finished training to a preset: decoder, confidence and face score, all by
validation."""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING, Any

import numpy as np
from keras import ops

from rcn_keras import codec
from rcn_keras._types import PathLike
from rcn_keras.dtype_policy import dtype_policy
from rcn_keras.errors import InputError
from rcn_keras.evaluation.errors import normalized_errors
from rcn_keras.layers import PeakOneHot
from rcn_keras.layout import FACE_5, FACE_68
from rcn_keras.models import JointModel
from rcn_keras.models.keypoint_model import compiled
from rcn_keras.presets import (
    LOG,
    Preset,
    check_free,
    load_preset,
    load_weights,
    save_preset,
)
from rcn_keras.training.calibration import choose_decoder, face_calibration
from rcn_keras.training.callbacks import read_log, write_log
from rcn_keras.training.network import build_model
from rcn_keras.training.recipe import as_dict, finish_length, read_recipe
from rcn_keras.training.recipes import TABLE_4
from rcn_keras.training.run_folder import BEFORE, BEST, read_run
from rcn_keras.training.tasks import validation_sets

if TYPE_CHECKING:
    from rcn_keras.data.crops import Crops


# What the factor of the denoiser's maps is chosen from.
FACTORS = (0.0, 0.125, 0.25, 0.375, 0.5, 0.75, 1.0, 1.5, 2.0)

# By the name of the layout, whose training data are known.
LICENSES = {
    FACE_5.name: "weights: Apache-2.0; their training data (MTFL): research",
    FACE_68.name: "weights: Apache-2.0; their training data (300-W): research",
}


@dtype_policy("float32")
def publish(run_folder: PathLike, validation: Crops, out: PathLike) -> dict[str, Any]:
    """Writes a preset from a training's best weights.

    The decoder is the sub-pixel rule with the lowest error on the clean validation
    faces; the line of the confidence is fitted on the clean and the jittered and
    occluded ones together, that of the face score on these and on backgrounds of their
    photographs. Where the photographs are not at hand (packed faces) or leave too few
    backgrounds, the preset has no face score: it is NaN.

    Args:
        run_folder: folder of a training (`rcn-keras train --out`).
        validation: `Crops` of the validation split.
        out: folder of the preset.

    Returns:
        dict, the preset's configuration.

    Raises:
        InputError: if the folder holds no finished epoch.
    """
    run_folder, out = pathlib.Path(run_folder), pathlib.Path(out)
    recipe = read_recipe(run_folder)
    recipe_fields, kind = as_dict(recipe), recipe.model
    del recipe_fields["layout"]  # It stands beside.
    origin, log = read_run(run_folder), read_log(run_folder / "log.csv")
    if not log:
        raise InputError(f"{run_folder / 'log.csv'}: no finished epoch in it")
    check_free(out, kind)
    # A denoiser is measured as it was trained, with the keypoints drawn inside.
    model = build_model(recipe)
    load_weights(model, run_folder / BEST)
    log = read_log(run_folder / BEFORE) + log  # the whole history of the network
    log = [row | {"epoch": epoch} for epoch, row in enumerate(log, 1)]
    if "faces" in origin:
        same_faces(str(run_folder), origin["faces"]["validation"], validation)
    sets = validation_sets(kind, validation, recipe.corrupted)
    measured = choose_decoder(model, *sets)
    if kind != "denoiser":  # which sees no photograph
        measured |= face_calibration(model, sets, validation)
    config = {
        "model": kind,
        "arguments": recipe_fields["arguments"],
        **measured,
        **_facts(kind, model),
        **_refinements(validation),
        "paper": recipe_fields["paper"],
        "recipe": recipe_fields,
        "finish_epochs": finish_length(recipe),
        "trained_epochs": len(log),
        "trained_on": origin,
        "training_minutes": round(sum(row["seconds"] for row in log) / 60, 1),
    }
    save_preset(out, model, config)
    write_log(out / LOG, log)
    return config


def _facts(kind, model):
    """What a preset says of its keypoints and of what goes in: a denoiser sees no
    picture."""
    layout = model.layout
    facts = {
        "layout": layout.to_dict(),
        "license": LICENSES.get(layout.name, "as that of the training data"),
        "reference": "Honari et al., Recombinator Networks, CVPR 2016",
    }
    if kind == "denoiser":
        channels, values = layout.count, "one-hot maps of the keypoints"
    else:
        channels, values = 1, "grey 0...255"
        facts["crop"] = (
            f"square of {layout.count} keypoints, ratio {layout.square.inner} "
            "(rcn_keras.faces.boxes)"
        )
    size = model.input_size
    return facts | {"input": {"size": size, "channels": channels, "values": values}}


def _refinements(validation):
    """No second pass where training cut the network's input out by given boxes, which
    may not lie around the points as its squares would."""
    boxed = validation.layout.detector_square is None and any(
        "box" in face.attributes for face in validation.faces
    )
    return {"refinements": 0} if boxed else {}


def joint_parts(rcn: PathLike, denoiser: PathLike) -> dict[str, Preset]:
    """The presets of a joint model's parts.

    Args:
        rcn, denoiser: str, names or folders of presets.

    Returns:
        dict of `rcn` and `denoiser`, each a `Preset`.

    Raises:
        InputError: if one is missing or of another kind, or they do not fit together.
    """
    parts = {"rcn": load_preset(rcn), "denoiser": load_preset(denoiser)}
    for kind, name in (("rcn", rcn), ("denoiser", denoiser)):
        other_kind = parts[kind].config["model"]
        if other_kind != kind:
            raise InputError(
                f"{name}: expected a preset of kind {kind}; found {other_kind}"
            )
    finds, takes = (part.model.layout for part in parts.values())
    if finds.name != takes.name:
        raise InputError(
            f"{rcn} finds {finds.count} keypoints ({finds.name}), {denoiser} takes "
            f"{takes.count} ({takes.name})"
        )
    return parts


@dtype_policy("float32")
def publish_joint(
    parts: dict[str, Preset], validation: Crops, out: PathLike
) -> dict[str, Any]:
    """Writes the preset of a joint model from those of its parts.

    The factor of the denoiser's maps is that with the lowest error (`"local_mean"`) on
    the validation faces, clean and jittered and occluded together.

    Args:
        parts: dict, as from `joint_parts`.
        validation: `Crops` of the validation split.
        out: folder of the preset.

    Returns:
        dict, the preset's configuration.

    Raises:
        InputError: if these are not the faces that the parts were validated on.
    """
    for part in parts.values():
        same_faces(part.name, part.config["validation"]["faces"], validation)
    rcn, denoiser = parts["rcn"].model, parts["denoiser"].model
    sets = validation_sets("joint", validation)
    errors = _errors_of_factors(rcn, denoiser, sets)
    factor = min(errors, key=errors.__getitem__)
    model = JointModel(rcn, denoiser, denoiser_weight=factor)
    first, both = parts["rcn"].config, [part.config for part in parts.values()]
    measured = choose_decoder(model, *sets)
    measured |= face_calibration(model, sets, validation)
    config = {
        "model": "joint",
        "arguments": {
            "rcn": first["arguments"],
            "denoiser": parts["denoiser"].config["arguments"],
            "denoiser_weight": factor,
        },
        **measured,
        **_facts("joint", model),
        "parts": {kind: _origin(part) for kind, part in parts.items()},
        "fitted": [
            {"denoiser_weight": key, "validation_nme": round(100 * error, 4)}
            for key, error in errors.items()
        ],
        "paper": TABLE_4["joint"],
        "recipe": first["recipe"],
        "trained_epochs": "+".join(str(each["trained_epochs"]) for each in both),
        "trained_on": first["trained_on"],
        "training_minutes": round(sum(each["training_minutes"] for each in both), 1),
    }
    if all(part.shipped for part in parts.values()):
        config["weights_from"] = {kind: part.name for kind, part in parts.items()}
    save_preset(out, model, config)
    return config


def _origin(preset):
    kept = ("recipe", "trained_epochs", "trained_on", "training_minutes")
    return {"name": preset.name} | {key: preset.config[key] for key in kept}


def same_faces(name: str, count: int, validation: Crops) -> None:
    """Whether these may be the faces that a network was validated on.

    Raises:
        InputError: if their number is another than `count`.
    """
    if count != len(validation):
        raise InputError(
            f"{name} was validated on {count} faces, this data gives "
            f"{len(validation)}: pass the folder (and --allow-missing) that it was "
            "trained with, or the split is another one"
        )


def _errors_of_factors(rcn, denoiser, sets, batch_size=50):
    """The mean validation error for each of `FACTORS`; both networks run once."""
    seen = rcn.output
    both = compiled(rcn.input, [seen, denoiser(PeakOneHot()(seen))])
    errors = {factor: [] for factor in FACTORS}
    for inputs, keypoints, counted in sets:
        for start in range(0, len(inputs), batch_size):
            part = slice(start, start + batch_size)
            maps, prior = both.predict_on_batch(inputs[part].astype("float32"))
            for factor, of_factor in errors.items():
                decoded = codec.decode(ops.convert_to_tensor(maps + factor * prior))
                error = normalized_errors(
                    keypoints[part], ops.convert_to_numpy(decoded), rcn.layout
                )
                of_factor.append(error[counted[part]])
    return {
        key: float(np.concatenate(of_factor).mean())
        for key, of_factor in errors.items()
    }
