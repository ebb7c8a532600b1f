"""The twin of the softmaxes: along rows, in place where y is x."""

import numpy as np

from .arenas import matrix


def softmax(y, x):
    """y = exp(x - max x) / sum of exp(x - max x)."""
    np.exp(np.subtract(x, x.max(axis=1, keepdims=True), out=y), out=y)
    y /= y.sum(axis=1, keepdims=True)


def softmax_gradient(dx, dy, y):
    """dx = y (dy - sum of dy y)."""
    np.subtract(dy, np.einsum("ij,ij->i", dy, y)[:, None], out=dx)
    dx *= y


def log_softmax(y, x):
    """y = x - max x - log(sum of exp(x - max x))."""
    np.subtract(x, x.max(axis=1, keepdims=True), out=y)
    y -= np.log(np.exp(y).sum(axis=1, keepdims=True))


def log_softmax_gradient(dx, dy, y):
    """dx = dy - exp(y) sum of dy."""
    np.subtract(dy, np.exp(y) * dy.sum(axis=1, keepdims=True), out=dx)


def softmax_forward(y, y0, ldy, x, x0, ldx, rows, columns):
    """y = exp(x - max x) / sum of exp(x - max x), row by row."""
    softmax(matrix(y, y0, ldy, rows, columns), matrix(x, x0, ldx, rows, columns))


def softmax_backward(dx, dx0, lddx, dy, dy0, lddy, y, y0, ldy, rows, columns):
    """dx = y (dy - sum of dy y), row by row, maybe in place."""
    at = ((dx, dx0, lddx), (dy, dy0, lddy), (y, y0, ldy))
    softmax_gradient(*(matrix(*place, rows, columns) for place in at))


def log_softmax_forward(y, y0, ldy, x, x0, ldx, rows, columns):
    """y = x - max x - log(sum of exp(x - max x)), row by row."""
    log_softmax(matrix(y, y0, ldy, rows, columns), matrix(x, x0, ldx, rows, columns))


def log_softmax_backward(dx, dx0, lddx, dy, dy0, lddy, y, y0, ldy, rows, columns):
    """dx = dy - exp(y) sum of dy, row by row, maybe in place."""
    at = ((dx, dx0, lddx), (dy, dy0, lddy), (y, y0, ldy))
    log_softmax_gradient(*(matrix(*place, rows, columns) for place in at))
