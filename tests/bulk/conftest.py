import numpy as np
import pytest


@pytest.fixture(scope="session")
def saved_model_folder(tmp_path_factory):
    """The base folder of a model with the signature `faces`, version 1.

    It puts five points into the box, and moves them by the brightness of the picture.
    """
    import tensorflow as tf  # Not at the top: this file is read under JAX too.

    def brightness(data):
        png = tf.strings.substr(data, 0, 4) == b"\x89PNG"
        return tf.cond(
            tf.logical_or(tf.io.is_jpeg(data), png),
            lambda: tf.reduce_mean(
                tf.cast(tf.io.decode_jpeg(data, channels=3), tf.float32)
            ),
            lambda: np.float32(np.nan),
        )

    signature = [
        tf.TensorSpec((None,), tf.string, name="image_bytes"),
        tf.TensorSpec((None, 4), tf.float32, name="boxes"),
    ]

    @tf.function(input_signature=signature)
    def faces(image_bytes, boxes):
        light = tf.map_fn(brightness, image_bytes, fn_output_signature=tf.float32)
        places = np.float32([[3, 4], [7, 4], [5, 6], [3.5, 8], [6.5, 8]]) / 10
        corner, size = boxes[:, None, :2], boxes[:, None, 2:] - boxes[:, None, :2]
        known = tf.math.is_finite(light)[:, None]
        return {
            "keypoints": corner + places * size + light[:, None, None] / 50,
            "confidence": tf.where(known, np.float32([0.5, 0.6, 0.7, 0.8, 0.9]), 0.0),
            "face_score": tf.where(known[:, 0], np.float32(0.4), 0.0),
        }

    folder = tmp_path_factory.mktemp("saved_models") / "drawn"
    tf.saved_model.save(tf.Module(), str(folder / "1"), signatures={"faces": faces})
    return folder
