"""The NumPy reference of the scaling of columns."""

import numpy as np

from .arenas import view, width


def scale_forward(y, x, constants, rows, columns):
    """y = (x - center) factor; the rows of `constants` are center and factor."""
    columns = width(columns, y, x)
    center, factor = view(constants, 2, columns)
    y = view(y, rows, columns)
    np.subtract(view(x, rows, columns), center, out=y)
    y *= factor


def scale_backward(dx, dy, factor, rows, columns):
    """dx = dy factor, with one row of factors for all rows."""
    columns = width(columns, dx, dy)
    np.multiply(view(dy, rows, columns), view(factor, 1, columns), out=view(dx, rows, columns))
