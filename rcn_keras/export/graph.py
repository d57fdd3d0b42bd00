"""Photographs' bytes and face boxes to keypoints, as a TensorFlow graph.

The predictor's way (`rcn_keras.predictor`) by the same box rules, crop and network.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf
from keras import ops

from rcn_keras.faces import boxes as face_boxes
from rcn_keras.faces.box_checks import box_checks
from rcn_keras.faces.boxes import INPUT_SIZE
from rcn_keras.faces.crop import gray, input_taps, to_photograph

if TYPE_CHECKING:
    from rcn_keras.layout import KeypointLayout


def faces_function(
    run: Callable[..., Any],
    layout: KeypointLayout,
    refinements: int = 1,
    input_size: int = INPUT_SIZE,
) -> Callable[..., dict[str, Any]]:
    """The `faces` endpoint of an exported network.

    Args:
        run: function, `(N, S, S, 1)` float32 crops to a dict with `keypoints`,
            `confidence` and `face_score`.
        layout: `KeypointLayout` of the K keypoints.
        refinements: int, see `rcn_keras.Predictor`.
        input_size: int, S, side of the crops in pixels.

    Returns:
        function of `image_bytes` `(N,)` string and `boxes` `(N, 4)` float32 to a dict
        of `keypoints` `(N, K, 2)` in pixels of the pictures, `confidence` `(N, K)` and
        `face_score` `(N,)`. A row whose picture cannot be read, or whose box cannot be
        used, has NaN keypoints, confidence 0 and face score 0. A picture that several
        rows share is decoded once;
        memory is three bytes a pixel of the distinct pictures of a batch.
    """
    context = layout.square.context

    def faces(image_bytes, boxes):
        distinct, owner = tf.unique(image_bytes)
        pictures, sizes = _decoded(distinct)
        sizes = tf.gather(sizes, owner)
        boxes = tf.cast(boxes, tf.float64)
        usable = tf.reduce_all(box_checks(boxes, sizes, ops), axis=0)
        harmless = np.array([0.0, 0.0, 1.0, 1.0])
        boxes = tf.where(usable[:, None], boxes, harmless)
        squares = face_boxes.box_squares(boxes, layout, ops)

        def locate(squares):
            crops = tf.map_fn(
                lambda row: _input_crop(
                    pictures.read(row[0]), row[1], context, input_size
                ),
                (owner, squares),
                fn_output_signature=tf.TensorSpec([input_size] * 2),
            )
            found = run(crops[..., None])
            points = to_photograph(found["keypoints"], squares, input_size, ops)
            return points, found["confidence"], found["face_score"]

        keypoints, confidence, face_score = locate(squares)
        for _ in range(refinements):
            squares = face_boxes.second_squares(keypoints, layout, squares, sizes, ops)
            keypoints, confidence, face_score = locate(squares)
        keypoints = tf.cast(keypoints, tf.float32)
        return {
            "keypoints": tf.where(usable[:, None, None], keypoints, np.nan),
            "confidence": tf.where(usable[:, None], confidence, 0.0),
            "face_score": tf.where(usable, face_score, 0.0),
        }

    return faces


def _decoded(data):
    """Pictures `(H, W, 3)` uint8 as a `TensorArray`, and their `(N, 2)` float64 widths
    and heights. What cannot be read is one black pixel of size 0."""
    number = tf.shape(data)[0]
    pictures = tf.TensorArray(
        tf.uint8, number, infer_shape=False, element_shape=(None, None, 3)
    )
    sizes = tf.TensorArray(tf.float64, number, element_shape=(2,))

    def read(i, pictures, sizes):
        picture = _decode(data[i])
        height, width, _ = tf.unstack(tf.cast(tf.shape(picture), tf.float64))
        size = tf.stack([width, height])
        picture = tf.cond(
            width > 0, lambda: picture, lambda: tf.zeros((1, 1, 3), tf.uint8)
        )
        return i + 1, pictures.write(i, picture), sizes.write(i, size)

    _, pictures, sizes = tf.while_loop(
        lambda i, *_: i < number, read, (0, pictures, sizes)
    )
    return pictures, sizes.stack()


def _decode(data):
    """A picture `(H, W, 3)` uint8; `(0, 0, 3)` where it is no JPEG or PNG, or fails.

    A decoder that fails would fail the whole batch; a data set that leaves failing
    elements out is the one place in a graph where a failure can be caught.
    """

    def known(data):
        # TensorFlow's decoder would take others too, and makes 4-D of some.
        jpeg = tf.strings.substr(data, 0, 3) == b"\xff\xd8\xff"
        return jpeg | (tf.strings.substr(data, 0, 8) == b"\x89PNG\r\n\x1a\n")

    def decode(data):
        # Fails where a JPEG is cut short, as `faces.images.decode_image` does.
        picture = tf.io.decode_jpeg(data, channels=3, dct_method="INTEGER_ACCURATE")
        return tf.ensure_shape(picture, (None, None, 3))

    readable = tf.data.Dataset.from_tensors(data).filter(known)
    none = tf.data.Dataset.from_tensors(tf.zeros((0, 0, 3), tf.uint8))
    pictures = readable.map(decode).ignore_errors().concatenate(none)
    return pictures.take(1).get_single_element()


def _input_crop(picture, square, context, size):
    """`faces.crop.input_crop` as a graph, `(size, size)` float32 of whole numbers."""
    height, width, _ = tf.unstack(tf.cast(tf.shape(picture), tf.float64))
    rows, columns = input_taps(tf.unstack(square), width, height, context, size, ops)
    rows, (top, bottom) = _matrix(rows)
    columns, (left, right) = _matrix(columns)
    part = gray(picture[top:bottom, left:right], ops)
    crop = rows @ tf.matmul(part, columns, transpose_b=True)
    return tf.round(tf.clip_by_value(crop, 0.0, 255.0))


def _matrix(steps):
    """Both steps of taps as one `(S, M)` matrix, and the M source pixels it takes."""
    (index, weights), (index_after, weights_after) = steps
    start, stop = tf.reduce_min(index), tf.reduce_max(index) + 1
    size, taps = index.shape[0], tf.shape(index)[1]
    line = tf.broadcast_to(tf.range(size)[:, None], (size, taps))
    places = tf.stack([line, index - start], axis=-1)
    first = tf.scatter_nd(places, weights, (size, stop - start))
    second = np.zeros((len(index_after), size), "float32")
    np.add.at(second, (np.arange(len(second))[:, None], index_after), weights_after)
    return second @ first, (start, stop)
