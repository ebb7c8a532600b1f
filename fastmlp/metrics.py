"""Metrics: how good predictions are, as plain functions of what is true and what was predicted.

Classes are whole numbers from 0 on. `METRICS` are those that `Sequential.fit` and `Sequential.evaluate` take by name.

Examples
--------
>>> confusion_matrix([0, 0, 1, 2], [0, 1, 1, 2]).tolist()
[[1, 1, 0], [0, 1, 0], [0, 0, 1]]
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from .names import look_up

# Of classes


def confusion_matrix(y_true: ArrayLike, y_pred: ArrayLike, *, classes: int | None = None) -> np.ndarray:
    """How many samples of each class (row) were taken for each class (column).

    Parameters
    ----------
    y_true, y_pred : array_like of int, shape (samples,)
        Classes.
    classes : int, optional
        Number of classes; by default one more than the largest that occurs.

    Returns
    -------
    ndarray of int, shape (classes, classes)

    Raises
    ------
    ValueError
        If they are not as many classes as one another, or not below `classes`.
    """
    true, predicted = _classes(y_true, y_pred)
    largest = int(max(true.max(), predicted.max()))
    count = largest + 1 if classes is None else classes
    if count <= largest:
        raise ValueError(f"classes: expected more than the largest class, {largest}, got {classes!r}")
    return np.bincount(true * count + predicted, minlength=count * count).reshape(count, count)


def accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Share of the samples whose class was predicted."""
    true, predicted = _classes(y_true, y_pred)
    return float(np.mean(true == predicted))


def balanced_accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Mean over the classes that occur in `y_true` of the share of their samples that was predicted (their recall).

    Examples
    --------
    >>> balanced_accuracy([0, 0, 0, 1], [0, 0, 0, 0])
    0.5
    """
    table = confusion_matrix(y_true, y_pred)
    sizes = table.sum(axis=1)
    return float(np.mean(np.diag(table)[sizes > 0] / sizes[sizes > 0]))


def top_k_accuracy(y_true: ArrayLike, scores: ArrayLike, *, k: int = 5) -> float:
    """Share of the samples whose class is among the k with the highest scores.

    Parameters
    ----------
    y_true : array_like of int, shape (samples,)
        Classes.
    scores : array_like, shape (samples, classes)
        Probabilities, or anything else that is higher for what is more likely. Of equal ones, the first counts as
        the higher one.
    k : int
        At least 1.
    """
    outputs = _numbers(scores, "scores")
    if outputs.ndim != 2:
        raise ValueError(f"scores: expected shape (samples, classes), got {outputs.shape}")
    true, _ = _classes(y_true, np.zeros(len(outputs), np.int64))
    if true.max() >= outputs.shape[1]:
        raise ValueError(f"y_true: expected classes below {outputs.shape[1]}, got {true.max()}")
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or k < 1:
        raise ValueError(f"k: expected a whole number of at least 1, got {k!r}")
    own = np.take_along_axis(outputs, true[:, None], axis=1)
    earlier = np.arange(outputs.shape[1]) < true[:, None]
    above = ((outputs > own) | ((outputs == own) & earlier)).sum(axis=1)
    return float(np.mean(above < k))


def precision(y_true: ArrayLike, y_pred: ArrayLike, *, average: str | None = "macro") -> float | np.ndarray:
    """Of the samples that were taken for a class, the share that is of it; 0 where there are none.

    Parameters
    ----------
    y_true, y_pred : array_like of int, shape (samples,)
        Classes.
    average : str or None
        `macro`: the mean over the classes that occur in either; None: an array with a number for each class from 0 on.

    Returns
    -------
    float, or ndarray of shape (classes,)

    Examples
    --------
    >>> precision([0, 0, 1, 1], [0, 1, 1, 1], average=None)
    array([1.        , 0.66666667])
    """
    table = confusion_matrix(y_true, y_pred)
    return _averaged(np.diag(table), table.sum(axis=0), table, average)


def recall(y_true: ArrayLike, y_pred: ArrayLike, *, average: str | None = "macro") -> float | np.ndarray:
    """Of the samples of a class, the share that was taken for it; 0 where there are none. Arguments as `precision`."""
    table = confusion_matrix(y_true, y_pred)
    return _averaged(np.diag(table), table.sum(axis=1), table, average)


def f1(y_true: ArrayLike, y_pred: ArrayLike, *, average: str | None = "macro") -> float | np.ndarray:
    """Harmonic mean of precision and recall of a class; 0 where it occurs in neither. Arguments as `precision`."""
    table = confusion_matrix(y_true, y_pred)
    return _averaged(2 * np.diag(table), table.sum(axis=0) + table.sum(axis=1), table, average)


def _averaged(
    hits: np.ndarray, sizes: np.ndarray, table: np.ndarray, average: str | None
) -> float | np.ndarray:
    """hits / sizes, 0 where nothing is divided by nothing; of each class or their mean."""
    shares = hits / np.maximum(sizes, 1)
    if average is None:
        return shares
    look_up("average", average, {"macro": None})
    occurs = (table.sum(axis=0) + table.sum(axis=1)) > 0
    return float(shares[occurs].mean())


def roc_auc(y_true: ArrayLike, scores: ArrayLike) -> float:
    """Probability that a sample of class 1 has a higher score than one of class 0, where equal ones count half.

    That is the area under the receiver operating characteristic, by the ranks of the scores (Hanley and McNeil, 1982).

    Parameters
    ----------
    y_true : array_like of int, shape (samples,)
        Classes 0 and 1, both of which must occur.
    scores : array_like, shape (samples,)
        Probabilities of class 1, or anything that grows with them.

    Examples
    --------
    >>> roc_auc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.75
    """
    values = _numbers(scores, "scores")
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        raise ValueError(f"scores: expected one score for each sample, got shape {values.shape}")
    true, _ = _classes(y_true, np.zeros(len(values), np.int64))
    found = np.unique(true).tolist()
    if found != [0, 1]:
        raise ValueError(f"y_true: expected samples of both classes, 0 and 1, got the classes {found}")
    _, inverse, sizes = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(sizes) - (sizes - 1) / 2)[inverse]  # equal ones share the mean of their ranks
    positive = int(true.sum())
    return float(
        (ranks[true == 1].sum() - positive * (positive + 1) / 2) / (positive * (true.size - positive))
    )


# Of values


def mean_absolute_error(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Mean of |y_true - y_pred| over all samples and outputs."""
    return float(np.mean(np.abs(_differences(y_true, y_pred))))


def median_absolute_error(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Median of |y_true - y_pred| over all samples and outputs."""
    return float(np.median(np.abs(_differences(y_true, y_pred))))


def max_error(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Largest |y_true - y_pred|."""
    return float(np.max(np.abs(_differences(y_true, y_pred))))


def mean_squared_error(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Mean of (y_true - y_pred)^2 over all samples and outputs."""
    return float(np.mean(np.square(_differences(y_true, y_pred))))


def root_mean_squared_error(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Mean over the outputs of the root of their mean squared error, as in scikit-learn."""
    return float(np.mean(np.sqrt(np.mean(np.square(_differences(y_true, y_pred)), axis=0))))


def r2(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Coefficient of determination: 1 - squared error / squared distance from the mean, the mean over the outputs.

    1 is perfect, 0 as good as the mean. An output whose targets are all equal counts 1 if it is perfect, else 0, as in
    scikit-learn.

    Examples
    --------
    >>> r2([1.0, 2.0, 3.0], [1.0, 2.0, 4.0])
    0.5
    """
    differences = _differences(y_true, y_pred)
    true = _numbers(y_true, "y_true").reshape(differences.shape)
    error = np.square(differences).sum(axis=0)
    spread = np.square(true - true.mean(axis=0)).sum(axis=0)
    constant = np.where(error == 0, 1.0, 0.0)
    return float(np.mean(np.where(spread > 0, 1 - error / np.where(spread > 0, spread, 1), constant)))


# What comes in


def _numbers(values: ArrayLike, name: str) -> np.ndarray:
    array = np.asarray(values)
    if array.dtype.kind not in "buif" or array.size == 0:
        what = f"dtype {array.dtype}" if array.size else f"shape {array.shape}"
        raise ValueError(f"{name}: expected at least one number, got {what}")
    array = array.astype(np.float64)
    if not np.isfinite(array).all():
        raise ValueError(f"{name}: expected finite numbers, got {array[~np.isfinite(array)][0]}")
    return array


def _classes(y_true: ArrayLike, y_pred: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Two arrays of classes of one length."""
    arrays = []
    for name, values in (("y_true", y_true), ("y_pred", y_pred)):
        array = _numbers(values, name)
        if array.ndim == 2 and array.shape[1] == 1:
            array = array[:, 0]
        if array.ndim != 1 or array.min() < 0 or not np.array_equal(array, np.floor(array)):
            raise ValueError(
                f"{name}: expected a class, a whole number from 0 on, for each sample, got "
                + (
                    f"shape {array.shape}"
                    if array.ndim != 1
                    else f"{array[(array < 0) | (array % 1 != 0)][0]:g}"
                )
            )
        arrays.append(array.astype(np.int64))
    true, predicted = arrays
    if true.shape != predicted.shape:
        raise ValueError(f"y_pred: expected {true.size} samples as in y_true, got {predicted.size}")
    return true, predicted


def _differences(y_true: ArrayLike, y_pred: ArrayLike) -> np.ndarray:
    """True minus predicted values, shape (samples, outputs)."""
    true, predicted = (_numbers(values, name) for name, values in (("y_true", y_true), ("y_pred", y_pred)))
    rows = [
        array.reshape(len(array), -1) if array.ndim else array.reshape(1, 1) for array in (true, predicted)
    ]
    if rows[0].shape != rows[1].shape:
        raise ValueError(f"y_pred: expected shape {true.shape} as y_true, got {predicted.shape}")
    return rows[0] - rows[1]


# By name


class Metric(NamedTuple):
    """A metric as `Sequential.evaluate` takes it by name."""

    function: Callable[..., float | np.ndarray]
    of: str  # what it compares with the truth: predicted `classes`, `scores` of the classes, or `values`
    is_number: bool = True  # else an array


METRICS = {
    "accuracy": Metric(accuracy, "classes"),
    "balanced_accuracy": Metric(balanced_accuracy, "classes"),
    "precision": Metric(precision, "classes"),
    "recall": Metric(recall, "classes"),
    "f1": Metric(f1, "classes"),
    "precision_per_class": Metric(partial(precision, average=None), "classes", is_number=False),
    "recall_per_class": Metric(partial(recall, average=None), "classes", is_number=False),
    "f1_per_class": Metric(partial(f1, average=None), "classes", is_number=False),
    "confusion_matrix": Metric(confusion_matrix, "classes", is_number=False),
    "top_k_accuracy": Metric(top_k_accuracy, "scores"),
    "roc_auc": Metric(roc_auc, "scores"),
    "mean_absolute_error": Metric(mean_absolute_error, "values"),
    "median_absolute_error": Metric(median_absolute_error, "values"),
    "max_error": Metric(max_error, "values"),
    "mean_squared_error": Metric(mean_squared_error, "values"),
    "root_mean_squared_error": Metric(root_mean_squared_error, "values"),
    "r2": Metric(r2, "values"),
}
