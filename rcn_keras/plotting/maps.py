"""Keypoint maps over the face: one by one, all in one, and branch by branch."""

import numpy as np

from rcn_keras.plotting.figures import CYCLE, GREEN, VERMILION, panels, rgb, saved, show


def plot_heatmaps(image, maps, keypoint_names=None, save=None):
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
        axes.set_title(name, fontsize=8)
    return saved(figure, save)


def plot_heatmaps_together(image, maps, keypoint_names=None, save=None):
    """The maps of all keypoints over one picture of the face, each in a colour.

    Args:
        image: `(H', W')`, `(H', W', 1)` or `(H', W', 3)`, the face that the maps
            belong to.
        maps: `(H, W, K)`, shown as by `plot_heatmaps`. Where several are high their
            colours mix.
        keypoint_names: K strings, or `None` for numbers; told where each has a colour
            of its own.
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
    image, branch_maps, summed, true_keypoints=None, keypoint_names=None, save=None
):
    """What each branch adds to a keypoint's map before the softmax: Fig. S1.

    A row for each keypoint: the branches from coarse to fine, their sum, and the
    softmax of the sum over the face, a ring around its highest cell. Orange is for,
    violet against; the branches of a row share one scale, the sum has its own. Of each
    map the median is taken off first: the softmax does not see it.

    Args:
        image: `(H', W')`, `(H', W', 1)` or `(H', W', 3)`, the face.
        branch_maps: list of R arrays `(H, W, K)`, coarse to fine, already weighted and
            of one size.
        summed: `(H, W, K)`, the pre-softmax maps that they add up to.
        true_keypoints: `(K, 2)` in continuous pixels of the maps, marked by a cross, or
            `None`.
        keypoint_names: K strings, or `None` for numbers.
        save: path, or `None`.
    """
    summed = np.asarray(summed, "float64")
    height, width, count = summed.shape
    parts = [*np.asarray(branch_maps, "float64"), summed]
    parts = [part - np.median(part, axis=(0, 1)) for part in parts]
    titles = [f"branch {r}" for r in range(1, len(parts))] + ["sum", "softmax"]
    titles[0] += "\n(coarsest)"
    titles[-3] += "\n(finest)"
    columns, side = len(titles), 8.8 / len(titles)
    figure, grid = panels(8.8, side * 1.03 * count + 0.4, count, columns)
    grid = grid.reshape(count, columns)
    probabilities = _scaled(np.exp(summed - summed.max(axis=(0, 1))))
    for k, name in enumerate(_names(keypoint_names, count)):
        for shown in (slice(0, len(parts) - 1), slice(len(parts) - 1, len(parts))):
            limit = max(np.abs([part[..., k] for part in parts[shown]]).max(), 1e-12)
            scale = {"cmap": "PuOr_r", "vmin": -limit, "vmax": limit}
            for axes, part in zip(grid[k, shown], parts[shown]):
                show(axes, part[..., k], height, width, **scale)
        _over(grid[k, -1], image, probabilities[k])
        if true_keypoints is not None:
            for axes in grid[k]:
                axes.plot(*true_keypoints[k], "x", color=GREEN, markersize=5)
        grid[k, 0].set_ylabel(name.replace("_", "\n"), fontsize=8)
    for axes, title in zip(grid[0], titles):
        axes.set_title(title, fontsize=8)
    return saved(figure, save)


def _names(names, count):
    return [str(index) for index in range(count)] if names is None else list(names)


def _scaled(maps):
    """Each map of `(H, W, K)`, 0 at its lowest and 1 at its highest value, its root."""
    low, span = maps.min(axis=(0, 1)), np.ptp(maps, axis=(0, 1))
    return list(np.sqrt((maps - low) / np.maximum(span, 1e-12)).transpose(2, 0, 1))


def _over(axes, image, one):
    """A map of `_scaled` over the face it belongs to, clear where it is low."""
    height, width = one.shape
    show(axes, image, height, width)
    show(axes, one, height, width, cmap="viridis", alpha=0.9 * one)
    y, x = np.unravel_index(np.argmax(one), one.shape)
    ring = {"mfc": "none", "mec": VERMILION, "mew": 1.2, "ms": 11}
    axes.plot(x + 0.5, y + 0.5, "o", **ring)
