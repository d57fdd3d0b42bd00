"""The model card of a preset, written from its configuration and measured numbers."""

import itertools
import pathlib
import textwrap

from rcn_keras._types import PathLike
from rcn_keras.errors import InputError
from rcn_keras.files import read_csv, replaced
from rcn_keras.presets import card_texts, load_preset

CARD = "README.md"  # its file in a preset's folder


# The columns of results that are numbers of the card.
_NUMBERS = ("nme_percent", "ci95_low", "ci95_high", "failure_rate_10_percent")

FEW = 10  # keypoints that are named one by one


def _network(config, layout):
    """What the network is, what it does, and the line of code that uses it."""
    kind, arguments = config["model"], config["arguments"]
    points = f"{layout.count} points"
    if layout.count <= FEW:
        points = ", ".join(layout.names).replace("_", " ")
    face = layout.name in card_texts.BY_LAYOUT
    whole = "a face" if face else f"the layout `{layout.name}`"
    given = '"photo.jpg"' if face else '"photo.jpg", boxes=[[x0, y0, x1, y1]]'
    size = f"{config['input']['size']}x{config['input']['size']}"
    finds = f"{points} of {whole} from a grey crop of {size} pixels, with a confidence"
    predict = f'faces = rcn_keras.Predictor("{{name}}")({given})'
    if kind == "denoiser":
        return (
            "Denoising keypoint model",
            f"where each of {layout.count} points of {whole} should be, given the "
            f"others as one-hot maps of {size} cells",
            'denoiser = rcn_keras.from_preset("{name}")',
        )
    if kind == "joint":
        parts = config["parts"]
        names = [f"`{parts[part]['name']}`" for part in ("rcn", "denoiser")]
        title = f"Joint model of {' and '.join(names)}"
        return title, f"{finds} for each", predict
    title = {"rcn": "Recombinator Network", "sumnet": "SumNet"}[kind]
    return f"{title} of {arguments['branches']} branches", f"{finds} for each", predict


def check_results(results: PathLike | None) -> None:
    """Whether the numbers of a file of results can be read, where one is named.

    Raises:
        InputError: if not.
    """
    if results is not None:
        _measured(results)


def write_card(folder: PathLike, results: PathLike | None = None) -> None:
    """Writes `README.md` of a preset.

    Args:
        folder: path of the preset.
        results: path of a results file (`rcn-keras evaluate --csv`), or `None`: then
            the card holds validation numbers only.
    """
    folder = pathlib.Path(folder)
    preset = load_preset(folder)
    config = preset.config
    recipe, origin = config["recipe"], config["trained_on"]
    validation, layout = config["validation"], preset.model.layout
    held_out = (
        card_texts.VALIDATION if layout.name in card_texts.BY_LAYOUT else "validation"
    )
    best = validation["subpixel_nme"][config["decoder"]]
    grid = validation["paper_grid_nme"]
    rows = [
        f"| {held_out} | paper grid | {validation['faces']} | {grid:.2f} | | |",
        f"| {held_out} | sub-pixel | {validation['faces']} | {best:.2f} | | |",
    ]
    for row in _measured(results) if results else []:
        if row["model"] != preset.name or row["set"] == "validation":
            continue
        count = row["detected"] or row["faces"]
        error, low, high, failures = (row[name] for name in _NUMBERS)
        rows.append(
            f"| {row['set_name']} | {row['protocol']} | {count} of {row['faces']} "
            f"| {error} | {low} to {high} | {failures} |"
        )
    kind, what, use = _network(config, layout)
    # A short training has a shorter finish than its recipe.
    finish = config.get("finish_epochs", recipe["finish_epochs"])
    parameters = preset.model.count_params()
    text = card_texts.CARD.format(
        name=preset.name,
        summary=textwrap.fill(f"{kind}, {parameters:,} parameters: {what}.", 88),
        use=use.format(name=preset.name),
        seed=recipe["seed"],
        epochs=f"{config['trained_epochs']} epochs",
        precision=recipe["precision"],
        augmentation=_settings(recipe["augmentation"])
        + (
            f"; in the last {finish} epochs {_settings(recipe['finish'])}"
            if finish
            else ""
        ),
        command=origin.get("command", "?"),
        remark=f"| remark | {origin['remark']} |\n" if "remark" in origin else "",
        device=origin.get("device", "?"),
        backend=origin.get("backend", "?"),
        minutes=config["training_minutes"],
        validation=validation["faces"],
        numbers="\n".join(rows) + _paper_rows(config["paper"]),
        **_differing(config, layout),
    )
    with replaced(folder / CARD) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _differing(config, layout):
    """What the card says by the kind of network and its keypoints."""
    texts = _texts(layout)
    faces = config["trained_on"].get("faces")
    texts["used"] = f": {sum(faces.values()):,} faces" if faces else ""
    texts["further"] = _before(config)
    scored = config.get("face_calibration")
    texts["also"] = "; decoder, confidence" + (
        " and face score too" if scored else " too"
    )
    texts["face_score"] = (
        card_texts.FACE_SCORE.format(backgrounds=config["backgrounds"])
        if scored
        else card_texts.NO_FACE_SCORE
    )
    if config["model"] == "denoiser":
        texts["measure"] = card_texts.MEASURE_DENOISER.format(
            moved=config["recipe"]["corrupted"]
        )
        texts["notes"] = "The joint model's card says what it adds to an RCN."
    if config["model"] == "joint":
        part = config["parts"]["denoiser"]
        texts["further"] = (
            f"| denoiser | `{part['trained_on'].get('command', '?')}`; "
            f"{part['trained_epochs']} epochs, {part['training_minutes']} minutes |\n"
            "| factor of its maps | "
            f"{config['arguments']['denoiser_weight']}, by validation (`fitted` in "
            "`config.json`) |\n" + _learned_by(config["recipe"])
        )
    return texts


def _texts(layout):
    """What the card says of its data and of the unit of its errors."""
    if layout.name not in card_texts.BY_LAYOUT:
        return card_texts.OTHERS | {
            "measure": card_texts.MEASURE_OTHERS.format(unit=layout.unit)
        }
    texts = card_texts.BY_LAYOUT[layout.name] | {
        "tag": "face-landmarks",
        "measure": card_texts.MEASURE,
    }
    texts["rights"] = card_texts.RIGHTS.format(sets=texts["sets"])
    return texts | {"limits": card_texts.LIMITS.format(limits=texts["limits"])}


def _before(config):
    """The rows of pre-training, oversampling and what `_learned_by` adds."""
    before, text = config["trained_on"].get("before"), ""
    if before:
        command = before["trained_on"].get("command", "?")
        text = (
            f"| of these before | {before['trained_epochs']} epochs, "
            f"{before['training_minutes']} minutes, `{command}` |\n"
        )
    times = config["recipe"].get("pose_repeats")
    if times:
        repeats = ", ".join(map(str, times))
        text += f"| faces repeated | by MTFL's pose, 1 to 5: {repeats} times |\n"
    return text + _learned_by(config["recipe"])


def _learned_by(recipe):
    """The rows of what the paper does not have: normalisation, Muon, a teacher."""
    rows = {
        "optimiser": {"muon": "Muon for the kernels, Adam for the rest"}.get(
            recipe["optimizer"]
        ),
        "normalisation": {
            "batch": "batch normalisation in training, folded into these weights"
        }.get(recipe.get("normalization")),
        "teacher": recipe.get("teacher")
        and f"`{recipe['teacher']}`, whose maps count {recipe['teacher_weight']}, the "
        "labels the rest",
    }
    return "".join(f"| {name} | {text} |\n" for name, text in rows.items() if text)


def _paper_rows(paper):
    names = {"aflw": "AFLW", "afw": "AFW, 377 faces"}
    return "".join(
        f"\n| {names.get(name, name.replace('300w_', '300-W '))}, the paper's "
        f"| paper_grid | | {error:.2f} | | |"
        for name, error in paper.items()
    )


def _measured(results):
    """The rows of a file of results, their numbers as the card has them."""
    what = "results of `rcn-keras evaluate --csv`"
    columns = "model", "set", "set_name", "protocol", "faces", "detected", *_NUMBERS
    rows = read_csv(results, columns, what)
    try:
        for row, name in itertools.product(rows, _NUMBERS):
            # Of no face that was found there is none.
            row[name] = f"{float(row[name]):.2f}" if row[name] else "-"
    except ValueError as error:
        raise InputError(f"{results}: not {what} ({error})") from None
    return rows


def _settings(augmentation):
    return ", ".join(f"{name} {value}" for name, value in augmentation.items())
