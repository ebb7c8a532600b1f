"""The losses in NumPy: loss, score and deltas of each row."""

import numpy as np

from .. import tables
from .arenas import view


def _cross_entropy(d, losses, scores, z, labels, t, scale, _):
    rows = np.arange(len(z))
    shifted = z - z.max(axis=1, keepdims=True)
    np.negative(shifted[rows, labels], out=losses)
    np.equal(z.argmax(axis=1), labels, out=scores)
    np.exp(shifted, out=shifted)
    total = shifted.sum(axis=1, keepdims=True)
    losses += np.log(total[:, 0])
    np.multiply(shifted, scale / total, out=d)
    d[rows, labels] -= scale


def _soft_cross_entropy(d, losses, scores, z, t, scale):
    shifted = z - z.max(axis=1, keepdims=True)
    np.equal(z.argmax(axis=1), t.argmax(axis=1), out=scores)
    shares = np.exp(shifted)
    total = shares.sum(axis=1, keepdims=True)
    np.sum(t * (np.log(total) - shifted), axis=1, out=losses)
    mass = t.sum(axis=1, keepdims=True)
    np.multiply(shares * (mass / total) - t, scale, out=d)


def _smoothed_cross_entropy(d, losses, scores, z, labels, t, scale, smoothing):
    smoothed = np.full_like(z, smoothing / z.shape[1])
    smoothed[np.arange(len(z)), labels] += 1 - smoothing
    _soft_cross_entropy(d, losses, scores, z, smoothed, scale)


def _cross_entropy_of_shares(d, losses, scores, z, labels, t, scale, _):
    _soft_cross_entropy(d, losses, scores, z, t, scale)


def _mean_squared_error(d, losses, scores, z, labels, t, scale, _):
    columns = z.shape[1]
    difference = z - t
    np.multiply(difference, 2 * scale / columns, out=d)
    np.divide(np.einsum("ij,ij->i", difference, difference), columns, out=losses)
    np.abs(difference, out=difference)
    np.mean(difference, axis=1, out=scores)


def _sum_squared_error(d, losses, scores, z, labels, t, scale, _):
    difference = z - t
    np.multiply(difference, 2 * scale, out=d)
    np.einsum("ij,ij->i", difference, difference, out=losses)
    np.mean(np.abs(difference), axis=1, out=scores)


def _binary_cross_entropy(d, losses, scores, z, labels, t, scale, _):
    columns = z.shape[1]
    tail = np.exp(-np.abs(z))
    np.mean(np.maximum(z, 0) - z * t + np.log1p(tail), axis=1, out=losses)
    np.mean((z > 0) == (t > 0.5), axis=1, out=scores)
    np.divide(np.where(z < 0, tail, 1), tail + 1, out=d)
    d -= t
    d *= scale / columns


def _mean_of(formula):
    """A loss that is the mean of `formula(z, t, option)`: loss, score and derivative of all outputs."""

    def loss(d, losses, scores, z, labels, t, scale, option):
        each, score, derivative = formula(z, t, z.dtype.type(option))
        np.mean(each, axis=1, out=losses)
        np.mean(score, axis=1, out=scores)
        np.multiply(derivative, scale / z.shape[1], out=d)

    return loss


def _absolute_error(z, t, _):
    size = np.abs(z - t)
    return size, size, np.sign(z - t)


def _huber(z, t, delta):
    size = np.abs(z - t)
    return (
        np.where(size <= delta, 0.5 * size * size, delta * (size - delta / 2)),
        size,
        np.clip(z - t, -delta, delta),
    )


def _log_cosh(z, t, _):
    size = np.abs(z - t)
    # cosh x = 1 + 2 sinh(x / 2)^2
    curved = np.log1p(2 * np.square(np.sinh(np.minimum(size, 20) / 2)))
    return np.where(size < 20, curved, size - z.dtype.type(np.log(2))), size, np.tanh(z - t)


def _quantile(z, t, tau):
    size, rest = np.abs(z - t), 1 - tau
    return size * np.where(z > t, rest, tau), size, np.where(z == t, 0, np.where(z > t, rest, -tau))


def _poisson(z, t, _):
    rate = np.exp(z)
    return rate - t * z, np.abs(rate - t), rate - t


LOSSES = tables.with_formulas(
    tables.LOSSES,
    {
        "cross_entropy": _cross_entropy,
        "mean_squared_error": _mean_squared_error,
        "binary_cross_entropy": _binary_cross_entropy,
        "smoothed_cross_entropy": _smoothed_cross_entropy,
        "cross_entropy_of_shares": _cross_entropy_of_shares,
        "sum_squared_error": _sum_squared_error,
        "mean_absolute_error": _mean_of(_absolute_error),
        "huber": _mean_of(_huber),
        "log_cosh": _mean_of(_log_cosh),
        "quantile": _mean_of(_quantile),
        "poisson": _mean_of(_poisson),
    },
)


def loss_rows(code, d, losses, scores, z, targets, rows, columns, scale, option):
    """Loss, score and deltas of each row."""
    _, formula = LOSSES[code]
    losses, scores, labels = (view(place, rows, 1)[:, 0] for place in (losses, scores, targets.labels))
    d, z, t = (view(place, rows, columns) for place in (d, z, targets.values))
    formula(d, losses, scores, z, labels, t, scale, option)
