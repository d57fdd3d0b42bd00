"""Keypoints drawn into the pixels of a photograph, without matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rcn_keras.faces.images import as_rgb
from rcn_keras.faces.pose import MEAN_FACE, head_pose
from rcn_keras.layout import FACES, KeypointLayout
from rcn_keras.plotting.figures import BLACK, GREEN, ORANGE, SKY, WHITE, rgb

if TYPE_CHECKING:
    from rcn_keras.faces.images import Picture

MANY = 20  # more keypoints than that are drawn smaller
AXES = (ORANGE, GREEN, SKY)  # x, y and z of a head


def draw(
    image: Picture,
    faces: Sequence[Any],
    layout: KeypointLayout | None = None,
    axes: bool = False,
) -> np.ndarray:
    """Draws boxes and keypoints on a photograph, sub-pixel.

    A keypoint is a disc inside a light and a dark ring, so that it shows on any skin:
    green where its confidence is one half or more (or not given), orange below. Sizes
    follow the face and, so that they show when it is looked at as a whole, the
    photograph; of a face too small for its many keypoints they are dots. Points are
    joined by the outlines that they lie on. A face with an `id` has it at its box.

    Args:
        image: a picture as `faces.images.as_rgb` takes it.
        faces: list of what the predictor returns, or of dicts: `"keypoints"`, `(K, 2)`
            in continuous pixels, and optional `"box"`, `[x0, y0, x1, y1]`, `"id"`, and
            `"confidence"`, K numbers in [0, 1]. Keypoints that are not finite are left
            out.
        layout: `KeypointLayout` with the outlines, or `None` for that of a face of so
            many keypoints, if there is one.
        axes: bool, draws the axes of each head (`rcn_keras.head_pose`) from the tip of
            the nose: along the eyes orange, down green, backwards blue.

    Returns:
        `(H, W, 3)` uint8 RGB, a copy.
    """
    import cv2

    canvas = np.array(as_rgb(image), order="C")

    def fixed(points):
        # OpenCV counts from the centre of the first pixel; eight bits of fraction.
        return np.round((np.asarray(points, "float64") - 0.5) * 256).astype("int32")

    def line(points, closed, color, width):
        if np.isfinite(points).all():
            points, width = [fixed(points)], max(1, round(width))
            cv2.polylines(canvas, points, closed, rgb(color), width, cv2.LINE_AA, 8)

    def disc(point, radius, color):
        center, radius = fixed(point).tolist(), round(256 * radius)
        cv2.circle(canvas, center, radius, rgb(color), -1, cv2.LINE_AA, 8)

    for face in faces:
        face = face if isinstance(face, dict) else vars(face)
        points = np.asarray(face["keypoints"], "float64").reshape(-1, 2)
        known = points[np.isfinite(points).all(1)]
        size = 1.5 * np.ptp(known, axis=0).max() if len(known) else 0.0
        if face.get("box") is not None:
            corners = np.take(face["box"], [[0, 1], [2, 1], [2, 3], [0, 3]])
            size = np.ptp(corners, axis=0).max()
            line(corners, True, BLACK, size / 80)
            line(corners, True, SKY, size / 160)
            if face.get("id") is not None:
                _label(canvas, str(face["id"]), corners[0], size)
        share, most = (0.007, 0.01) if len(points) > MANY else (0.012, 0.03)
        radius = max(1.0, share * size, min(max(canvas.shape) / 1500, most * size))
        dots = len(points) > MANY and size < 100
        for indices in [] if dots else outlines(layout, len(points)):
            closed = indices[0] == indices[-1]
            points_on_it = points[list(indices[:-1] if closed else indices)]
            line(points_on_it, closed, SKY, size / 250)
        confidence = face.get("confidence", np.ones(len(points)))
        for point, certainty in zip(points, confidence, strict=True):
            if np.isfinite(point).all():
                if not dots:
                    disc(point, 2.0 * radius, BLACK)
                    disc(point, 1.5 * radius, WHITE)
                color = ORANGE if certainty < 0.5 else GREEN
                disc(point, 0.7 if dots else radius, color)
        if axes:
            pose = head_pose(points, canvas.shape[1::-1], layout=layout)
            nose = np.array(MEAN_FACE[30])
            for direction, color in zip(np.eye(3), AXES):
                line(pose.project([nose, nose + direction]), False, color, size / 60)
    return canvas


def _label(canvas, text, corner, size):
    """White letters with a dark edge above a box, or in it at the picture's top."""
    import cv2

    scale = max(0.35, size / 250)
    x, y = max(0, round(corner[0])), round(corner[1] - 6 * scale)
    y = y if y > 24 * scale else round(corner[1] + 28 * scale)
    for color, width in ((BLACK, 4 * scale), (WHITE, 1.5 * scale)):
        cv2.putText(
            canvas,
            text,
            (x, y),
            cv2.FONT_HERSHEY_SIMPLEX,
            scale,
            rgb(color),
            max(1, round(width)),
            cv2.LINE_AA,
        )


def outlines(layout: KeypointLayout | None, count: int) -> list[tuple[int, ...]]:
    """The lines that `count` keypoints lie on, as tuples of indices."""
    layout = layout or FACES.get(count)
    return list(layout.outlines.values()) if layout else []
