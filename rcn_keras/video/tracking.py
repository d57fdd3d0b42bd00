"""Faces tracked from frame to frame by their own points, with identities."""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from rcn_keras._types import PathLike
from rcn_keras.errors import InputError
from rcn_keras.faces.boxes import box_squares, refined_squares
from rcn_keras.predictor import FacePrediction, Predictor
from rcn_keras.video.file import Video
from rcn_keras.video.smoothing import OneEuroFilter

SAME = 0.3  # overlap of two faces' squares from which on they can be one face
WAITING = 0.1  # the same of a face out of sight, whose way is a guess
GROWTH = 1.3  # most that a face's square grows or shrinks from frame to frame
TWICE = 0.5  # overlap of two tracks from which on they follow one face
COVERED = 0.8  # mean confidence below which a face that meets another is behind it
PATIENCE = 2.0  # seconds that a face may be out of sight and keep its identity
UNSUPPORTED = 5  # detections in a row without a tracked face that end it
HURRY = 3  # frames from one detection to the next while a face is out of sight


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
    tracker = Tracker(predictor or Predictor("rcn6_mtfl"), **arguments)
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
    confidence of a face has fallen or one hides another. What it finds is only looked
    at by the network where no face in sight is followed.

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
        detect_every: int = 15,
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
        if self._since >= self.detect_every or (trouble and self._since >= HURRY):
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
        images = [image] * len(squares)
        # One pass: the squares are those of the points already.
        located = self.predictor.locate(images, squares, second_pass=False)
        found, confidence, face_score = located
        again = self._squares(found, squares)
        for i, one in enumerate(self._tracks):
            meets = any(
                other.visible and other is not one and overlap(squares[i], square) > 0
                for other, square in zip(self._tracks, squares)
            )
            least = max(self.least_confidence, COVERED if meets else 0)
            # Elsewhere than where it could have gone is another face, or none; of
            # another size, one that is half covered.
            change = again[i][2] / one.square[2]
            if (
                confidence[i].mean() >= least
                and overlap(squares[i], again[i]) > SAME
                and 1 / GROWTH < change < GROWTH
            ):
                # The points of a face that vanishes behind another stay at its edge.
                one.face_score = float(face_score[i])
                one.move(found[i], confidence[i], again[i], seconds, expected[i], meets)
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
        found = self.predictor.find(image)
        layout = self.predictor.layout
        assert layout is not None  # a model server that finds faces is no detector
        squares = box_squares(found.boxes, layout)
        matches = [
            (one.visible, overlap(one.square, square), i, j)
            for i, one in enumerate(self._tracks)
            for j, square in enumerate(squares)
        ]
        free, open_faces = set(range(len(self._tracks))), {}
        others = set(range(len(squares)))
        # Faces in sight first: one that waits must not take theirs.
        for visible, share, i, j in sorted(matches, reverse=True):
            if share > (SAME if visible else WAITING) and i in free and j in others:
                free.remove(i)
                others.remove(j)
                if visible:
                    self._tracks[i].support(found.boxes[j], found.scores[j], seconds)
                else:
                    open_faces[j] = self._tracks[i]
        for i in free:
            self._tracks[i].unsupported += self._tracks[i].visible
        shown = [one.square for one in self._tracks if one.visible]
        for j in others:
            if not any(overlap(square, squares[j]) > SAME for square in shown):
                open_faces[j] = None
        if open_faces:
            self._look(image, seconds, found, open_faces, squares)

    def _look(self, image, seconds, found, open_faces, squares):
        """Finds the points of detected faces, by the track that each continues, or
        `None` for a new one."""
        numbers = sorted(open_faces)
        images, squares = [image] * len(numbers), squares[numbers]
        points, confidence, face_score = self.predictor.locate(images, squares)
        squares = self._squares(points, squares)
        for i, j in enumerate(numbers):
            if confidence[i].mean() < self.least_confidence:
                continue
            one = open_faces[j]
            if one is None:
                one = _Track(self._next, OneEuroFilter() if self.smoothing else None)
                self._tracks.append(one)
                self._next += 1
            one.face_score = float(face_score[i])
            one.show(points[i], confidence[i], squares[i], seconds)
            one.support(found.boxes[j], found.scores[j], seconds)

    def _squares(self, points, squares):
        sizes = np.tile(np.array(self._shape[1::-1], "float64"), (len(points), 1))
        squares = np.asarray(squares, "float64")
        layout = self.predictor.layout
        assert layout is not None  # A model server tracks nothing.
        return refined_squares(points, layout, squares, sizes)


class _Track:
    """One face over time."""

    def __init__(self, identity, filter):
        self.id, self.filter = identity, filter
        self.velocity = np.zeros(2)  # pixels a second
        self.unsupported, self.surprise, self.face_score = 0, 0.0, float("nan")

    def show(self, keypoints, confidence, square, seconds):
        """It is in sight, for the first time or again."""
        self.keypoints, self.confidence, self.square = keypoints, confidence, square
        self.seconds, self.visible = seconds, True

    def support(self, box, score, seconds):
        """The detector has it too, in this box."""
        self.unsupported, self.score, self.seen = 0, score, seconds
        self.box, self.box_points = np.asarray(box, "float64"), self.keypoints

    def expected(self, seconds):
        return self.keypoints + self.velocity * (seconds - self.seconds)

    def move(self, keypoints, confidence, square, seconds, expected, steady):
        """It was followed; steady: its velocity stays as it is."""
        step = max(seconds - self.seconds, 1e-3)
        moved = (keypoints - self.keypoints).mean(axis=0) / step
        self._before = self.velocity, expected, self.square, self.seen
        self.surprise = np.hypot(*(keypoints - expected).mean(axis=0)) / square[2]
        if self.visible and not steady:
            self.velocity = 0.6 * self.velocity + 0.4 * moved
        self.show(keypoints, confidence, square, seconds)
        self.seen = seconds

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
