"""The curves of training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rcn_keras._types import PathLike
from rcn_keras.plotting.figures import logarithmic, panels, saved

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_training(
    log_rows: Sequence[dict[str, Any]], save: PathLike | None = None
) -> Figure:
    """Loss and validation error over the epochs of a run.

    Args:
        log_rows: list of dicts, one an epoch, numbers or their text, as in `log.csv`
            or made from `History.history`: `epoch`, `loss`, `val_loss`, any
            `val_…` column of errors (fractions) and `learning_rate`. A column or a
            value that is missing is left out.
        save: path, or `None`.
    """
    figure, (left, right) = panels(9, 3.8, columns=2)
    names = list(dict.fromkeys(name for row in log_rows for name in row))
    epochs = _epochs(log_rows)
    errors = [n for n in names if n.startswith("val_") and n != "val_loss"]
    losses = [n for n in ("loss", "val_loss") if n in names]
    for axes, shown, scale in ((left, losses, 1), (right, errors, 100)):
        for name in shown:
            values = scale * _column(log_rows, name)
            axes.plot(epochs, values, ".-", label=name.replace("_", " "))
        axes.set_xlabel("epoch")
        axes.grid(alpha=0.3)
        if shown:
            axes.legend()
    left.set_ylabel("loss")
    right.set_ylabel("validation error, % of the interocular distance")
    if "learning_rate" in names:
        rate = left.twinx()
        rates = _column(log_rows, "learning_rate")
        rate.plot(epochs, rates, ":", color="grey", linewidth=1)
        rate.set_ylabel("learning rate (dotted)", color="grey")
    return saved(figure, save)


def plot_convergence(
    runs: Mapping[str, Sequence[dict[str, Any]]],
    column: str = "val_nme_clean",
    save: PathLike | None = None,
) -> Figure:
    """One error of several runs over their epochs, on a logarithmic axis.

    Args:
        runs: dict, name of a run to its rows as for `plot_training`.
        column: str, the column of errors (fractions).
        save: path, or `None`.
    """
    figure, [axes] = panels(7, 4)
    for name, rows in runs.items():
        values = 100 * _column(rows, column)
        known = values[np.isfinite(values)]
        last = f" (last {known[-1]:.2f} %)" if len(known) else ""
        axes.plot(_epochs(rows), values, ".-", markersize=4, label=name + last)
    axes.set(xlabel="epoch", ylabel="validation error, % of the interocular distance")
    logarithmic(axes)
    axes.grid(alpha=0.3, which="both")
    if runs:
        axes.legend()
    return saved(figure, save)


def _epochs(rows):
    if any("epoch" in row for row in rows):
        return _column(rows, "epoch")
    return np.arange(1, len(rows) + 1)


def _column(rows, name):
    values = [row.get(name) for row in rows]
    return np.array([np.nan if v in (None, "") else float(v) for v in values])
