"""Faces and keypoints of many photographs; one that fails does not stop the rest."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from rcn_keras._types import DetectorChoice
from rcn_keras.errors import InputError
from rcn_keras.predictor import FoundFaces, Predictor
from rcn_keras.runtime import LOCATED
from rcn_keras.serving.pictures import wire_bytes

if TYPE_CHECKING:
    from rcn_keras.bulk.faces_graph import FacesGraph


class SavedModelLocator:
    """Keypoints by a SavedModel's `faces` signature; see `predictor.Locator`.

    Args:
        graph: `FacesGraph`; its model is loaded here.
    """

    layout = None

    def __init__(self, graph: FacesGraph):
        self._graph = graph
        self._model = graph.load_model()

    def picture(self, image: bytes, name: str) -> tuple[np.ndarray, bytes]:
        """The bytes of a file: as RGB, and as the graph takes them."""
        picture, rgb = wire_bytes(image, name)
        return rgb, picture

    def locate(
        self, pictures: list[bytes], boxes: np.ndarray
    ) -> tuple[list[np.ndarray], ...]:
        """Keypoints, confidence and face score, see `predictor.Locator`."""
        located = list(self._graph.run(list(zip(pictures, boxes)), self._model))
        keypoints = [inference["keypoints"].astype("float64") for inference in located]
        others = ([inference[name] for inference in located] for name in LOCATED[1:])
        return keypoints, *others


class Photograph(typing.NamedTuple):
    """One whose faces are found; their keypoints are not."""

    name: str
    found: FoundFaces  # without the decoded picture
    pixels: int  # its bytes


class BulkFinder:
    """Finds faces by a detector here, and their keypoints by a SavedModel.

    Several threads may use one.

    Args:
        graph: `FacesGraph`; its model is loaded here.
        detector: as that of `Predictor`.
        read: function of a record to the bytes of its photograph.
    """

    def __init__(
        self,
        graph: FacesGraph,
        detector: DetectorChoice,
        read: Callable[[dict[str, Any]], bytes],
    ):
        self._graph, self._read = graph, read
        self._predictor = Predictor(SavedModelLocator(graph), detector)

    def answers(self, records: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """The faces of photographs, or their errors; none of them raises anything.

        Args:
            records: iterable of dicts with the path of a photograph, `image`, and with
                its `boxes`, `None` to detect, or with the `error` that it already met.

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
        found = self._predictor.find(self._read(record), record["boxes"], name)
        pixels = found.image.nbytes
        return Photograph(name, dataclasses.replace(found, image=None), pixels)

    def _is_full(self, waiting):
        """Whether the faces fill a call of the graph, or their pixels the memory."""
        faces = sum(len(photograph.found.boxes) for photograph in waiting)
        size = sum(photograph.pixels for photograph in waiting)
        return faces >= self._graph.max_batch_size or size >= self._graph.max_bytes

    def _located(self, waiting):
        """The answers to photographs; if the graph fails, one by one, to know whose."""
        try:
            predicted = self._predictor.predict_found([each.found for each in waiting])
        except Exception as error:
            for each in waiting:
                alone = len(waiting) == 1
                yield from (
                    [_failed(each.name, error)] if alone else self._located([each])
                )
            return
        for (name, _, _), faces in zip(waiting, predicted):
            if any(np.isnan(face.keypoints).any() for face in faces):
                yield _failed(name, InputError("the model cannot read this picture"))
            else:
                yield {"image": name, "faces": [face.as_dict() for face in faces]}


def _failed(name, error):
    text = " ".join(str(error).split()).removeprefix(f"{name}: ")
    if not isinstance(error, InputError):
        text = f"{type(error).__name__}: {text[:300]}"  # TensorFlow's are long.
    return {"image": name, "error": text}
