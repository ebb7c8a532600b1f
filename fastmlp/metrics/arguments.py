"""What metrics are given, checked: numbers, classes, and values that can be compared."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def numbers_of(values: ArrayLike, name: str) -> np.ndarray:
    """An argument as finite numbers of float64, at least one."""
    array = np.asarray(values)
    if array.dtype.kind not in "buif" or array.size == 0:
        what = f"dtype {array.dtype}" if array.size else f"shape {array.shape}"
        raise ValueError(f"{name}: expected at least one number, got {what}")
    array = array.astype(np.float64)
    if not np.isfinite(array).all():
        raise ValueError(f"{name}: expected finite numbers, got {array[~np.isfinite(array)][0]}")
    return array


def classes_of(values: ArrayLike, name: str) -> np.ndarray:
    """An argument as classes, shape (samples,)."""
    array = one_per_sample(numbers_of(values, name))
    accepted = f"{name}: expected a class, a whole number from 0 on, for each sample"
    if array.ndim != 1:
        raise ValueError(f"{accepted}, got shape {array.shape}")
    others = array[(array < 0) | (array % 1 != 0)]
    if others.size:
        raise ValueError(f"{accepted}, got {others[0]:g}")
    return array.astype(np.int64)


def require_as_many(true: np.ndarray, predictions: np.ndarray, name: str) -> None:
    """Refuse predictions, the argument of this name, that are not of as many samples as the true classes."""
    if len(predictions) != true.size:
        raise ValueError(f"{name}: expected {true.size} samples as in y_true, got {len(predictions)}")


def one_per_sample(array: np.ndarray) -> np.ndarray:
    """The same, where it is one column as its numbers."""
    return array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array


def differences_of(y_true: ArrayLike, y_pred: ArrayLike) -> np.ndarray:
    """True minus predicted values, shape (samples, outputs)."""
    true, predicted = (numbers_of(values, name) for name, values in (("y_true", y_true), ("y_pred", y_pred)))
    if _rows(true).shape != _rows(predicted).shape:
        raise ValueError(f"y_pred: expected shape {true.shape} as y_true, got {predicted.shape}")
    return _rows(true) - _rows(predicted)


def unit_of(*arrays: np.ndarray) -> np.ndarray:
    """A power of two for each column, near its largest number, so that squares of numbers / unit do not overflow."""
    largest = np.max([np.abs(array).max(axis=0) for array in arrays], axis=0)
    return np.asarray(np.ldexp(1.0, np.clip(np.frexp(largest)[1], -1000, 1000)))


def _rows(array: np.ndarray) -> np.ndarray:
    return array.reshape(len(array), -1) if array.ndim else array.reshape(1, 1)
