"""A table of results as a picture, ours beside the paper's."""

import itertools

from rcn_keras.plotting.figures import CYCLE, WHITE, logarithmic, panels, saved


def plot_table(errors, paper=None, save=None):
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
    tables = [of for told in (paper, errors) for of in told.values()]
    networks = list(dict.fromkeys(name for of in tables for name in of))
    rows = dict.fromkeys(row for of in tables for told in of.values() for row in told)
    place = {row: number for number, row in enumerate(rows)}
    sets = dict.fromkeys([*paper, *errors])
    figure, grid = panels(9, 4, columns=max(1, len(sets)), sharey=True)
    for axes, part in zip(grid, sets):
        for number, (name, color) in enumerate(zip(networks, itertools.cycle(CYCLE))):
            aside = 0.3 * (number - (len(networks) - 1) / 2)
            for told, fill, size in ((paper, WHITE, 9), (errors, color, 5)):
                shown = told.get(part, {}).get(name, {})
                x = [place[row] + aside for row in shown]
                y = [100 * error for error in shown.values()]
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
