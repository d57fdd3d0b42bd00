"""Files are written whole or not at all."""

import contextlib
import csv
import os
import pathlib
import shutil

from rcn_keras.errors import InputError


@contextlib.contextmanager
def replaced(path):
    """Gives a temporary path beside `path`; renamed over it if the block succeeds.

    The temporary name keeps the suffix, as many writers choose a format by it.

    Example:
        >>> with replaced("out.json") as temporary:
        ...     temporary.write_text("{}")
    """
    path = pathlib.Path(path)
    temporary = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_csv(path, rows: list[dict], columns: list[str] | None = None) -> None:
    """Writes rows as CSV; the folder is made if it is missing.

    Args:
        path: of the file.
        rows: list of dicts; what a row does not have is left empty.
        columns: names, in their order; `None` for all that the rows have.
    """
    path = pathlib.Path(path)
    columns = columns or list(dict.fromkeys(name for row in rows for name in row))
    path.parent.mkdir(parents=True, exist_ok=True)
    with (
        replaced(path) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


@contextlib.contextmanager
def replaced_folder(path):
    """As `replaced`, for a folder: the block makes it under the temporary path."""
    path = pathlib.Path(path)
    temporary, old = (path.with_name(f".{os.getpid()}.{n}.{path.name}") for n in "to")
    try:
        yield temporary
        if path.exists():  # A folder cannot be renamed over another.
            os.replace(path, old)
        os.replace(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def check_writable(folder):
    """Makes a folder if it is missing, and tries to write there.

    Raises:
        InputError: if that fails; better before the work than after it.
    """
    folder = pathlib.Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".{os.getpid()}.probe"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise InputError(f"{folder}: cannot write there ({error.strerror})") from None
