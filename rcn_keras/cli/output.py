"""What the commands write where a person looks: lines, counters, pictures."""

from __future__ import annotations

import contextlib
import logging
import os
import pathlib
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import numpy as np

    from rcn_keras.data.crops import Crops
    from rcn_keras.data.reading import Annotations
    from rcn_keras.layout import KeypointLayout

SHOWN = 20  # lines of one kind

Faces = TypeVar("Faces", "Crops", "Annotations")


def progress(done: int, total: int, what: str) -> None:
    """A counter on standard error, where a person looks at it."""
    if sys.stderr.isatty():
        end = "\n" if done == total else ""
        print(f"\r{done}/{total} {what}", end=end, file=sys.stderr, flush=True)


def cropped(done: int, total: int) -> None:
    progress(done, total, "faces cropped")


def free_name(stem: str, taken: set[str]) -> str:
    """A name for a file: the stem, or with a number where it is taken; taken now."""
    name, number = stem, 1
    while name in taken:
        number += 1
        name = f"{stem}_{number}"
    taken.add(name)
    return name


def save_picture(
    image: np.ndarray, folder: pathlib.Path, stem: str, taken: set[str]
) -> str:
    """Writes a PNG file into a folder; the second of one name gets a number.

    Returns:
        str, the file's name.
    """
    from PIL import Image

    from rcn_keras.files import replaced

    name = f"{free_name(stem, taken)}.png"
    with replaced(folder / name) as temporary:
        Image.fromarray(image).save(temporary)
    return name


def draw(
    image: np.ndarray,
    faces: list[dict[str, Any]],
    layout: KeypointLayout | None,
    folder: pathlib.Path,
    path: pathlib.Path,
    taken: set[str],
    axes: bool = False,
) -> None:
    """Writes the picture with its points; the second of one name gets a number."""
    from rcn_keras import plotting

    drawn = plotting.draw(image, faces, layout, axes)
    save_picture(drawn, folder, path.stem, taken)


def reported(crops: Faces) -> Faces:
    """The crops; what was left out is reported on stderr."""
    for failure in crops.failures[:SHOWN]:
        say(f"left out: {failure}")
    count = len(crops.failures)
    if count > 1:
        more = f" (the first {SHOWN} are shown)" if count > SHOWN else ""
        say(f"left out in total: {count}{more}")
    return crops


@contextlib.contextmanager
def quiet_workers() -> Iterator[None]:
    """Leaves standard error to what is said here: Beam, and TensorFlow in each of its
    processes, write dozens of lines there."""
    if os.environ.get("RCN_KERAS_TRACEBACK"):
        yield
        return
    before = logging.root.manager.disable
    logging.disable()
    sys.stderr.flush()
    null = os.open(os.devnull, os.O_WRONLY)
    with (
        open(os.dup(2), "w", encoding="utf-8") as kept,
        contextlib.redirect_stderr(kept),
    ):
        os.dup2(null, 2)
        try:
            yield
        finally:
            os.dup2(kept.fileno(), 2)
            os.close(null)
            logging.disable(before)


def say(text: str) -> None:
    print(f"rcn-keras: {text}", file=sys.stderr, flush=True)


def named(error: Exception, name: object) -> str:
    """The error as one line that has the name of what failed."""
    text = one_line(error)
    return text if str(name) in text else f"{name}: {text}"


def one_line(error: BaseException) -> str:
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return " ".join(str(error).split()) or type(error).__name__
