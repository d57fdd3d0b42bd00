"""What finds the faces for a command: a network here, or a model server."""

from __future__ import annotations

import pathlib
import sys
from typing import Any

from rcn_keras._types import DetectorChoice
from rcn_keras.cli.output import say
from rcn_keras.cli.start import keras_quietly

SERVER = "server"  # the detector's name where the model server finds the faces too


def make_predictor(
    name: str,
    detector: DetectorChoice,
    server: str | None = None,
    runtime: str = "auto",
) -> Any:
    """The `Predictor` of a preset or of a model server, which was tried once; or the
    `ServerPredictor` of a server that finds the faces too.

    Args:
        name: str, a preset's name or folder.
        detector: as that of `Predictor`, `SERVER`, or `None` where boxes are given.
        server: str, the address of a model server, or `None`.
        runtime: as that of `Predictor`.

    Raises:
        InputError: if there is no such preset, detector, runtime or model, or they do
            not fit together.
        ImportError: if a package is missing.
    """
    from rcn_keras.errors import InputError
    from rcn_keras.faces.detect import detector_name, get_detector
    from rcn_keras.predictor import Predictor

    if detector == SERVER and not server:
        raise InputError(f"--detector {SERVER} needs --server")
    here = detector if detector != SERVER else None
    with keras_quietly():
        built = get_detector(here) if here else None
        predictor = None if server else Predictor(name, built, runtime=runtime)
    if here == "auto" and sys.stderr.isatty():
        say(f"detector: {detector_name(built)}")
    if predictor:
        layout = predictor.layout
        if detector and layout and layout.detector_square is None:
            raise InputError(
                f"{name}: no detector finds the keypoints of the layout "
                f"{layout.name!r}: use `predict --boxes`"
            )
        return predictor
    from rcn_keras.serving.client import Client
    from rcn_keras.serving.finder import ServerPredictor

    assert server is not None
    client = Client(server, pathlib.PurePath(name).name)
    asked = ServerPredictor(client) if detector == SERVER else client
    # Tried first: better no server, or not this model, before the work.
    asked.check()
    return asked if isinstance(asked, ServerPredictor) else Predictor(asked, built)
