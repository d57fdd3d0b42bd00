"""What finds the faces for a command: a network here, or a model server."""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING

from rcn_keras._types import DetectorChoice
from rcn_keras.cli.start import keras_quietly

if TYPE_CHECKING:
    from rcn_keras.predictor import Predictor


def make_predictor(
    name: str,
    detector: DetectorChoice,
    server: str | None = None,
    runtime: str = "auto",
) -> Predictor:
    """The `Predictor` of a preset, or of a model server that was tried once.

    Args:
        name: str, a preset's name or folder.
        detector: as that of `Predictor`.
        server: str, the address of a model server, or `None`.
        runtime: as that of `Predictor`.

    Raises:
        InputError: if there is no such preset, detector, runtime or model.
        ImportError: if a package is missing.
    """
    from rcn_keras.faces.detect import get_detector
    from rcn_keras.predictor import Predictor

    with keras_quietly():
        detector = get_detector(detector) if detector else None
        if not server:
            return Predictor(name, detector, runtime=runtime)
    from rcn_keras.serving.client import Client

    client = Client(server, pathlib.PurePath(name).name)
    # Tried first: better no server, or not this model, before the work.
    client.check()
    return Predictor(client, detector)
