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
    """Mean, deviation and range of each feature as a network of this type reads them: in these rows, or in all.

    One pass over the samples, a chunk at a time, which are joined as in Chan, Golub and LeVeque (1979). The same
    bits for dense and sparse samples.
    """
    features = math.prod(samples.shape)
    mean, squares = np.zeros(features), np.zeros(features)
    low, high = np.full(features, np.inf), np.full(features, -np.inf)
    count = 0
    for chunk in _chunks(samples, dtype, np.arange(samples.count) if rows is None else rows):
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
    variance = (seen.deviation**2 + (seen.mean - mean) ** 2).mean()
    return Statistics(
        *(np.full_like(seen.mean, one) for one in (mean, np.sqrt(variance), seen.low.min(), seen.high.max()))
    )


def _chunks(samples: Samples, dtype: np.dtype[Any], rows: np.ndarray) -> Iterator[np.ndarray]:
    """These samples as the network reads them, some at a time, as new matrices of float64."""
    features = math.prod(samples.shape)
    at_once = max(1, CHUNK // features)
    for start in range(0, rows.size, at_once):
        numbers = samples.rows(rows[start : start + at_once])
        if numbers.dtype == schema.ITEM_TYPES[schema.BYTES]:
            scale = dtype.type(schema.byte_scale(samples.shape))
            yield np.multiply(numbers, scale, dtype=dtype).astype(np.float64)
        else:
            yield numbers.astype(dtype, copy=False).astype(np.float64)
