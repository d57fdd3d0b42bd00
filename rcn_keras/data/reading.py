"""What the readers of one's own keypoints share: text, numbers, boxes, pictures."""

from __future__ import annotations

import dataclasses
import os
import pathlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rcn_keras._types import PathLike
from rcn_keras.data.annotations import Face
from rcn_keras.data.points_file import LIMIT, RANGE
from rcn_keras.errors import InputError
from rcn_keras.files import find_file
from rcn_keras.layout import KeypointLayout, mirror_pairs_by_name

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


# What is added to a coordinate of the file: where the file puts the centre of the top
# left pixel, it must lie at (0.5, 0.5).
COORDINATES = {"continuous": 0.0, "pixel-centers": 0.5, "one-based": -0.5}


@dataclasses.dataclass(frozen=True)
class Annotations:
    """The instances of a file of one's own keypoints.

    Attributes:
        faces: list of N `Face`, in the order of the file: keypoints `(K, 2)` in
            continuous pixels, NaN where unknown. `attributes["box"]` is
            `(x0, y0, x1, y1)` where the file gives a box.
        layout: `KeypointLayout` of the K keypoints; its mirror pairs are guessed from
            their names.
        failures: list of str, what could not be used: its place in the file, what was
            expected and what was found.
    """

    faces: list
    layout: KeypointLayout
    failures: list


def named_layout(path: pathlib.Path, names: Sequence[str]) -> KeypointLayout:
    """The layout of keypoints of which only the names are known.

    Args:
        path: path of the file, whose name without suffix becomes the layout's.
        names: K str.

    Raises:
        InputError: if they are not different, non-empty strings.
    """
    try:
        return KeypointLayout(
            path.stem, tuple(names), mirror_pairs=mirror_pairs_by_name(names)
        )
    except ValueError as error:
        raise InputError(f"{path}: {error}") from None


def tails(name: str) -> list[str]:
    """A path, then it without its first folder, ..., then its last part."""
    parts = name.split("/")
    return ["/".join(parts[i:]) for i in range(len(parts))]


class Reading:
    """Collects the instances of one file, and what is wrong with it.

    Args:
        path: path of the file.
        images: folder that the names of pictures are relative to, or `None` for the
            file's own folder.
        coordinates: a key of `COORDINATES`, or `None` for the format's default.
        default: that default.
        candidates: function from the name of a picture to the paths, relative to the
            folder, under which it is looked for.

    Raises:
        InputError: if there is no folder `images`.
        ValueError: if there is no such convention.
    """

    def __init__(
        self,
        path: PathLike,
        images: PathLike | None,
        coordinates: str | None,
        default: str,
        candidates: Callable[[str], list[str]] | None = None,
    ):
        self.path = pathlib.Path(path)
        self.folder = self.path.parent if images is None else pathlib.Path(images)
        if not self.folder.is_dir():
            raise InputError(f"{self.folder}: no such folder (expected the pictures)")
        coordinates = default if coordinates is None else coordinates
        if coordinates not in COORDINATES:
            raise ValueError(
                f"`coordinates` must be one of {', '.join(COORDINATES)}. "
                f"Received: coordinates={coordinates!r}"
            )
        self.shift = COORDINATES[coordinates]
        self.candidates = candidates or (lambda name: [name])
        self.faces, self.failures = [], []
        self._located = {}
        self._without_points = []

    def report(self, source: object, reason: str) -> None:
        """Adds "source: reason" to the failures."""
        self.failures.append(f"{source}: {reason}")

    def number(self, value: Any, source: str, name: str) -> float:
        """A number below `LIMIT`, or NaN, which is reported under `name`."""
        try:
            number = float("nan" if isinstance(value, bool) else value)
        except (TypeError, ValueError, OverflowError):
            number = float("nan")
        if abs(number) < LIMIT:  # Not so if it is NaN.
            return number
        reason = f"expected a number {RANGE}; found {repr(value)[:40]}"
        self.report(f"{source}, {name}", reason)
        return float("nan")

    def box(
        self, corners: Sequence[float], source: str, shift: float = 0.0
    ) -> tuple[float, ...] | None:
        """A box as a tuple, or `None`; a box without area is reported.

        Args:
            corners: 4 floats, x0, y0, x1, y1; NaN for a number that was reported.
            source: where it stands.
            shift: float, added to them.
        """
        x0, y0, x1, y1 = corners
        if np.isnan(corners).any():
            return None
        if not (x0 < x1 and y0 < y1):
            self.report(
                source,
                f"expected a box with x0 < x1 and y0 < y1; found {x0:g}, {y0:g}, "
                f"{x1:g}, {y1:g}; the instance is used without it",
            )
            return None
        return tuple(corner + shift for corner in corners)

    def add(
        self,
        source: str,
        name: Any,
        points: ArrayLike,
        box: tuple[float, ...] | None = None,
    ) -> None:
        """Adds an instance, unless it has no known keypoint or no picture.

        Args:
            source: str, where it stands.
            name: of its picture, as the file has it; with `/` or `\\`.
            points: `(K, 2)` floats in the file's convention, NaN where unknown.
            box: what `box` returned.
        """
        points = np.array(points, "float64") + self.shift
        points[np.isnan(points).any(axis=1)] = np.nan
        if np.isnan(points).all():
            self._without_points.append(source)
            return
        image = self._picture(name, source)
        if image is not None:
            attributes = {} if box is None else {"box": box}
            self.faces.append(Face(image, points.astype("float32"), source, attributes))

    def _picture(self, name, source):
        """The path of a picture, or `None`, which is reported."""
        if not isinstance(name, str) or not name.strip():
            self.report(source, f"expected the name of a picture; found {name!r}")
            return None
        if name not in self._located:
            relative = self.candidates(name.strip().replace("\\", "/"))
            paths = (self.folder / path for path in relative if path)
            self._located[name] = next(
                filter(os.path.isfile, map(find_file, paths)), None
            )
        if self._located[name] is None:
            self.report(source, f"no picture {name!r} in {self.folder}")
        return self._located[name]

    def result(self, layout: KeypointLayout | None) -> Annotations:
        """The `Annotations`.

        Raises:
            InputError: if no instance could be used.
        """
        if self._without_points:
            self.failures.append(
                f"{self.path}: {len(self._without_points)} without a known keypoint, "
                f"left out; the first: {self._without_points[0]}"
            )
        if not self.faces:
            reason = self.failures[0] if self.failures else "the file lists none"
            raise InputError(f"{self.path}: no instance can be used: {reason}")
        assert layout is not None  # Instances have keypoints.
        return Annotations(self.faces, layout, self.failures)
