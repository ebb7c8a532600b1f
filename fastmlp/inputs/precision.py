"""Whether float32 can tell the numbers of float64 samples apart."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..kernels import schema
from .samples import Samples

_AT_ONCE = 2**17  # numbers looked at together, so that they stay in the caches

# Rounding to float32 matters in columns of whole numbers whose differences float32 would hold exactly, such as dates,
# and in columns that span fewer steps of float32 than this.
_EXACT_SPAN = 2.0**24
_FEWEST_STEPS = 2.0**12


def warn_of_merged_numbers(samples: Samples, dtype: np.dtype[Any]) -> None:
    """Warn if different numbers of a column become equal when a network of this type reads them."""
    if samples.kind != schema.DOUBLE or dtype == np.float64:
        return
    for column, before, after in _merged(samples):
        name = repr(samples.names[column]) if samples.names else str(column)
        warnings.warn(
            f"X: expected columns whose numbers float32 can tell apart, got column {name} with {before} different "
            f"numbers, of which float32 keeps {after}; add StandardScaler() as the first layer, which subtracts in "
            "float64, or compute in float64 (dtype='float64')",
            stacklevel=3,
        )
        return


def _merged(samples: Samples) -> Iterator[tuple[int, int, int]]:
    """Columns with such numbers, and how many different numbers there are in float64 and in float32."""
    columns, table = _full_columns(samples)
    for place in _suspects(table):
        numbers = np.unique(table[:, place])
        kept = np.unique(numbers.astype(np.float32)).size
        if kept < numbers.size:
            yield int(columns[place]), numbers.size, kept


def _full_columns(samples: Samples) -> tuple[np.ndarray, np.ndarray]:
    """The columns in which every sample has a number, and these numbers; zeros that are not stored span too much."""
    features = math.prod(samples.shape)
    if not samples.starts.size:
        return np.arange(features), samples.numbers.reshape(-1, features)
    full = np.bincount(samples.columns, minlength=features) == samples.count
    numbers = samples.numbers[full[samples.columns]]
    return np.flatnonzero(full), numbers.reshape(samples.count, int(full.sum()))


def _suspects(table: np.ndarray) -> np.ndarray:
    """The columns in which it may matter what float32 rounds."""
    columns = table.shape[1]
    low = np.full(columns, np.inf)
    high = np.full(columns, -np.inf)
    rounded = np.zeros(columns, bool)
    whole = np.ones(columns, bool)
    rows = max(1, _AT_ONCE // max(1, columns))
    for start in range(0, len(table), rows):
        some = table[start : start + rows]
        np.minimum(low, some.min(axis=0), out=low)
        np.maximum(high, some.max(axis=0), out=high)
        rounded |= (some.astype(np.float32) != some).any(axis=0)
        whole &= (np.trunc(some) == some).all(axis=0)
    span = high - low
    largest = np.maximum(abs(low), abs(high))
    differ = span > 10 * np.finfo(np.float64).eps * largest  # by more than rounding
    steps = np.spacing(largest.astype(np.float32)).astype(np.float64)
    matters = np.where(whole, span < _EXACT_SPAN, span < _FEWEST_STEPS * steps)
    return np.flatnonzero(rounded & differ & matters)
