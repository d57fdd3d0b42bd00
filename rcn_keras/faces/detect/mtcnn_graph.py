"""MTCNN's cascade as a TensorFlow graph: one photograph in, boxes and scores out.

The detector runs it here and an exported model holds it, so that both find the same
faces. Weights, thresholds and rules are those of the package `mtcnn` 1.0.0; only its
files are read. Boxes are rows of `x0, y0, x1, y1`, score, float64.

Reference:
    Zhang, Zhang, Li and Qiao, Joint Face Detection and Alignment using Multi-task
    Cascaded Convolutional Networks, IEEE Signal Processing Letters 2016.
"""

import functools
import importlib.util
import math
import pathlib
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

CELL, STRIDE = 12, 2  # pixels of P-net's window, and from one to the next
SHRINK = 0.709  # from one level of the pyramid to the next
SMALLEST = 20  # pixels, of the smallest face on the photograph as it is
# Most boxes that are kept of a level of the pyramid and of a stage. Photographs of
# crowds have a few hundred; without a bound a picture of noise takes all memory.
MOST = 2000


def build_detector(
    min_face_size: float, max_side: int
) -> Callable[..., tuple[Any, Any]]:
    """The detector as a function to be traced, as `faces.detect` describes one.

    Args:
        min_face_size, max_side: see `MTCNN`.

    Returns:
        function of `(H, W, 3)` uint8 RGB to boxes `(M, 4)` and scores `(M,)`, float32,
        by falling score.
    """
    nets = [functools.partial(net, _weights(name)) for name, net in NETS.items()]

    def detect(image):
        size = tf.cast(tf.shape(image)[:2], tf.float64)
        scale = max_side / tf.reduce_max(size)
        scale = tf.minimum(scale, tf.constant(SMALLEST / min_face_size, tf.float64))
        wanted = tf.maximum(tf.cast(tf.round(size * scale), tf.int32), 1)
        resize = functools.partial(tf.image.resize, image[None], wanted)
        if min_face_size < SMALLEST:
            larger = scale > 1
            image = tf.cond(larger, resize, lambda: resize(method="area"))
        else:
            image = resize(method="area")
        image = (image - 127.5) / 128
        found = _cascade(image, nets)
        border = tf.reduce_max(wanted) // 4  # some large faces need space around

        def again():
            around = [[0, 0], [border, border], [border, border], [0, 0]]
            shift = tf.cast(border, tf.float64) * np.array([1.0, 1, 1, 1, 0])
            return _cascade(tf.pad(image, around), nets) - shift

        found = tf.cond(tf.shape(found)[0] > 0, lambda: found, again)
        # A box's own scale: that of the whole pixels.
        scale = tf.tile(tf.cast(wanted, tf.float64)[::-1] / size[::-1], [2])
        found = tf.cast(_falling(found), tf.float32)
        return found[:, :4] / tf.cast(scale, tf.float32), found[:, 4]

    return detect


def _cascade(image, nets):
    """The three stages on an image `(1, H, W, 3)` around -1...1."""
    proposals, refine, output = nets
    boxes = _square(_pyramid(image, proposals))
    boxes = _corrected(image, boxes, refine, 24, 0.7)
    boxes = _square(_without_overlaps(_falling(boxes), 0.7))
    boxes = _corrected(image, boxes, output, 48, 0.8)
    return _without_overlaps(_falling(boxes), 0.7, by_smaller=True)


def _pyramid(image, proposals):
    """P-net's boxes on all levels of the pyramid of an image."""
    size = tf.cast(tf.shape(image)[1:3], tf.float64)
    levels = tf.math.log(tf.reduce_min(size) / CELL) / math.log(SHRINK) + 1
    count = tf.maximum(tf.cast(tf.round(-levels), tf.int32), 0)

    def level(number, boxes):
        shrunk = tf.pow(tf.constant(SHRINK, tf.float64), tf.cast(number, tf.float64))
        scale = CELL / SMALLEST * shrunk
        smaller = tf.image.resize(image, tf.cast(size * scale, tf.int32), method="area")
        offsets, scores = proposals(smaller)
        places = tf.where(scores[0] > 0.6)
        offsets = tf.cast(tf.gather_nd(offsets[0], places), tf.float64)
        scores = tf.cast(tf.gather_nd(scores[0], places), tf.float64)
        corner = tf.cast(places[:, ::-1] * STRIDE, tf.float64)
        # From the second pixel of the window, as the package has it.
        windows = tf.concat([corner + 1, corner + CELL], axis=1) + offsets * (CELL - 1)
        found = tf.concat([windows / scale, scores[:, None]], axis=1)
        found = _without_overlaps(_falling(found), 0.5)
        return number + 1, tf.concat([boxes, found], axis=0)

    none = tf.zeros((0, 5), tf.float64)
    shapes = tf.TensorShape([]), tf.TensorShape([None, 5])
    _, boxes = tf.while_loop(lambda number, _: number < count, level, (0, none), shapes)
    return _without_overlaps(_falling(boxes), 0.7)


def _corrected(image, boxes, net, side, threshold):
    """Boxes as a net moves them, with its scores, those above the threshold.

    The net sees them as patches `(M, side, side, 3)`.
    """
    height, width = tf.unstack(tf.cast(tf.shape(image)[1:3], tf.float64))
    x0, y0, x1, y1, _ = tf.unstack(boxes, axis=1)
    places = tf.stack([y0 / height, x0 / width, y1 / height, x1 / width], axis=1)
    # And one more, which is dropped: the kernels fail on a batch of none.
    places = tf.pad(tf.cast(places, tf.float32), [[0, 1], [0, 0]])
    which = tf.zeros(tf.shape(places)[:1], tf.int32)
    offsets, scores = net(tf.image.crop_and_resize(image, places, which, [side, side]))
    offsets, scores = (tf.cast(x[:-1], tf.float64) for x in (offsets, scores))
    size = boxes[:, 2:4] - boxes[:, :2] + 1
    corners = boxes[:, :4] + offsets * tf.tile(size, [1, 2])
    boxes = tf.concat([corners, scores[:, None]], axis=1)
    return tf.boolean_mask(boxes, scores > threshold)


def _falling(boxes):
    """The boxes of the highest scores, by falling score; of those of one score, P-net
    gives a whole 1 to many, the last first: that of the largest faces."""
    boxes = boxes[::-1]
    order = tf.argsort(boxes[:, 4], direction="DESCENDING", stable=True)
    return tf.gather(boxes, order[:MOST])


def _without_overlaps(boxes, threshold, by_smaller=False):
    """Without those that overlap one before them, whether or not that one is kept.

    The overlap is in parts of the union, or of the smaller of the two.
    """
    corner, opposite = boxes[:, :2], boxes[:, 2:4]
    low = tf.maximum(corner[:, None], corner[None])
    high = tf.minimum(opposite[:, None], opposite[None])
    common = tf.reduce_prod(tf.maximum(high - low, 0), axis=-1)
    area = tf.reduce_prod(opposite - corner, axis=-1)
    if by_smaller:
        of_both = tf.minimum(area[:, None], area[None])
    else:
        of_both = area[:, None] + area[None] - common
    before = tf.linalg.band_part(tf.cast(common / of_both > threshold, tf.int32), 0, -1)
    # The diagonal is the box itself, 1 (an empty box has no overlap, not even that).
    before = tf.linalg.set_diag(before, tf.zeros(tf.shape(area), tf.int32))
    return tf.boolean_mask(boxes, tf.reduce_sum(before, axis=0) == 0)


def _square(boxes):
    """The shorter side of boxes widened about the centre."""
    corner, opposite, score = boxes[:, :2], boxes[:, 2:4], boxes[:, 4:]
    size = opposite - corner
    side = tf.reduce_max(size, axis=1, keepdims=True)
    corner = corner + size * 0.5 - side * 0.5
    return tf.concat([corner, corner + side, score], axis=1)


def _p_net(weights, x):
    """Boxes' offsets `(N, h, w, 4)` and scores `(N, h, w)` of all windows."""
    x = _pooled(_convolved(x, weights[:3]), 2, "SAME")
    x = _convolved(_convolved(x, weights[3:6]), weights[6:9])
    offsets = tf.nn.conv2d(x, weights[9], 1, "VALID") + weights[10]
    scores = tf.nn.softmax(tf.nn.conv2d(x, weights[11], 1, "VALID") + weights[12])
    return offsets, scores[:, :, :, 1]


def _r_net(weights, x):
    """Boxes' offsets `(N, 4)` and scores `(N,)` of patches `(N, 24, 24, 3)`."""
    x = _pooled(_convolved(x, weights[:3]), 3, "SAME")
    x = _pooled(_convolved(x, weights[3:6]), 3, "VALID")
    x = _connected(_convolved(x, weights[6:9]), weights[9:12])
    scores = tf.nn.softmax(x @ weights[14] + weights[15])
    return x @ weights[12] + weights[13], scores[:, 1]


def _o_net(weights, x):
    """As `_r_net`, of patches `(N, 48, 48, 3)`; its five points are left out."""
    x = _pooled(_convolved(x, weights[:3]), 3, "SAME")
    x = _pooled(_convolved(x, weights[3:6]), 3, "VALID")
    x = _pooled(_convolved(x, weights[6:9]), 2, "SAME")
    x = _connected(_convolved(x, weights[9:12]), weights[12:15])
    scores = tf.nn.softmax(x @ weights[19] + weights[20])
    return x @ weights[15] + weights[16], scores[:, 1]


NETS = {"pnet": _p_net, "rnet": _r_net, "onet": _o_net}


def _convolved(x, weights):
    kernel, bias, slope = weights
    return _prelu(tf.nn.conv2d(x, kernel, 1, "VALID") + bias, slope)


def _connected(x, weights):
    kernel, bias, slope = weights
    x = tf.transpose(x, [0, 2, 1, 3])  # columns first, as Caffe's weights are
    return _prelu(tf.reshape(x, [-1, len(kernel)]) @ kernel + bias, slope)


def _pooled(x, size, padding):
    return tf.nn.max_pool2d(x, size, 2, padding)


def _prelu(x, slope):
    return tf.nn.relu(x) - slope * tf.nn.relu(-x)


def _weights(name):
    """The arrays of one net, in the order of its layers."""
    spec = importlib.util.find_spec("mtcnn")
    assert spec is not None and spec.origin is not None  # `MTCNN` has looked for it.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # joblib's, on machines without semaphores
        import joblib
    path = pathlib.Path(spec.origin).parent / "assets" / "weights" / f"{name}.lz4"
    return joblib.load(path)
