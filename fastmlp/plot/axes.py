"""What all pictures share: colours, frames, and where to draw. No window, and no global setting changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

# Of Okabe and Ito's palette, which colour-blind people can tell apart; without its black, unseen on a dark background.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442")
GREY = "#808080"  # to be seen on light and dark backgrounds


def axes_for(ax: Axes | None, width: float, height: float) -> Axes:
    """The axes that were given, or those of a new figure of this size in inches."""
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    if ax is None:
        return Figure(figsize=(width, height), layout="constrained").add_subplot()
    if not isinstance(ax, Axes):
        raise TypeError(f"ax: expected the Axes of a Matplotlib figure, got {_described(ax)}")
    return ax


def panels_for(
    figure: Figure | SubFigure | None, count: int, columns: int, size: tuple[float, float]
) -> np.ndarray:
    """Axes in a grid, row after row, in the figure that was given or a new one with panels of this size in inches."""
    from matplotlib.figure import Figure, FigureBase

    columns = min(columns, count)
    rows = -(-count // columns)
    if figure is None:
        figure = Figure(figsize=(size[0] * columns, size[1] * rows), layout="constrained")
    if not isinstance(figure, FigureBase):
        raise TypeError(f"figure: expected a Figure or SubFigure of Matplotlib, got {_described(figure)}")
    return np.array([figure.add_subplot(rows, columns, place + 1) for place in range(count)], dtype=object)


def _described(given: object) -> str:
    """What came in the place of a drawing area."""
    return f"an array of shape {given.shape}" if isinstance(given, np.ndarray) else type(given).__name__


def write_title(ax: Axes, title: str) -> None:
    """The title over the left end of the picture."""
    ax.set_title(title, loc="left", fontsize=11, fontweight="bold")


def frame(ax: Axes, title: str, *, grid: Literal["both", "x", "y"] = "both") -> None:
    """Title, faint grid lines behind the data, and axes at the left and the bottom only."""
    write_title(ax, title)
    ax.grid(axis=grid, color=GREY, alpha=0.25, linewidth=0.8)
    ax.set_axisbelow(True)
    ax.tick_params(length=0)
    for side, spine in ax.spines.items():
        spine.set_visible(side in {"left", "bottom"})
        spine.set_color(GREY)


def add_colour_bar(ax: Axes | list[Axes], mappable: Any, label: str) -> Axes:
    """A slim bar beside the axes that says what the colours mean."""
    first = ax[0] if isinstance(ax, list) else ax
    bar = first.figure.colorbar(mappable, ax=ax, shrink=0.8, pad=0.02, aspect=30)
    bar.set_label(label)
    bar.outline.set_visible(False)
    return bar.ax
