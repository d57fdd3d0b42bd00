"""A table of results as a picture, ours beside the paper's."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import TYPE_CHECKING

from rcn_keras._types import PathLike
from rcn_keras.plotting.figures import CYCLE, WHITE, logarithmic, panels, saved

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_table(
    errors: Mapping[str, Mapping[str, Mapping[str, float]]],
    paper: Mapping[str, Mapping[str, Mapping[str, float]]] | None = None,
    save: PathLike | None = None,
) -> Figure:
    """The rows of a table as dots, a panel for each set: Table 1 of the paper.

    The networks of a row stand side by side. The axis of the errors is logarithmic.

    Args:
        errors: dict, name of a set to a dict, name of a network to a dict, name of a
            row to the error, a fraction. Any of them may be empty.
        paper: the same of published errors, drawn hollow in the colour of the network,
            or `None`. Its rows, if any, come first.
        save: path, or `None`.
    """
    paper = paper or {}
    by_network = [part for results in (paper, errors) for part in results.values()]
    networks = list(dict.fromkeys(name for part in by_network for name in part))
    by_row = [row_errors for part in by_network for row_errors in part.values()]
    rows = dict.fromkeys(row for row_errors in by_row for row in row_errors)
    place = {row: number for number, row in enumerate(rows)}
    sets = dict.fromkeys([*paper, *errors])
    figure, grid = panels(9, 4, columns=max(1, len(sets)), sharey=True)
    for axes, part in zip(grid, sets):
        for number, (name, color) in enumerate(zip(networks, itertools.cycle(CYCLE))):
            aside = 0.3 * (number - (len(networks) - 1) / 2)
            for results, fill, size in ((paper, WHITE, 9), (errors, color, 5)):
                row_errors = results.get(part, {}).get(name, {})
                x = [place[row] + aside for row in row_errors]
                y = [100 * error for error in row_errors.values()]
                axes.plot(x, y, "o", color=color, markerfacecolor=fill, ms=size)
        axes.set_title(part)
        axes.set_xticks(range(len(rows)), rows, fontsize=8)
        logarithmic(axes, ticks=(1, 2, 3, 5, 7))
        axes.grid(alpha=0.3, which="both")
    grid[0].set_ylabel("error, % of the interocular distance")
    for name, color in zip(networks, itertools.cycle(CYCLE)):
        grid[0].plot([], [], "o", color=color, label=name, ms=5)
    if paper:
        style = {"color": "grey", "markerfacecolor": WHITE, "ms": 9}
        grid[0].plot([], [], "o", label="paper", **style)
    if networks:
        figure.legend(loc="outside lower center", ncols=5)
    return saved(figure, save)
