"""Data frames and series of pandas: recognised without importing pandas, checked, and turned into arrays."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from typing_extensions import TypeIs

_NUMBERS = "buif"  # kinds of dtype
_SHOWN = 5  # names in a message


def is_frame(given: object) -> TypeIs[Any]:
    """Whether it is a data frame of pandas, which whoever has one has imported."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(given, pandas.DataFrame)


def is_series(given: object) -> TypeIs[Any]:
    """Whether it is a series of pandas."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(given, pandas.Series)


def plain_values(given: Any, name: str) -> tuple[Any, tuple[str, ...]]:
    """The values of a data frame or series, and the names of its columns; anything else as it is."""
    if is_frame(given):
        return frame_values(given, name), column_names(given)
    return series_values(given) if is_series(given) else given, ()


def column_names(given: Any) -> tuple[str, ...]:
    """The names of the columns of a data frame, if it is one and all of them are texts."""
    if not is_frame(given) or not all(isinstance(name, str) for name in given.columns):
        return ()
    return tuple(given.columns)


def frame_values(frame: Any, name: str) -> np.ndarray:
    """The numbers of a data frame in the type that holds those of all columns.

    Raises
    ------
    ValueError
        If a column holds something else than numbers, or numbers are missing; the message names the column.
    """
    dtypes = dict(enumerate(frame.dtypes))
    words = [column for column, dtype in dtypes.items() if dtype.kind not in _NUMBERS]
    if words:
        raise ValueError(
            f"{name}: expected columns of numbers, got {_listed(frame, words)} of {dtypes[words[0]]}; leave such "
            f"columns out with {name}.drop(columns=...), or turn them into numbers, e.g. pandas.get_dummies({name})"
        )
    missing = frame.isna().to_numpy()
    if missing.any():
        columns = np.flatnonzero(missing.any(axis=0)).tolist()
        row = int(missing[:, columns[0]].argmax())
        raise ValueError(
            f"{name}: numbers are missing in {_listed(frame, columns)}, first in row {row} (from 0); fill them in, "
            f"e.g. {name}.fillna({name}.mean()), or leave such rows out with {name}.dropna()"
        )
    return np.asarray(frame.to_numpy(dtype=np.result_type(*map(_plain, dtypes.values()))))


def series_values(series: Any) -> np.ndarray:
    """The values of a series: numbers in their own type where it holds numbers and none is missing."""
    if series.dtype.kind in _NUMBERS and not series.hasnans:
        return np.asarray(series.to_numpy(dtype=_plain(series.dtype)))
    return np.asarray(
        series.to_numpy(dtype=np.float64, na_value=np.nan) if series.dtype.kind == "f" else series
    )


def _plain(dtype: Any) -> np.dtype[Any]:
    """The type of NumPy that holds the numbers of a type of pandas."""
    if isinstance(dtype, np.dtype):
        return dtype
    return np.dtype(getattr(dtype, "numpy_dtype", getattr(dtype, "subtype", np.float64)))


def _listed(frame: Any, columns: list[int]) -> str:
    shown = ", ".join(repr(frame.columns[column]) for column in columns[:_SHOWN])
    what = "column" if len(columns) == 1 else f"{len(columns)} columns:"
    return f"{what} {shown}{', ...' if len(columns) > _SHOWN else ''}"
