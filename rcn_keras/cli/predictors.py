"""What finds the faces for a command: a network here, or a model server."""

import pathlib


def make_predictor(name, detector, server=None):
    """The `Predictor` of a preset, or a `Client` that was tried once.

    Args:
        name: str, a preset's name or folder.
        detector: as that of `Predictor`.
        server: str, the address of a model server, or `None`.

    Raises:
        InputError: if there is no such preset, detector or model.
    """
    from rcn_keras.faces.detect import get_detector
    from rcn_keras.predictor import Predictor

    detector = get_detector(detector) if detector else None
    if server:
        from rcn_keras.serving.client import Client

        client = Client(server, pathlib.PurePath(name).name, detector=detector)
        # Tried first: better no server, or not this model, before the work.
        client.check()
        return client
    return Predictor.from_preset(name, detector=detector)
