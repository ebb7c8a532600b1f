"""Learning curves as a picture. Matplotlib is imported when one is drawn, and no window is ever opened."""

from __future__ import annotations

import math
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from .atomic import atomic_write
from .history import History

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SCORES = ("accuracy", "mean_absolute_error")
COLOURS = {"training": "#3b6fb6", "validation": "#d1701f"}
_INK, _GRID = "#333333", "#e3e3e3"


def plot_history(history: History, ax: Axes | None = None) -> Axes:
    """Draw the curves of a training run: the loss, and beside it the score.

    Parameters
    ----------
    history : History
        At least one epoch.
    ax : Axes, optional
        Where to draw; the score takes the right half of it. Without one there is a new figure, which belongs
        to no window: save it, or show it in a notebook as ``plot_history(history).figure``.

    Returns
    -------
    Axes
        The panel with the loss; ``.figure.savefig(...)`` writes the picture.

    Raises
    ------
    ValueError
        If there is no epoch to draw.

    Examples
    --------
    >>> history = History()
    >>> history.append(1, {"loss": 0.9, "accuracy": 0.7})
    >>> history.append(2, {"loss": 0.5, "accuracy": 0.8})
    >>> [panel.get_title(loc="left") for panel in plot_history(history).figure.axes]
    ['loss', 'accuracy']
    """
    if len(history) == 0:
        raise ValueError("plot_history: expected at least one epoch, got an empty history; train first")
    panels = [name for name in ("loss", *SCORES) if name in history]
    ax = _new_axes(len(panels)) if ax is None else ax
    for panel, name in zip(_side_by_side(ax, len(panels)), panels, strict=True):
        curves = {"training": history[name]}
        if f"val_{name}" in history:
            curves["validation"] = history[f"val_{name}"]
        _draw_panel(panel, name, history.epochs, curves)
    return ax


def save_plot(history: History, path: str | PathLike[str]) -> None:
    """Write the picture of `plot_history` to a file; its suffix says the format. It is complete or not there.

    Raises
    ------
    ValueError
        If there is no epoch to draw, or the format is not known.
    OSError
        If the file cannot be written.
    """
    canvas = plot_history(history).figure.canvas
    with atomic_write(path) as file:
        canvas.print_figure(file, format=Path(path).suffix.lstrip(".") or "png", dpi=150)


def _new_axes(panels: int) -> Axes:
    """Axes of a figure without a window; saving picks the canvas that the format needs."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(0.8 + 4.4 * panels, 3.6), facecolor="white")
    margin = 0.55 / figure.get_figwidth()
    return figure.add_axes((margin, 0.15, 1 - 2 * margin, 0.73))


def _side_by_side(ax: Axes, panels: int) -> list[Axes]:
    """Divide the place of `ax` into panels; `ax` itself becomes the first."""
    from mpl_toolkits.axes_grid1 import make_axes_locatable  # type: ignore[import-untyped]

    divider = make_axes_locatable(ax)
    return [ax, *(divider.append_axes("right", size="100%", pad=0.75) for _ in range(panels - 1))]


def _draw_panel(ax: Axes, name: str, epochs: list[int], curves: Mapping[str, list[float]]) -> None:
    from matplotlib.ticker import MaxNLocator

    for label, values in curves.items():
        marker = "o" if len(epochs) <= 30 else None  # more would run into each other
        ax.plot(epochs, values, color=COLOURS[label], marker=marker, markersize=4, linewidth=1.8, label=label)
    ax.set_title(name.replace("_", " "), loc="left", color=_INK, fontsize=11, fontweight="bold")
    ax.set_xlabel("epoch", color=_INK)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    ax.margins(x=0.05, y=0.12)
    ax.grid(color=_GRID, linewidth=0.8)
    ax.set_axisbelow(True)
    ax.tick_params(colors=_INK, length=0)
    for side, spine in ax.spines.items():
        spine.set_visible(side in {"left", "bottom"})
        spine.set_color("#b0b0b0")
    _label_ends(ax, epochs[-1], curves)


def _label_ends(ax: Axes, last: int, curves: Mapping[str, list[float]]) -> None:
    """The last number of each curve beside its end, pushed apart where two would overlap."""
    ax.legend(frameon=False, fontsize=9, labelcolor=_INK)
    ends = {label: values for label, values in curves.items() if math.isfinite(values[-1])}
    ordered = sorted(ends.items(), key=lambda item: item[1][-1])
    for place, (label, values) in enumerate(ordered):
        below = len(ordered) > 1 and place == 0
        ax.annotate(
            f"{values[-1]:.4f}", (last, values[-1]), ha="center", va="top" if below else "bottom",
            xytext=(0, -7 if below else 7), textcoords="offset points", color=COLOURS[label], fontsize=9,
        )  # fmt: skip
