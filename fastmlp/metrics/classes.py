"""Metrics of predicted classes, which are whole numbers from 0 on."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ..checks import WholeNumber, checked, look_up
from .arguments import classes_of, require_as_many


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

    Examples
    --------
    >>> confusion_matrix([0, 0, 1, 2], [0, 1, 1, 2])
    array([[1, 1, 0],
           [0, 1, 0],
           [0, 0, 1]])
    """
    true, predicted = _both(y_true, y_pred)
    largest = int(max(true.max(), predicted.max()))
    count = largest + 1
    if classes is not None:
        way_out = f"the largest class is {largest}"
        count = checked("", "classes", classes, WholeNumber(largest + 1), way_out=way_out)
    return np.bincount(true * count + predicted, minlength=count * count).reshape(count, count)


def accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Share of the samples whose class was predicted.

    Examples
    --------
    >>> accuracy([0, 0, 1, 2], [0, 1, 1, 2])
    0.75
    """
    true, predicted = _both(y_true, y_pred)
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
    """Of the samples of a class, the share that was taken for it; 0 where there are none. Arguments as `precision`.

    Examples
    --------
    >>> recall([0, 0, 1, 1], [0, 1, 1, 1], average=None)
    array([0.5, 1. ])
    """
    table = confusion_matrix(y_true, y_pred)
    return _averaged(np.diag(table), table.sum(axis=1), table, average)


def f1(y_true: ArrayLike, y_pred: ArrayLike, *, average: str | None = "macro") -> float | np.ndarray:
    """Harmonic mean of precision and recall of a class; 0 where it occurs in neither. Arguments as `precision`.

    Examples
    --------
    >>> f1([0, 0, 1, 1], [0, 1, 1, 1], average=None)
    array([0.66666667, 0.8       ])
    """
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


def _both(y_true: ArrayLike, y_pred: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """True and predicted classes, as many of each."""
    true, predicted = classes_of(y_true, "y_true"), classes_of(y_pred, "y_pred")
    require_as_many(true, predicted, "y_pred")
    return true, predicted
