"""Curves: what happened in training, and what the loss does as the learning rate grows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..files.atomic import atomic_write
from ..training.history import History
from .axes import COLOURS, GREY, axes_for, frame, panels_for

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

    from ..rate_finder import LearningRates

TIMES = {"seconds", "samples_per_second"}
CURVES = {"training": COLOURS[0], "validation": COLOURS[1]}
_PANEL = (4.6, 3.6)
_PANELS_A_ROW = 3
_LARGE = 10_000  # from which on digits behind the point tell nothing
_MOST_MARKERS = 30  # more would run into each other


def plot_history(history: History, *, figure: Figure | SubFigure | None = None) -> np.ndarray:
    """Draw the curves of a training run: a panel for the loss, and one for each other quantity but the times.

    Parameters
    ----------
    history : History
        At least one epoch.
    figure : Figure or SubFigure, optional
        Where to draw. Without one there is a new figure, which belongs to no window.

    Returns
    -------
    ndarray of Axes
        The panels, the loss first; ``[0].figure.savefig(...)`` writes the picture.

    Raises
    ------
    ValueError
        If there is no epoch to draw.

    Examples
    --------
    >>> history = History()
    >>> history.append(1, {"loss": 0.9, "accuracy": 0.7, "seconds": 0.1})
    >>> history.append(2, {"loss": 0.5, "accuracy": 0.8, "seconds": 0.1})
    >>> [panel.get_title(loc="left") for panel in plot_history(history)]
    ['loss', 'accuracy']
    """
    if not isinstance(history, History):
        raise TypeError(
            f"plot_history: expected a History such as model.history, got {type(history).__name__}"
        )
    if len(history) == 0:
        raise ValueError("plot_history: expected at least one epoch, got an empty history; train first")
    names = [name for name in history if name not in TIMES and not name.startswith("val_")]
    panels = panels_for(figure, len(names), _PANELS_A_ROW, _PANEL)
    for panel, name in zip(panels, names, strict=True):
        curves = {"training": history[name]}
        if f"val_{name}" in history:
            curves["validation"] = history[f"val_{name}"]
        _draw_panel(panel, name, history.epochs, curves)
    return panels


def save_plot(history: History, path: str | PathLike[str]) -> None:
    """Write the picture of `plot_history` to a file; its suffix says the format. It is complete or not there.

    Raises
    ------
    ValueError
        If there is no epoch to draw, or the format is not known.
    OSError
        If the file cannot be written.
    """
    canvas = plot_history(history)[0].figure.canvas
    with atomic_write(path) as file:
        canvas.print_figure(file, format=Path(path).suffix.lstrip(".") or "png", dpi=150)


def _draw_panel(ax: Axes, name: str, epochs: list[int], curves: Mapping[str, list[float]]) -> None:
    from matplotlib.ticker import MaxNLocator

    marker = "o" if len(epochs) <= _MOST_MARKERS else None
    for label, values in curves.items():
        ax.plot(epochs, values, color=CURVES[label], marker=marker, markersize=4, linewidth=1.8, label=label)
    frame(ax, name.replace("_", " "))
    ax.set_xlabel("epoch")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    ax.margins(x=0.05, y=0.12)
    ax.legend(frameon=False, fontsize=9)
    _label_ends(ax, epochs[-1], curves)


def _label_ends(ax: Axes, last: int, curves: Mapping[str, list[float]]) -> None:
    """The last number of each curve beside its end, pushed apart where two would overlap."""
    ends = {label: values for label, values in curves.items() if math.isfinite(values[-1])}
    ordered = sorted(ends.items(), key=lambda item: item[1][-1])
    for place, (label, values) in enumerate(ordered):
        below = len(ordered) > 1 and place == 0
        ax.annotate(
            _shown(values[-1]), (last, values[-1]), ha="center", va="top" if below else "bottom",
            xytext=(0, -7 if below else 7), textcoords="offset points", color=CURVES[label], fontsize=9,
        )  # fmt: skip


def _shown(value: float) -> str:
    """As in the lines of `fit`; large numbers with as many digits as tell something."""
    return f"{value:.4f}" if abs(value) < _LARGE else f"{value:.4g}"


def plot_learning_rates(found: LearningRates, *, ax: Axes | None = None) -> Axes:
    """Draw what `find_learning_rate` found: the loss against the learning rate, and the suggestion.

    Parameters
    ----------
    found : LearningRates
        What it returned.
    ax : Axes, optional
        Where to draw. Without one there is a new figure, which belongs to no window.

    Returns
    -------
    Axes

    Examples
    --------
    >>> images, labels = synthetic_digits(500)
    >>> model = Sequential([Flatten(), Dense(16, "relu"), Dense(10, "softmax")])
    >>> ax = plot_learning_rates(find_learning_rate(model, images, labels))
    >>> ax.get_xlabel(), ax.get_xscale()
    ('learning rate', 'log')
    """
    for name in ("rates", "losses", "smoothed", "suggestion"):
        if not hasattr(found, name):
            raise TypeError(
                f"plot_learning_rates: expected what find_learning_rate returned, got {type(found).__name__}"
            )
    ax = axes_for(ax, 6.4, 4.0)
    ax.plot(found.rates, found.losses, ".", color=GREY, alpha=0.6, markersize=4, label="loss of a batch")
    ax.plot(found.rates, found.smoothed, color=COLOURS[0], linewidth=2, label="smoothed")
    ax.set_xscale("log")
    frame(ax, "loss as the learning rate grows")
    ax.set(xlabel="learning rate", ylabel="loss")
    _show_smoothed(ax, found)
    if found.suggestion is not None:
        height = np.interp(np.log(found.suggestion), np.log(found.rates), found.smoothed)
        ax.axvline(found.suggestion, color=COLOURS[1], linewidth=1.2, linestyle="--")
        ax.plot(
            [found.suggestion], [height], "o", color=COLOURS[1], markersize=8,
            label=f"suggestion: {found.suggestion:.2g}",
        )  # fmt: skip
    ax.legend(frameon=False, fontsize=9)
    return ax


def _show_smoothed(ax: Axes, found: LearningRates) -> None:
    """Cut off batches far away from the smoothed curve, so that its shape is to be seen."""
    low, high = float(found.smoothed.min()), float(found.smoothed.max())
    room = 0.3 * (high - low) or 1.0
    ax.set_ylim(max(low - room, min(0.0, float(found.losses.min()))), high + room)
