"""What a bulk run does, written down before it starts."""

import hashlib
import json
import os
import pathlib
from typing import Any

from rcn_keras._types import DetectorChoice, Echo, PathLike
from rcn_keras.bulk import storage
from rcn_keras.errors import InputError
from rcn_keras.faces.box_file import boxes_of, read_boxes
from rcn_keras.faces.detect import detector_name, get_detector
from rcn_keras.faces.images import is_regular, left_out, list_images

PLAN, PHOTOGRAPHS = "plan.json", "photographs.jsonl"


def make_plan(
    pattern: str,
    output: str,
    model: str,
    shard_size: int | None,
    detector: DetectorChoice,
    box_file: PathLike | None,
    report: Echo = lambda line: None,
) -> tuple[dict[str, Any], str]:
    """The plan of a run, by which it is known again, and the list of its photographs.

    Args:
        pattern: str, of the photographs; a local folder stands for the images in it.
            What it matches that is hidden or, locally, no regular file is left out.
        output: str, the folder of the answers; what is in it is no photograph.
        model: str, the folder of a model's version.
        shard_size: int, or `None`: a sixteenth of them, 100 at most.
        detector: as that of `Predictor`.
        box_file: path of a file of boxes, instead of a detector, or `None`.
        report: function that gets a line on how many files were left out, if any.

    Returns:
        dict that JSON can hold.
        str, a line of JSON for each photograph: a record of `BulkFinder.answers`.

    Raises:
        InputError: if there are no photographs, or the detector or the boxes cannot be
            used.
    """
    pattern = os.path.expanduser(pattern)  # In quotes, as it must be, no shell does.
    if os.path.isdir(pattern):
        paths = [str(path) for path in list_images(pattern, report)]
    else:
        files = [path for path in storage.find(pattern) if not _is_in(path, output)]
        paths = [path for path in files if _is_readable(path)]
        if others := len(files) - len(paths):
            report(left_out(pattern, others))
    if not paths:
        raise InputError(f"{pattern}: no file matches")
    shard_size = shard_size or min(max(len(paths) // 16, 1), 100)
    boxes = read_boxes(pathlib.Path(box_file)) if box_file else None
    listing = "".join(json.dumps(_record(path, boxes)) + "\n" for path in paths)
    plan = {
        "photographs": len(paths),
        "photographs_sha256": hashlib.sha256(listing.encode()).hexdigest(),
        "shard_size": shard_size,
        "model": "/".join(model.split("/")[-2:]),
        "model_sha256": _model_hash(model),
        "detector": "boxes of a file" if box_file else _detector_name(detector),
    }
    return plan, listing


def keep(plan: dict[str, Any], listing: str, output: str) -> None:
    """Writes a plan down, or finds that it is the one that is there.

    Raises:
        InputError: if it is another one.
    """
    path = f"{output}/{PLAN}"
    if storage.exists(path):
        try:
            earlier = json.loads(storage.read(path))
            differing = [name for name in plan if earlier.get(name) != plan[name]]
        except (ValueError, AttributeError) as error:
            raise InputError(f"{path}: damaged ({error})") from None
        if differing:
            what = ", ".join(
                f"{name.removesuffix('_sha256')}: others"
                if name.endswith("_sha256")
                else f"{name}: {earlier.get(name)}, now {plan[name]}"
                for name in differing
            )
            raise InputError(
                f"{output}: holds the answers of another plan ({what}): give another "
                "output, or what was given then"
            )
        for part in storage.find(f"{output}/*{storage.PART}"):
            storage.FileSystems.delete([part])
        return
    if storage.find(f"{output}/faces-*.jsonl"):
        raise InputError(f"{output}: holds answers, but no {PLAN}: give another output")
    storage.write(f"{output}/{PHOTOGRAPHS}", listing)
    storage.write(path, json.dumps(plan, indent=2) + "\n")


def version_folder(folder: str) -> str:
    """The folder of a model's highest version, or the folder given if it is of one.

    Raises:
        InputError: if it holds no SavedModel with the signature `faces`.
    """
    from google.protobuf.message import DecodeError
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    folder = folder.rstrip("/")
    if not storage.exists(f"{folder}/saved_model.pb"):
        models = storage.find(f"{folder}/*/saved_model.pb")
        versions = [path.split("/")[-2] for path in models]
        numbers = [int(version) for version in versions if version.isdecimal()]
        if not numbers:
            raise InputError(
                f"{folder}: no saved_model.pb in this folder or in one of a version "
                "below it: make one by `rcn-keras export`"
            )
        folder = f"{folder}/{max(numbers)}"
    path = f"{folder}/saved_model.pb"
    try:
        model = SavedModel.FromString(storage.read(path))
        signatures = sorted(model.meta_graphs[0].signature_def)
    except (DecodeError, IndexError):
        raise InputError(f"{path}: damaged, or not a SavedModel") from None
    if "faces" not in signatures:
        raise InputError(
            f"{folder}: this SavedModel has no signature `faces`, as one of "
            f"`rcn-keras export` has. Received: {', '.join(signatures)}"
        )
    return folder


def _is_in(path, folder):
    """Whether a file lies in a folder, however the two are written."""
    if storage.FileSystems.get_scheme(path) or storage.FileSystems.get_scheme(folder):
        return path.startswith(f"{folder}/")
    return os.path.abspath(path).startswith(os.path.abspath(folder) + os.sep)


def _is_readable(path):
    hidden = path.rsplit("/", 1)[-1].startswith(".")
    return not hidden and (
        storage.FileSystems.get_scheme(path) is not None or is_regular(path)
    )


def _model_hash(folder):
    files = [f"{folder}/saved_model.pb", *storage.find(f"{folder}/variables/*")]
    return hashlib.sha256(b"".join(map(storage.read, files))).hexdigest()


def _record(path, boxes):
    if boxes is None:
        return {"image": path, "boxes": None}
    if path in boxes:  # `gs://...`, which is no local path
        return {"image": path, "boxes": boxes[path]}
    try:
        return {"image": path, "boxes": boxes_of(boxes, pathlib.PurePath(path))}
    except InputError as error:
        return {"image": path, "error": str(error)}


def _detector_name(detector):
    used = get_detector(detector)  # Better none before the work than in it.
    is_named = detector not in (None, "auto") and not callable(detector)
    return str(detector) if is_named else detector_name(used)
