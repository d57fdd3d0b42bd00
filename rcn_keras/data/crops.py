"""Faces decoded and cropped once, kept in memory as bytes."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import functools
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from rcn_keras._types import Progress
from rcn_keras.codec import normalizing_distance
from rcn_keras.errors import InputError
from rcn_keras.faces import boxes
from rcn_keras.faces.border import border_flags
from rcn_keras.faces.box_checks import box_fault
from rcn_keras.faces.crop import crop_square, to_crop
from rcn_keras.faces.images import read_image
from rcn_keras.layout import KeypointLayout

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from rcn_keras.data.annotations import Face


@dataclasses.dataclass(frozen=True)
class Crops:
    """A set of faces as arrays, `N` of them.

    Attributes:
        images: `(N, 2S, 2S, 1)` uint8, the stored crops: twice the network's input.
        keypoints: `(N, K, 2)` float32 in pixels of the crops, NaN where unknown.
        squares: `(N, 3)` float32, left, top and side of the network's input in them.
        outer: `(N, 3)` float32, left, top and side of the crops in their photographs.
        picture: `(N, 2, 2)` float32, the left top and right bottom corners of the
            photographs in pixels of the crops; what lies beyond is black.
        border: `(N, K)` uint8, the edges of the photograph that a keypoint was put on
            because it lies beyond (`faces.border.border_flags`).
        faces: list of N `Face`.
        failures: list of str, one for each face left out: its source and the reason.
        layout: `KeypointLayout` of the keypoints.
    """

    images: np.ndarray
    keypoints: np.ndarray
    squares: np.ndarray
    outer: np.ndarray
    picture: np.ndarray
    border: np.ndarray
    faces: list
    failures: list
    layout: KeypointLayout

    def __len__(self):
        return len(self.images)

    @property
    def input_size(self) -> int:
        """S, the side of the network's input in pixels."""
        return self.images.shape[1] // 2

    def take(self, indices: ArrayLike) -> Crops:
        """The crops at these indices, in this order."""
        indices = np.asarray(indices)
        return dataclasses.replace(
            self,
            images=self.images[indices],
            keypoints=self.keypoints[indices],
            squares=self.squares[indices],
            outer=self.outer[indices],
            picture=self.picture[indices],
            border=self.border[indices],
            faces=[self.faces[i] for i in indices],
        )

    def without_border_keypoints(self) -> Crops:
        """The crops for training: keypoints with a border flag are NaN, which no loss
        and no error counts."""
        flagged = self.border[..., None] > 0
        keypoints = np.where(flagged, np.float32(np.nan), self.keypoints)
        return dataclasses.replace(self, keypoints=keypoints)

    def check_batch_size(self, batch_size: int) -> None:
        """Raises ValueError if there are fewer faces than one batch."""
        if len(self) < batch_size:
            raise ValueError(
                f"`batch_size` must be at most the number of faces, {len(self)}. "
                f"Received: batch_size={batch_size}"
            )

    def counted(self) -> np.ndarray:
        """`(N, K)` bool, the keypoints whose errors count: known, not at a border, of a
        face whose unit of error is known."""
        units = np.asarray(normalizing_distance(self.keypoints, self.layout))
        return (self.border == 0) & np.isfinite(
            self.keypoints.sum(axis=-1) + units[:, None]
        )


def load_crops(
    faces: Sequence[Face],
    layout: KeypointLayout,
    progress: Progress | None = None,
    border: bool = True,
    input_size: int = boxes.INPUT_SIZE,
) -> Crops:
    """Decodes and crops every face; one that fails is listed in `failures`.

    Args:
        faces: list of `Face`. `attributes["box"]`, where there is one, gives the square
            of a layout without constants of a detector (`faces.boxes`).
        layout: `KeypointLayout` of their keypoints.
        progress: callable `(done, total)`, or `None`.
        border: bool, whether a keypoint at an edge of the photograph may have been put
            there because it lies beyond, as annotators of 300-W did.
        input_size: int, S, side of the network's input in pixels.

    Returns:
        `Crops`.

    Raises:
        InputError: if no face at all could be loaded.
    """
    loaded, failures = [], []
    size = 2 * input_size
    load = functools.partial(_load, layout, border, size)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for done, (face, result) in enumerate(zip(faces, pool.map(load, faces)), 1):
            if isinstance(result, str):
                failures.append(f"{face.source}: {result}")
            else:
                loaded.append((face, *result))
            if progress:
                progress(done, len(faces))
    if not loaded:
        first = f"; the first: {failures[0]}" if failures else ": none were given"
        raise InputError(f"no face could be loaded{first}")
    kept, images, outer, inner, flags, sizes = zip(*loaded)
    outer = np.array(outer, "float32")
    keypoints = np.stack([face.keypoints for face in kept])
    corners = np.stack([np.zeros((len(sizes), 2)), sizes], axis=1)
    return Crops(
        images=np.stack(images)[..., None],
        keypoints=to_crop(keypoints, outer, size).astype("float32"),
        squares=np.array(inner, "float32") * (size / boxes.CROP_SIZE),
        outer=outer,
        picture=to_crop(corners, outer, size).astype("float32"),
        border=np.stack(flags),
        faces=list(kept),
        failures=failures,
        layout=layout,
    )


def _load(layout, border, size, face):
    """`(crop, outer, inner, border, size)`, or the reason why there is none."""
    points, box = face.keypoints, face.attributes.get("box")
    try:
        image = read_image(face.image)
        height, width = image.shape[:2]
        reach = points / [width, height]
        if np.nanmin(reach) < -0.5 or np.nanmax(reach) > 1.5:
            return f"keypoints far outside the picture of {width}x{height} pixels"
        if box is not None and (fault := box_fault(box, width, height)):
            return fault
        unit = float(normalizing_distance(points[None], layout)[0])
        if unit < 1:  # Not so if it is NaN, unknown: the face is trained on then.
            return f"its errors would be measured in units of {unit:.2f} pixels"
        outer, inner = boxes.training_squares(points, layout, width, height, box)
        flags = np.zeros(layout.count, "uint8")
        if border:
            flags = border_flags(points, layout, width, height)
    except ValueError as error:
        return str(error)
    return crop_square(image, outer, size), outer, inner, flags, (width, height)
