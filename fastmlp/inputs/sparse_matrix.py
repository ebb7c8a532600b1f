"""Sparse matrices of scipy: recognised without importing scipy, checked, and brought into the form kernels read."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

if TYPE_CHECKING:
    from typing_extensions import TypeIs

_MOST_COLUMNS = 2**31 - 1  # what the kernels count columns with


class SparseMatrix(Protocol):
    """A matrix or array of `scipy.sparse`, in any format."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows and columns."""

    @property
    def format(self) -> str:
        """Name of the format, such as `csr`."""

    def tocsr(self) -> Any:
        """The same in CSR form."""


class Rows(NamedTuple):
    """The rows of a matrix in CSR form.

    Attributes
    ----------
    starts : ndarray, int64, shape (rows + 1,)
        Where the numbers of each row start, and where those of the last one end.
    columns : ndarray, int32
        The column of each number, ascending within a row.
    numbers : ndarray
        What is stored, of the matrix's own type.
    """

    starts: np.ndarray
    columns: np.ndarray
    numbers: np.ndarray

    def index_of(self, place: int) -> tuple[int, int]:
        """Row and column of one of the numbers."""
        return int(np.searchsorted(self.starts, place, "right")) - 1, int(self.columns[place])


def is_sparse_matrix(given: object) -> TypeIs[SparseMatrix]:
    """Whether it is a matrix or an array of `scipy.sparse`, which whoever has one has imported."""
    scipy_sparse = sys.modules.get("scipy.sparse")
    return scipy_sparse is not None and bool(scipy_sparse.issparse(given))


def rows_of(given: object, name: str) -> Rows | None:
    """The rows of a sparse matrix, as `as_rows` gives them; None for anything else."""
    return as_rows(given, name) if is_sparse_matrix(given) else None


def as_rows(matrix: SparseMatrix, name: str) -> Rows:
    """Check a matrix and bring it into the form of the kernels; it is never expanded.

    Of a CSR matrix with sorted columns, the numbers are not copied. Where they lie is, before it is checked: the
    kernels go by it, so that whoever changes the matrix meanwhile must not send them out of their memory.

    Parameters
    ----------
    matrix : SparseMatrix, of two dimensions
        In any format; numbers at the same place are summed up.
    name : str
        What the error messages call it.

    Raises
    ------
    ValueError
        If it is damaged, so that numbers do not lie within it, or scipy cannot convert it.
    """
    if len(matrix.shape) != 2 or matrix.shape[1] > _MOST_COLUMNS:
        raise ValueError(
            f"{name}: expected a sparse matrix of samples as rows, shape (samples, features), with at most "
            f"{_MOST_COLUMNS:,} features, got shape {matrix.shape}; use {name}.reshape(1, -1) for one sample"
        )
    csr = _by_scipy(_as_csr, matrix, name)
    rows = _checked(csr, name)
    if not _is_ascending(rows.starts, rows.columns):
        rows = _checked(_in_order(csr, rows), name)
    return rows


def _by_scipy(convert: Callable[[Any], Any], matrix: SparseMatrix, name: str) -> Any:
    try:
        return convert(matrix)
    except ValueError as error:
        raise ValueError(f"{name}: scipy cannot convert this {type(matrix).__name__}: {error}") from None


def _as_csr(matrix: Any) -> Any:
    """The matrix itself if it is CSR."""
    if matrix.format != "csr" and hasattr(matrix, "check_format"):
        matrix.check_format()  # the conversion trusts the matrix
    return matrix.tocsr()


def _in_order(csr: Any, rows: Rows) -> Any:
    """A copy with sorted columns, each once. Flags that say that they are so already may be out of date."""
    copy = type(csr)((rows.numbers, rows.columns, rows.starts), shape=csr.shape, copy=True)
    copy.sum_duplicates()
    return copy


def _checked(csr: Any, name: str) -> Rows:
    """The rows of a CSR matrix, if kernels can go by them without leaving their memory."""
    rows, width = csr.shape
    starts, columns, numbers = np.array(csr.indptr), np.array(csr.indices), np.asarray(csr.data)
    for problem in _problems(starts, columns, numbers, rows, width):
        raise ValueError(
            f"{name}: the {type(csr).__name__} is damaged: {problem}; build it anew from its entries"
        )
    used = slice(starts[-1])
    return Rows(starts.astype(np.int64), columns[used].astype(np.int32, copy=False), numbers[used])


def _problems(
    starts: np.ndarray, columns: np.ndarray, numbers: np.ndarray, rows: int, width: int
) -> Iterator[str]:
    """What is wrong with the three arrays; each test relies on those before it."""
    if not all(array.ndim == 1 for array in (starts, columns, numbers)):
        yield "indptr, indices and data should have one dimension each"
    if starts.dtype.kind not in "iu" or columns.dtype.kind not in "iu":
        yield f"indptr and indices should be whole numbers, they are {starts.dtype} and {columns.dtype}"
    if len(starts) != rows + 1:
        yield f"indptr should have {rows + 1} entries for {rows} rows, it has {len(starts)}"
    if starts[0] != 0 or (starts[1:] < starts[:-1]).any():
        yield "indptr should ascend from 0"
    if len(columns) != len(numbers) or starts[-1] > len(columns):
        yield f"indptr ends at {starts[-1]}, with {len(columns)} indices and {len(numbers)} numbers"
    used = columns[: starts[-1]]
    if used.size and (used.min() < 0 or used.max() >= width):
        yield f"its indices should go from 0 to {width - 1}, they go from {used.min()} to {used.max()}"


def _is_ascending(starts: np.ndarray, columns: np.ndarray) -> bool:
    """Whether the columns of each row are in order, each there once."""
    ascending = columns[1:] > columns[:-1]
    first_of_row = starts[(starts > 0) & (starts < len(columns))]
    ascending[first_of_row - 1] = True
    return bool(ascending.all())
