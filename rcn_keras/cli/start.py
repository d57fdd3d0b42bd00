"""Keras started for a command, without what TensorFlow writes meanwhile."""

import contextlib
import os
import sys
from collections.abc import Iterator


def start_keras() -> None:
    """Imports Keras and runs it once.

    Raises:
        ImportError: if it, or its backend, is missing or does not start.
    """
    with keras_quietly():
        try:
            import keras

            keras.ops.zeros(1)
        except ModuleNotFoundError:
            raise
        except Exception as error:  # a backend that does not exist, a broken one
            raise ImportError(f"Keras does not start: {error}") from None


@contextlib.contextmanager
def keras_quietly() -> Iterator[None]:
    """Standard error is closed meanwhile, and Keras, if it was imported, run once.

    TensorFlow writes half a dozen lines there, whatever its log level, before the first
    answer.

    Raises:
        ImportError: if Keras or its backend is missing.
    """
    sys.stderr.flush()
    kept, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    try:
        yield
        if keras := sys.modules.get("keras"):
            keras.ops.zeros(1)
    except ModuleNotFoundError as error:
        raise ImportError(
            f"the package {error.name!r} is missing: pip install "
            "'.[tensorflow]', or '.[jax]' and set KERAS_BACKEND=jax"
        ) from None
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(null)
