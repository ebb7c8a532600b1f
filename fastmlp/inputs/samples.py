"""What comes in: checks of X, and its form for the kernels. Errors name what came and what is accepted."""

import math
from dataclasses import dataclass, field
from functools import cached_property, partial

import numpy as np
from numpy.typing import ArrayLike

from ..kernels import schema
from .arrays import as_numbers, finite_numbers
from .frames import is_frame, is_series, plain_values
from .sparse_matrix import SparseMatrix, is_sparse_matrix, rows_of

Inputs = ArrayLike | SparseMatrix

_JUDGED_ROWS = 256

# How large samples are: bytes of images, which are read as fractions of 255; other numbers from 0 to 1; any others.
BYTES, FRACTIONS, NUMBERS = SCALES = ("bytes", "fractions", "numbers")


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
        if self.kind == schema.BYTES and len(self.shape) > 1:
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
        Numbers: uint8 (see `schema.byte_scale`), float32 and float64 stay as they are; other integers and booleans
        become float64. Numbers are copied only where they are not contiguous, or not CSR with sorted columns; the
        positions of a sparse matrix always.
    dtype : dtype
        What the network computes in.
    name : str
        What the error messages call it.

    Raises
    ------
    ValueError
        If it is empty, not a rectangular array of real numbers, or holds what is not finite in `dtype`.
    """
    rows = rows_of(X, name)
    plain, names = plain_values(X if rows is None else rows.numbers, name)
    numbers = finite_numbers(plain, dtype, name, None if rows is None else rows.index_of)
    shape = numbers.shape if rows is None else np.shape(X)
    if len(shape) < 2:
        in_rows = (
            (".to_frame()", ".to_frame().T")
            if hasattr(X, "to_frame")
            else (".reshape(-1, 1)", ".reshape(1, -1)")
        )
        raise ValueError(
            f"{name}: expected samples as rows, shape (samples, features), got shape {shape}; "
            f"use {name}{in_rows[0]} for one feature or {name}{in_rows[1]} for one sample"
        )
    if math.prod(shape) == 0:
        raise ValueError(f"{name}: expected at least one sample and one feature, got shape {shape}")
    if rows is None:
        return Samples(numbers.reshape(-1), shape[0], shape[1:], names=names)
    return Samples(numbers, shape[0], shape[1:], rows.starts, rows.columns)


def as_batch(X: Inputs, shape: tuple[int, ...], dtype: np.dtype) -> tuple[Samples, bool]:
    """As `as_samples`, where X may also be one sample of this shape alone; and whether it was."""
    if is_sparse_matrix(X):
        return as_samples(X, dtype), False
    given = as_numbers(X, "X")
    one = given.shape == shape
    if one:
        return as_samples(given[None], dtype), one
    return as_samples(X if is_frame(X) or is_series(X) else given, dtype), one
