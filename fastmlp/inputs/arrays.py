"""Arrays of numbers from what a user gives: lists, arrays, data frames and series."""

import reprlib
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from .frames import plain_values
from .sparse_matrix import is_sparse_matrix

_CHECKED_AT_ONCE = 2**18  # numbers, so that they stay in the cache and the check needs little memory
_CLEARLY_FINITE = 1e38  # smaller numbers are finite in float32 too


def as_numbers(values: ArrayLike, name: str) -> np.ndarray:
    """A contiguous array of uint8, float32 or float64, in native byte order.

    Raises
    ------
    ValueError
        If it is not a rectangular array of real numbers.
    """
    return _numbers(as_array(values, name), name)


def as_array(values: ArrayLike, name: str) -> np.ndarray:
    """A dense array of whatever type; a ValueError for what is none."""
    if is_sparse_matrix(values):
        raise ValueError(
            f"{name}: expected a dense array, got a {type(values).__name__}; use {name}.toarray()"
        )
    plain, _ = plain_values(values, name)
    return _dense(plain, name)


def finite_numbers(
    plain: ArrayLike,
    dtype: np.dtype,
    name: str,
    index_of: Callable[[int], tuple[int, ...]] | None = None,
) -> np.ndarray:
    """As `as_numbers`, for anything but data frames and series; all of them finite in `dtype`.

    `index_of` is that of `check_finite`.
    """
    numbers = _numbers(_dense(plain, name), name)
    check_finite(numbers, dtype, name, index_of)
    return numbers


def _dense(plain: ArrayLike, name: str) -> np.ndarray:
    if np.ma.is_masked(plain):
        raise ValueError(
            f"{name}: expected numbers, got an array with masked values; fill them or leave them out"
        )
    try:
        return np.asarray(plain)
    except ValueError as error:
        raise ValueError(f"{name}: expected a rectangular array of numbers: {error}") from None


def _numbers(array: np.ndarray, name: str) -> np.ndarray:
    if array.ndim == 0 and array.dtype.kind not in "buif":
        shown = " ".join(reprlib.repr(array.tolist()).split())
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


def check_finite(
    array: np.ndarray, dtype: np.dtype, name: str, index_of: Callable[[int], tuple[int, ...]] | None = None
) -> None:
    """Refuse what is not finite in `dtype`; `index_of` gives the user's index of a number of the flat array."""
    if array.dtype == np.uint8:
        return
    flat = array.reshape(-1)
    for start in range(0, flat.size, _CHECKED_AT_ONCE):
        some = flat[start : start + _CHECKED_AT_ONCE]
        if are_clearly_finite(some, dtype):
            continue
        with np.errstate(over="ignore"):
            finite = np.isfinite(some.astype(dtype, copy=False))
        if not finite.all():
            place = start + int(finite.argmin())
            index = index_of(place) if index_of else tuple(map(int, np.unravel_index(place, array.shape)))
            raise ValueError(
                f"{name}: expected finite numbers of {dtype}, got {flat[place]} at index {index}; "
                "remove, replace or scale such values first"
            )


def are_clearly_finite(array: np.ndarray, dtype: np.dtype) -> bool:
    """Whether numbers of float32 or float64 are finite in `dtype`, by a quick check that warns of nothing.

    It says False of some numbers that are finite, for `check_finite` to decide.
    """
    narrower = array.itemsize > dtype.itemsize
    finite = np.less(np.abs(array), _CLEARLY_FINITE) if narrower else np.isfinite(array)
    return b"\0" not in finite.tobytes()  # a third of the time of `all`


def read_only(array: np.ndarray) -> np.ndarray:
    """A view that must not be written."""
    view = array.view()
    view.flags.writeable = False
    return view
