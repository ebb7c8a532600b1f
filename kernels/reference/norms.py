"""The twin of normalisation along rows, and of its gain and offset."""

import numpy as np

from .arenas import matrix


def row_norm_forward(y, y0, ldy, x, x0, ldx, kept, kept0, rows, columns, epsilon):
    """y = (x - mean) factor along each row, with factor = 1 / sqrt(variance + epsilon), which is kept."""
    y, x = matrix(y, y0, ldy, rows, columns), matrix(x, x0, ldx, rows, columns)
    factor = matrix(kept, kept0, 1, rows, 1)
    np.subtract(x, x.mean(axis=1, keepdims=True), out=y)
    np.divide(np.einsum("ij,ij->i", y, y)[:, None], columns, out=factor)
    factor += epsilon
    np.sqrt(factor, out=factor)
    np.reciprocal(factor, out=factor)
    y *= factor


def row_norm_backward(d, d0, ldd, y, y0, ldy, kept, kept0, rows, columns):
    """d = factor (d - mean of d - y mean of d y) along each row, in place."""
    d, y = matrix(d, d0, ldd, rows, columns), matrix(y, y0, ldy, rows, columns)
    products = np.einsum("ij,ij->i", d, y)[:, None] / columns
    d -= d.mean(axis=1, keepdims=True)
    d -= y * products
    d *= matrix(kept, kept0, 1, rows, 1)


def affine_forward(y, y0, ldy, x, x0, ldx, w, gain, offset, rows, columns):
    """y = gain x + offset."""
    y = matrix(y, y0, ldy, rows, columns)
    np.multiply(matrix(x, x0, ldx, rows, columns), w[gain : gain + columns], out=y)
    y += w[offset : offset + columns]


def column_sums(s, s0, lds, x, x0, ldx, d, d0, ldd, rows, columns, before):
    """Two rows of sums over the rows, for each column: of x d, and of d; += where s holds rows `before`."""
    d, s = matrix(d, d0, ldd, rows, columns), matrix(s, s0, lds, 2, columns)
    sums = np.stack([np.einsum("ij,ij->j", matrix(x, x0, ldx, rows, columns), d), d.sum(axis=0)])
    if before:
        s += sums
    else:
        s[...] = sums
