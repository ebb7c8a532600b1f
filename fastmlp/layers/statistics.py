"""What scalers know of each feature of the samples: mean, deviation and range."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ..inputs.samples import Samples
from ..kernels import schema

CHUNK = 2**17  # numbers looked at together, so that they stay in the caches


class Statistics(NamedTuple):
    """What is known of each feature; float64, shape (features,)."""

    mean: np.ndarray
    deviation: np.ndarray  # square root of the mean squared difference from the mean
    low: np.ndarray
    high: np.ndarray


def statistics(samples: Samples, dtype: np.dtype[Any], rows: np.ndarray | None = None) -> Statistics:
    """Mean, deviation and range of each feature, in these rows or in all; pixels as a network of this type reads them.

    The same bits for dense and sparse samples.
    """
    rows = np.arange(samples.count) if rows is None else rows
    seen = _moments(samples, dtype, rows, 1.0)
    out_of_range = ~np.isfinite(seen.deviation) | ((seen.deviation == 0) & (seen.low < seen.high))
    if not out_of_range.any():
        return seen
    # Squares overflow or underflow: once more, with numbers divided by a power of two near the largest of their column.
    unit = np.where(out_of_range, _unit_of(np.maximum(abs(seen.low), abs(seen.high))), 1.0)
    scaled = _moments(samples, dtype, rows, unit)
    return Statistics(scaled.mean * unit, scaled.deviation * unit, seen.low, seen.high)


@np.errstate(over="ignore", under="ignore", invalid="ignore")
def _moments(
    samples: Samples, dtype: np.dtype[Any], rows: np.ndarray, unit: np.ndarray | float
) -> Statistics:
    """The statistics of the features divided by their units.

    One pass over the samples, a chunk at a time, which are joined as in Chan, Golub and LeVeque (1979).
    """
    features = math.prod(samples.shape)
    mean, squares = np.zeros(features), np.zeros(features)
    low, high = np.full(features, np.inf), np.full(features, -np.inf)
    count = 0
    for chunk in _chunks(samples, dtype, rows):
        chunk /= unit
        own_mean = chunk.mean(axis=0)
        np.minimum(low, chunk.min(axis=0), out=low)
        np.maximum(high, chunk.max(axis=0), out=high)
        chunk -= own_mean
        own_squares = np.einsum("ij,ij->j", chunk, chunk)
        total, apart = count + len(chunk), own_mean - mean
        mean += apart * (len(chunk) / total)
        squares += own_squares + apart * apart * (count * len(chunk) / total)
        count = total
    return Statistics(mean, np.sqrt(squares / count), low, high)


def together(seen: Statistics) -> Statistics:
    """The statistics of all features taken for one, which has as many numbers of each."""
    mean = seen.mean.mean()
    apart = seen.mean - mean
    unit = _unit_of(max(seen.deviation.max(), abs(apart).max()))
    variance = ((seen.deviation / unit) ** 2 + (apart / unit) ** 2).mean()
    of_all = (mean, unit * np.sqrt(variance), seen.low.min(), seen.high.max())
    return Statistics(*(np.full_like(seen.mean, one) for one in of_all))


def _unit_of(numbers: np.ndarray | float) -> np.ndarray:
    """Powers of two near these numbers, so that squares of numbers / unit neither overflow nor underflow."""
    return np.asarray(np.ldexp(1.0, np.clip(np.frexp(numbers)[1], -1000, 1000)))


def _chunks(samples: Samples, dtype: np.dtype[Any], rows: np.ndarray) -> Iterator[np.ndarray]:
    """These samples, some at a time, as new matrices of float64."""
    features = math.prod(samples.shape)
    at_once = max(1, CHUNK // features)
    for start in range(0, rows.size, at_once):
        numbers = samples.rows(rows[start : start + at_once])
        if numbers.dtype == schema.ITEM_TYPES[schema.BYTES]:
            scale = dtype.type(schema.byte_scale(samples.shape))
            yield np.multiply(numbers, scale, dtype=dtype).astype(np.float64)
        else:
            yield numbers.astype(np.float64)
