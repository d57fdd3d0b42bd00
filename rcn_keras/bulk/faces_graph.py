"""The `faces` signature of an exported model, in portions that memory can hold."""

import numpy as np

from rcn_keras.serving.pictures import decoded_bytes, request_slices


class FacesGraph:
    """Locates keypoints by the `faces` signature of a SavedModel.

    Args:
        folder: str, the folder of one version, as `rcn_keras.export_model` writes it.
        max_batch_size: int, most faces of one call of the graph.
        max_bytes: int, most bytes of decoded pixels in one, three a pixel; a larger
            picture goes alone. The graph holds them all at once.
    """

    def __init__(self, folder, max_batch_size=64, max_bytes=256 * 2**20):
        self.folder = str(folder)
        self.max_batch_size = max_batch_size
        self.max_bytes = max_bytes

    def load_model(self):
        """The SavedModel, for `run`."""
        import tensorflow as tf

        return tf.saved_model.load(self.folder)

    def run(self, rows, model):
        """Keypoints of faces.

        Args:
            rows: list of pairs, the bytes of a JPEG or PNG and the `(4,)` box of one
                face in its pixels.
            model: what `load_model` returned.

        Yields:
            dict for each row, `keypoints` `(K, 2)` and `confidence` `(K,)` float32; NaN
            and 0 where the graph cannot use it.
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
            found = model.signatures["faces"](
                image_bytes=tf.constant(pictures),
                boxes=tf.constant(np.array(boxes, "float32")),
            )
            for row in zip(found["keypoints"].numpy(), found["confidence"].numpy()):
                yield dict(zip(("keypoints", "confidence"), row))
