"""Matrices in flat arenas."""

import numpy as np


def matrix(arena, start, stride, rows, columns, step=1):
    """A view of an arena: number [r, c] stands at start + r stride + c step."""
    item = arena.itemsize
    return np.ndarray((rows, columns), arena.dtype, arena, int(start) * item, (stride * item, step * item))


def width(columns, *strides):
    """Columns that an elementwise operation takes: whole rows where they are one contiguous block."""
    return strides[0] if len(set(strides)) == 1 else columns
