"""Keypoints over faces: one face, several networks side by side, a sheet of inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from rcn_keras._types import PathLike
from rcn_keras.evaluation.errors import face_errors, normalized_errors
from rcn_keras.layout import KeypointLayout, chosen_layout
from rcn_keras.plotting.drawing import MANY, outlines
from rcn_keras.plotting.figures import (
    BLUE,
    ORANGE,
    VERMILION,
    WHITE,
    panels,
    saved,
    show,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike


# Where faces in the order of their difficulty are cut, percentiles: as in the paper's
# Fig. 3 few parts are of easy faces.
CUTS = (0, 25, 50, 70, 80, 85, 90, 94, 97, 99, 100)
WIDTH = 9  # inches
GREY = {"vmin": 0, "vmax": 255}  # A dark picture is to look dark.
MOST = 10  # faces side by side in a mosaic


def plot_keypoints(
    image: ArrayLike,
    keypoints: ArrayLike,
    true_keypoints: ArrayLike | None = None,
    view: Sequence[float] | None = None,
    save: PathLike | None = None,
    layout: KeypointLayout | None = None,
) -> Figure:
    """Predicted keypoints over a face, with lines to the true ones.

    Points are joined by the outlines that they lie on.

    Args:
        image: `(H, W)`, `(H, W, 1)` or `(H, W, 3)`, a crop or a photograph, grey
            levels 0...255 or uint8 RGB.
        keypoints: `(K, 2)` in continuous pixels of the image, or `(N, K, 2)` for
            several faces. Those that are not finite are left out.
        true_keypoints: the same shape, or `None`.
        view: `[x0, y0, x1, y1]`, the part of the image to show, or `None` for all.
        save: path, or `None`.
        layout: `KeypointLayout` of the keypoints, or `None` for that of a face of so
            many, if there is one.
    """
    height, width = np.shape(image)[:2]
    left, top, right, bottom = (0, 0, width, height) if view is None else view
    figure, [axes] = panels(5, 5 * (bottom - top) / (right - left))
    show(axes, image, height, width, **GREY)
    axes.set(xlim=(left, right), ylim=(bottom, top))
    faces = np.asarray(keypoints, "float64")
    faces = faces.reshape(-1, *faces.shape[-2:])
    true = [None] * len(faces)
    if true_keypoints is not None:
        true = np.asarray(true_keypoints, "float64").reshape(faces.shape)
        distance = np.linalg.norm(true - faces, axis=-1)
        axes.set_title(f"mean error {np.nanmean(distance):.2f} pixels")
    for points, truth in zip(faces, true):
        _points(axes, points, truth, layout, size=6)
    if true_keypoints is not None and len(faces):
        handles, labels = axes.get_legend_handles_labels()
        entries = dict(zip(labels, handles))  # once, however many faces
        axes.legend(entries.values(), entries, loc="upper right", framealpha=0.9)
    return saved(figure, save)


def plot_mosaic(
    images: np.ndarray,
    true_keypoints: ArrayLike,
    predictions: Mapping[str, ArrayLike],
    cuts: Sequence[float] = CUTS,
    save: PathLike | None = None,
    layout: KeypointLayout | None = None,
) -> Figure:
    """Faces from easy to hard, each with its error: Fig. 3 of the paper.

    The difficulty of a face is its mean error over the networks. The faces in that
    order are cut at percentiles, and of each part one is shown, as by
    `plot_comparison`: the one whose errors are nearest to the networks' mean errors of
    the part (the paper draws one at random). Faces whose error is not known for all are
    left out.

    Args:
        images: `(N, H, W)`, `(N, H, W, 1)` or `(N, H, W, 3)`, the crops.
        true_keypoints: `(N, K, 2)` in continuous pixels of the crops.
        predictions: dict, name of a network to its keypoints, `(N, K, 2)`.
        cuts: rising numbers from 0 to 100, which bound the parts.
        save: path, or `None`.
        layout: `KeypointLayout` of the keypoints, or `None` for that of a face of so
            many, if there is one.

    Raises:
        ValueError: if there is no network, or no face to show.
    """
    shape = (len(predictions), len(images))
    errors = np.zeros(shape)
    for row, points in zip(errors, predictions.values()):
        row[:] = _mean_errors(true_keypoints, points, layout)
    known = np.flatnonzero(np.isfinite(errors).all(axis=0))
    _check_something(known, predictions)
    order = known[np.argsort(errors[:, known].mean(axis=0), kind="stable")]
    ends = np.round(np.asarray(cuts) / 100 * len(order)).astype(int)
    chosen = {}
    for low, high, first, last in zip(cuts, cuts[1:], ends, ends[1:]):
        part = order[first:last]
        if len(part):
            off = errors[:, part] - errors[:, part].mean(axis=1, keepdims=True)
            chosen[f"{low:g} to {high:g} %"] = part[np.abs(off).sum(axis=0).argmin()]
    faces = list(chosen.values())
    return plot_comparison(
        np.asarray(images)[faces],
        np.asarray(true_keypoints)[faces],
        {name: np.asarray(points)[faces] for name, points in predictions.items()},
        list(chosen),
        save,
        layout,
    )


def plot_comparison(
    images: np.ndarray,
    true_keypoints: np.ndarray,
    predictions: Mapping[str, np.ndarray],
    titles: Sequence[str] | None = None,
    save: PathLike | None = None,
    layout: KeypointLayout | None = None,
) -> Figure:
    """The same faces as several networks see them: Figs. 4 to 6 of the paper.

    A row (or several) for each network, with lines from the predicted to the true
    keypoints. Above a face stands its mean error, beside a network that of its row.

    Args:
        images: `(N, H, W)`, `(N, H, W, 1)` or `(N, H, W, 3)`, the crops.
        true_keypoints: `(N, K, 2)` in continuous pixels of the crops.
        predictions: dict, name of a network to its keypoints, `(N, K, 2)`.
        titles: N strings to stand over the faces, or `None`.
        save: path, or `None`.
        layout: `KeypointLayout` of the keypoints, or `None` for that of a face of so
            many, if there is one.

    Raises:
        ValueError: if there is no network, or no face to show.
    """
    _check_something(images, predictions)
    columns = min(len(images), MOST)
    lines = -(-len(images) // columns)  # of faces, for each network
    rows = lines * len(predictions)
    figure, grid = panels(WIDTH, (WIDTH / columns + 0.32) * rows, rows, columns)
    height, width = np.shape(images)[1:3]
    for axes in grid:
        axes.set_axis_off()
    for number, (name, points) in enumerate(predictions.items()):
        block = grid[number * lines * columns :]
        errors = 100 * _mean_errors(true_keypoints, points, layout)
        for face, (axes, error) in enumerate(zip(block, errors)):
            axes.set_axis_on()
            show(axes, images[face], height, width, **GREY)
            _points(axes, points[face], true_keypoints[face], layout, size=3)
            title = f"{error:.1f} %"
            if number == 0 and titles is not None:
                title = f"{titles[face]}\n{title}"
            axes.set_title(title, fontsize=8)
        block[0].set_ylabel(f"{name}\nmean {errors.mean():.1f} %", fontsize=8)
    return saved(figure, save)


def plot_inputs(
    images: np.ndarray,
    keypoints: np.ndarray,
    columns: int = 8,
    save: PathLike | None = None,
    layout: KeypointLayout | None = None,
) -> Figure:
    """A sheet of network inputs with their keypoints, as augmentation makes them.

    Args:
        images: `(N, H, W)`, `(N, H, W, 1)` or `(N, H, W, 3)`.
        keypoints: `(N, K, 2)` in their continuous pixels; those outside the picture
            are not shown.
        columns: int, pictures side by side.
        save: path, or `None`.
        layout: `KeypointLayout` of the keypoints, or `None` for that of a face of so
            many, if there is one.
    """
    rows, side = -(-len(images) // columns), WIDTH / columns
    figure, grid = panels(WIDTH, side * rows, rows, columns)
    height, width = np.shape(images)[1:3]
    for axes in grid:
        axes.set_axis_off()
    for axes, image, points in zip(grid, images, keypoints):
        axes.set_axis_on()
        show(axes, image, height, width, **GREY)
        _points(axes, np.asarray(points, "float64"), None, layout, size=4)
    return saved(figure, save)


def _check_something(faces, predictions):
    if not len(faces) or not predictions:
        raise ValueError(
            "There is nothing to show. "
            f"Received: {len(faces)} faces with a known error, {len(predictions)} "
            "networks"
        )


def _mean_errors(true, points, layout):
    """The mean error of each face as a fraction, `(N,)`, NaN where none is known."""
    layout = chosen_layout(np.shape(true)[1], layout)
    return face_errors(normalized_errors(true, points, layout))


def _points(axes, points, true, layout, size):
    """Keypoints, and to the true ones rings and lines; `size` in typographic points,
    of the markers of five."""
    size = size / 2 if len(points) > MANY else size
    if true is not None:
        lines = np.stack([true, points]).transpose(2, 0, 1)  # x and y, ends, keypoints
        axes.plot(*lines, color=VERMILION, lw=size / 3)
        ring = {"mfc": "none", "mec": ORANGE, "mew": size / 3, "ms": 1.4 * size}
        axes.plot(*np.transpose(true), "o", **ring, label="true")
    for indices in outlines(layout, len(points)):
        axes.plot(*points[list(indices)].T, color=BLUE, lw=0.8)
    disc = {"mfc": BLUE, "mec": WHITE, "mew": size / 6, "ms": size}
    axes.plot(*points.T, "o", **disc, label="predicted")
