"""Faces and keypoints of many photographs in a worker that goes on whatever comes."""

import threading
import typing

import numpy as np

from rcn_keras.bulk.storage import read
from rcn_keras.errors import InputError
from rcn_keras.predictor import FaceFinder, FacePrediction
from rcn_keras.serving.pictures import wire_bytes


class Photograph(typing.NamedTuple):
    """One whose faces are found; their keypoints are not."""

    name: str
    picture: bytes  # for the graph
    boxes: np.ndarray
    scores: list
    pixels: int  # bytes of the decoded picture


class BulkFinder(FaceFinder):
    """Finds faces by a detector here, and their keypoints by a SavedModel.

    Several threads may use one.

    Args:
        handler: `FacesModelHandler`; its model is loaded here.
        detector: as that of `Predictor`.
    """

    def __init__(self, handler, detector):
        super().__init__(detector)
        self._handler = handler
        self._model = handler.load_model()
        self._detecting = threading.Lock()

    def answers(self, records):
        """What there is to say of photographs; none of them raises anything.

        Args:
            records: list of dicts with the path of a photograph, `image`, and with its
                `boxes`, `None` to detect, or with the `error` that it already met.

        Yields:
            dicts with the `image` and either its `faces`, as `rcn-keras predict` prints
            them, or the `error`; in another order.
        """
        waiting = []
        for record in records:
            try:
                waiting.append(self._opened(record))
            except Exception as error:  # The decoders raise whatever they meet.
                yield _failed(record["image"], error)
            if self._is_full(waiting):
                yield from self._located(waiting)
                waiting = []
        yield from self._located(waiting)

    def _opened(self, record):
        if "error" in record:
            raise InputError(record["error"])
        name = record["image"]
        rgb, picture = self._read(read(name), name)
        found = self._found(rgb, record["boxes"], name)
        return Photograph(name, picture, *found, rgb.nbytes)

    def _is_full(self, waiting):
        """Whether the faces fill a call of the graph, or their pixels the memory."""
        faces = sum(len(photograph.boxes) for photograph in waiting)
        size = sum(photograph.pixels for photograph in waiting)
        return faces >= self._handler.max_batch_size or size >= self._handler.max_bytes

    def _read(self, image, name):
        picture, rgb = wire_bytes(image, name)
        return rgb, picture

    def _found(self, image, given, name):
        with self._detecting:  # OpenCV's detector holds the size of one picture.
            return super()._found(image, given, name)

    def _locate(self, pictures, boxes):
        rows = list(zip(pictures, boxes))
        found = [
            row.inference for row in self._handler.run_inference(rows, self._model)
        ]
        keypoints = [inference["keypoints"].astype("float64") for inference in found]
        return keypoints, [inference["confidence"] for inference in found]

    def _located(self, waiting):
        """The answers to photographs; if the graph fails, one by one, to know whose."""
        pictures = [each.picture for each in waiting for _ in each.boxes]
        boxes = [box for each in waiting for box in each.boxes]
        try:
            rows = zip(*self._locate(pictures, boxes))
        except Exception as error:
            for each in waiting:
                alone = len(waiting) == 1
                yield from (
                    [_failed(each.name, error)] if alone else self._located([each])
                )
            return
        for name, _, boxes, scores, _ in waiting:
            faces = [
                FacePrediction(box, *next(rows), score)
                for box, score in zip(boxes, scores)
            ]
            if any(np.isnan(face.keypoints).any() for face in faces):
                yield _failed(name, InputError("the model cannot read this picture"))
            else:
                yield {"image": name, "faces": [face.as_dict() for face in faces]}


def _failed(name, error):
    text = " ".join(str(error).split()).removeprefix(f"{name}: ")
    if not isinstance(error, InputError):
        text = f"{type(error).__name__}: {text[:300]}"  # TensorFlow's are long.
    return {"image": name, "error": text}
