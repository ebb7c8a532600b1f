"""Problems of two features as a map: what a model says of each place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ..checks import is_count
from ..inputs.frames import column_names
from .axes import COLOURS, GREY, add_colour_bar, axes_for, write_title
from .classes import Names, name_classes, number_classes_of
from .outputs import OF_ONE_CLASS, as_model

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..model import Sequential

_MARKERS = "osDv^P*X"
_MARGIN = 0.08  # of the range of the points, around them
_BESIDE: dict[str, Any] = {
    "loc": "upper left",
    "bbox_to_anchor": (1.01, 1.0),
    "borderaxespad": 0.0,
    "frameon": False,
}


Colour = str | tuple[float, ...]


class Map(NamedTuple):
    """Outputs of a model at the crossings of a grid."""

    across: np.ndarray  # shape (columns,)
    up: np.ndarray  # shape (rows,)
    outputs: np.ndarray  # shape (rows, columns, outputs)


def plot_decision_regions(
    model: Sequential,
    X: ArrayLike,
    y: ArrayLike,
    *,
    class_names: Names = None,
    resolution: int = 200,
    ax: Axes | None = None,
) -> Axes:
    """Draw what a model of two features says of every place, and the samples upon it.

    Of several outputs, each class has the region where its output is the largest. Of one output, the colours say how
    large it is, after sigmoid the probability of class 1, and a line is where the classes meet.

    Parameters
    ----------
    model : Sequential
        Built, or trained, on samples of two features.
    X : array_like or data frame, shape (samples, 2)
        Samples; the map reaches a little beyond them. The names of its columns, or of those that the model was trained
        on, stand at the axes.
    y : array_like
        Their classes: whole numbers from 0 or names, shape (samples,), or rows with a number for each class.
    class_names : sequence of str, optional
        What the classes are called, in the order of their numbers; by default as `model.class_names` says.
    resolution : int
        Rows and columns of places where the model is asked.
    ax : Axes, optional
        Where to draw. Without it there is a new figure, which belongs to no window.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If X does not have two features, or y is not for its samples.

    Examples
    --------
    >>> import numpy as np
    >>> X, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float32"), np.array([0, 1, 1, 0])
    >>> model = Sequential([Dense(8, "tanh"), Dense(1, "sigmoid")], optimizer=Adam(0.05))
    >>> history = model.fit(X, y, epochs=100, batch_size=None, verbose=0)
    >>> ax = plot_decision_regions(model, X, y)
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['0', '1']
    """
    model = as_model(model, "plot_decision_regions")
    numbered, class_names = number_classes_of({"y": y}, class_names, model.class_names)
    points, labels = np.asarray(X), numbered["y"]
    if points.ndim != 2 or points.shape[1] != 2 or points.dtype.kind not in "buif":
        raise ValueError(f"X: expected samples of two features, shape (samples, 2), got shape {points.shape}")
    if not np.isfinite(points).all():
        raise ValueError("X: expected finite numbers, got NaN or infinite ones; leave such samples out")
    if not is_count(resolution) or resolution < 2:
        raise ValueError(f"resolution: expected a whole number of at least 2, got {resolution!r}")
    if len(points) != len(labels):
        raise ValueError(f"y: expected one for each of the {len(points)} samples of X, got {len(labels)}")
    plane = _ask(model, points, resolution)
    outputs = plane.outputs.shape[-1]
    classes = max(outputs, 2)
    if int(labels.max()) >= classes:
        raise ValueError(
            f"y: expected classes from 0 to {classes - 1}, as the model has, got {int(labels.max())}"
        )
    names = name_classes(class_names, classes)
    ax = axes_for(ax, 6.0, 4.4)
    if outputs == 1:
        colours = _draw_one_output(ax, plane, names[1] if model.last_activation in OF_ONE_CLASS else None)
    else:
        colours = _draw_classes(ax, plane)
    _draw_points(ax, points, labels, names, colours)
    across, up = column_names(X) or model.feature_names or ("feature 0", "feature 1")
    ax.set(xlabel=across, ylabel=up)
    return ax


def _ask(model: Sequential, points: np.ndarray, resolution: int) -> Map:
    """The outputs of the model all over the range of the points."""
    low, high = points.min(axis=0).astype(np.float64), points.max(axis=0).astype(np.float64)
    room = _MARGIN * np.where(high > low, high - low, 1.0)
    across, up = np.linspace(low - room, high + room, resolution).T
    grid = np.stack(np.meshgrid(across, up), axis=-1)
    outputs = model.predict(grid.reshape(-1, 2)).astype(np.float64)
    return Map(across, up, outputs.reshape(resolution, resolution, -1))


def _draw_one_output(ax: Axes, plane: Map, upper: str | None) -> list[Colour]:
    """The output as a colour, and the line where the classes meet; the colours of the classes.

    `upper` is the class whose probability the output is; None if it is no probability.
    """
    output = plane.outputs[..., 0]
    limit = float(np.abs(output).max()) or 1.0
    low, middle, high = (-limit, 0.0, limit) if upper is None else (0.0, 0.5, 1.0)
    shades = ax.imshow(
        output, extent=(*plane.across[[0, -1]], *plane.up[[0, -1]]), origin="lower", aspect="auto",
        interpolation="bilinear", cmap="RdBu_r", vmin=low, vmax=high, alpha=0.65,
    )  # fmt: skip
    if output.min() < middle < output.max():
        ax.contour(plane.across, plane.up, output, levels=[middle], colors=GREY, linewidths=1.2)
    add_colour_bar(ax, shades, "output" if upper is None else f"probability of class {upper}")
    return list(COLOURS[:2])


def _draw_classes(ax: Axes, plane: Map) -> list[Colour]:
    """The region of each class, tinted; the colours of the classes."""
    colours = _class_colours(plane.outputs.shape[-1])
    for number, colour in enumerate(colours):
        others = np.delete(plane.outputs, number, axis=-1).max(axis=-1)
        lead = plane.outputs[..., number] - others
        if lead.max() > 0:
            ax.contourf(plane.across, plane.up, lead, levels=[0, np.inf], colors=[colour], alpha=0.3)
        if lead.min() < 0 < lead.max():
            ax.contour(plane.across, plane.up, lead, levels=[0], colors=GREY, linewidths=1.0)
    return colours


def _class_colours(classes: int) -> list[Colour]:
    """A colour for each class; where there are too many to have each a name, they go from dark to bright."""
    from matplotlib import colormaps

    if classes <= len(COLOURS):
        return list(COLOURS[:classes])
    return [tuple(colour) for colour in colormaps["viridis"](np.linspace(0, 1, classes))]


def _draw_points(
    ax: Axes, points: np.ndarray, labels: np.ndarray, names: list[str], colours: list[Colour]
) -> None:
    """The samples, each class with a colour and a marker of its own, small where they are many."""
    size = np.clip(8000 / len(points), 12, 60)
    for number in np.unique(labels):
        chosen = points[labels == number]
        ax.scatter(
            chosen[:, 0], chosen[:, 1], s=size, marker=_MARKERS[number % len(_MARKERS)], label=names[number],
            color=[colours[number]], edgecolors="#333333", linewidths=0.05 * np.sqrt(size), zorder=3,
        )  # fmt: skip
    ax.legend(title="class", **_BESIDE)
    ax.locator_params(nbins=6)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    write_title(ax, "decision regions")
