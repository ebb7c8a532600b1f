"""The memory of a network: flat arrays, aligned to cache lines, and views into them."""

import numpy as np

from ..kernels import schema


def aligned_zeros(size: int, dtype: np.dtype) -> np.ndarray:
    """`size` zeros that start at a cache line, with a line of room behind them for vectors that reach over."""
    item = np.dtype(dtype).itemsize
    memory = np.zeros((size * item) + 2 * schema.LINE, np.uint8)
    start = -memory.ctypes.data % schema.LINE
    return memory[start : start + size * item].view(dtype)


def matrix(arena: np.ndarray, start: int, stride: int, rows: int, columns: int) -> np.ndarray:
    """A view of `rows` rows of `columns` numbers, `stride` numbers apart."""
    return arena[start : start + rows * stride].reshape(rows, stride)[:, :columns]


def read_only(array: np.ndarray) -> np.ndarray:
    """A view that must not be written."""
    view = array.view()
    view.flags.writeable = False
    return view
