"""An exported model in anyone's Apache Beam pipeline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rcn_keras._types import PathLike
from rcn_keras.bulk.faces_graph import FacesGraph

try:
    import apache_beam.ml.inference.base
except ImportError as error:
    raise ImportError("Apache Beam is missing: pip install '.[beam]'") from error

base = apache_beam.ml.inference.base


class FacesModelHandler(FacesGraph, base.ModelHandler):
    """Locates keypoints by the `faces` signature of a SavedModel.

    An example is a pair: the bytes of a JPEG or PNG file, its EXIF orientation ignored
    (`serving.pictures.wire_bytes` makes them of any file), and the `(4,)` box of one
    face, `[x0, y0, x1, y1]` in the picture's pixels. The inference is a dict:
    `keypoints` `(K, 2)` float32, (x, y) in the picture's pixels, `confidence` `(K,)`
    and `face_score` `()`; NaN, 0 and 0 where the graph cannot use the row.

    Args:
        folder, max_batch_size, max_bytes: as those of `FacesGraph`.

    Example:
        >>> handler = FacesModelHandler("saved_models/rcn6_mtfl/1")
        >>> located = examples | RunInference(handler)
        >>> located = named | RunInference(KeyedModelHandler(handler))
    """

    def __init__(
        self, folder: PathLike, max_batch_size: int = 64, max_bytes: int = 256 * 2**20
    ):
        FacesGraph.__init__(self, folder, max_batch_size, max_bytes)
        base.ModelHandler.__init__(self, max_batch_size=max_batch_size)

    def run_inference(
        self,
        batch: Sequence[tuple[bytes, Any]],
        model: Any,
        inference_args: dict[str, Any] | None = None,
    ) -> Iterator[Any]:
        for example, inference in zip(batch, self.run(batch, model)):
            yield base.PredictionResult(example, inference)

    def get_num_bytes(self, batch: Sequence[tuple[bytes, Any]]) -> int:
        return sum(len(picture) + 16 for picture, _ in batch)

    def get_metrics_namespace(self) -> str:
        return "rcn_keras"
