"""Files are written whole or not at all."""

import contextlib
import os
import pathlib


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
