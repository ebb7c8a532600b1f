"""Views of matrices in flat arenas."""

import numpy as np


def matrix(arena, start, stride, rows, columns, step=1):
    """A view of an arena (rows, columns): the number [r, c] is at start + r stride + c step."""
    item = arena.itemsize
    return np.ndarray((rows, columns), arena.dtype, arena, int(start) * item, (stride * item, step * item))


def view(place, rows, columns):
    """A view of a `Matrix` (rows, columns)."""
    return matrix(*place, rows, columns)


def width(columns, *places):
    """Columns that an elementwise operation takes: whole rows if the rows of all matrices have one stride."""
    strides = {place.stride for place in places}
    return strides.pop() if len(strides) == 1 else columns
