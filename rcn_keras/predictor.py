"""Photograph in, keypoints out: a detector, and what locates keypoints in its boxes."""

from __future__ import annotations

import dataclasses
import math
import os
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol, cast, overload, runtime_checkable

import numpy as np

from rcn_keras._types import DetectorChoice
from rcn_keras.errors import InputError
from rcn_keras.faces.box_checks import given_boxes, given_squares
from rcn_keras.faces.detect import detect_faces, get_detector
from rcn_keras.faces.images import as_rgb
from rcn_keras.layout import KeypointLayout
from rcn_keras.processes import check_not_forked
from rcn_keras.runtime import Located
from rcn_keras.runtime.locator import LocalLocator, local_locator

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from rcn_keras.faces.images import Picture
    from rcn_keras.models import KeypointModel


@dataclasses.dataclass(frozen=True, eq=False)
class FacePrediction:
    """One face found in a photograph.

    Attributes:
        box: `(4,)` float, `[x0, y0, x1, y1]` of the detector (or as given), photograph
            pixels.
        keypoints: `(K, 2)` float, (x, y) in photograph pixels.
        confidence: `(K,)` float in [0, 1]: estimated chance that the keypoint is within
            10 % of the interocular distance of the truth.
        score: float, the detector's; 1 where the box was given.
        face_score: float in [0, 1], the network's: estimated chance that there is a
            face in the box, were faces and backgrounds equally frequent; NaN where the
            network's was not calibrated.
    """

    box: np.ndarray
    keypoints: np.ndarray
    confidence: np.ndarray
    score: float
    face_score: float = math.nan

    def as_dict(self) -> dict:
        """The face as what JSON can hold, rounded to 1/1000 pixel."""
        return {
            "box": np.round(self.box, 3).tolist(),
            "keypoints": np.round(self.keypoints, 3).tolist(),
            "confidence": np.round(self.confidence.astype("float64"), 4).tolist(),
            "score": round(self.score, 4),
            # JSON has no NaN.
            "face_score": None
            if math.isnan(self.face_score)
            else round(self.face_score, 4),
        }


@runtime_checkable
class Locator(Protocol):
    """What finds the keypoints of faces whose boxes are known.

    `runtime.locator.LocalLocator` runs a network here, `serving.client.Client` asks a
    model server.

    Attributes:
        layout: `KeypointLayout` of the keypoints, or `None` where it is not known.
    """

    @property
    def layout(self) -> KeypointLayout | None: ...

    def picture(self, image: Any, name: str) -> tuple[np.ndarray, object]:
        """Reads an image; errors call it `name`.

        Returns:
            `(H, W, 3)` uint8 RGB, for the detector.
            What `locate` takes of it.
        """
        ...

    def locate(self, pictures: list, boxes: ArrayLike) -> Located:
        """Keypoints `(M, K, 2)` float64 in the pictures' pixels, confidence `(M, K)`
        and face score `(M,)`, of M pictures, one for each of the boxes `(M, 4)`."""
        ...


class FaceBoxes:
    """The boxes of the faces of a photograph: a detector's, or those given, checked.

    Several threads may use one: a detector is called by one at a time, since OpenCV's
    holds the size of one picture.

    Args:
        detector: as that of `Predictor`; built when first needed.
    """

    def __init__(self, detector: DetectorChoice = None):
        self._choice = detector
        self._detector = None
        self._detecting = threading.Lock()

    def __call__(
        self, image: np.ndarray, given: ArrayLike | None, name: str
    ) -> tuple[np.ndarray, list[float]]:
        """Boxes `(M, 4)` float64 and their scores.

        Args:
            image: `(H, W, 3)` uint8 RGB.
            given: boxes of the caller, `(M, 4)`, or `None` to detect.
            name: str, what to call the image in an error.
        """
        if given is None:
            with self._detecting:
                if self._detector is None:
                    self._detector = get_detector(self._choice)
                return detect_faces(self._detector, image)
        boxes = given_boxes(given, name, *image.shape[1::-1])
        return boxes, [1.0] * len(boxes)

    def __reduce__(self):
        # A detector that was built of a name is built again.
        return FaceBoxes, (self._choice,)


class Predictor:
    """Finds the faces of a photograph and their keypoints.

    Args:
        model: the name of a shipped preset, a preset's folder or `hf://...`; a
            `KeypointModel`, `(N, S, S, 1)` to `(N, S, S, K)` pre-softmax maps, or what
            `models.keypoint_model` makes one of; or a `Locator`, such as a
            `serving.client.Client`.
        detector: what `faces.detect.get_detector` takes: `None` for the best at hand,
            a name, the path of YuNet's model file, or a callable
            `image -> (boxes, scores)`; built when first needed.
        box_constants: `(shift_x, shift_y, scale)` from a face box to the network's
            square (`faces.boxes.box_squares`); `None` for the layout's, fitted to
            MTCNN's boxes, as which those of our other detectors are given.
        refinements: int, how often the square is drawn anew from the predicted points
            and the network run again, where that moves the square; `None` for the
            preset's.
        runtime: what runs a preset's network: `"auto"`, the fastest one in float32
            that is installed, or one of `rcn_keras.runtime.RUNTIMES`. A model in
            memory is run by Keras.

    Call arguments:
        images: a picture as `faces.images.as_rgb` takes it (a path, the bytes of a
            file, a Pillow image, an array), or a list of them.
        boxes: `None` to detect, or for each image an `(M, 4)` array of face boxes
            `[x0, y0, x1, y1]` in photograph pixels (a list of those for a list).

    Returns:
        list of `FacePrediction`, by falling score; a list of lists for a list.

    Raises:
        InputError: for an image that cannot be read or a box that cannot be used; in
            the constructor if there is no such preset, or it does not fit the runtime.
        ImportError: if the runtime is not installed.

    Example:
        >>> predictor = rcn_keras.Predictor("rcn6_mtfl")
        >>> faces = predictor("examples/astronaut.jpg")
        >>> faces[0].keypoints.shape
        (5, 2)
    """

    def __init__(
        self,
        model: Any,
        detector: DetectorChoice = None,
        box_constants: Sequence[float] | None = None,
        refinements: int | None = None,
        runtime: str = "auto",
    ):
        check_not_forked()
        if isinstance(model, Locator):
            self.locator: Locator = model
        else:
            self.locator = local_locator(model, runtime, box_constants, refinements)
        self._face_boxes = FaceBoxes(detector)

    @classmethod
    def from_preset(cls, name: str | os.PathLike, **arguments: Any) -> Predictor:
        """The same as the constructor with a preset's name, folder or `hf://...`."""
        return cls(name, **arguments)

    @property
    def layout(self) -> KeypointLayout | None:
        """That of the keypoints; `None` of a model server, which does not say."""
        return self.locator.layout

    @property
    def _local(self) -> LocalLocator:
        return cast(LocalLocator, self.locator)

    @property
    def model(self) -> KeypointModel:
        """The network as a `KeypointModel`, of a locator that runs one here."""
        return self._local.model

    @property
    def refinements(self) -> int:
        """How often the squares are drawn anew, of a locator that runs here."""
        return self._local.refinements

    @overload
    def __call__(self, images: Picture, boxes: Any = None) -> list[FacePrediction]: ...

    @overload
    def __call__(
        self, images: list | tuple, boxes: Any = None
    ) -> list[list[FacePrediction]]: ...

    def __call__(self, images: Any, boxes: Any = None) -> Any:
        if isinstance(images, (list, tuple)):
            boxes = [None] * len(images) if boxes is None else boxes
            if not hasattr(boxes, "__len__") or len(boxes) != len(images):
                raise InputError(
                    f"one list of boxes is needed for each of {len(images)} images. "
                    f"Received: {' '.join(str(boxes).split())[:100]}"
                )
            numbered = enumerate(zip(images, boxes))
            return self.predict_found(
                [self.find(*given, f"image {number}") for number, given in numbered]
            )
        return self.predict_found([self.find(images, boxes)])[0]

    def find(
        self, image: Picture, boxes: ArrayLike | None = None, name: str = "image 0"
    ) -> FoundFaces:
        """The first half of a prediction: reads an image and finds its faces' boxes.

        Args:
            image, boxes: one image and its boxes, as in a call.
            name: str, what errors call an image that is no path.
        """
        if isinstance(image, (str, os.PathLike)):
            name = str(image)
        rgb, picture = self.locator.picture(image, name)
        if boxes is None and self.layout and self.layout.detector_square is None:
            raise InputError(
                f"{name}: boxes must be given: for the layout {self.layout.name!r} no "
                "constants of a detector's boxes are known (`detector_square`)"
            )
        return FoundFaces(picture, *self._face_boxes(rgb, boxes, name), rgb)

    def predict_found(self, images: list[FoundFaces]) -> list[list[FacePrediction]]:
        """The second half: the keypoints of the faces of several images at once."""
        check_not_forked()
        pictures = [image.picture for image in images for _ in image.boxes]
        boxes = [box for image in images for box in image.boxes]
        rows = zip(*self.locator.locate(pictures, boxes))
        return [
            [
                FacePrediction(box, keypoints, confidence, score, float(face_score))
                for box, score, (keypoints, confidence, face_score) in zip(
                    image.boxes, image.scores, rows
                )
            ]
            for image in images
        ]

    def locate(
        self, images: Sequence[Picture], squares: ArrayLike, second_pass: bool = True
    ) -> Located:
        """Keypoints of faces whose squares are known.

        Args:
            images: sequence of M pictures as in a call, one for each square.
            squares: `(M, 3)`, left, top, side in their pixels: the network's input.
            second_pass: bool, whether the squares are drawn anew from the points, as
                often as the predictor does.

        Returns:
            keypoints: `(M, K, 2)` in photograph pixels.
            confidence: `(M, K)`.
            face_score: `(M,)`.

        Raises:
            InputError: for an image or squares that cannot be used.
        """
        local = self._local
        pictures = [as_rgb(image, f"image {n}") for n, image in enumerate(images)]
        locate = local.locate_in_squares if second_pass else local.one_pass
        return locate(pictures, given_squares(squares, len(pictures)))


@dataclasses.dataclass(frozen=True, eq=False)
class FoundFaces:
    """A photograph whose faces are found; their keypoints are not.

    Attributes:
        picture: what the locator takes of it.
        boxes: `(M, 4)` float64, `[x0, y0, x1, y1]` in its pixels.
        scores: list of M floats.
        image: `(H, W, 3)` uint8 RGB.
    """

    picture: object
    boxes: np.ndarray
    scores: list[float]
    image: np.ndarray
