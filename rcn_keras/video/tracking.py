"""Faces tracked from frame to frame by their own points, with identities."""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from rcn_keras._types import PathLike
from rcn_keras.errors import InputError
from rcn_keras.faces.boxes import refined_squares
from rcn_keras.predictor import FacePrediction, Predictor
from rcn_keras.video.file import Video
from rcn_keras.video.smoothing import OneEuroFilter

SAME = 0.3  # overlap of two faces' squares from which on they can be one face
TWICE = 0.5  # overlap of two tracks from which on they follow one face
PATIENCE = 1.0  # seconds that a face may be out of sight and keep its identity
UNSUPPORTED = 5  # detections in a row without a tracked face that end it


@dataclasses.dataclass(frozen=True)
class TrackedFace(FacePrediction):
    """A face in a frame: a `FacePrediction` with an identity.

    Attributes:
        id: int, the same from frame to frame; no other face of the video has it.
    """

    id: int = 0

    def as_dict(self) -> dict[str, Any]:
        return {"id": self.id} | super().as_dict()


@dataclasses.dataclass(frozen=True)
class Frame:
    """A frame of a video.

    Attributes:
        number: int, from 0.
        seconds: float, its time stamp.
        image: `(H, W, 3)` uint8 RGB.
        faces: list of `TrackedFace`, by identity.
    """

    number: int
    seconds: float
    image: np.ndarray
    faces: list[TrackedFace]


def track(
    source: PathLike | int | Video, predictor: Predictor | None = None, **arguments: Any
) -> Iterator[Frame]:
    """The frames of a video or a camera with the faces in them.

    Args:
        source: path, index of a camera, or `Video`.
        predictor: `Predictor`, or `None` for that of `rcn6_mtfl`.
        **arguments: of `Tracker`.

    Yields:
        `Frame`.

    Raises:
        InputError: if the source cannot be read or an argument cannot be used.
    """
    video = source if isinstance(source, Video) else Video(source)
    tracker = Tracker(predictor or Predictor.from_preset("rcn6_mtfl"), **arguments)
    try:
        for number, seconds, image in video:
            yield Frame(number, seconds, image, tracker(image, seconds))
    finally:
        video.close()


class Tracker:
    """Finds the faces of one frame after the other.

    A face found by the detector is followed by its own points: the network's square in
    the next frame is that of the training rule around them, moved on with the face's
    speed. The detector runs every `detect_every` frames, and sooner where the
    confidence of a face has fallen or one hides another.

    Args:
        predictor: `Predictor`.
        detect_every: int, frames; 1 for each.
        smoothing: bool, by `OneEuroFilter`.
        least_confidence: float, mean over a face's keypoints below which it counts as
            lost, unless the detector finds it.

    Call arguments:
        image: `(H, W, 3)` uint8 RGB.
        seconds: float, the frame's time.

    Returns:
        list of `TrackedFace`, by identity.

    Raises:
        InputError: if an argument cannot be used.
    """

    def __init__(
        self,
        predictor: Predictor,
        detect_every: int = 10,
        smoothing: bool = True,
        least_confidence: float = 0.5,
    ):
        if detect_every < 1:
            raise InputError(
                f"`detect_every` must be at least 1. Received: {detect_every}"
            )
        if not 0 <= least_confidence <= 1:
            raise InputError(
                "`least_confidence` must be between 0 and 1. "
                f"Received: {least_confidence}"
            )
        self.predictor = predictor
        self.detect_every = detect_every
        self.smoothing = smoothing
        self.least_confidence = least_confidence
        self._tracks, self._next, self._since, self._shape = [], 0, 0, ()

    def __call__(self, image: np.ndarray, seconds: float) -> list[TrackedFace]:
        if image.shape != self._shape:  # Another scene; pixels mean something else.
            self._tracks, self._shape, self._since = [], image.shape, self.detect_every
        self._follow(image, seconds)
        self._part()
        self._since += 1
        trouble = any(not one.visible for one in self._tracks)
        if self._since >= self.detect_every or (trouble and self._since >= 2):
            self._since = 0
            self._detect(image, seconds)
        self._tracks = [
            one
            for one in self._tracks
            if seconds - one.seen <= PATIENCE and one.unsupported < UNSUPPORTED
        ]
        return [one.face(seconds) for one in self._tracks if one.visible]

    def _follow(self, image, seconds):
        """Moves every face on, to what the network finds where it should be."""
        if not self._tracks:
            return
        expected = np.stack([one.expected(seconds) for one in self._tracks])
        squares = self._squares(expected, [one.square for one in self._tracks])
        found, confidence, face_score = self.predictor.locate(
            [image] * len(squares), squares
        )
        again = self._squares(found, squares)
        for i, one in enumerate(self._tracks):
            good = confidence[i].mean() >= self.least_confidence
            # Elsewhere than where it could have gone is another face, or none.
            good = good and overlap(squares[i], again[i]) > SAME
            if good:
                one.face_score = float(face_score[i])
                one.move(found[i], confidence[i], again[i], seconds, expected[i])
            else:
                one.hide(expected[i], squares[i], seconds)

    def _part(self):
        """Of two tracks on one face, the one that came from elsewhere waits."""
        for i, one in enumerate(self._tracks):
            for other in self._tracks[:i]:
                both = one.visible and other.visible
                if both and overlap(one.square, other.square) > TWICE:
                    stray = max(one, other, key=lambda each: each.surprise)
                    stray.hide_again()

    def _detect(self, image, seconds):
        faces = self.predictor(image)
        if not faces:
            matches = []
        else:
            points = np.stack([face.keypoints for face in faces])
            squares = self._squares(points, [_square(face.box) for face in faces])
            matches = [
                (overlap(one.square, squares[j]), i, j)
                for i, one in enumerate(self._tracks)
                for j in range(len(faces))
            ]
        free, open_faces = set(range(len(self._tracks))), set(range(len(faces)))
        # Faces in sight first: one that waits must not take theirs.
        order = sorted(matches, key=lambda m: (self._tracks[m[1]].visible, m[0]))
        for share, i, j in reversed(order):
            if share > SAME and i in free and j in open_faces:
                free.remove(i)
                open_faces.remove(j)
                self._tracks[i].support(faces[j], squares[j], seconds)
        for i in free:
            self._tracks[i].unsupported += self._tracks[i].visible
        for j in sorted(open_faces):
            shown = any(
                one.visible and overlap(one.square, squares[j]) > SAME
                for one in self._tracks
            )
            if not shown and faces[j].confidence.mean() >= self.least_confidence:
                filter = OneEuroFilter() if self.smoothing else None
                new = _Track(self._next, faces[j], squares[j], seconds, filter)
                self._tracks.append(new)
                self._next += 1

    def _squares(self, points, squares):
        sizes = np.tile(np.array(self._shape[1::-1], "float64"), (len(points), 1))
        squares = np.asarray(squares, "float64")
        layout = self.predictor.layout
        assert layout is not None  # A model server tracks nothing.
        return refined_squares(points, layout, squares, sizes)


class _Track:
    """One face over time."""

    def __init__(self, identity, face, square, seconds, filter):
        self.id, self.filter = identity, filter
        self.velocity = np.zeros(2)  # pixels a second
        self.unsupported, self.surprise = 0, 0.0
        self.keypoints, self.seconds = face.keypoints, seconds
        self.support(face, square, seconds)

    def support(self, face, square, seconds):
        """The detector has it: its box, and its points where ours were lost."""
        self.unsupported, self.score = 0, face.score
        self.box, self.box_points = np.asarray(face.box, "float64"), face.keypoints
        self.seen = seconds
        if not getattr(self, "visible", False):
            self.keypoints, self.confidence = face.keypoints, face.confidence
            self.face_score = face.face_score
            self.square, self.seconds, self.visible = square, seconds, True

    def expected(self, seconds):
        return self.keypoints + self.velocity * (seconds - self.seconds)

    def move(self, keypoints, confidence, square, seconds, expected):
        step = max(seconds - self.seconds, 1e-3)
        moved = (keypoints - self.keypoints).mean(axis=0) / step
        self._before = self.velocity, expected, self.square, self.seen
        self.surprise = np.hypot(*(keypoints - expected).mean(axis=0)) / square[2]
        if self.visible:
            self.velocity = 0.6 * self.velocity + 0.4 * moved
        self.keypoints, self.confidence, self.square = keypoints, confidence, square
        self.seconds = self.seen = seconds
        self.visible = True

    def hide(self, expected, square, seconds):
        self.keypoints, self.square, self.seconds = expected, square, seconds
        self.visible = False

    def hide_again(self):
        """Takes the last move back."""
        self.velocity, self.keypoints, self.square, self.seen = self._before
        self.visible = False

    def face(self, seconds):
        points = self.keypoints
        if self.filter is not None:
            points = self.filter(points, self.confidence, seconds)
        # The detector's box, moved and scaled as the points since then.
        now, then = self.keypoints.mean(axis=0), self.box_points.mean(axis=0)
        spread = np.linalg.norm(self.box_points - then)
        scale = np.linalg.norm(self.keypoints - now) / max(spread, 1e-6)
        corners = (self.box.reshape(2, 2) - then) * scale + now
        return TrackedFace(
            corners.ravel(),
            points,
            self.confidence,
            self.score,
            self.face_score,
            self.id,
        )


def overlap(one: Sequence[float], other: Sequence[float]) -> float:
    """The common area of two squares over that of both, `(left, top, side)` each."""
    (x, y, side), (u, v, length) = one, other
    width = min(x + side, u + length) - max(x, u)
    height = min(y + side, v + length) - max(y, v)
    common = max(width, 0) * max(height, 0)
    return common / max(side**2 + length**2 - common, 1e-9)


def _square(box):
    x0, y0, x1, y1 = box
    return x0, y0, max(x1 - x0, y1 - y0)
