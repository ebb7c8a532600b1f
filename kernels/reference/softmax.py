"""Softmax and its logarithm in NumPy, row by row; output and input may be the same matrix."""

import numpy as np

from .arenas import view


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


def softmax_forward(y, x, rows, columns):
    """y = exp(x - max x) / sum of exp(x - max x) along each row."""
    softmax(view(y, rows, columns), view(x, rows, columns))


def softmax_backward(dx, dy, y, rows, columns):
    """dx = y (dy - sum of dy y) along each row."""
    softmax_gradient(*(view(place, rows, columns) for place in (dx, dy, y)))


def log_softmax_forward(y, x, rows, columns):
    """y = x - max x - log(sum of exp(x - max x)) along each row."""
    log_softmax(view(y, rows, columns), view(x, rows, columns))


def log_softmax_backward(dx, dy, y, rows, columns):
    """dx = dy - exp(y) sum of dy along each row."""
    log_softmax_gradient(*(view(place, rows, columns) for place in (dx, dy, y)))
