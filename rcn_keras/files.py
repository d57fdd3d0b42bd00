"""Files are written whole or not at all, and read by their own marks."""

import codecs
import contextlib
import csv
import io
import os
import pathlib
import shutil
import unicodedata
from collections.abc import Iterable, Iterator

from rcn_keras._types import PathLike
from rcn_keras.errors import InputError

# UTF-32's little-endian mark begins with UTF-16's.
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


@contextlib.contextmanager
def replaced(path: PathLike) -> Iterator[pathlib.Path]:
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


def write_csv(
    path: PathLike, rows: list[dict], columns: list[str] | None = None
) -> None:
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


def read_csv(path: PathLike, columns: Iterable[str], what: str) -> list[dict]:
    """The rows of a CSV file whose first line names its columns.

    Args:
        path: path of a regular file.
        columns: names that are needed.
        what: str, what the file should be, for the error.

    Raises:
        InputError: if it cannot be read, is no such text, lacks a column, or has a row
            with another number of cells.
    """
    try:
        text = read_text(path)
        reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        rows = list(reader)
    except (InputError, csv.Error) as error:
        reason = str(error).removeprefix(f"{path}: ")
        raise InputError(f"{path}: not {what} ({reason})") from None
    missing = [name for name in columns if name not in (reader.fieldnames or columns)]
    if missing:
        raise InputError(f"{path}: not {what} (no column {', '.join(missing)})")
    for number, row in enumerate(rows, 1):
        if None in row or None in row.values():
            raise InputError(
                f"{path}: not {what} (row {number} has another number of cells than "
                "the first line)"
            )
    return rows


@contextlib.contextmanager
def replaced_folder(path: PathLike) -> Iterator[pathlib.Path]:
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


def check_writable(folder: PathLike) -> None:
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


def read_text(path: PathLike, errors: str = "strict") -> str:
    """The text of a file: UTF-8, or what its byte order mark says, in any locale.

    Args:
        path: path of a regular file.
        errors: as of `bytes.decode`.

    Raises:
        InputError: if it cannot be read, or is no such text.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        what = "a folder, not a file" if path.is_dir() else "no such file"
        raise InputError(f"{path}: {what}")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    marked = (name for mark, name in _MARKS.items() if content.startswith(mark))
    try:
        return content.decode(next(marked, "utf-8"), errors)
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path}: expected text in UTF-8, or in UTF-16 with its mark; found byte "
            f"0x{content[error.start]:02x} at position {error.start}"
        ) from None


def text_name(path: PathLike) -> str:
    """The name of a file as text to compare and to print: UTF-8 in any locale, composed
    (NFC), as macOS's file names and those of other systems are not alike."""
    try:
        text = os.fsencode(path).decode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # It is no name of a file here.
        text = str(path)
    return unicodedata.normalize("NFC", text)


def find_file(path: pathlib.Path) -> pathlib.Path:
    """The path, or where there is no such file that of the same name composed (NFC) or
    decomposed (NFD), if there is one of those."""
    if os.path.isfile(path):
        return path
    text = text_name(path)
    for form in ("NFC", "NFD"):
        try:
            encoded = unicodedata.normalize(form, text).encode(
                "utf-8", "surrogateescape"
            )
        except UnicodeEncodeError:  # a lone surrogate: no name of a file
            break
        other = os.fsdecode(encoded)
        if os.path.isfile(other):
            return type(path)(other)
    return path
