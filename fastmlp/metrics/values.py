"""Metrics of predicted values."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from .arguments import differences_of, numbers_of, unit_of


def mean_absolute_error(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Mean of |y_true - y_pred| over all samples and outputs.

    Examples
    --------
    >>> mean_absolute_error([1.0, 2.0, 3.0], [1.0, 2.0, 6.0])
    1.0
    """
    return float(np.mean(np.abs(differences_of(y_true, y_pred))))


def median_absolute_error(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Median of |y_true - y_pred| over all samples and outputs.

    Examples
    --------
    >>> median_absolute_error([1.0, 2.0, 3.0], [1.0, 2.0, 6.0])
    0.0
    """
    return float(np.median(np.abs(differences_of(y_true, y_pred))))


def max_error(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Largest |y_true - y_pred|.

    Examples
    --------
    >>> max_error([1.0, 2.0, 3.0], [1.0, 2.0, 6.0])
    3.0
    """
    return float(np.max(np.abs(differences_of(y_true, y_pred))))


def mean_squared_error(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Mean of (y_true - y_pred)^2 over all samples and outputs.

    Examples
    --------
    >>> mean_squared_error([1.0, 2.0, 3.0], [1.0, 2.0, 6.0])
    3.0
    """
    return float(np.mean(np.square(differences_of(y_true, y_pred))))


def root_mean_squared_error(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Mean over the outputs of the root of their mean squared error, as in scikit-learn.

    Examples
    --------
    >>> root_mean_squared_error([[1.0, 5.0], [1.0, 5.0]], [[2.0, 2.0], [0.0, 8.0]])
    2.0
    """
    differences = differences_of(y_true, y_pred)
    unit = unit_of(differences)
    return float(np.mean(unit * np.sqrt(np.mean(np.square(differences / unit), axis=0))))


def r2(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Coefficient of determination: 1 - squared error / squared distance from the mean, the mean over the outputs.

    1 is perfect, 0 as good as the mean. An output whose targets are all equal counts 1 if it is perfect, else 0, as in
    scikit-learn.

    Examples
    --------
    >>> r2([1.0, 2.0, 3.0], [1.0, 2.0, 4.0])
    0.5
    """
    differences = differences_of(y_true, y_pred)
    true = numbers_of(y_true, "y_true").reshape(differences.shape)
    apart = true - true.mean(axis=0)
    unit = unit_of(differences, apart)
    error = np.square(differences / unit).sum(axis=0)
    spread = np.square(apart / unit).sum(axis=0)
    constant = np.where(error == 0, 1.0, 0.0)
    return float(np.mean(np.where(spread > 0, 1 - error / np.where(spread > 0, spread, 1), constant)))
