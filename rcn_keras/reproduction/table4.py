"""Table 4 of the paper, on 300-W: RCN, the denoiser and the joint model.

The denoiser is ours, a twentieth of the paper's (`denoiser_300w`).
"""

from __future__ import annotations

import functools
import pathlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rcn_keras._types import Echo, PathLike
from rcn_keras.data.three_hundred_w import subset_masks
from rcn_keras.evaluation.protocols import ground_truth_boxes_68
from rcn_keras.files import check_writable
from rcn_keras.models import JointModel
from rcn_keras.models.joint import joint_networks
from rcn_keras.presets import load_preset
from rcn_keras.presets.card import CARD, write_card
from rcn_keras.reproduction.results_file import add_row, has_row, row_key
from rcn_keras.reproduction.tables import trained, training_columns
from rcn_keras.training.publish import publish, publish_joint, same_faces
from rcn_keras.training.recipe import with_precision
from rcn_keras.training.recipes import TABLE_4, TABLE_4_49, get_recipe

if TYPE_CHECKING:
    from rcn_keras.data.crops import Crops


# The row of each network; the first two are recipes, the third is made of them.
ROWS = {"rcn": "rcn5_300w", "denoiser": "denoiser_300w", "joint": "joint_300w"}

PROTOCOLS = [
    f"{protocol}{points}{pictures}"
    for protocol in ("paper_grid", "subpixel")
    for points in ("", "_49")
    for pictures in ("", "_occluded")
]


def reproduce_table4(
    names: Sequence[str],
    training: Crops,
    validation: Crops,
    test: Crops,
    out: PathLike,
    results: PathLike,
    rows: Mapping[str, str] = ROWS,
    echo: Echo = print,
    **changes: Any,
) -> None:
    """Trains, publishes and measures what a results file lacks; may be stopped.

    Args:
        names: list of those of `rows` that are wanted.
        training, validation, test: `Crops` of 300-W.
        out: folder of the trainings, one folder each; the presets made of them stand in
            its folder `presets`.
        results: path of a CSV file, made if missing. A row: recipe, epochs, seed,
            device, minutes, parameters, errors of validation and of each part of the
            test faces in percent of the eye distance under `PROTOCOLS`, boxes from the
            true keypoints, and the paper's. The denoiser by itself gets RCN's peaks.
        rows: dict, the row's name of `"rcn"`, `"denoiser"` and `"joint"`.
        echo: callable that takes a line of progress.
        **changes: fields of both recipes to set, such as `epochs`.

    Raises:
        InputError: if a folder holds the training of another recipe, or a preset of
            other validation faces.
    """
    out, results = pathlib.Path(out), pathlib.Path(results)
    check_writable(results.parent)
    recipes = {
        kind: with_precision(get_recipe(rows[kind], **changes))
        for kind in ("rcn", "denoiser")
    }

    @functools.cache
    def part(kind):
        folder = trained(rows[kind], recipes[kind], training, validation, out, echo)
        preset = out / "presets" / folder.name
        return folder, _published(publish, folder, validation, preset)

    wanted = [(kind, name) for kind, name in rows.items() if name in names]
    for number, (kind, name) in enumerate(wanted, 1):
        trainings = tuple(recipes) if kind == "joint" else (kind,)
        key = row_key(name, *(recipes[each] for each in trainings))
        echo(f"{number}/{len(wanted)} {name}, {key['epochs']} epochs")
        parts = [f"300w_{subset}_subpixel" for subset in subset_masks(test.faces)]
        if has_row(results, key, parts, {"validation_faces": len(validation)}):
            echo("  is in the results already")
            continue
        needed = ("rcn",) if kind == "rcn" else ("rcn", "denoiser")
        presets = {each: part(each)[1] for each in needed}
        if kind == "joint":
            of_both = "_".join(presets[each].name for each in needed)
            folder = out / "presets" / f"{name}_{of_both}"
            presets["joint"] = _published(
                publish_joint, dict(presets), validation, folder
            )
        network = presets[kind].model
        if kind == "denoiser":
            network = joint_networks(JointModel(presets["rcn"].model, network))[
                "denoiser"
            ]
        row = key | training_columns(*(part(each)[0] for each in trainings))
        row["parameters"] = presets[kind].model.count_params()
        errors = ground_truth_boxes_68(network, validation)
        row |= _columns("validation", errors, slice(None))
        errors = ground_truth_boxes_68(network, test)
        for subset, mask in subset_masks(test.faces).items():
            row |= _columns(f"300w_{subset}", errors, mask)
            for ending, paper in (("", TABLE_4), ("_49", TABLE_4_49)):
                if kind in paper:
                    row[f"300w_{subset}_paper{ending}"] = paper[kind][f"300w_{subset}"]
        add_row(results, row)


def _published(make, source, validation, folder):
    """The preset of a folder, made if it is not there; its card is made last."""
    if not (folder / CARD).is_file():
        make(source, validation, folder)
        write_card(folder)
    preset = load_preset(folder)
    same_faces(preset.name, preset.config["validation"]["faces"], validation)
    return preset


def _columns(part, errors, mask):
    """The columns of a part of the faces, and their number."""
    chosen = {protocol: errors[protocol][mask] for protocol in PROTOCOLS}
    means = {
        f"{part}_{protocol}": round(100 * values.mean(), 4)
        for protocol, values in chosen.items()
    }
    return means | {f"{part}_faces": len(chosen["subpixel"])}
