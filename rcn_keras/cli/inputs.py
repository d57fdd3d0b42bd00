"""The photographs that a command line names."""

from __future__ import annotations

import dataclasses
import glob
import pathlib
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rcn_keras._types import PathLike
from rcn_keras.cli.output import say
from rcn_keras.errors import InputError
from rcn_keras.files import check_writable, read_text

if TYPE_CHECKING:
    import numpy as np


STANDARD_INPUT = "-"
HELP = (
    "photographs, folders, patterns ('photos/**/*.jpg'), .txt files with a path a "
    "line, or - for standard input: such a list, or one photograph"
)


@dataclasses.dataclass(frozen=True)
class Photo:
    """A photograph's path, and of one from standard input the bytes."""

    path: pathlib.Path
    data: bytes | None = None

    @property
    def name(self) -> str:
        """What to call it in an error."""
        return str(self.path) if self.data is None else "standard input"

    def read(self) -> np.ndarray:
        """`(H, W, 3)` uint8 RGB, as by `faces.images.read_image`."""
        from rcn_keras.faces.images import decode_image, read_image

        if self.data is None:
            return read_image(self.path)
        return decode_image(self.data, self.name)


def list_photos(arguments: Sequence[str]) -> tuple[list[Photo], list[InputError]]:
    """The photographs of a command line, in its order.

    Args:
        arguments: list of str, see `HELP`.

    Returns:
        photos: list of `Photo`.
        failures: list of `InputError`, one an argument that cannot be used.
    """
    photos, failures = [], []
    for argument in arguments:
        try:
            photos += _expanded(argument)
        except InputError as error:
            failures.append(error)
    return photos, failures


def check_folders(
    folders: Iterable[pathlib.Path | None], photos: Sequence[Photo]
) -> None:
    """Makes the folders for pictures, those that are not `None`.

    Raises:
        InputError: if one cannot be written, or holds one of the photographs.
    """
    for folder in filter(None, folders):
        check_writable(folder)
        if any(photo.path.parent.resolve() == folder.resolve() for photo in photos):
            raise InputError(
                f"{folder}: what is written could take the place of the photographs in "
                "it; name another folder"
            )


def check_outputs(
    outputs: Iterable[pathlib.Path | None], sources: Iterable[PathLike]
) -> None:
    """Keeps what is read from being overwritten; outputs that are `None` are not used.

    Raises:
        InputError: if an output file is one of the sources.
    """
    read = {pathlib.Path(source).resolve() for source in sources}
    for output in filter(None, outputs):
        if output.resolve() in read:
            raise InputError(f"{output}: it is an input too; name another file")


def _expanded(argument):
    from rcn_keras.faces.images import list_images

    path = pathlib.Path(argument)
    if argument == STANDARD_INPUT:
        data = sys.stdin.buffer.read()
        if not data.strip():
            raise InputError("standard input: nothing came")
        try:
            return _listed(data.decode(), "standard input")
        except UnicodeDecodeError:
            return [Photo(path, data)]
    if path.is_dir():
        return [Photo(image) for image in list_images(path, say)]
    if path.suffix == ".txt":
        return _listed(read_text(path), path)
    if not path.exists() and any(mark in argument for mark in "*?["):
        matches = sorted(glob.glob(argument, recursive=True))
        if not matches:
            raise InputError(f"{argument}: no file fits this pattern")
        paths = map(pathlib.Path, matches)
        return [Photo(match) for match in paths if not match.is_dir()]
    return [Photo(path)]


def _listed(text, name):
    lines = [line.strip() for line in text.splitlines()]
    photos = [Photo(pathlib.Path(line)) for line in lines if line]
    if not photos:
        raise InputError(f"{name}: expected a path a line; found none")
    return photos
