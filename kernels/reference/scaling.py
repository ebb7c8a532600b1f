"""The twin of scaling feature by feature."""

import numpy as np

from .arenas import matrix, width


def scale_forward(y, y0, ldy, x, x0, ldx, c, center, factor, rows, columns):
    """y = (x - center) factor."""
    columns = width(columns, ldy, ldx)
    y, x = matrix(y, y0, ldy, rows, columns), matrix(x, x0, ldx, rows, columns)
    np.subtract(x, c[center : center + columns], out=y)
    y *= c[factor : factor + columns]


def scale_backward(dx, dx0, lddx, dy, dy0, lddy, c, factor, rows, columns):
    """dx = dy factor."""
    columns = width(columns, lddx, lddy)
    factors = c[factor : factor + columns]
    np.multiply(matrix(dy, dy0, lddy, rows, columns), factors, out=matrix(dx, dx0, lddx, rows, columns))
