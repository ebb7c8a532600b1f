"""The NumPy reference of the normalisations."""

import numpy as np

from .arenas import view


def row_norm_forward(y, x, kept, rows, columns, epsilon):
    """y = (x - mean) factor along each row, with factor = 1 / sqrt(variance + epsilon), which is kept."""
    y, x, factor = view(y, rows, columns), view(x, rows, columns), view(kept, rows, 1)
    np.subtract(x, x.mean(axis=1, keepdims=True), out=y)
    np.divide(np.einsum("ij,ij->i", y, y)[:, None], columns, out=factor)
    factor += epsilon
    np.sqrt(factor, out=factor)
    np.reciprocal(factor, out=factor)
    y *= factor


def row_norm_backward(d, y, kept, rows, columns):
    """d = factor (d - mean of d - y mean of d y) along each row, in place."""
    d, y = view(d, rows, columns), view(y, rows, columns)
    products = np.einsum("ij,ij->i", d, y)[:, None] / columns
    d -= d.mean(axis=1, keepdims=True)
    d -= y * products
    d *= view(kept, rows, 1)


def affine_forward(y, x, weights, rows, columns):
    """y = gain x + offset; the rows of the weights are gain and offset."""
    y, (gain, offset) = view(y, rows, columns), view(weights, 2, columns)
    np.multiply(view(x, rows, columns), gain, out=y)
    y += offset


def column_sums(s, x, d, rows, columns, accumulate):
    """The rows of s are sums over the rows, for each column: of x d, and of d; += if `accumulate`."""
    d, s = view(d, rows, columns), view(s, 2, columns)
    sums = np.stack([np.einsum("ij,ij->j", view(x, rows, columns), d), d.sum(axis=0)])
    if accumulate:
        s += sums
    else:
        s[...] = sums
