"""An exported model in anyone's Apache Beam pipeline."""

import numpy as np

from rcn_keras.serving.pictures import decoded_bytes, request_slices

try:
    import apache_beam.ml.inference.base
except ImportError as error:
    raise ImportError("Apache Beam is missing: pip install '.[beam]'") from error

base = apache_beam.ml.inference.base


class FacesModelHandler(base.ModelHandler):
    """Locates keypoints by the `faces` signature of a SavedModel.

    An example is a pair: the bytes of a JPEG or PNG file, its EXIF orientation ignored
    (`serving.pictures.wire_bytes` makes them of any file), and the `(4,)` box of one
    face, `[x0, y0, x1, y1]` in the picture's pixels. The inference is a dict:
    `keypoints` `(K, 2)` float32, (x, y) in the picture's pixels, and `confidence`
    `(K,)`; NaN and 0 where the graph cannot use the row.

    Args:
        folder: str, the folder of one version, as `rcn_keras.export_model` writes it.
        max_batch_size: int, most faces of one call of the graph.
        max_bytes: int, most bytes of decoded pixels in one, three a pixel; a larger
            picture goes alone. The graph holds them all at once.

    Example:
        >>> handler = FacesModelHandler("saved_models/rcn6_mtfl/1")
        >>> located = examples | RunInference(handler)
        >>> located = named | RunInference(KeyedModelHandler(handler))
    """

    def __init__(self, folder, max_batch_size=64, max_bytes=256 * 2**20):
        super().__init__(max_batch_size=max_batch_size)
        self.folder = str(folder)
        self.max_batch_size = max_batch_size
        self.max_bytes = max_bytes

    def load_model(self):
        import tensorflow as tf

        return tf.saved_model.load(self.folder)

    def run_inference(self, batch, model, inference_args=None):
        import tensorflow as tf

        # A picture counts once: the graph decodes what rows share only once.
        sizes, before = [], None
        for picture, _ in batch:
            sizes.append(0 if picture is before else decoded_bytes(picture))
            before = picture
        for part in request_slices(sizes, self.max_batch_size, self.max_bytes):
            # Any number of rows is one and the same graph: nothing is padded.
            pictures, boxes = zip(*batch[part])
            found = model.signatures["faces"](
                image_bytes=tf.constant(pictures),
                boxes=tf.constant(np.array(boxes, "float32")),
            )
            rows = found["keypoints"].numpy(), found["confidence"].numpy()
            for example, keypoints, confidence in zip(batch[part], *rows):
                inference = {"keypoints": keypoints, "confidence": confidence}
                yield base.PredictionResult(example, inference)

    def get_num_bytes(self, batch):
        return sum(len(picture) + 16 for picture, _ in batch)

    def get_metrics_namespace(self):
        return "rcn_keras"
