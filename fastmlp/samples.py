"""What comes in: checks of X and y, and their form for the kernels. Errors name what came and what is accepted."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, partial

import numpy as np
from numpy.typing import ArrayLike

from .frames import column_names, frame_values, is_frame, is_series, series_values
from .kernels import losses, schema
from .lowering import SPARSE_BELOW
from .sparse_matrix import SparseMatrix, as_rows, is_sparse_matrix

_JUDGED_ROWS = 256
_CHECKED_AT_ONCE = 2**18  # numbers, so that they stay in the cache and the check needs little memory


@dataclass(frozen=True)
class Samples:
    """Samples as the program reads them, dense or in CSR form; `schema.Data` says what that is.

    Attributes
    ----------
    numbers : ndarray, flat
        C-contiguous uint8, float32 or float64: all numbers, row after row; of CSR, those that are stored.
    count : int
        Number of samples.
    shape : tuple of int
        Shape of one sample.
    starts : ndarray, int64
        CSR: where each sample starts in `numbers`, and the end of the last one. Dense: empty.
    columns : ndarray, int32
        CSR: the column of each number. Dense: empty.
    names : tuple of str
        What the features are called; empty where that is not known.
    """

    numbers: np.ndarray
    count: int
    shape: tuple[int, ...]
    starts: np.ndarray = field(default_factory=partial(np.zeros, 0, np.int64))
    columns: np.ndarray = field(default_factory=partial(np.zeros, 0, np.int32))
    names: tuple[str, ...] = ()

    def bytes(self) -> np.ndarray:
        """The memory of the numbers as bytes."""
        return self.numbers.view(np.uint8)

    def rows(self, which: np.ndarray) -> np.ndarray:
        """The samples with these numbers, as a new matrix."""
        features = math.prod(self.shape)
        if not self.starts.size:
            return self.numbers.reshape(-1, features)[which]
        dense = np.zeros((which.size, features), self.numbers.dtype)
        lengths = self.starts[which + 1] - self.starts[which]
        before = np.cumsum(lengths) - lengths
        stored = np.arange(lengths.sum()) + np.repeat(self.starts[which] - before, lengths)
        dense[np.repeat(np.arange(which.size), lengths), self.columns[stored]] = self.numbers[stored]
        return dense

    @cached_property
    def sparse(self) -> bool:
        """Whether so few numbers are not zero that it pays to skip the zeros; judged by some of dense samples."""
        features = math.prod(self.shape)
        if self.starts.size:
            return self.numbers.size < SPARSE_BELOW * self.count * features
        rows = self.numbers.reshape(self.count, features)
        some = rows[:: max(1, self.count // _JUDGED_ROWS)][:_JUDGED_ROWS]
        return bool(np.count_nonzero(some) < SPARSE_BELOW * some.size)

    @property
    def kind(self) -> int:
        """What the bytes are: `schema.BYTES`, `SINGLE` or `DOUBLE`."""
        return schema.ITEM_TYPES.index(self.numbers.dtype)


def as_samples(X: ArrayLike | SparseMatrix, dtype: np.dtype, name: str = "X") -> Samples:
    """Check samples and bring them into a form that the kernels read.

    Parameters
    ----------
    X : array_like, shape (samples, ...), or a sparse matrix of scipy or a data frame, shape (samples, features)
        Numbers: uint8 stays as it is and is read as fractions of 255; float32 and float64 stay as they are;
        other integers and booleans become float64. A copy is made only of what is not contiguous, or not CSR with
        sorted columns.
    dtype : dtype
        What the network computes in.
    name : str
        What the error messages call it.

    Raises
    ------
    ValueError
        If it is empty, not a rectangular array of real numbers, or holds what is not finite in `dtype`.
    """
    if is_sparse_matrix(X):
        return _sparse_samples(X, dtype, name)
    array = as_numbers(X, name)
    if array.ndim < 2:
        in_rows = (".to_frame()", ".to_frame().T") if is_series(X) else (".reshape(-1, 1)", ".reshape(1, -1)")
        raise ValueError(
            f"{name}: expected samples as rows, shape (samples, features), got shape {array.shape}; "
            f"use {name}{in_rows[0]} for one feature or {name}{in_rows[1]} for one sample"
        )
    _check_some(array.shape, name)
    _check_finite(array, dtype, name)
    return Samples(array.reshape(-1), len(array), array.shape[1:], names=column_names(X))


def _sparse_samples(X: SparseMatrix, dtype: np.dtype, name: str) -> Samples:
    starts, columns, stored = as_rows(X, name)
    _check_some(X.shape, name)
    numbers = as_numbers(stored, name)
    _check_finite(
        numbers, dtype, name, lambda i: (int(np.searchsorted(starts, i, "right")) - 1, int(columns[i]))
    )
    return Samples(numbers, X.shape[0], X.shape[1:], starts, columns)


def _check_some(shape: tuple[int, ...], name: str) -> None:
    if math.prod(shape) == 0:
        raise ValueError(f"{name}: expected at least one sample and one feature, got shape {shape}")


def as_batch(X: ArrayLike | SparseMatrix, shape: tuple[int, ...], dtype: np.dtype) -> tuple[Samples, bool]:
    """As `as_samples`, where X may also be one sample of this shape alone; and whether it was."""
    if is_sparse_matrix(X):
        return as_samples(X, dtype), False
    given = as_numbers(X, "X")
    one = given.shape == shape
    if one:
        return as_samples(given[None], dtype), one
    return as_samples(X if is_frame(X) or is_series(X) else given, dtype), one


def as_numbers(values: ArrayLike, name: str) -> np.ndarray:
    """A contiguous array of uint8, float32 or float64, in native byte order."""
    array = _as_array(values, name)
    if array.dtype.kind not in "buif":
        raise ValueError(
            f"{name}: expected numbers, got dtype {array.dtype}; convert it, e.g. {name}.astype('float32')"
        )
    wanted: type = np.float64
    if array.dtype == np.uint8:
        wanted = np.uint8
    elif array.dtype.kind == "f" and array.dtype.itemsize <= 4:
        wanted = np.float32
    return np.require(array, dtype=wanted, requirements=["C", "A"])


def _as_array(values: ArrayLike, name: str) -> np.ndarray:
    if is_sparse_matrix(values):
        raise ValueError(
            f"{name}: expected a dense array, got a {type(values).__name__}; use {name}.toarray()"
        )
    if is_frame(values):
        return frame_values(values, name)
    if is_series(values):
        return series_values(values)
    if np.ma.is_masked(values):
        raise ValueError(
            f"{name}: expected numbers, got an array with masked values; fill them or leave them out"
        )
    try:
        return np.asarray(values)
    except ValueError as error:
        raise ValueError(f"{name}: expected a rectangular array of numbers: {error}") from None


def _check_finite(
    array: np.ndarray, dtype: np.dtype, name: str, index_of: Callable[[int], tuple[int, ...]] | None = None
) -> None:
    """Refuse what is not finite in `dtype`; `index_of` says where a number of the flat array stands for the user."""
    if array.dtype == np.uint8:
        return
    flat = array.reshape(-1)
    for start in range(0, flat.size, _CHECKED_AT_ONCE):
        some = flat[start : start + _CHECKED_AT_ONCE]
        with np.errstate(over="ignore"):
            finite = np.isfinite(some.astype(dtype, copy=False))
        if not finite.all():
            place = start + int(finite.argmin())
            index = index_of(place) if index_of else tuple(map(int, np.unravel_index(place, array.shape)))
            raise ValueError(
                f"{name}: expected finite numbers of {dtype}, got {flat[place]} at index {index}; "
                "remove, replace or scale such values first"
            )


def as_targets(
    y: ArrayLike, loss: str, count: int, outputs: int, dtype: np.dtype
) -> tuple[np.ndarray, np.ndarray]:
    """Check targets and bring them into the two forms that the kernels read: labels, and values.

    Parameters
    ----------
    y : array_like
        For `cross_entropy` whole numbers from 0, shape (samples,); else numbers, shape (samples, outputs), or
        (samples,) for one output; in [0, 1] for `binary_cross_entropy`.
    loss : str
        Name of the loss.
    count, outputs : int
        Number of samples and of outputs of the network.
    dtype : dtype
        Of the values.

    Returns
    -------
    labels : ndarray, int64
        Empty where the loss takes values.
    values : ndarray, flat
        Empty where the loss takes labels.
    """
    if losses.LOSSES[losses.CODES[loss]].takes_labels:
        return _as_labels(y, count, outputs), np.zeros(0, dtype)
    return np.zeros(0, np.int64), _as_values(y, loss, count, outputs, dtype)


def _check_length(array: np.ndarray, count: int) -> None:
    if array.ndim == 0 or len(array) != count:
        length = "a single value" if array.ndim == 0 else f"{len(array)}"
        raise ValueError(f"y: expected one target for each of the {count} samples of X, got {length}")


def _as_labels(y: ArrayLike, count: int, classes: int) -> np.ndarray:
    array = _as_array(y, "y")
    _check_length(array, count)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise ValueError(
            f"y: expected one class for each sample, shape ({count},), got shape {array.shape}; "
            "for one-hot rows use y.argmax(axis=1)"
        )
    if array.dtype.kind not in "bui" and not (
        array.dtype.kind == "f" and np.isfinite(array).all() and np.array_equal(array, np.floor(array))
    ):
        raise ValueError(
            f"y: expected whole numbers from 0 to {classes - 1} as classes, got dtype {array.dtype}; "
            "number the classes, e.g. np.unique(y, return_inverse=True)[1]"
        )
    low, high = int(array.min()), int(array.max())
    if low < 0 or high >= classes:
        raise ValueError(
            f"y: expected classes from 0 to {classes - 1}, as the network has {classes} outputs, "
            f"got {low} to {high}"
        )
    return np.ascontiguousarray(array, np.int64)


def _as_values(y: ArrayLike, loss: str, count: int, outputs: int, dtype: np.dtype) -> np.ndarray:
    given = as_numbers(y, "y")
    _check_length(given, count)
    if given.shape != (count, outputs) and not (given.ndim == 1 and outputs == 1):
        raise ValueError(
            f"y: expected shape ({count}, {outputs}), as the network has {outputs} outputs and its loss is {loss}, "
            f"got shape {given.shape}"
        )
    _check_finite(given, dtype, "y")
    if loss == "binary_cross_entropy" and (given.min() < 0 or given.max() > 1):
        raise ValueError(
            f"y: expected targets from 0 to 1 for {loss}, got {given.min():g} to {given.max():g}"
        )
    return given.reshape(-1).astype(dtype, copy=False)
