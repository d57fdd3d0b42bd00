"""Photograph in, keypoints out."""

import dataclasses
import pathlib

import keras
import numpy as np

from rcn_keras.errors import InputError
from rcn_keras.faces import boxes as face_boxes
from rcn_keras.faces.crop import input_crop, to_photograph
from rcn_keras.faces.detect import get_detector
from rcn_keras.faces.images import as_rgb
from rcn_keras.layers.large_kernel_conv2d import inference_model
from rcn_keras.models import JointModel, keypoint_model
from rcn_keras.processes import check_not_forked

BUCKETS = (1, 8, 64)  # batch sizes compiled for; a batch is filled up to the next one


@dataclasses.dataclass(frozen=True)
class FacePrediction:
    """One face found in a photograph.

    Attributes:
        box: `(4,)` float, `[x0, y0, x1, y1]` of the detector (or as given), photograph
            pixels.
        keypoints: `(K, 2)` float, (x, y) in photograph pixels.
        confidence: `(K,)` float in [0, 1]: estimated chance that the keypoint is within
            10 % of the interocular distance of the truth.
        score: float, the detector's; 1 where the box was given.
    """

    box: np.ndarray
    keypoints: np.ndarray
    confidence: np.ndarray
    score: float

    def as_dict(self):
        """The face as what JSON can hold, rounded to 1/1000 pixel."""
        return {
            "box": np.round(self.box, 3).tolist(),
            "keypoints": np.round(self.keypoints, 3).tolist(),
            "confidence": np.round(self.confidence.astype("float64"), 4).tolist(),
            "score": round(self.score, 4),
        }


class FaceFinder:
    """Photographs to faces: what `Predictor` and a model server's `Client` share.

    A subclass has `_read(image, name)`, to the `(H, W, 3)` uint8 RGB and to whatever
    stands for the picture in its `_locate(pictures, boxes)`, of M faces each, to
    `(M, K, 2)` keypoints and `(M, K)` confidence.
    """

    layout = None  # A model server does not tell.

    def __init__(self, detector):
        self._detector_choice = detector
        self._detector = None

    def __call__(self, images, boxes=None):
        if isinstance(images, (list, tuple)):
            boxes = [None] * len(images) if boxes is None else boxes
            if len(boxes) != len(images):
                raise InputError(
                    f"one list of boxes is needed for each image. Received: "
                    f"{len(images)} images, {len(boxes)} lists of boxes"
                )
            return self._predict(images, boxes)
        return self._predict([images], [boxes])[0]

    def _predict(self, images, boxes):
        check_not_forked()
        pictures, found = [], []
        for number, (image, given) in enumerate(zip(images, boxes)):
            path = isinstance(image, (str, pathlib.Path))
            name = str(image) if path else f"image {number}"
            rgb, picture = self._read(image, name)
            pictures.append(picture)
            found.append(self._found(rgb, given, name))
        owners = [i for i, (boxes, _) in enumerate(found) for _ in boxes]
        boxes = [box for boxes, _ in found for box in boxes]
        scores = [score for _, scores in found for score in scores]
        keypoints, confidence = self._locate([pictures[i] for i in owners], boxes)
        faces = [[] for _ in pictures]
        for i, owner in enumerate(owners):
            face = FacePrediction(boxes[i], keypoints[i], confidence[i], scores[i])
            faces[owner].append(face)
        return faces

    def _found(self, image, given, name):
        if given is None:
            if self._detector is None:
                self._detector = get_detector(self._detector_choice)
            boxes, scores = self._detector(image)
            boxes = np.asarray(boxes, "float64").reshape(-1, 4)
            # A detector may give a box that is a line, or lies outside.
            size = np.array([image.shape[1::-1]])
            usable = np.flatnonzero(np.all(face_boxes.box_checks(boxes, size), axis=0))
            return boxes[usable], [float(scores[i]) for i in usable]
        try:
            given = np.asarray(given, "float64").reshape(-1, 4)
        except (ValueError, TypeError):
            raise InputError(
                f"{name}: boxes must be [[x0, y0, x1, y1], ...]. Received: {given}"
            ) from None
        for box in given:
            fault = face_boxes.box_fault(box, *image.shape[1::-1])
            if fault:
                raise InputError(f"{name}: {fault}")
        return given, [1.0] * len(given)


class Predictor(FaceFinder):
    """Finds the faces of a photograph and their keypoints.

    Args:
        model: `KeypointModel`, `(N, 80, 80, 1)` to `(N, 80, 80, K)` pre-softmax maps,
            or what `models.keypoint_model` makes one of.
        detector: `None` or `"mtcnn"`, the path of YuNet's model file, or a callable
            `image -> (boxes, scores)`; built when first needed.
        box_constants: `(shift_x, shift_y, scale)` from a face box to the network's
            square (`faces.boxes.box_squares`); `None` for the layout's, fitted to
            MTCNN's boxes. The second pass corrects for other detectors' boxes.
        refinements: int, how often the square is drawn anew from the predicted points
            and the network run again.

    Call arguments:
        images: a picture as `faces.images.as_rgb` takes it (a path, the bytes of a
            file, a Pillow image, an array), or a list of them.
        boxes: `None` to detect, or for each image an `(M, 4)` array of face boxes
            `[x0, y0, x1, y1]` in photograph pixels (a list of those for a list).

    Returns:
        list of `FacePrediction`, by falling score; a list of lists for a list.

    Raises:
        InputError: for an image that cannot be read or a box that cannot be used.

    Example:
        >>> predictor = rcn_keras.Predictor.from_preset("rcn6_mtfl")
        >>> faces = predictor("examples/astronaut.jpg")
        >>> faces[0].keypoints.shape
        (5, 2)
    """

    def __init__(
        self,
        model,
        detector=None,
        box_constants=None,
        refinements=1,
    ):
        check_not_forked()
        super().__init__(detector)
        self.model = model = keypoint_model(model)
        if self.model.input_shape[-1] != 1:
            raise ValueError(
                "`model` must take grey crops, (N, 80, 80, 1). "
                f"Received: {self.model.input_shape}"
            )
        if isinstance(self.model.output, dict):
            raise ValueError(
                "`model` must give maps, (N, 80, 80, K): the confidence comes from "
                f"them. Received: a model of {', '.join(self.model.output)}"
            )
        self.layout = model.layout
        if box_constants is not None:
            self.layout = dataclasses.replace(
                model.layout, detector_square=box_constants
            )
        self.refinements = refinements
        # A copy that has the transforms of large kernels ready, where there are any.
        network = inference_model(model) if isinstance(model, JointModel) else model
        self.network = keras.Model(network.input, model.decode(network.output))
        # Compiled once a bucket; XLA is slower than oneDNN on the CPU.
        self.network.compile(jit_compile=keras.backend.backend() == "jax")

    @classmethod
    def from_preset(cls, name, **arguments):
        """A predictor from a shipped preset's name, a preset's folder or `hf://...`.

        Args:
            name: str, see `rcn_keras.list_presets()`.
            **arguments: passed on to the constructor.
        """
        from rcn_keras.presets import load_preset

        preset = load_preset(name)
        if preset.config["model"] == "denoiser":
            raise InputError(f"{preset.name} sees no photographs: it is a denoiser")
        if "refinements" in preset.config:
            arguments.setdefault("refinements", preset.config["refinements"])
        return cls(preset.model, **arguments)

    def _found(self, image, given, name):
        if given is None and self.layout.detector_square is None:
            raise InputError(
                f"{name}: boxes must be given: for the layout {self.layout.name!r} no "
                "constants of a detector's boxes are known (`detector_square`)"
            )
        return super()._found(image, given, name)

    def _read(self, image, name):
        image = as_rgb(image, name)
        return image, image

    def _locate(self, pictures, boxes):
        squares = face_boxes.box_squares(np.reshape(boxes, (-1, 4)), self.layout)
        return self.locate(pictures, squares)

    def locate(self, images, squares):
        """Keypoints of faces whose squares are known, with the refinement.

        Args:
            images: list of M `(H, W, 3)` uint8 RGB photographs, one for each square.
            squares: `(M, 3)`, left, top, side in their pixels: the network's input.

        Returns:
            keypoints: `(M, K, 2)` in photograph pixels.
            confidence: `(M, K)`.
        """
        keypoints, confidence = self._run(images, squares)
        sizes = np.reshape([image.shape[1::-1] for image in images], (-1, 2))
        for _ in range(self.refinements):
            squares = face_boxes.refined_squares(keypoints, self.layout, squares, sizes)
            keypoints, confidence = self._run(images, squares)
        return keypoints, confidence

    def _run(self, images, squares):
        count = self.layout.count
        if not len(squares):
            return np.zeros((0, count, 2)), np.zeros((0, count))
        crops = [
            input_crop(image, square, self.layout.square.context)
            for image, square in zip(images, squares)
        ]
        crops = np.stack(crops)[..., None].astype("float32")
        parts = []
        for start in range(0, len(crops), BUCKETS[-1]):
            batch = crops[start : start + BUCKETS[-1]]
            bucket = next(size for size in BUCKETS if size >= len(batch))
            padded = np.pad(batch, [(0, bucket - len(batch)), (0, 0), (0, 0), (0, 0)])
            out = self.network.predict_on_batch(padded)
            parts.append({k: np.asarray(v)[: len(batch)] for k, v in out.items()})
        keypoints = np.concatenate([part["keypoints"] for part in parts])
        confidence = np.concatenate([part["confidence"] for part in parts])
        return to_photograph(keypoints, squares, face_boxes.INPUT_SIZE), confidence
