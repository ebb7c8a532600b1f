"""What comes in: checks of X, and its form for the kernels. Errors name what came and what is accepted."""

import math
import reprlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, partial

import numpy as np
from numpy.typing import ArrayLike

from ..kernels import schema
from .frames import column_names, frame_values, is_frame, is_series, series_values
from .sparse_matrix import SparseMatrix, as_rows, is_sparse_matrix

Inputs = ArrayLike | SparseMatrix

_JUDGED_ROWS = 256

# How large samples are: bytes, which are read as fractions of 255; other numbers from 0 to 1; any others.
BYTES, FRACTIONS, NUMBERS = SCALES = ("bytes", "fractions", "numbers")
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
            return self.numbers.size < schema.SPARSE_BELOW * self.count * features
        some = self._some()
        return bool(np.count_nonzero(some) < schema.SPARSE_BELOW * some.size)

    @cached_property
    def scale(self) -> str:
        """One of `SCALES`; judged by some of the samples."""
        if self.kind == schema.BYTES:
            return BYTES
        some = self._some()
        return FRACTIONS if some.min(initial=0) >= 0 and some.max(initial=0) <= 1 else NUMBERS

    def _some(self) -> np.ndarray:
        """Numbers of some samples, spread over all; of CSR, some of those that are stored."""
        rows = self.numbers.reshape(-1, 1 if self.starts.size else math.prod(self.shape))
        return rows[:: max(1, len(rows) // _JUDGED_ROWS)][:_JUDGED_ROWS]

    @property
    def kind(self) -> int:
        """What the bytes are: `schema.BYTES`, `SINGLE` or `DOUBLE`."""
        return schema.ITEM_TYPES.index(self.numbers.dtype)


def as_samples(X: Inputs, dtype: np.dtype, name: str = "X") -> Samples:
    """Check samples and bring them into a form that the kernels read.

    Parameters
    ----------
    X : array_like, shape (samples, ...), or a sparse matrix of scipy or a data frame, shape (samples, features)
        Numbers: uint8 stays as it is and is read as fractions of 255; float32 and float64 stay as they are;
        other integers and booleans become float64. Numbers are copied only where they are not contiguous, or not CSR
        with sorted columns; and of a sparse matrix always where they lie.
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
    check_finite(array, dtype, name)
    return Samples(array.reshape(-1), len(array), array.shape[1:], names=column_names(X))


def _sparse_samples(X: SparseMatrix, dtype: np.dtype, name: str) -> Samples:
    starts, columns, stored = as_rows(X, name)
    _check_some(X.shape, name)
    numbers = as_numbers(stored, name)
    check_finite(
        numbers, dtype, name, lambda i: (int(np.searchsorted(starts, i, "right")) - 1, int(columns[i]))
    )
    return Samples(numbers, X.shape[0], X.shape[1:], starts, columns)


def _check_some(shape: tuple[int, ...], name: str) -> None:
    if math.prod(shape) == 0:
        raise ValueError(f"{name}: expected at least one sample and one feature, got shape {shape}")


def as_batch(X: Inputs, shape: tuple[int, ...], dtype: np.dtype) -> tuple[Samples, bool]:
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
    array = as_array(values, name)
    if array.ndim == 0 and array.dtype.kind not in "buif":
        shown = " ".join(reprlib.repr(values).split())
        raise ValueError(
            f"{name}: expected an array of numbers, got {shown}; files are read with load_csv or load_npz"
        )
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


def as_array(values: ArrayLike, name: str) -> np.ndarray:
    """A dense array of whatever type."""
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


def check_finite(
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
