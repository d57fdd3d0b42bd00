"""Keypoints drawn into the pixels of a photograph, without matplotlib."""

import numpy as np

from rcn_keras.faces.images import as_rgb
from rcn_keras.layout import FACES
from rcn_keras.plotting.figures import BLACK, GREEN, ORANGE, SKY, WHITE, rgb

MANY = 20  # more keypoints than that are drawn smaller


def draw_keypoints(image, faces, layout=None):
    """Draws boxes and keypoints on a photograph, sub-pixel.

    A keypoint is a disc inside a light and a dark ring, so that it shows on any skin:
    green where its confidence is one half or more (or not given), orange below. Sizes
    follow the face. Points are joined by the outlines that they lie on.

    Args:
        image: a picture as `faces.images.as_rgb` takes it.
        faces: list of dicts: `"keypoints"`, `(K, 2)` in continuous pixels, and
            optional `"box"`, `[x0, y0, x1, y1]`, and `"confidence"`, K numbers in
            [0, 1]. Keypoints that are not finite are left out.
        layout: `KeypointLayout` with the outlines, or `None` for that of a face of so
            many keypoints, if there is one.

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
        points = np.asarray(face["keypoints"], "float64").reshape(-1, 2)
        known = points[np.isfinite(points).all(1)]
        size = 1.5 * np.ptp(known, axis=0).max() if len(known) else 0.0
        if face.get("box") is not None:
            corners = np.take(face["box"], [[0, 1], [2, 1], [2, 3], [0, 3]])
            size = np.ptp(corners, axis=0).max()
            line(corners, True, BLACK, size / 80)
            line(corners, True, SKY, size / 160)
        for indices in outlines(layout, len(points)):
            closed = indices[0] == indices[-1]
            points_on_it = points[list(indices[:-1] if closed else indices)]
            line(points_on_it, closed, SKY, size / 250)
        radius = max(1.0, size * (0.007 if len(points) > MANY else 0.012))
        confidence = face.get("confidence", np.ones(len(points)))
        for point, certainty in zip(points, confidence, strict=True):
            if np.isfinite(point).all():
                disc(point, 2.0 * radius, BLACK)
                disc(point, 1.5 * radius, WHITE)
                disc(point, radius, ORANGE if certainty < 0.5 else GREEN)
    return canvas


def outlines(layout, count):
    """The lines that `count` keypoints lie on, as tuples of indices."""
    layout = layout or FACES.get(count)
    return list(layout.outlines.values()) if layout else []
