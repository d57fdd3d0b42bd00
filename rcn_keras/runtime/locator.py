"""Keypoints of faces in photographs by a network that runs here."""

from __future__ import annotations

import dataclasses
import functools
import os
import pathlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from rcn_keras._types import PathLike
from rcn_keras.errors import InputError
from rcn_keras.faces import boxes as face_boxes
from rcn_keras.faces.crop import input_crops, to_photograph
from rcn_keras.faces.images import as_rgb
from rcn_keras.layout import KeypointLayout
from rcn_keras.presets import preset_folder, read_config, read_layout
from rcn_keras.runtime import BATCH, Located, Runtime, check_name, load_runtime

if TYPE_CHECKING:
    import keras
    from numpy.typing import ArrayLike

    from rcn_keras.models import KeypointModel
    from rcn_keras.runtime.keras import KerasRuntime


class LocalLocator:
    """Square, crop, network and the way back, and a second pass where it helps.

    Args:
        runtime: `Runtime`.
        layout: `KeypointLayout` of its keypoints.
        refinements: int, how often the squares are drawn anew from the predicted
            points; the network runs again on those that moved
            (`faces.boxes.second_squares`).
        folder: path of the preset that the network is of, or `None`.
    """

    def __init__(
        self,
        runtime: Runtime,
        layout: KeypointLayout,
        refinements: int = 1,
        folder: pathlib.Path | None = None,
    ):
        self.runtime = runtime
        self.layout = layout
        self.refinements = refinements
        self._folder = folder

    @functools.cached_property
    def model(self) -> KeypointModel:
        """The network as a `KeypointModel`; of another runtime the preset is loaded."""
        if self.runtime.name == "keras":
            return cast("KerasRuntime", self.runtime).model
        from rcn_keras.presets import load_preset

        assert self._folder is not None  # of a runtime that reads files
        return load_preset(self._folder).model

    def picture(self, image: Any, name: str) -> tuple[np.ndarray, np.ndarray]:
        """What `as_rgb` takes, as `(H, W, 3)` uint8 RGB: for the detector, and for
        `locate`."""
        image = as_rgb(image, name)
        return image, image

    def locate(self, pictures: list[np.ndarray], boxes: ArrayLike) -> Located:
        """Keypoints of faces whose boxes are known.

        Args:
            pictures: list of M `(H, W, 3)` uint8 RGB photographs, one for each box.
            boxes: `(M, 4)`, `[x0, y0, x1, y1]` in their pixels.

        Returns:
            keypoints: `(M, K, 2)` float64 in photograph pixels.
            confidence: `(M, K)` float32.
            face_score: `(M,)` float32, NaN where the network has none.
        """
        squares = face_boxes.box_squares(np.reshape(boxes, (-1, 4)), self.layout)
        return self.locate_in_squares(pictures, squares)

    def locate_in_squares(
        self, pictures: list[np.ndarray], squares: np.ndarray
    ) -> Located:
        """As `locate`, of squares `(M, 3)`: left, top, side of the network's input."""
        found = self.one_pass(pictures, squares)
        sizes = np.reshape([picture.shape[1::-1] for picture in pictures], (-1, 2))
        for _ in range(self.refinements):
            before = squares
            squares = face_boxes.second_squares(found[0], self.layout, before, sizes)
            moved = np.flatnonzero((squares != before).any(axis=1))
            again = self.one_pass([pictures[row] for row in moved], squares[moved])
            for rows, new in zip(found, again):
                rows[moved] = new
        return found

    def one_pass(self, pictures: list[np.ndarray], squares: np.ndarray) -> Located:
        """As `locate_in_squares`, without a second pass."""
        count, size = self.layout.count, self.runtime.input_size
        keypoints = np.zeros((len(squares), count, 2), "float32")
        confidence = np.zeros((len(squares), count), "float32")
        face_score = np.zeros(len(squares), "float32")
        context = self.layout.square.context
        for start in range(0, len(squares), BATCH):
            part = slice(start, start + BATCH)
            crops = input_crops(pictures[part], squares[part], context, size)
            keypoints[part], confidence[part], face_score[part] = self.runtime(crops)
        return to_photograph(keypoints, squares, size), confidence, face_score


def local_locator(
    model: PathLike | keras.Model,
    runtime: str = "auto",
    box_constants: Sequence[float] | None = None,
    refinements: int | None = None,
) -> LocalLocator:
    """A locator of a preset or of a network.

    Args:
        model: a preset's name or folder, or a `keras.Model`; see `Predictor`.
        runtime, box_constants, refinements: as those of `Predictor`.

    Raises:
        InputError: if there is no such preset or runtime, or they do not fit together.
        ImportError: if the runtime is not installed.
    """
    check_name(runtime)
    if isinstance(model, (str, os.PathLike)):
        folder = preset_folder(str(model))
        layout, config = read_layout(folder), read_config(folder)
        if config.get("model") == "denoiser":
            raise InputError(f"{folder.name} sees no photographs: it is a denoiser")
        network = load_runtime(folder, runtime)
        usual: int = config.get("refinements", 1)
    else:
        if runtime not in ("auto", "keras"):
            raise InputError(
                f"a model in memory is run by Keras; {runtime} takes a preset's name "
                "or folder"
            )
        from rcn_keras.runtime.keras import KerasRuntime

        folder, network = None, KerasRuntime(model)
        layout = network.model.layout
        usual = 1
    if box_constants is not None:
        layout = dataclasses.replace(layout, detector_square=box_constants)
    refinements = usual if refinements is None else refinements
    return LocalLocator(network, layout, refinements, folder)
