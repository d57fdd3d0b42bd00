"""Keypoint maps over the face: one by one, all in one, and branch by branch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from rcn_keras._types import PathLike
from rcn_keras.plotting.figures import (
    CYCLE,
    GREEN,
    VERMILION,
    WHITE,
    panels,
    rgb,
    saved,
    show,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike


ARMS = {
    "+": [(1, 0), (-1, 0), (0, 1), (0, -1)],
    "x": [(0.8, 0.8), (-0.8, 0.8), (0.8, -0.8), (-0.8, -0.8)],
}


def plot_heatmaps(
    image: ArrayLike,
    maps: ArrayLike,
    keypoint_names: Sequence[str] | None = None,
    save: PathLike | None = None,
) -> Figure:
    """Every keypoint's map over the face, a ring around its highest cell.

    Args:
        image: `(H', W')`, `(H', W', 1)` or `(H', W', 3)`, the face that the maps
            belong to.
        maps: `(H, W, K)`; each is shown from its lowest to its highest value, by the
            square root, or the slopes of a sharp peak would not show.
        keypoint_names: K strings, or `None` for numbers.
        save: path, or `None`.
    """
    maps = np.asarray(maps, "float64")
    count = maps.shape[-1]
    columns = min(count, 5 if count <= 10 else 10)
    rows, side = -(-count // columns), 8.8 / columns
    figure, grid = panels(8.8, side * 1.15 * rows, rows, columns)
    for axes in grid:
        axes.set_axis_off()
    for axes, one, name in zip(grid, _scaled(maps), _names(keypoint_names, count)):
        _over(axes, image, one)
        y, x = np.unravel_index(np.argmax(one), one.shape)
        ring = {"mfc": "none", "mec": VERMILION, "mew": 1.2, "ms": 11}
        axes.plot(x + 0.5, y + 0.5, "o", **ring)
        axes.set_title(name, fontsize=8)
    return saved(figure, save)


def plot_heatmaps_together(
    image: ArrayLike,
    maps: ArrayLike,
    keypoint_names: Sequence[str] | None = None,
    save: PathLike | None = None,
) -> Figure:
    """The maps of all keypoints over one picture of the face, each in a colour.

    Args:
        image: `(H', W')`, `(H', W', 1)` or `(H', W', 3)`, the face that the maps
            belong to.
        maps: `(H, W, K)`, shown as by `plot_heatmaps`. Where several are high their
            colours mix.
        keypoint_names: K strings, or `None` for numbers; the legend has them where each
            has a colour of its own.
        save: path, or `None`.
    """
    maps = np.asarray(maps, "float64")
    height, width, count = maps.shape
    names = _names(keypoint_names, count)
    colors = np.array([rgb(CYCLE[k % len(CYCLE)]) for k in range(count)]) / 255
    scaled = np.stack(_scaled(maps), axis=-1)
    mixed = scaled @ colors / np.maximum(scaled.sum(-1, keepdims=True), 1e-12)
    overlay = np.dstack([mixed, 0.9 * scaled.max(-1)])
    figure, [axes] = panels(5.2, 4)
    show(axes, image, height, width)
    show(axes, overlay, height, width)
    if count <= len(CYCLE):
        for name, color in zip(names, colors):
            axes.plot([], [], "s", color=color, label=name)
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    return saved(figure, save)


def plot_branches(
    image: ArrayLike,
    branch_maps: Mapping[str, np.ndarray],
    networks: Mapping[str, np.ndarray],
    true_keypoints: np.ndarray | None = None,
    keypoint_names: Sequence[str] | None = None,
    save: PathLike | None = None,
    crosses: str = "true",
) -> Figure:
    """What each branch says of a keypoint and what the networks do: Fig. S1.

    Two rows for each keypoint, the maps before the softmax and the softmax of each over
    the face (its root, so that little is seen too), a column for each branch and each
    network. A branch's softmax, as if it were the whole network, is only for
    illustration. Above a softmax: over how many
    cells it is spread, the exponential of its entropy.

    Before the softmax orange is for, violet against. Of each map the median is taken
    off first: the softmax does not see it. The colours go as far as the highest value,
    one for the branches of a row, its own for each network.

    Args:
        image: `(H', W')`, `(H', W', 1)` or `(H', W', 3)`, the face.
        branch_maps: dict, name of a branch to `(H, W, K)`, from coarse to fine, already
            weighted and of one size (`models.branch_maps`).
        networks: dict, name of a network to its pre-softmax maps, `(H, W, K)`; its
            likeliest cell is marked by a plus.
        true_keypoints: `(K, 2)` in continuous pixels of the maps, marked by a cross, or
            `None`.
        keypoint_names: K strings, or `None` for numbers.
        save: path, or `None`.
        crosses: str, what the legend says of `true_keypoints`: who found them, where
            nobody has labelled the face.
    """
    columns = {
        name: np.asarray(maps, "float64") - np.median(maps, axis=(0, 1))
        for name, maps in {**branch_maps, **networks}.items()
    }
    branches = len(branch_maps)
    height, width, count = next(iter(columns.values())).shape
    shape, side = (2 * count, len(columns)), 8 / len(columns)
    figure, grid = panels(8.8, (side + 0.16) * 2 * count + 0.5, *shape)
    grid = grid.reshape(shape)
    for k, name in enumerate(_names(keypoint_names, count)):
        above, below = grid[2 * k : 2 * k + 2]
        parts = [maps[..., k] for maps in columns.values()]
        limits = [part.max() for part in parts]
        limits[:branches] = [max(limits[:branches], default=0)] * branches
        for column, (part, limit) in enumerate(zip(parts, limits)):
            limit = limit or 1  # a map that is the same everywhere
            scale = {"cmap": "PuOr_r", "vmin": -limit, "vmax": limit}
            show(above[column], part, height, width, interpolation="nearest", **scale)
            probability = np.exp(part - part.max())
            _over(below[column], image, np.sqrt(probability))
            below[column].set_title(f"{_cells(probability):.0f} cells", fontsize=7)
            if column >= branches:
                y, x = np.unravel_index(np.argmax(part), part.shape)
                _mark(below[column], (x + 0.5, y + 0.5), "+", VERMILION, "predicted")
            if true_keypoints is not None:
                for axes in (above[column], below[column]):
                    _mark(axes, true_keypoints[k], "x", GREEN, crosses)
        above[0].set_ylabel(name.replace("_", "\n"), fontsize=8)
        below[0].set_ylabel("softmax", fontsize=8)
    for axes, title in zip(grid[0], columns):
        axes.set_title(title.replace("_", " "), fontsize=8)
    figure.legend(
        *grid[1, -1].get_legend_handles_labels(), loc="outside lower right", ncols=2
    )
    return saved(figure, save)


def _cells(weights):
    """The exponential of the entropy: over how many cells the weights are spread."""
    shares = weights / weights.sum()
    shares = shares[shares > 0]
    return np.exp(-(shares * np.log(shares)).sum())


def _mark(axes, place, kind, color, name):
    """A cross or a plus, open in the middle and with a white border: it hides nothing
    and shows on any colour."""
    from matplotlib.path import Path

    arms = np.array(ARMS[kind])
    ends = np.stack([0.5 * arms, arms], axis=1).reshape(-1, 2)
    marker = Path(ends, [Path.MOVETO, Path.LINETO] * len(arms))
    axes.plot(*place, marker=marker, color=WHITE, markersize=11, markeredgewidth=3)
    style = {"markersize": 11, "markeredgewidth": 1.3, "linestyle": "none"}
    axes.plot(*place, marker=marker, color=color, label=name, **style)


def _names(names, count):
    names = [str(index) for index in range(count)] if names is None else list(names)
    if len(names) != count:
        raise ValueError(
            f"`keypoint_names` must be {count}, one for each map. Received: {names}"
        )
    return names


def _scaled(maps):
    """Each map of `(H, W, K)`, 0 at its lowest and 1 at its highest value, its root."""
    low, span = maps.min(axis=(0, 1)), np.ptp(maps, axis=(0, 1))
    return list(np.sqrt((maps - low) / np.maximum(span, 1e-12)).transpose(2, 0, 1))


def _over(axes, image, one):
    """A map from 0 to 1 over the face it belongs to, clear where it is low."""
    height, width = one.shape
    show(axes, image, height, width, interpolation="nearest")
    overlay = {"cmap": "viridis", "alpha": 0.9 * one, "interpolation": "nearest"}
    show(axes, one, height, width, **overlay)
