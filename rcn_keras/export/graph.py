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
from rcn_keras.faces.crop import gray, to_photograph
from rcn_keras.faces.taps import input_taps

if TYPE_CHECKING:
    from rcn_keras.layout import KeypointLayout

# A picture of more pixels is not decoded: three bytes each, and what they are made of.
MOST_PIXELS = 50_000_000
MOST_FACES = 100  # of a picture, those of the highest scores


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
    locate = _locator(run, layout, refinements, input_size)

    def faces(image_bytes, boxes):
        distinct, owner = tf.unique(image_bytes)
        pictures, sizes = _decoded(distinct)
        sizes = tf.gather(sizes, owner)
        boxes = tf.cast(boxes, tf.float64)
        usable = tf.reduce_all(box_checks(boxes, sizes, ops), axis=0)
        harmless = np.array([0.0, 0.0, 1.0, 1.0])
        boxes = tf.where(usable[:, None], boxes, harmless)
        keypoints, confidence, face_score = locate(pictures, sizes, owner, boxes)
        return {
            "keypoints": tf.where(usable[:, None, None], keypoints, np.nan),
            "confidence": tf.where(usable[:, None], confidence, 0.0),
            "face_score": tf.where(usable, face_score, 0.0),
        }

    return faces


def photographs_function(
    run: Callable[..., Any],
    layout: KeypointLayout,
    detect: Callable[..., Any],
    refinements: int = 1,
    input_size: int = INPUT_SIZE,
) -> Callable[..., dict[str, Any]]:
    """The `photographs` endpoint: it finds the faces too.

    Args:
        run, layout, refinements, input_size: as those of `faces_function`.
        detect: function of `(H, W, 3)` uint8 RGB to boxes `(M, 4)` and scores `(M,)`,
            float32, by falling score (`MTCNN.graph`).

    Returns:
        function of `image_bytes` `(N,)` string to a dict of M rows, one a face, by
        picture and falling score: `image_index` `(M,)` int32, `boxes` `(M, 4)` and
        `keypoints` `(M, K, 2)` in the picture's pixels, `scores` `(M,)`,
        `confidence` `(M, K)` and `face_score` `(M,)`. Every picture has a row, as a
        server's REST answers no empty table, and no row has a NaN, as JSON has none
        (but the face scores of a network that has none are NaN): of a picture without
        a face the score is 0, of one that cannot be read, or that has more than
        `MOST_PIXELS` pixels, -1, and the rest is 0. A picture's rows do not depend on
        the others of its batch.
    """
    locate = _locator(run, layout, refinements, input_size)

    def photographs(image_bytes):
        pictures, sizes = _decoded(image_bytes)
        number = tf.shape(image_bytes)[0]
        rows = tf.TensorShape([None])
        shapes = tf.TensorShape([]), rows, tf.TensorShape([None, 4]), rows

        def find(i, index, boxes, scores):
            found, certainty = tf.cond(
                sizes[i, 0] > 0,
                lambda: _usable(detect(pictures.read(i)), sizes[i]),
                lambda: _no_face(-1.0),
            )
            index = tf.concat([index, tf.fill(tf.shape(certainty), i)], axis=0)
            boxes = tf.concat([boxes, found], axis=0)
            return i + 1, index, boxes, tf.concat([scores, certainty], axis=0)

        none = tf.zeros([0], tf.int32), tf.zeros((0, 4)), tf.zeros([0])
        _, index, boxes, scores = tf.while_loop(
            lambda i, *_: i < number, find, (0, *none), shapes, parallel_iterations=1
        )
        is_face = scores > 0
        harmless = np.array([0.0, 0.0, 1.0, 1.0])
        keypoints, confidence, face_score = locate(
            pictures,
            tf.gather(sizes, index),
            index,
            tf.where(is_face[:, None], tf.cast(boxes, tf.float64), harmless),
        )
        return {
            "image_index": index,
            "boxes": boxes,
            "scores": scores,
            "keypoints": tf.where(is_face[:, None, None], keypoints, 0.0),
            "confidence": tf.where(is_face[:, None], confidence, 0.0),
            "face_score": tf.where(is_face, face_score, 0.0),
        }

    return photographs


def _usable(found, size):
    """As `faces.detect.detect_faces`, the detector's boxes that can be used; if there
    are none, the row that says so."""
    boxes, scores = found
    checks = box_checks(tf.cast(boxes, tf.float64), size[None], ops)
    usable = tf.reduce_all(checks, axis=0)
    boxes, scores = tf.boolean_mask(boxes, usable), tf.boolean_mask(scores, usable)
    boxes, scores = boxes[:MOST_FACES], scores[:MOST_FACES]
    return tf.cond(tf.size(scores) > 0, lambda: (boxes, scores), lambda: _no_face(0.0))


def _no_face(score):
    return tf.zeros((1, 4)), tf.constant([score])


def _locator(run, layout, refinements, input_size):
    """The function of pictures and their sizes, the picture of each of M rows, and the
    rows' boxes, to `(M, K, 2)` keypoints, `(M, K)` confidence and `(M,)` face score."""
    context = layout.square.context

    def one_pass(pictures, owner, squares):
        crops = tf.map_fn(
            lambda row: _input_crop(pictures.read(row[0]), row[1], context, input_size),
            (owner, squares),
            fn_output_signature=tf.TensorSpec([input_size] * 2),
        )
        found = run(crops[..., None])
        points = to_photograph(found["keypoints"], squares, input_size, ops)
        return points, found["confidence"], found["face_score"]

    def locate(pictures, sizes, owner, boxes):
        squares = face_boxes.box_squares(boxes, layout, ops)
        found = one_pass(pictures, owner, squares)
        for _ in range(refinements):
            squares = face_boxes.second_squares(found[0], layout, squares, sizes, ops)
            found = one_pass(pictures, owner, squares)
        keypoints, confidence, face_score = found
        return tf.cast(keypoints, tf.float32), confidence, face_score

    return locate


def _decoded(data):
    """Pictures `(H, W, 3)` uint8 as a `TensorArray`, and their `(N, 2)` float64 widths
    and heights. What cannot be read is one black pixel of size 0."""
    number = tf.shape(data)[0]
    pictures = tf.TensorArray(
        tf.uint8,
        number,
        clear_after_read=False,
        infer_shape=False,
        element_shape=(None, None, 3),
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
    """A picture `(H, W, 3)` uint8; `(0, 0, 3)` where it is no JPEG or PNG, or of more
    than `MOST_PIXELS` pixels, or fails.

    A decoder that fails would fail the whole batch; a data set that leaves failing
    elements out is the one place in a graph where a failure can be caught.
    """

    def known(data):
        # TensorFlow's decoder would take others too, and makes 4-D of some.
        jpeg = tf.strings.substr(data, 0, 3) == b"\xff\xd8\xff"
        return jpeg | (tf.strings.substr(data, 0, 8) == b"\x89PNG\r\n\x1a\n")

    def small(data):
        # By its header. Fails, and leaves the picture out, where there is none.
        size = tf.cond(
            tf.strings.substr(data, 0, 1) == b"\xff",
            lambda: tf.image.extract_jpeg_shape(data)[:2],
            lambda: _png_size(data),
        )
        return tf.reduce_prod(tf.cast(size, tf.int64)) <= MOST_PIXELS

    def decode(data):
        # Fails where a JPEG is cut short, as `faces.images.decode_image` does.
        picture = tf.io.decode_jpeg(data, channels=3, dct_method="INTEGER_ACCURATE")
        return tf.ensure_shape(picture, (None, None, 3))

    given = tf.data.Dataset.from_tensors(data).filter(known).filter(small)
    none = tf.data.Dataset.from_tensors(tf.zeros((0, 0, 3), tf.uint8))
    pictures = given.map(decode).ignore_errors().concatenate(none)
    return pictures.take(1).get_single_element()


def _png_size(data):
    """Width and height in the header of a PNG file, `(2,)` int32."""
    header = tf.reshape(tf.strings.substr(data, 16, 8), [1])
    return tf.io.decode_raw(header, tf.int32, little_endian=False)[0]


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
