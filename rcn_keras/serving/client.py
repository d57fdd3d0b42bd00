"""Keypoints from a TensorFlow model server that serves an exported preset."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rcn_keras.errors import InputError
from rcn_keras.faces.box_checks import box_fault
from rcn_keras.faces.images import as_rgb, file_bytes
from rcn_keras.runtime import LOCATED
from rcn_keras.serving.pictures import png_bytes, request_slices, wire_bytes
from rcn_keras.serving.transport import connect

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


PHOTOGRAPHS = ("image_index", "boxes", "scores", *LOCATED)
FIRST_PAUSE = 0.2  # seconds before the first retry; each further one is twice as long


class Client:
    """Keypoints by a model server: what a `Predictor` takes instead of a model.

    No weights are loaded here. Every picture is read here before it is sent: what is
    damaged is named, and what the server's graph would read otherwise (EXIF orientation
    or formats other than JPEG and PNG) goes as a PNG of its pixels. Several threads may
    call `faces`, `crops` and `heatmaps` of one client.

    Args:
        address: str, `HOST:PORT` for gRPC (needs `pip install '.[serving]'`; no
            TLS) or `http://HOST:PORT`, `https://...` for REST. No proxy is used.
        model: str, the name under which the preset is served.
        version: int; `None` for the server's choice, its newest.
        timeout: float, seconds to wait for the answer to one request.
        batch_size: int, most rows (faces or crops) of one request.
        retries: int, how often a request is sent again, after growing pauses, where no
            server can be reached or it is not ready.
        max_bytes: int, most bytes of pictures in one request; a larger picture goes
            alone.

    Raises:
        InputError: by its methods, for a picture or box that cannot be used, and for
            what the server refuses: an unknown model, version or signature.
        ConnectionError: where no server can be reached or it is not ready.
        TimeoutError: where the answer takes too long.

    Example:
        >>> predictor = rcn_keras.Predictor(Client("localhost:8500"))
        >>> (face,) = predictor("examples/astronaut.jpg", [[180, 65, 265, 172]])
        >>> face.keypoints.shape
        (5, 2)
    """

    layout = None  # A server does not say.

    def __init__(
        self,
        address: str,
        model: str = "rcn6_mtfl",
        version: int | None = None,
        timeout: float = 10.0,
        batch_size: int = 32,
        retries: int = 3,
        max_bytes: int = 16 * 2**20,
    ):
        if batch_size < 1 or retries < 0 or not timeout > 0:
            raise ValueError(
                "`batch_size` must be at least 1, `retries` at least 0 and `timeout` "
                f"above 0. Received: {batch_size=}, {retries=}, {timeout=}"
            )
        self.address = address
        self.model = model
        self.version = version
        self.timeout = timeout
        self.batch_size = batch_size
        self.retries = retries
        self.max_bytes = max_bytes
        self._server = connect(address)

    def faces(
        self, pictures: Sequence[bytes], boxes: ArrayLike
    ) -> tuple[np.ndarray, np.ndarray]:
        """Keypoints of faces whose boxes are known; nothing is sent if one is unusable.

        Args:
            pictures: list of N bytes of image files; the same may come several times.
            boxes: `(N, 4)`, one face each, `[x0, y0, x1, y1]` in the picture's pixels.

        Returns:
            keypoints: `(N, K, 2)` float64, in the pictures' pixels.
            confidence: `(N, K)` float32.
            face_score: `(N,)` float32, NaN where the network has none.
        """
        boxes = np.asarray(boxes, "float64")
        if not len(pictures) or boxes.shape != (len(pictures), 4):
            raise InputError(
                "`boxes` must be (N, 4), one for each of N pictures, N at least 1. "
                f"Received: {len(pictures)} pictures, boxes of shape {boxes.shape}"
            )
        read = {}  # A picture of many faces is decoded once.
        for number, (picture, box) in enumerate(zip(pictures, boxes)):
            name = f"image {number}"
            if picture not in read:
                rgb, wired = self.picture(picture, name)
                read[picture] = rgb.shape, wired
            fault = box_fault(box, *read[picture][0][1::-1])
            if fault:
                raise InputError(f"{name}: {fault}")
        return self.locate([read[picture][1] for picture in pictures], boxes)

    def photographs(self, pictures: list) -> list[tuple[np.ndarray, ...]]:
        """Faces and keypoints of photographs, by a server that finds the faces too.

        Args:
            pictures: list of what `picture` gives to send of them, N at least 1.

        Returns:
            list of N `(boxes, scores, keypoints, confidence, face_score)`, `(M, 4)`,
            `(M,)`, `(M, K, 2)`, `(M, K)` and `(M,)`, of M faces by falling score.
        """
        data, answers = [data for data, _ in pictures], []
        sizes = [len(picture) for picture in data]
        for part in request_slices(sizes, self.batch_size, self.max_bytes):
            inputs = {"image_bytes": data[part]}
            answer = self._answer("photographs", inputs, PHOTOGRAPHS)
            rows = len(answer.get("scores", ()))
            self._check(answer, rows, PHOTOGRAPHS, ())
            for number in range(part.stop - part.start):
                of_it = np.flatnonzero(answer["image_index"] == number)
                scores = answer["scores"][of_it]
                if not len(of_it) or scores.min() < 0:
                    raise InputError(
                        f"{pictures[part.start + number][1]}: the server at "
                        f"{self.address} could not read this picture"
                    )
                faces = of_it[scores > 0]
                answers.append(tuple(answer[name][faces] for name in PHOTOGRAPHS[1:]))
        return answers

    def crops(self, images: ArrayLike) -> dict[str, np.ndarray]:
        """Keypoints in the pixels of crops as the network takes them.

        Args:
            images: `(N, S, S, 1)` or `(N, S, S)` grey, 0...255, uint8 or float.

        Returns:
            dict: `keypoints` `(N, K, 2)` float64 in crop pixels, `confidence` `(N, K)`
            and `face_score` `(N,)` float32.
        """
        images = _checked_crops(images)
        signature = "serving_uint8" if images.dtype == np.uint8 else "serving_default"
        return self._predict_crops(signature, images, LOCATED)

    def heatmaps(self, images: ArrayLike) -> dict[str, np.ndarray]:
        """As `crops`, with the probability maps, `heatmaps` `(N, S, S, K)`."""
        images = _checked_crops(images).astype("float32")
        return self._predict_crops("heatmaps", images, ("heatmaps", *LOCATED))

    def check(self) -> None:
        """Asks about a black picture: raises as any request, before the work."""
        picture = png_bytes(np.zeros((16, 16, 3), "uint8"))
        self.locate([(picture, "a black picture")], [[0.0, 0.0, 16.0, 16.0]])

    def _predict_crops(self, signature, images, outputs):
        sizes = [image.nbytes for image in images]
        return self._in_batches(signature, {"images": images}, sizes, outputs)

    def picture(self, image: Any, name: str) -> tuple[np.ndarray, tuple[bytes, str]]:
        """A path, bytes of a file or an array, as RGB and as what is sent of it."""
        if isinstance(image, (str, os.PathLike)):
            image = file_bytes(image)
        if isinstance(image, (bytes, bytearray, memoryview)):
            data, rgb = wire_bytes(bytes(image), name)
        else:
            rgb = as_rgb(image, name)
            data = png_bytes(rgb)
        return rgb, (data, name)

    def locate(self, pictures: list, boxes: ArrayLike) -> tuple[Any, ...]:
        """Keypoints, confidence and face score, see `predictor.Locator`."""
        if not pictures:
            return [], [], []
        data = [data for data, _ in pictures]
        rows = np.asarray(boxes, "float32")
        inputs = {"image_bytes": data, "boxes": rows}
        sizes = [len(picture) for picture in data]
        found = self._in_batches("faces", inputs, sizes, LOCATED)
        unread = np.isnan(found["keypoints"]).any(axis=(1, 2))
        for row in np.flatnonzero(unread):
            raise InputError(
                f"{pictures[row][1]}: the server at {self.address} could not read this "
                f"picture, or not use the box {np.round(rows[row], 2).tolist()}"
            )
        return tuple(found[name] for name in LOCATED)

    def _in_batches(self, signature, inputs, sizes, outputs):
        """Sends rows in as many requests as they take; the answers in one dict."""
        answers = []
        for part in request_slices(sizes, self.batch_size, self.max_bytes):
            rows = {name: value[part] for name, value in inputs.items()}
            count = part.stop - part.start
            # What was exported before there were face scores gives none.
            unknown = {"face_score": np.full(count, np.nan, "float32")}
            answer = unknown | self._answer(signature, rows, outputs)
            side = np.shape(inputs.get("images"))[1:3]
            self._check(answer, count, outputs, side)
            answers.append(answer)
        joined = {
            name: np.concatenate([answer[name] for answer in answers])
            for name in outputs
        }
        return joined | {"keypoints": joined["keypoints"].astype("float64")}

    def _answer(self, signature, rows, outputs):
        query = f"model {self.model!r}, signature {signature!r}"
        if self.version is not None:
            query = f"{query}, version {self.version}"
        for retry in range(self.retries + 1):
            if retry:
                time.sleep(FIRST_PAUSE * 2 ** (retry - 1))
            try:
                return self._server.predict(
                    self.model, self.version, signature, rows, outputs, self.timeout
                )
            except ConnectionError as error:
                fault = error
            except TimeoutError:
                raise TimeoutError(
                    f"{self.address}: no answer within {self.timeout:g} s ({query}); "
                    "give it more time, or send fewer faces at once"
                ) from None
            except InputError as error:
                raise InputError(
                    f"{self.address}: the server refuses ({query}): {error}; is this "
                    "the name under which it serves what `rcn-keras export` wrote?"
                ) from None
        raise ConnectionError(
            f"{self.address}: no model server can be reached, or it is not ready "
            f"({query}; tried {self.retries + 1} times): {fault}; HOST:PORT is for its "
            "gRPC port, http://HOST:PORT for its REST port"
        )

    def _check(self, answer, rows, outputs, side):
        keypoints = np.shape(answer.get("confidence"))[-1:]
        shapes = {
            "keypoints": (rows, *keypoints, 2),
            "confidence": (rows, *keypoints),
            "face_score": (rows,),
            "heatmaps": (rows, *side, *keypoints),
            "boxes": (rows, 4),
            "scores": (rows,),
            "image_index": (rows,),
        }
        wanted = {name: shapes[name] for name in outputs}
        received = {name: value.shape for name, value in answer.items()}
        if received != wanted or not keypoints:
            raise InputError(
                f"{self.address}: model {self.model!r} does not answer as one that "
                f"`rcn-keras export` wrote. Wanted: {', '.join(outputs)} of {rows} "
                f"rows. Received: {received}"
            )


def _checked_crops(images):
    """Crops as `(N, S, S, 1)` uint8 or float32."""
    images = np.asarray(images)
    if images.ndim == 3:
        images = images[..., None]
    if len(images) == 0 or images.shape[1:] != (*[images.shape[1]] * 2, 1):
        raise InputError(
            "`images` must be (N, S, S, 1) or (N, S, S), N at least 1. "
            f"Received shape: {images.shape}"
        )
    if images.dtype == np.uint8:
        return images
    if images.dtype.kind != "f" or not np.isfinite(images).all():
        raise InputError(
            f"`images` must be uint8, or finite floats. Received: {images.dtype}"
        )
    return images.astype("float32")
