"""Faces and keypoints by a model server alone: no detector and no network here."""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING

import numpy as np

from rcn_keras.predictor import FacePrediction, FoundFaces
from rcn_keras.serving.client import Client
from rcn_keras.serving.pictures import png_bytes

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from rcn_keras.faces.images import Picture


class ServerPredictor:
    """A `Predictor` whose server finds the faces too, by the signature `photographs`.

    `rcn-keras export MODEL DIR --detector mtcnn` writes one. A photograph travels once,
    however many faces it has. Several threads may use one.

    Args:
        client: `Client`.

    Example:
        >>> predictor = ServerPredictor(Client("http://localhost:8501"))
        >>> faces = predictor("examples/astronaut.jpg")
    """

    layout = None  # A server does not report it.

    def __init__(self, client: Client):
        self.client = client

    def __call__(self, image: Picture) -> list[FacePrediction]:
        """The faces of one image, see `Predictor`."""
        return self.predict_found([self.find(image)])[0]

    def find(
        self, image: Picture, boxes: ArrayLike | None = None, name: str = "image 0"
    ) -> LocatedFaces:
        """Sends an image; boxes, which a `Predictor` takes, must be `None`."""
        assert boxes is None
        if isinstance(image, (str, os.PathLike)):
            name = str(image)
        rgb, picture = self.client.picture(image, name)
        ((found, scores, keypoints, *chances),) = self.client.photographs([picture])
        found, keypoints = found.astype("float64"), keypoints.astype("float64")
        faces = [
            FacePrediction(box, points, confidence, float(score), float(face_score))
            for box, score, points, confidence, face_score in zip(
                found, scores, keypoints, *chances
            )
        ]
        return LocatedFaces(picture, found, scores.tolist(), rgb, faces)

    def predict_found(self, images: list[LocatedFaces]) -> list[list[FacePrediction]]:
        """What `find` has got."""
        return [image.faces for image in images]

    def check(self) -> None:
        """Asks about a black picture: raises as any request, before the work."""
        picture = png_bytes(np.zeros((16, 16, 3), "uint8"))
        self.client.photographs([(picture, "a black picture")])


@dataclasses.dataclass(frozen=True, eq=False)
class LocatedFaces(FoundFaces):
    """Found faces with their keypoints."""

    faces: list[FacePrediction]
