"""Cropped training faces in a few files, for a machine without the data set.

An accelerator that is lent for minutes has no MTFL and little room: the stored crops
are all that a training needs of it, and PNG keeps every byte of them.
"""

import json
import pathlib
import zipfile
from typing import Any

import cv2
import numpy as np

from rcn_keras._types import PathLike, Progress
from rcn_keras.data.annotations import Face
from rcn_keras.data.crops import Crops
from rcn_keras.errors import InputError
from rcn_keras.faces.boxes import INPUT_SIZE
from rcn_keras.files import check_writable, replaced
from rcn_keras.layout import KeypointLayout

INDEX = "packed.json"
_ARRAYS = ("keypoints", "squares", "outer", "picture", "border")


def pack(
    training: Crops,
    validation: Crops,
    folder: PathLike,
    megabytes: float = 28,
    progress: Progress | None = None,
) -> list[str]:
    """Writes both sides of a split as `packed.json` and `faces_000.npz`, ...

    Args:
        training, validation: `Crops`.
        folder: path, made if missing.
        megabytes: float, largest size of a file in MiB: what may travel at a time.
        progress: callable `(done, total)`, or `None`.

    Returns:
        list of the files' names.

    Raises:
        InputError: if the folder holds a packed set already or cannot be written to.
    """
    folder = pathlib.Path(folder)
    if (folder / INDEX).exists():
        raise InputError(f"{folder}: holds packed faces already; name another folder")
    check_writable(folder)
    total, done = len(training) + len(validation), 0
    index = {"layout": training.layout.to_dict(), "parts": []}
    for name, crops in (("training", training), ("validation", validation)):
        encoded, start = [], 0
        for image in crops.images:
            encoded.append(cv2.imencode(".png", image)[1].ravel())
            done += 1
            if progress:
                progress(done, total)
            # What is not pictures is small: 1 KB a face of 68 keypoints.
            size = sum(map(len, encoded)) + 1024 * len(encoded)
            if size > (megabytes - 0.1) * 2**20 or len(encoded) == len(crops) - start:
                part = crops.take(range(start, start + len(encoded)))
                file = f"faces_{len(index['parts']):03d}.npz"
                _write(folder / file, encoded, part)
                index["parts"].append({"file": file, "of": name, "faces": len(part)})
                encoded, start = [], start + len(encoded)
    with replaced(folder / INDEX) as temporary:
        temporary.write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")
    return [INDEX, *(part["file"] for part in index["parts"])]


def is_packed(folder: PathLike) -> bool:
    """Whether a folder holds packed faces."""
    return (pathlib.Path(folder) / INDEX).is_file()


def load_packed(
    folder: PathLike, layout: KeypointLayout, input_size: int = INPUT_SIZE
) -> tuple[Crops, Crops]:
    """Reads what `pack` wrote.

    Args:
        folder: path.
        layout: `KeypointLayout` that is wanted.
        input_size: int, side of the network's input in pixels that is wanted.

    Returns:
        training, validation: `Crops` equal to those that were packed; a face's
        photograph is only a name.

    Raises:
        InputError: if a file is missing or damaged, or the faces have other keypoints.
    """
    folder = pathlib.Path(folder)
    try:
        index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        sides = {"training": [], "validation": []}
        for part in index["parts"]:
            sides[part["of"]].append(folder / part["file"])
        packed_layout = KeypointLayout.from_dict(index["layout"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{folder / INDEX}: damaged ({error!r})") from None
    read = [[_read(path) for path in paths] for paths in sides.values()]
    training, validation = map(_joined, read)
    if packed_layout.name != layout.name:
        raise InputError(
            f"{folder}: packed faces of {layout.count} keypoints ({layout.name}) are "
            f"wanted; these have {packed_layout.count} ({packed_layout.name})"
        )
    training, validation = (
        Crops(**side, failures=[], layout=packed_layout)
        for side in (training, validation)
    )
    if training.input_size != input_size:
        raise InputError(
            f"{folder}: packed faces for an input of {input_size} pixels are wanted; "
            f"these are for one of {training.input_size}"
        )
    return training, validation


def _write(path, encoded, crops):
    faces = [
        {
            "image": face.image.name,
            "source": face.source,
            "keypoints": face.keypoints.tolist(),
            "attributes": face.attributes,
        }
        for face in crops.faces
    ]
    with replaced(path) as temporary:
        np.savez(
            temporary,
            pictures=np.concatenate(encoded),
            ends=np.cumsum([len(picture) for picture in encoded]),
            faces=np.frombuffer(json.dumps(faces).encode(), "uint8"),
            **{name: getattr(crops, name) for name in _ARRAYS},
        )


def _read(path):
    if not path.is_file():
        raise InputError(f"{path}: no such file (a part of the packed faces)")
    try:
        with path.open("rb") as file, np.load(file) as part:
            arrays = dict(part)
        pictures = np.split(arrays["pictures"], arrays["ends"][:-1])
        images: list[Any] = [
            cv2.imdecode(each, cv2.IMREAD_GRAYSCALE) for each in pictures
        ]
        faces = [
            Face(
                pathlib.Path(face["image"]),
                np.array(face["keypoints"], "float32"),
                face["source"],
                face["attributes"],
            )
            for face in json.loads(arrays["faces"].tobytes())
        ]
        part = {name: arrays[name] for name in _ARRAYS}
        return part | {"images": np.stack(images)[..., None], "faces": faces}
    except (zipfile.BadZipFile, OSError, ValueError, KeyError, cv2.error) as error:
        raise InputError(f"{path}: damaged ({error!r})") from None


def _joined(parts) -> dict[str, Any]:
    if not parts:
        raise InputError("packed faces want a training and a validation part")
    arrays = {
        name: np.concatenate([part[name] for part in parts])
        for name in ("images", *_ARRAYS)
    }
    return arrays | {"faces": [face for part in parts for face in part["faces"]]}
