"""The memory of a network: flat arrays, aligned to cache lines, and views into them."""

from functools import cache

import numpy as np

from ..kernels import schema


def aligned_zeros(size: int, dtype: np.dtype) -> np.ndarray:
    """An arena: `size` zeros, aligned to cache lines, and behind them `schema.ROOM` bytes that kernels may read."""
    if size == 0:
        return _nothing(np.dtype(dtype))
    return _aligned_zeros(size, np.dtype(dtype))


@cache
def _nothing(dtype: np.dtype) -> np.ndarray:
    """An arena without numbers: one for all, as nothing can be written to it."""
    return _aligned_zeros(0, dtype)


def _aligned_zeros(size: int, dtype: np.dtype) -> np.ndarray:
    item = dtype.itemsize
    memory = np.zeros(schema.LINE + size * item + schema.ROOM, np.uint8)
    start = -memory.__array_interface__["data"][0] % schema.LINE
    return memory[start : start + size * item].view(dtype)


def matrix(arena: np.ndarray, start: int, stride: int, rows: int, columns: int) -> np.ndarray:
    """A view of `rows` rows of `columns` numbers, `stride` numbers apart."""
    return arena[start : start + rows * stride].reshape(rows, stride)[:, :columns]
