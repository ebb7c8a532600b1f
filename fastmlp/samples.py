"""What comes in: checks of X and y, and their form for the kernels. Errors name what came and what is accepted."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from .kernels import losses, schema
from .lowering import SPARSE_BELOW

_JUDGED_ROWS = 256
_CHECKED_ROWS = 4096  # at a time, so that the check needs little memory


@dataclass(frozen=True)
class Samples:
    """Samples as the program reads them.

    Attributes
    ----------
    array : ndarray, shape (count, ...)
        C-contiguous uint8, float32 or float64.
    """

    array: np.ndarray

    @property
    def count(self) -> int:
        """Number of samples."""
        return int(self.array.shape[0])

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one sample."""
        return self.array.shape[1:]

    def bytes(self) -> np.ndarray:
        """The same memory as bytes."""
        return self.array.reshape(-1).view(np.uint8)

    @cached_property
    def sparse(self) -> bool:
        """Whether so few numbers are not zero that it pays to skip the zeros; judged by some of the samples."""
        some = self.array[:: max(1, self.count // _JUDGED_ROWS)][:_JUDGED_ROWS]
        return bool(np.count_nonzero(some) < SPARSE_BELOW * some.size)

    @property
    def kind(self) -> int:
        """What the bytes are: `schema.BYTES`, `SINGLE` or `DOUBLE`."""
        return schema.ITEM_TYPES.index(self.array.dtype)


def as_samples(X: ArrayLike, dtype: np.dtype, name: str = "X") -> Samples:
    """Check samples and bring them into a form that the kernels read.

    Parameters
    ----------
    X : array_like, shape (samples, ...)
        Numbers: uint8 stays as it is and is read as fractions of 255; float32 and float64 stay as they are;
        other integers and booleans become float64. A copy is made only of what is not contiguous.
    dtype : dtype
        What the network computes in.
    name : str
        What the error messages call it.

    Raises
    ------
    ValueError
        If it is empty, not a rectangular array of real numbers, or holds what is not finite in `dtype`.
    """
    array = as_numbers(X, name)
    if array.ndim < 2:
        raise ValueError(
            f"{name}: expected samples as rows, shape (samples, features), got shape {array.shape}; "
            f"use {name}.reshape(-1, 1) for one feature or {name}.reshape(1, -1) for one sample"
        )
    if array.size == 0:
        raise ValueError(f"{name}: expected at least one sample and one feature, got shape {array.shape}")
    _check_finite(array, dtype, name)
    return Samples(array)


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
    if np.ma.is_masked(values):
        raise ValueError(
            f"{name}: expected numbers, got an array with masked values; fill them or leave them out"
        )
    try:
        return np.asarray(values)
    except ValueError as error:
        raise ValueError(f"{name}: expected a rectangular array of numbers: {error}") from None


def _check_finite(array: np.ndarray, dtype: np.dtype, name: str) -> None:
    if array.dtype == np.uint8:
        return
    for start in range(0, len(array), _CHECKED_ROWS):
        rows = array[start : start + _CHECKED_ROWS]
        with np.errstate(over="ignore"):
            finite = np.isfinite(rows.astype(dtype, copy=False))
        if not finite.all():
            place = np.argwhere(~finite)[0]
            value = rows[tuple(place)]
            place[0] += start
            where = tuple(int(i) for i in place)
            raise ValueError(
                f"{name}: expected finite numbers of {dtype}, got {value} at index {where}; "
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
