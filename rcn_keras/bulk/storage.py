"""Files wherever Apache Beam reaches: local, `gs://`, `s3://`, `hdfs://` ..."""

import os
import uuid

from rcn_keras.bulk.beam import apache_beam
from rcn_keras.errors import InputError

# Loaded by Beam's own imports, which pyright does not see.
_io = apache_beam.io  # pyright: ignore[reportPrivateImportUsage]
FileSystems = _io.filesystems.FileSystems  # pyright: ignore[reportAttributeAccessIssue]
RAW = _io.filesystem.CompressionTypes.UNCOMPRESSED  # pyright: ignore[reportAttributeAccessIssue]
PART = ".part"  # ends the temporary name of what is being written


def find(pattern: str) -> list[str]:
    """The sorted paths of the files that match a pattern: `*`, `?`, `[...]`, `**`.

    Raises:
        InputError: for a kind of storage that cannot be reached.
    """
    # Beam finds nothing in a current folder that is not named.
    named = FileSystems.get_scheme(pattern) or os.path.dirname(pattern)
    try:
        (match,) = FileSystems.match([pattern if named else f"./{pattern}"])
    except ValueError as error:
        raise InputError(f"{pattern}: {error}") from None
    paths = [file.path for file in match.metadata_list]
    return sorted(path if named else path.removeprefix("./") for path in paths)


def exists(path: str) -> bool:
    return FileSystems.exists(path)


def read(path: str) -> bytes:
    """The bytes of a file."""
    with FileSystems.open(path, compression_type=RAW) as file:
        return file.read()


def write(path: str, text: str) -> None:
    """Writes a file whole or not at all; whoever is last wins."""
    temporary = f"{path}.{uuid.uuid4().hex}{PART}"
    with FileSystems.create(temporary, compression_type=RAW) as file:
        file.write(text.encode())
    try:
        FileSystems.rename([temporary], [path])
    except OSError:
        if not exists(path):
            raise
        FileSystems.delete([path])  # HDFS renames over nothing.
        FileSystems.rename([temporary], [path])
