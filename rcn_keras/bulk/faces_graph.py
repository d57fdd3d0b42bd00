"""The `faces` signature of an exported model, in portions that memory can hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from rcn_keras._types import PathLike
from rcn_keras.errors import InputError
from rcn_keras.runtime import LOCATED, located
from rcn_keras.serving.pictures import decoded_bytes, request_slices


class FacesGraph:
    """Locates keypoints by the `faces` signature of a SavedModel.

    Args:
        folder: path, the folder of one version, as `rcn_keras.export_model` writes it.
        max_batch_size: int, most faces of one call of the graph.
        max_bytes: int, most bytes of decoded pixels in one, three a pixel; a larger
            picture goes alone. The graph holds them all at once.
    """

    def __init__(
        self, folder: PathLike, max_batch_size: int = 64, max_bytes: int = 256 * 2**20
    ):
        self.folder = str(folder)
        self.max_batch_size = max_batch_size
        self.max_bytes = max_bytes

    def load_model(self) -> Any:
        """The SavedModel, for `run`.

        Raises:
            InputError: if it is damaged.
        """
        import tensorflow as tf

        try:
            return tf.saved_model.load(self.folder)
        except Exception as error:  # TensorFlow's loader raises all kinds.
            reason = " ".join(str(error).split())[:100]
            raise InputError(f"{self.folder}: cannot be loaded ({reason})") from None

    def run(
        self, rows: Sequence[tuple[bytes, Any]], model: Any
    ) -> Iterator[dict[str, np.ndarray]]:
        """Keypoints of faces.

        Args:
            rows: list of pairs, the bytes of a JPEG or PNG and the `(4,)` box of one
                face in its pixels.
            model: what `load_model` returned.

        Yields:
            dict for each row, `keypoints` `(K, 2)`, `confidence` `(K,)` and
            `face_score` `()`, float32; NaN, 0 and 0 where the graph cannot use it.
        """
        import tensorflow as tf

        # A picture counts once: the graph decodes what rows share only once.
        sizes, before = [], None
        for picture, _ in rows:
            sizes.append(0 if picture is before else decoded_bytes(picture))
            before = picture
        for part in request_slices(sizes, self.max_batch_size, self.max_bytes):
            # Any number of rows is one and the same graph: nothing is padded.
            pictures, boxes = zip(*rows[part])
            outputs = model.signatures["faces"](
                image_bytes=tf.constant(pictures),
                boxes=tf.constant(np.array(boxes, "float32")),
            )
            found = located({name: values.numpy() for name, values in outputs.items()})
            for row in zip(*found):
                yield dict(zip(LOCATED, row))
