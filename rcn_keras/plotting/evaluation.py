"""How large errors are, on which faces, and how well confidence predicts them.

Unless stated otherwise, `errors` is a dict, name of a network to its errors as
fractions of the interocular distance: `(N,)` for faces, or `(N, K)` for their
keypoints, which are averaged without NaN. A face of infinite error is one that was not
found.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from rcn_keras._types import PathLike
from rcn_keras.evaluation.errors import (
    bootstrap_interval,
    calibration_error,
    face_errors,
)
from rcn_keras.plotting.figures import (
    CYCLE,
    SKY,
    WHITE,
    logarithmic,
    panels,
    saved,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike


LIMIT = 20  # percent, the largest error of the axes


def plot_ced(errors: Mapping[str, ArrayLike], save: PathLike | None = None) -> Figure:
    """Cumulative error distribution: the share of faces below each error.

    Args:
        errors: dict, name to `(N,)` or `(N, K)` fractions.
        save: path, or `None`.

    Raises:
        ValueError: if a network has no face of a known error.
    """
    figure, [axes] = panels(6, 4.5)
    for name, faces in _known(_by_face(errors)).items():
        x = np.concatenate([[0], np.sort(faces), [max(LIMIT, faces.max())]])
        y = 100 * np.minimum(np.arange(len(x)) / len(faces), 1)
        mean = faces[np.isfinite(faces)].mean()
        axes.step(x, y, where="post", label=f"{name} (mean {mean:.2f} %)")
    axes.set(xlim=(0, LIMIT), ylim=(0, 101), ylabel="faces with at most this error, %")
    axes.set_xlabel("mean error, % of the interocular distance")
    axes.grid(alpha=0.3)
    if errors:
        axes.legend(loc="lower right")
    return saved(figure, save)


def plot_failure_rate(
    errors: Mapping[str, ArrayLike],
    threshold: float = 10.0,
    save: PathLike | None = None,
) -> Figure:
    """The share of faces that fail, against the error from which that is said.

    Args:
        errors: dict, name to `(N,)` or `(N, K)` fractions.
        threshold: float, percent, whose rate the legend gives.
        save: path, or `None`.

    Raises:
        ValueError: if a network has no face of a known error.
    """
    figure, [axes] = panels(6, 4.5)
    lowest = 100.0
    for name, faces in _known(_by_face(errors)).items():
        x = np.concatenate([[0], np.sort(faces)])
        y = 100 * (1 - np.arange(len(x)) / len(faces))
        y[-1] = np.nan  # nothing fails there, and zero is not on the axis
        lowest = np.nanmin([lowest, *y[x <= LIMIT]])
        rate = 100 * np.mean(faces > threshold)
        axes.step(x, y, where="post", label=f"{name} ({rate:.1f} %)")
    axes.axvline(threshold, color="grey", linestyle="--", linewidth=1)
    axes.set(xlim=(0, LIMIT), xlabel="threshold, % of the interocular distance")
    axes.set_ylabel("faces with a larger mean error, %")
    logarithmic(axes, ticks=(1, 2, 5))
    axes.set_ylim(0.8 * lowest, 110)
    axes.grid(alpha=0.3, which="both")
    if errors:
        axes.legend(loc="upper right", title=f"above {threshold:g} %")
    return saved(figure, save)


def plot_difficulty(
    errors: Mapping[str, ArrayLike], parts: int = 50, save: PathLike | None = None
) -> Figure:
    """Error against the difficulty of the faces: Fig. S2 of the paper.

    The difficulty of a face is its mean error over the networks. The faces, in that
    order, are cut into equal parts; of each part a network's mean logarithmic error is
    drawn (the paper draws every face). Faces that a network did not find are left out
    for all.

    Args:
        errors: dict, name to `(N,)` or `(N, K)` fractions, of the same faces.
        parts: int, how many; fewer where there are fewer than five faces to each.
        save: path, or `None`.

    Raises:
        ValueError: if the networks' errors are not of as many faces, or none is known
            for all.
    """
    faces = _by_face(errors)
    counts = {name: len(values) for name, values in faces.items()}
    if len(set(counts.values())) > 1:
        raise ValueError(f"`errors` must be of the same faces. Received: {counts}")
    values = np.array(list(faces.values()))
    values = values[:, np.isfinite(values).all(axis=0)]
    if not values.size:
        raise ValueError(
            f"`errors` has no face that all networks found. Received: {counts} faces"
        )
    figure, [axes] = panels(7, 4.5)
    order = np.argsort(values.mean(axis=0), kind="stable")
    parts = max(1, min(parts, len(order) // 5))
    difficulty = (np.arange(parts) + 0.5) * 100 / parts
    for name, own in zip(faces, np.log(np.maximum(values, 1e-2))):
        means = [part.mean() for part in np.array_split(own[order], parts)]
        axes.plot(difficulty, np.exp(means), ".-", markersize=4, label=name)
    axes.set(xlim=(0, 100), xlabel="difficulty of the faces, percentile")
    axes.set_ylabel("error, % of the interocular distance")
    logarithmic(axes)
    axes.grid(alpha=0.3, which="both")
    if errors:
        axes.legend(loc="upper left")
    return saved(figure, save)


def plot_groups(
    errors: Mapping[str, Mapping[str, ArrayLike]], save: PathLike | None = None
) -> Figure:
    """The mean error of groups of faces, a bar for each network: poses, keypoints,
    or parts of the faces from easy to hard.

    A line over a bar is the 95 % bootstrap interval of the mean.

    Args:
        errors: dict, name of a network to a dict, name of a group to its `(N,)` or
            `(N, K)` fractions. All networks have the same groups.
        save: path, or `None`.

    Raises:
        ValueError: if there is no group, the networks' groups differ, or one has no
            face of a known error.
    """
    groups = [list(of) for of in errors.values()]
    if not groups or not groups[0] or any(of != groups[0] for of in groups):
        raise ValueError(
            f"`errors` must have the same groups of each network. Received: {groups}"
        )
    figure, [axes] = panels(8, 3.6)
    places, width = np.arange(len(groups[0])), 0.8 / len(errors)
    for number, (name, of) in enumerate(errors.items()):
        faces = _known(_by_face(of)).values()
        means = np.array([values.mean() for values in faces])
        bounds = np.array([bootstrap_interval(values) for values in faces]).T
        axes.bar(
            places + (number + 0.5) * width - 0.4,
            means,
            width,
            yerr=np.abs(bounds - means),
            error_kw={"linewidth": 1},
            label=name,
        )
    axes.set_xticks(places, groups[0])
    axes.set_ylabel("error, % of the interocular distance")
    axes.grid(alpha=0.3, axis="y")
    axes.set_axisbelow(True)
    figure.legend(loc="outside lower center", ncols=4)
    return saved(figure, save)


def plot_branch_counts(
    errors: Mapping[str, Mapping[str, Mapping[int, float]]],
    paper: Mapping[str, Mapping[str, Mapping[int, float]]] | None = None,
    save: PathLike | None = None,
) -> Figure:
    """Error against the number of branches, a panel for each set: Table 2 of the paper.

    Args:
        errors: dict, name of a set to a dict, name of a network to a dict, number of
            branches to the error, a fraction. Any of them may be empty.
        paper: the same of published errors, drawn hollow and dashed in the colour of
            the network, or `None`.
        save: path, or `None`.
    """
    paper = paper or {}
    sets = dict.fromkeys([*errors, *paper])
    networks = dict.fromkeys(
        name
        for results in (errors, paper)
        for by_network in results.values()
        for name in by_network
    )
    colors = dict(zip(networks, itertools.cycle(CYCLE)))
    figure, grid = panels(9, 4.2, columns=max(1, len(sets)), sharey=True)
    published = {"linestyle": "--", "markerfacecolor": WHITE}
    for axes, part in zip(grid, sets):
        for results, style in ((paper, published), (errors, {"linestyle": "-"})):
            for name, counts in results.get(part, {}).items():
                points = np.array(sorted(counts.items()), "float64").reshape(-1, 2)
                style = style | {"color": colors[name], "marker": "o"}
                axes.plot(points[:, 0], 100 * points[:, 1], **style)
        axes.set(title=part, xlabel="branches")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
    grid[0].set_ylabel("error, % of the interocular distance")
    for name, color in colors.items():
        grid[0].plot([], [], "o-", color=color, label=name)
    if paper:
        grid[0].plot([], [], "o", color="grey", label="paper", **published)
    if colors:
        figure.legend(loc="outside lower center", ncols=3)
    return saved(figure, save)


def plot_calibration(
    confidence: ArrayLike,
    correct: ArrayLike,
    bins: int = 10,
    save: PathLike | None = None,
) -> Figure:
    """Reliability diagram: how often keypoints of a confidence are right.

    Args:
        confidence: array of any shape, numbers in [0, 1].
        correct: bools of the same shape.
        bins: int, how many equal parts of [0, 1].
        save: path, or `None`.

    Raises:
        ValueError: if the shapes differ.
    """
    confidence, correct = np.asarray(confidence, "float64"), np.asarray(correct)
    if confidence.shape != correct.shape:
        raise ValueError(
            "`confidence` and `correct` must have the same shape. Received: "
            f"{confidence.shape} and {correct.shape}"
        )
    confidence, correct = confidence.ravel(), correct.ravel().astype("float64")
    part = np.clip((confidence * bins).astype(int), 0, bins - 1)
    count = np.bincount(part, minlength=bins)
    mean = np.bincount(part, confidence, bins) / np.maximum(count, 1)
    right = np.bincount(part, correct, bins) / np.maximum(count, 1)
    gap = calibration_error(confidence, correct, bins)
    figure, (axes, below) = panels(5, 6, rows=2, height_ratios=[4, 1], sharex=True)
    axes.plot([0, 1], [0, 1], "--", color="grey", label="perfect")
    axes.plot(mean[count > 0], right[count > 0], "o-", label="measured")
    axes.set(ylim=(-0.02, 1.02), ylabel="share that is correct")
    axes.set_title(f"expected calibration error {100 * gap:.1f} %")
    axes.legend(loc="upper left")
    axes.grid(alpha=0.3)
    below.bar((np.arange(bins) + 0.5) / bins, count, 0.9 / bins, color=SKY)
    below.set(xlim=(-0.02, 1.02), xlabel="confidence", ylabel="keypoints")
    below.set_yscale("log")  # Most are sure; the others are to be seen,
    below.set_ylim(bottom=0.5)  # down to a single one.
    return saved(figure, save)


def _by_face(errors):
    """Percent, one number a face, NaN for one without any known keypoint."""
    faces = {}
    for name, values in errors.items():
        values = 100 * np.asarray(values, "float64")
        faces[name] = face_errors(values) if values.ndim == 2 else values
    return faces


def _known(faces):
    """Of each network the faces with a known error."""
    faces = {name: values[~np.isnan(values)] for name, values in faces.items()}
    for name, values in faces.items():
        if not len(values):
            raise ValueError(
                f"`errors` has no face of a known error. Received: {name!r}"
            )
    return faces
