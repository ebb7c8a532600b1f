"""Targets: checks of y and of weights, and the form in which kernels read them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ..checks import NOT_NEGATIVE, checked, refusal
from ..losses import BinaryCrossEntropy, CrossEntropy, Formula, Loss
from .arrays import as_array, as_numbers, check_finite
from .frames import is_series, series_values

ClassWeight = Mapping[int, float] | str | None

_SHARES_OFF = 1e-3  # how far probabilities may be from adding up to 1


class Targets(NamedTuple):
    """Targets as the program reads them; `schema.Data` says what that is."""

    labels: np.ndarray
    values: np.ndarray
    weights: np.ndarray
    formula: Formula  # the kernel that goes with them

    def of(self, rows: np.ndarray, count: int) -> Targets:
        """Those of some of `count` samples."""
        labels, values, weights = (
            array.reshape(count, -1)[rows].reshape(-1) if array.size else array for array in self[:3]
        )
        return Targets(labels, values, weights, self.formula)


def as_targets(
    y: ArrayLike,
    loss: Loss,
    count: int,
    outputs: int,
    dtype: np.dtype,
    *,
    class_weight: ClassWeight = None,
    sample_weight: ArrayLike | None = None,
) -> Targets:
    """Check targets and bring them into the form that the kernels read.

    Parameters
    ----------
    y : array_like
        For `CrossEntropy` classes, whole numbers from 0, shape (samples,), or one-hot rows or probabilities, shape
        (samples, outputs); else numbers, shape (samples, outputs), or (samples,) for one output.
    loss : Loss
        What they are for.
    count, outputs : int
        Number of samples and of outputs of the network.
    dtype : dtype
        Of values and weights.
    class_weight, sample_weight
        As `Sequential.fit` takes them.

    Raises
    ------
    ValueError
        If something does not fit; the message says what.
    """
    _check_missing(y)
    labels = np.zeros(0, np.int64)
    if isinstance(loss, CrossEntropy):
        labels, values = _as_classes(y, count, outputs, dtype)
    else:
        values = _as_values(y, loss, count, outputs, dtype)
    smoothing = getattr(loss, "label_smoothing", 0.0)
    if smoothing and values.size:
        classes = outputs if isinstance(loss, CrossEntropy) else 2
        values = values * dtype.type(1 - smoothing) + dtype.type(smoothing / classes)
    targets = Targets(labels, values, np.zeros(0, dtype), loss.formula(labels=labels.size > 0))
    if class_weight is None and sample_weight is None:
        return targets
    weights = np.ones(count) if sample_weight is None else _as_weights(sample_weight, count)
    if class_weight is not None:
        if not has_classes(loss, outputs):
            raise ValueError(
                f"class_weight: expected a loss with one class for each sample, got {loss.name} with {outputs} "
                "outputs; use sample_weight"
            )
        weights = weights * _weights_of_classes(
            class_weight, true_classes(targets, loss, outputs), max(outputs, 2)
        )
    return targets._replace(weights=_rounded(weights, dtype))


def _rounded(weights: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """The weights of all samples in the type of the network."""
    largest = float(np.finfo(dtype).max)
    if weights.max() > largest:
        raise refusal("sample_weight", f"weights of at most {largest:g} ({dtype})", float(weights.max()))
    rounded = weights.astype(dtype)
    if not rounded.any():
        raise ValueError("sample_weight, class_weight: expected a weight above 0 for some sample, all are 0")
    return rounded


def _check_missing(y: ArrayLike) -> None:
    """Refuse targets some of which are missing, where a later check would name another reason."""
    if isinstance(y, (list, tuple)):
        try:
            array = np.array(y, object)
        except ValueError:  # not rectangular, which has a message of its own
            return
    else:
        array = np.asarray(series_values(y) if is_series(y) else y)
    if array.dtype.kind not in "fO" or array.ndim == 0:
        return
    flat = array.reshape(-1)
    missing = (
        np.isnan(flat) if array.dtype.kind == "f" else np.array([_is_missing(each) for each in flat], bool)
    )
    if missing.any():
        index = tuple(map(int, np.unravel_index(int(missing.argmax()), array.shape)))
        place = index[0] if len(index) == 1 else index
        first = flat[missing.argmax()]
        what = "NaN" if isinstance(first, (float, np.floating)) else str(first)
        raise ValueError(
            f"y: expected a target for each sample, got {what} at index {place}; leave out samples without a target"
        )


def _is_missing(value: object) -> bool:
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, (float, np.floating)) and math.isnan(value)


def _check_length(array: np.ndarray, count: int, name: str = "y") -> None:
    if array.ndim == 0 or len(array) != count:
        length = "a single value" if array.ndim == 0 else f"{len(array)}"
        what = "target" if name == "y" else "weight"
        raise ValueError(f"{name}: expected one {what} for each of the {count} samples of X, got {length}")


def _as_classes(y: ArrayLike, count: int, classes: int, dtype: np.dtype) -> tuple[np.ndarray, np.ndarray]:
    """Labels, or probabilities of all classes, row after row."""
    array = as_array(y, "y")
    _check_length(array, count)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim == 1:
        return _as_labels(array, classes), np.zeros(0, dtype)
    if array.shape != (count, classes):
        raise ValueError(
            f"y: expected one class for each sample, shape ({count},), or one-hot rows or probabilities of the "
            f"{classes} outputs, shape ({count}, {classes}), got shape {array.shape}"
        )
    shares = as_numbers(array, "y")
    check_finite(shares, dtype, "y")
    sums = shares.sum(axis=1, dtype=np.float64)
    if shares.min() < 0 or np.abs(sums - 1).max() > _SHARES_OFF:
        worst = int(np.abs(sums - 1).argmax())
        raise ValueError(
            f"y: expected rows of probabilities that add up to 1 for cross_entropy, got {shares.min():g} as the least "
            f"one and a sum of {sums[worst]:g} in row {worst}; for several labels of a sample use binary_cross_entropy"
        )
    if ((shares == 0) | (shares == 1)).all():
        return shares.argmax(axis=1), np.zeros(0, dtype)
    return np.zeros(0, np.int64), shares.reshape(-1).astype(dtype, copy=False)


def _as_labels(given: np.ndarray, classes: int) -> np.ndarray:
    """A copy, made before it is checked: kernels index by labels, which nobody else may change meanwhile."""
    array = given.copy()
    number = "number the classes, e.g. np.unique(y, return_inverse=True)[1]"
    if array.dtype.kind == "f":
        whole = np.isfinite(array) & (array == np.floor(array))
    else:
        whole = np.full(1, array.dtype.kind in "bui")
    if not whole.all():
        place = int(whole.argmin())
        found = f"{array[place:].tolist()[0]!r} of {array.dtype} at index {place}"
        raise ValueError(
            f"y: expected whole numbers from 0 to {classes - 1} as classes, got {found}; {number}; to learn values, "
            "end the network without softmax"
        )
    low, high = int(array.min()), int(array.max())
    if low < 0 or high >= classes:
        outputs = "1 output" if classes == 1 else f"{classes} outputs"
        raise ValueError(
            f"y: expected classes from 0 to {classes - 1}, as the network has {outputs}, got {low} to {high}; "
            f"{number}, and give the last layer a unit for each"
        )
    return array.astype(np.int64, copy=False)


def _as_values(y: ArrayLike, loss: Loss, count: int, outputs: int, dtype: np.dtype) -> np.ndarray:
    given = as_numbers(y, "y")
    _check_length(given, count)
    if given.shape != (count, outputs) and not (given.ndim == 1 and outputs == 1):
        raise ValueError(
            f"y: expected shape ({count}, {outputs}), as the network has {outputs} outputs and its loss is "
            f"{loss.name}, got shape {given.shape}"
        )
    check_finite(given, dtype, "y")
    if given.min() < loss.low or given.max() > loss.high:
        limit = f"from {loss.low:g} to {loss.high:g}" if np.isfinite(loss.high) else f"from {loss.low:g} on"
        raise ValueError(
            f"y: expected targets {limit} for {loss.name}, got {given.min():g} to {given.max():g}"
        )
    return given.reshape(-1).astype(dtype, copy=False)


def _as_weights(sample_weight: ArrayLike, count: int) -> np.ndarray:
    weights = as_numbers(sample_weight, "sample_weight")
    _check_length(weights, count, "sample_weight")
    if weights.ndim != 1:
        raise ValueError(f"sample_weight: expected shape ({count},), got {weights.shape}")
    if not (np.isfinite(weights).all() and weights.min() >= 0):
        raise ValueError(
            f"sample_weight: expected finite numbers of at least 0, got {weights.min():g} to {weights.max():g}"
        )
    return weights.astype(np.float64)


def has_classes(loss: Loss, outputs: int) -> bool:
    """Whether each sample has one class."""
    return isinstance(loss, CrossEntropy) or (isinstance(loss, BinaryCrossEntropy) and outputs == 1)


def true_classes(targets: Targets, loss: Loss, outputs: int) -> np.ndarray:
    """The class of each sample, of probabilities the most likely one."""
    if targets.labels.size:
        return targets.labels
    if isinstance(loss, CrossEntropy):
        return targets.values.reshape(-1, outputs).argmax(axis=1)
    return (targets.values > 0.5).astype(np.int64)


def _weights_of_classes(given: Mapping[int, float] | str, classes: np.ndarray, count: int) -> np.ndarray:
    """The weight of the class of each sample."""
    if isinstance(given, str) and given == "balanced":
        sizes = np.bincount(classes, minlength=count)
        return (classes.size / (np.count_nonzero(sizes) * np.maximum(sizes, 1)))[classes]
    if not isinstance(given, Mapping):
        raise ValueError(f"class_weight: expected a dict of class to weight, or 'balanced', got {given!r}")
    table = np.ones(count)
    for label, weight in given.items():
        if isinstance(label, bool) or not isinstance(label, (int, np.integer)) or not 0 <= label < count:
            raise ValueError(f"class_weight: expected classes from 0 to {count - 1}, got {label!r}")
        table[label] = checked("class_weight", f"class {label}", weight, NOT_NEGATIVE)
    return table[classes]
