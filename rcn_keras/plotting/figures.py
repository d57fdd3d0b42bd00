"""What all figures share: colours, axes, pictures in continuous pixels, saving."""

from __future__ import annotations

import pathlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rcn_keras._types import PathLike
from rcn_keras.files import replaced

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike


BLUE, ORANGE, GREEN, VERMILION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
PINK, SKY, BLACK, WHITE = "#CC79A7", "#56B4E9", "#000000", "#FFFFFF"
CYCLE = (BLUE, ORANGE, GREEN, VERMILION, PINK, SKY, BLACK)


def rgb(color: str) -> tuple[int, ...]:
    """`"#RRGGBB"` as three ints."""
    return tuple(int(color[i : i + 2], 16) for i in (1, 3, 5))


def panels(
    width: float, height: float, rows: int = 1, columns: int = 1, **kwargs: Any
) -> tuple[Figure, np.ndarray]:
    """A figure of `width` by `height` inches and its axes, row by row."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        message = "Figures need matplotlib: pip install '.[plot]'"
        raise ImportError(message) from error
    figure = Figure(figsize=(width, height), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False, **kwargs)
    for axes in grid.flat:
        axes.set_prop_cycle(color=CYCLE)
    return figure, grid.ravel()


def show(
    axes: Axes, image: ArrayLike, height: float, width: float, **kwargs: Any
) -> None:
    """A picture without ticks; the axes are continuous pixels: first centre at 1/2.

    Args:
        image: `(H, W)`, `(H, W, 1)`, `(H, W, 3)` or `(H, W, 4)`.
        height, width: ints, the size that the axes count in.
    """
    image = np.asarray(image)
    if image.ndim == 3 and image.shape[2] == 1:
        image = image[..., 0]
    kwargs = {"cmap": "gray"} | kwargs
    axes.imshow(image, extent=(0, width, height, 0), **kwargs)
    axes.set(xticks=[], yticks=[], xlim=(0, width), ylim=(height, 0))


def logarithmic(axes: Axes, ticks: Sequence[float] = (1, 1.5, 2, 3, 4, 5, 7)) -> None:
    """Makes the upright axis logarithmic, with plain numbers at `ticks` and tenfolds
    of them."""
    from matplotlib import ticker

    axes.set_yscale("log")
    axes.yaxis.set_major_locator(ticker.LogLocator(subs=ticks))
    axes.yaxis.set_major_formatter(ticker.FormatStrFormatter("%g"))
    axes.yaxis.set_minor_formatter(ticker.NullFormatter())


def saved(figure: Figure, save: PathLike | None) -> Figure:
    """The figure, written to the path `save` unless that is `None`."""
    if save is not None:
        kind = pathlib.Path(save).suffix[1:] or "png"
        with replaced(save) as temporary:
            figure.savefig(temporary, dpi=120, format=kind)
    return figure
