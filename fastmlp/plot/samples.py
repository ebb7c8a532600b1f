"""Samples as images: any of them, or those that a model takes for something else."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from ..checks import is_count
from ..inputs.sparse_matrix import SparseMatrix, is_sparse_matrix
from .axes import COLOURS, panels_for, write_title
from .classes import Names, name_classes, number_classes_of
from .images import COLUMNS, PANEL, Shape, as_images, checked_count, draw_image, scale
from .outputs import as_model, confidences

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

    from ..model import Sequential

_LINE = 14  # letters over an image


def plot_samples(
    X: ArrayLike | SparseMatrix,
    y: ArrayLike | None = None,
    predicted: ArrayLike | None = None,
    *,
    count: int = 24,
    seed: int | None = None,
    class_names: Names = None,
    shape: Shape = None,
    cmap: str = "gray",
    figure: Figure | SubFigure | None = None,
) -> np.ndarray:
    """Draw samples as images, each with its class over it; where the prediction is another one, both, in colour.

    Parameters
    ----------
    X : array_like or sparse matrix
        Images, shape (samples, height, width), or with a last axis of 1, 3 or 4 colours; or rows of pixels, shape
        (samples, features), square if `shape` does not say otherwise. Images in uint8 go from 0 to 255, other numbers
        from 0 to 1, or, where some are outside, from the smallest to the largest.
    y, predicted : array_like, optional
        What is and what was predicted: whole numbers from 0 or names, shape (samples,), or rows with a number for each
        class, such as the outputs of `Sequential.predict`, of which the largest counts.
    count : int
        How many, at most 200.
    seed : int, optional
        Key of a random choice. None: the first ones.
    class_names : sequence of str, optional
        What the classes are called, in the order of their numbers.
    shape : tuple of int, optional
        Height and width, or height, width and colours, of samples that are rows of pixels.
    cmap : str
        Matplotlib's name of a colour map for images without colours; `gray_r` draws ink on paper.
    figure : Figure or SubFigure, optional
        Where to draw. Without one there is a new figure, which belongs to no window.

    Returns
    -------
    ndarray of Axes
        One for each image, in order.

    Raises
    ------
    ValueError
        If the samples are not images, or another argument does not fit them.

    Examples
    --------
    >>> images, labels = synthetic_digits(8)
    >>> axes = plot_samples(images, labels, [0, 1, 2, 3, 4, 5, 6, 1])
    >>> [ax.get_title() for ax in axes]
    ['0', '1', '2', '3', '4', '5', '6', '1 (is 7)']
    """
    samples = _as_rows(X)
    chosen = _choose(samples.shape[0], count, seed)
    given = {"y": y, "predicted": predicted}
    there = {name: values for name, values in given.items() if values is not None}
    classes, class_names = number_classes_of(there, class_names)
    for name, values in classes.items():
        if len(values) != samples.shape[0]:
            raise ValueError(
                f"{name}: expected one for each of the {samples.shape[0]} samples, got {len(values)}"
            )
    names = name_classes(class_names, max((int(values.max()) + 1 for values in classes.values()), default=0))
    images = scale(as_images(_dense(samples[chosen]), shape), samples.shape[1:])
    true, guessed = (classes[name][chosen] if name in classes else None for name in given)
    panels = panels_for(figure, len(images), COLUMNS, PANEL)
    for place, (ax, image) in enumerate(zip(panels, images, strict=True)):
        draw_image(ax, image, cmap, 0.0, 1.0)
        shown = true if guessed is None else guessed
        if shown is not None:
            wrong = true is not None and shown[place] != true[place]
            _write_class(ax, names[shown[place]], names[true[place]] if wrong and true is not None else None)
    return panels


def plot_mistakes(
    model: Sequential,
    X: ArrayLike | SparseMatrix,
    y: ArrayLike,
    *,
    count: int = 24,
    class_names: Names = None,
    shape: Shape = None,
    cmap: str = "gray",
    figure: Figure | SubFigure | None = None,
) -> np.ndarray:
    """Draw the samples that a model takes for something else, those first of which it is most certain.

    Parameters
    ----------
    model : Sequential
        A classifier: it ends in softmax, or in one sigmoid.
    X, y : array_like
        Images and their classes, as `plot_samples` takes them.
    count : int
        How many at most.
    class_names : sequence of str, optional
        What the classes are called; by default as `model.class_names` says.
    shape, cmap, figure
        As in `plot_samples`.

    Returns
    -------
    ndarray of Axes
        One for each mistake, the worst first: over it the wrong class, its probability, and what is right. If there
        is no mistake, one that says so.

    Raises
    ------
    ValueError
        If the model is no classifier, or something does not go with the samples.

    Examples
    --------
    >>> images, labels = synthetic_digits(200)
    >>> model = Sequential([Flatten(), Dense(10, "softmax")]).build((28, 28))
    >>> axes = plot_mistakes(model, images, labels, count=6)
    >>> len(axes), "(is " in axes[0].get_title()
    (6, True)
    """
    guessed, sure = confidences(as_model(model, "plot_mistakes"), X)
    numbered, class_names = number_classes_of({"y": y}, class_names, model.class_names)
    true = numbered["y"]
    if len(true) != len(guessed):
        raise ValueError(f"y: expected one for each of the {len(guessed)} samples, got {len(true)}")
    names = name_classes(class_names, int(max(true.max(), guessed.max())) + 1)
    wrong = np.flatnonzero(guessed != true)
    worst = wrong[np.argsort(-sure[wrong], kind="stable")][: checked_count(count)]
    if len(worst) == 0:
        return _say_perfect(figure, len(true))
    samples = _as_rows(X)
    images = scale(as_images(_dense(samples[worst]), shape), samples.shape[1:])
    panels = panels_for(figure, len(worst), COLUMNS, (PANEL[0], PANEL[1] + 0.15))
    for ax, image, sample in zip(panels, images, worst, strict=True):
        draw_image(ax, image, cmap, 0.0, 1.0)
        _write_class(ax, names[guessed[sample]], names[true[sample]], f"{100 * sure[sample]:.1f} %")
    title = f"{len(wrong):,} of {len(true):,} samples are misclassified"
    if len(worst) < len(wrong):
        title += f"; the worst {len(worst)}"
    panels[0].figure.suptitle(title, fontsize=11, fontweight="bold")
    return panels


def _as_rows(X: ArrayLike | SparseMatrix) -> Any:
    """Samples, of which some can be taken by their indices."""
    rows = X.tocsr() if is_sparse_matrix(X) else np.asarray(X)
    if len(rows.shape) < 2 or math.prod(rows.shape) == 0:
        raise ValueError(
            f"X: expected samples that are images, got shape {rows.shape}; of one image, give X[None]"
        )
    return rows


def _dense(rows: Any) -> np.ndarray:
    return rows if isinstance(rows, np.ndarray) else rows.toarray()


def _choose(samples: int, count: int, seed: int | None) -> np.ndarray:
    """Indices of the samples that are drawn."""
    count = min(checked_count(count), samples)
    if seed is None:
        return np.arange(count)
    if not is_count(seed):
        raise ValueError(f"seed: expected a whole number from 0, or None for the first samples, got {seed!r}")
    return np.random.default_rng(seed).choice(samples, count, replace=False)


def _write_class(ax: Axes, shown: str, instead_of: str | None, sure: str = "") -> None:
    """The class over an image; a wrong one in colour, with the right one."""
    first = f"{shown}, {sure}" if sure else shown
    second = "" if instead_of is None else f"(is {instead_of})"
    separator = "\n" if sure or len(first) + len(second) >= _LINE else " "
    title = ax.set_title(f"{first}{separator}{second}".strip(), fontsize=9, pad=3)
    if instead_of is not None:
        title.set_color(COLOURS[1])


def _say_perfect(figure: Figure | SubFigure | None, samples: int) -> np.ndarray:
    panels = panels_for(figure, 1, 1, (4.0, 1.0))
    panels[0].set_axis_off()
    write_title(panels[0], f"no mistake among {samples:,} samples")
    return panels
