"""Classes: how many samples each has, and which are taken for which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from ..inputs.class_names import find_class_names, number_classes
from ..metrics import accuracy, confusion_matrix
from .axes import COLOURS, add_colour_bar, axes_for, frame, write_title

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Names = Sequence[str] | None

_MOST_CLASSES = 1000  # more would need a picture of many metres
_MOST_WITH_NUMBERS = 30  # classes, in whose cells numbers can be read
_MOST_NAMES = 30  # at an axis; more would run into each other
_WIDE_MATRIX = 7  # classes from which on the title is no wider than the cells
_DARK = 0.3  # share of a cell from which on white can be read on it
_WIDE_NAME = 4  # letters; longer ones are wider than a cell


def as_classes(y: ArrayLike, name: str) -> np.ndarray:
    """The class of each sample, from whole numbers or from rows with a number for each class.

    Parameters
    ----------
    y : array_like
        Whole numbers from 0, shape (samples,) or (samples, 1); or one-hot rows or probabilities, shape (samples,
        classes), of which the largest counts.
    name : str
        What the error messages call it.

    Raises
    ------
    ValueError
        If it is neither.

    Examples
    --------
    >>> as_classes([[0.1, 0.9], [0.8, 0.2]], "y").tolist()
    [1, 0]
    """
    array = np.asarray(y)
    if array.ndim == 2 and array.shape[1] > 1 and array.dtype.kind in "buif":
        return array.argmax(axis=1)
    flat = array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array
    if flat.ndim != 1 or flat.size == 0:
        raise ValueError(
            f"{name}: expected a class for each sample, shape (samples,), or a row of numbers for each, shape "
            f"(samples, classes), got shape {array.shape}"
        )
    if (
        flat.dtype.kind not in "buif"
        or not (np.isfinite(flat) & (flat == np.floor(flat)) & (flat >= 0)).all()
    ):
        raise ValueError(
            f"{name}: expected classes, whole numbers from 0, got {_first_odd(flat)!r}; number them, e.g. "
            f"np.unique({name}, return_inverse=True)[1], or take the model's predict_classes"
        )
    if int(flat.max()) >= _MOST_CLASSES:
        raise ValueError(
            f"{name}: expected classes below {_MOST_CLASSES}, got {int(flat.max())}; number those that occur, e.g. "
            f"np.unique({name}, return_inverse=True)[1]"
        )
    return flat.astype(np.int64)


def _first_odd(flat: np.ndarray) -> object:
    """The first value that is no class."""
    if flat.dtype.kind not in "buif":
        return flat.tolist()[0]
    return flat[~(np.isfinite(flat) & (flat == np.floor(flat)) & (flat >= 0))].tolist()[0]


def number_classes_of(
    given: Mapping[str, ArrayLike], class_names: Names, known: Sequence[str] = ()
) -> tuple[dict[str, np.ndarray], Names]:
    """Classes as numbers, and what they are called as far as that is known.

    Parameters
    ----------
    given : dict of str to array_like
        By what the error messages call it: what `as_classes` takes, or names of classes, shape (samples,).
    class_names : sequence of str, optional
        What the classes are called, in the order of their numbers.
    known : sequence of str
        What a model calls them. Without either, names that occur are numbered in sorted order, as `fit` does.

    Examples
    --------
    >>> number_classes_of({"y": ["dog", "cat"]}, None)
    ({'y': array([1, 0])}, ('cat', 'dog'))
    """
    names = known if class_names is None else class_names
    if len(names) == 0:
        names = tuple(sorted(set().union(*map(find_class_names, given.values()))))
    numbered = {
        name: as_classes(number_classes(y, tuple(map(str, names))), name) for name, y in given.items()
    }
    return numbered, names


def name_classes(class_names: Names, classes: int) -> list[str]:
    """What the classes are called: as given, else by their numbers.

    Raises
    ------
    ValueError
        If there are fewer names than classes.
    """
    if class_names is None or len(class_names) == 0:
        return [str(number) for number in range(classes)]
    if isinstance(class_names, str) or len(class_names) < classes:
        count = repr(class_names) if isinstance(class_names, str) else f"{len(class_names)}"
        raise ValueError(f"class_names: expected a name for each of the {classes} classes, got {count}")
    return [str(name) for name in class_names]


def plot_label_distribution(y: ArrayLike, *, class_names: Names = None, ax: Axes | None = None) -> Axes:
    """Draw how many samples each class has: a bar for each, with the number and the share.

    Parameters
    ----------
    y : array_like
        Whole numbers from 0 or names, shape (samples,), or one-hot rows, shape (samples, classes).
    class_names : sequence of str, optional
        What the classes are called, in the order of their numbers; those without a sample are drawn too.
    ax : Axes, optional
        Where to draw. Without it there is a new figure, which belongs to no window.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If `y` does not hold classes, or there are fewer names than classes.

    Examples
    --------
    >>> ax = plot_label_distribution([0, 1, 1, 1], class_names=["cat", "dog"])
    >>> [int(bar.get_width()) for bar in ax.patches]
    [1, 3]
    >>> [text.get_text() for text in ax.texts]
    ['1 (25.0 %)', '3 (75.0 %)']
    """
    from matplotlib.ticker import MaxNLocator

    numbered, class_names = number_classes_of({"y": y}, class_names)
    labels = numbered["y"]
    names = name_classes(class_names, int(labels.max()) + 1)
    counts = np.bincount(labels, minlength=len(names))
    ax = axes_for(ax, 6.4, 1.0 + 0.28 * len(names))
    bars = ax.barh(np.arange(len(names)), counts, height=0.75, color=COLOURS[0])
    ax.bar_label(
        bars, [f"{n:,} ({n / labels.size:.1%})".replace("%", " %") for n in counts], padding=4, fontsize=9
    )
    frame(ax, f"{labels.size:,} samples of {len(names)} classes", grid="x")
    ax.set_yticks(np.arange(len(names)), names)
    ax.set(xlabel="samples", ylim=(len(names) - 0.4, -0.6))
    ax.margins(x=0.3)  # room for the numbers
    ax.xaxis.set_major_formatter("{x:,.0f}")
    ax.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True, min_n_ticks=1))
    return ax


def plot_confusion_matrix(
    y_true: ArrayLike, y_pred: ArrayLike, *, class_names: Names = None, ax: Axes | None = None
) -> Axes:
    """Draw which classes are taken for which: a row for each true class, a column for each predicted one.

    The colour of a cell is its share of its row, the number in it says how many samples that is; no number is 0.

    Parameters
    ----------
    y_true, y_pred : array_like
        What is and what was predicted: whole numbers from 0 or names, shape (samples,), or rows with a number for each
        class, such as the outputs of `Sequential.predict`, of which the largest counts.
    class_names : sequence of str, optional
        What the classes are called, in the order of their numbers.
    ax : Axes, optional
        Where to draw. Without it there is a new figure, which belongs to no window.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If they do not hold classes, are not equally many, or there are fewer names than classes.

    Examples
    --------
    >>> ax = plot_confusion_matrix([0, 0, 1, 1], [0, 1, 1, 1], class_names=["cat", "dog"])
    >>> ax.get_title(loc="left"), [text.get_text() for text in ax.texts]
    ('accuracy 75.00 %\\nof 4 samples', ['1', '1', '2'])
    """
    from matplotlib.colors import PowerNorm

    numbered, class_names = number_classes_of({"y_true": y_true, "y_pred": y_pred}, class_names)
    true, predicted = numbered.values()
    if len(true) != len(predicted):
        raise ValueError(f"y_pred: expected one for each of the {len(true)} of y_true, got {len(predicted)}")
    names = name_classes(class_names, int(max(true.max(), predicted.max())) + 1)
    table = confusion_matrix(true, predicted, classes=len(names))
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    side = 2.2 + 0.48 * len(names) if len(names) <= _MOST_WITH_NUMBERS else 9.0
    ax = axes_for(ax, side + 0.8, side)
    # Of the root, so that the few mistakes of a good classifier are to be seen too.
    picture = ax.imshow(shares, cmap="Blues", norm=PowerNorm(0.5, vmin=0, vmax=1))
    share, samples = f"accuracy {100 * accuracy(true, predicted):.2f} %", f"of {len(true):,} samples"
    write_title(ax, f"{share} {samples}" if len(names) >= _WIDE_MATRIX else f"{share}\n{samples}")
    _label_cells(ax, names)
    if len(names) <= _MOST_WITH_NUMBERS:
        _write_numbers(ax, table, shares)
    add_colour_bar(ax, picture, "share of the true class")
    return ax


def _label_cells(ax: Axes, names: list[str]) -> None:
    """Names of the classes at both axes, and thin lines between the cells."""
    every = -(-len(names) // _MOST_NAMES)
    places = np.arange(0, len(names), every)
    shown = [names[place] for place in places]
    ax.set_xticks(places, shown)
    if max(map(len, shown)) > _WIDE_NAME:
        for label in ax.get_xticklabels():
            label.set(rotation=45, ha="right", rotation_mode="anchor")
    ax.set_yticks(places, shown)
    ax.set(xlabel="predicted", ylabel="true")
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    if len(names) <= _MOST_WITH_NUMBERS:
        ax.set_xticks(np.arange(len(names) - 1) + 0.5, minor=True)
        ax.set_yticks(np.arange(len(names) - 1) + 0.5, minor=True)
        ax.grid(which="minor", color="white", linewidth=1)
        ax.tick_params(which="minor", length=0)


def _write_numbers(ax: Axes, table: np.ndarray, shares: np.ndarray) -> None:
    for row, column in np.argwhere(table):
        colour = "white" if shares[row, column] > _DARK else "black"
        ax.text(column, row, f"{table[row, column]}", ha="center", va="center", color=colour, fontsize=8)
