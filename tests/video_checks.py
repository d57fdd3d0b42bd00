"""Stand-ins and tools for the tests of videos."""

import struct

import numpy as np

from rcn_keras.layout import FACE_5
from rcn_keras.predictor import FoundFaces

# Of a face of one pixel eye distance, from the middle of the eyes.
SHAPE = np.array([[-0.5, 0], [0.5, 0], [0, 0.55], [-0.4, 1.05], [0.4, 1.05]])


class KnownFaces:
    """A predictor of pictures whose first pixel holds the number of their frame.

    Args:
        paths: list of functions of the frame number, to `(x, y, eye distance)`, or
            `None` where the face is out of sight; an earlier one hides a later one.
        noise: float, pixels.
    """

    layout = FACE_5

    def __init__(self, *paths, noise=0.0):
        self.paths, self.noise = paths, noise
        self.detections, self.rng = 0, np.random.default_rng(0)

    def truth(self, number):
        """The faces that show, `(5, 2)` each."""
        shown = []
        for path in self.paths:
            if (place := path(number)) is not None:
                x, y, size = place
                points = SHAPE * size + [x, y]
                middles = [other.mean(axis=0) for other in shown]
                if all(np.hypot(*(points.mean(axis=0) - m)) > size for m in middles):
                    shown.append(points)
        return shown

    def _seen(self, image):
        faces = self.truth(int(image[0, 0, 0]))
        return [face + self.rng.normal(0, self.noise, face.shape) for face in faces]

    def find(self, image):
        self.detections += 1
        boxes = []
        for points in self._seen(image):
            low, high = points.min(axis=0), points.max(axis=0)
            margin = 0.35 * (high - low)
            boxes.append(np.concatenate([low - margin, high + margin]))
        boxes = np.reshape(boxes, (-1, 4))
        return FoundFaces(image, boxes, [0.9] * len(boxes), image)

    def locate(self, images, squares, second_pass=True):
        keypoints, confidence = [], []
        for image, (left, top, side) in zip(images, squares):
            middle, best = np.array([left, top]) + side / 2, None
            for points in self._seen(image):
                distance = np.hypot(*(points.mean(axis=0) - middle)) / side
                if distance < 0.4 and (best is None or distance < best[0]):
                    best = distance, points
            if best is None:
                keypoints.append(SHAPE * side / 4 + middle)
                confidence.append(np.full(5, 0.05))
            else:
                keypoints.append(best[1])
                confidence.append(np.full(5, 0.95))
        # The confidence of all points is the face score too.
        return np.stack(keypoints), np.stack(confidence), np.stack(confidence)[:, 0]


def frame(number, size=(320, 240)):
    image = np.zeros((size[1], size[0], 3), "uint8")
    image[:16, :16] = number
    return image


def mp4_boxes(data, start=0, end=None, parents=()):
    """Yields place, size, kind and parents' places of the boxes of an MP4 file."""
    end = len(data) if end is None else end
    while start + 8 <= end:
        size, kind = struct.unpack(">I4s", data[start : start + 8])
        yield start, size, kind, parents
        if kind in (b"moov", b"trak", b"mdia", b"minf", b"stbl"):
            yield from mp4_boxes(data, start + 8, start + size, (*parents, start))
        start += size


def mp4_box(data, wanted):
    return next(box for box in mp4_boxes(data) if box[2] == wanted)
