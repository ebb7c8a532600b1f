"""The optimizers in NumPy: one step of w with gradient g, in place.

Unlike in the kernels, numbers of the state may become denormal.
"""

import numpy as np

from .. import schema, tables
from ..schema import CODE, WIDTH
from .arenas import matrix, width


def _sgd(w, g, slots, n):
    w -= n.rate * g


def _momentum(w, g, slots, n):
    (v,) = slots
    v *= n.momentum
    v += g
    w -= n.rate * v


def _rmsprop(w, g, slots, n):
    (v,) = slots
    change = g * g
    change *= n.one_minus_rho
    v *= n.rho
    v += change
    np.sqrt(v, out=change)
    change += n.epsilon
    np.divide(g, change, out=change)
    change *= n.rate
    w -= change


def _adam(w, g, slots, n):
    m, v = slots
    change = g * n.one_minus_beta1
    m *= n.beta1
    m += change
    np.multiply(g, g, out=change)
    change *= n.one_minus_beta2
    v *= n.beta2
    v += change
    np.sqrt(v, out=change)
    change *= n.correction
    change += n.epsilon
    np.divide(m, change, out=change)
    change *= n.rate
    w -= change


def _dampened(w, g, slots, n):
    (v,) = slots
    v *= n.momentum
    v += n.one_minus_dampening * g
    w -= n.rate * v


def _nesterov(w, g, slots, n):
    (v,) = slots
    v *= n.momentum
    v += g
    w -= n.rate * (g + n.momentum * v)


def _adagrad(w, g, slots, n):
    (s,) = slots
    s += g * g
    w -= n.rate * g / (np.sqrt(s) + n.epsilon)


def _adadelta(w, g, slots, n):
    v, d = slots
    v *= n.rho
    v += n.one_minus_rho * (g * g)
    u = np.sqrt(d + n.epsilon) / np.sqrt(v + n.epsilon) * g
    d *= n.rho
    d += n.one_minus_rho * (u * u)
    w -= n.rate * u


def _rmsprop_momentum(w, g, slots, n):
    v, u = slots
    v *= n.rho
    v += n.one_minus_rho * (g * g)
    u *= n.momentum
    u += g / (np.sqrt(v) + n.epsilon)
    w -= n.rate * u


def _rmsprop_centered(w, g, slots, n):
    v, m, u = slots
    v *= n.rho
    v += n.one_minus_rho * (g * g)
    m *= n.rho
    m += n.one_minus_rho * g
    u *= n.momentum
    u += g / (np.sqrt(np.maximum(v - m * m, 0)) + n.epsilon)
    w -= n.rate * u


def _adamw(w, g, slots, n):
    w -= n.decay * w
    _adam(w, g, slots, n)


def _nadam(w, g, slots, n):
    m, v = slots
    m *= n.beta1
    m += n.one_minus_beta1 * g
    v *= n.beta2
    v += n.one_minus_beta2 * (g * g)
    w -= n.decay * w
    w -= (n.rate * m + n.rate_g * g) / (np.sqrt(v) * n.correction + n.epsilon)


def _amsgrad(w, g, slots, n):
    m, v, top = slots
    m *= n.beta1
    m += n.one_minus_beta1 * g
    v *= n.beta2
    v += n.one_minus_beta2 * (g * g)
    np.maximum(top, v, out=top)
    w -= n.decay * w
    w -= n.rate * m / (np.sqrt(top) * n.correction + n.epsilon)


def _lion(w, g, slots, n):
    (m,) = slots
    step = n.rate * np.sign(n.beta1 * m + n.one_minus_beta1 * g)
    m *= n.beta2
    m += n.one_minus_beta2 * g
    w -= n.decay * w
    w -= step


OPTIMIZERS = tables.with_formulas(
    tables.OPTIMIZERS,
    {
        "sgd": _sgd,
        "momentum": _momentum,
        "rmsprop": _rmsprop,
        "adam": _adam,
        "dampened": _dampened,
        "nesterov": _nesterov,
        "adagrad": _adagrad,
        "adadelta": _adadelta,
        "rmsprop_momentum": _rmsprop_momentum,
        "rmsprop_centered": _rmsprop_centered,
        "adamw": _adamw,
        "nadam": _nadam,
        "amsgrad": _amsgrad,
        "lion": _lion,
    },
)


def prepared(code, dtype):
    """The words of `Update.optimizer` for an optimizer."""
    words = np.zeros(schema.UPDATE_WORDS, np.int64)
    words[CODE] = code
    words[WIDTH] = len(tables.OPTIMIZERS[code].columns)
    return words


def optimizer_step(w, slots, slot_size, g, hyper, rows, biases, columns, code):
    """One step for a block of parameters, the last rows of which are biases."""
    row, formula = OPTIMIZERS[code]
    columns = width(columns, w, g)

    def range_of_rows(first, count, numbers):
        def here(place, shift=0):
            return matrix(
                place.arena, place.start + first * place.stride + shift, place.stride, count, columns
            )

        formula(here(w), here(g), [here(slots, j * slot_size) for j in range(len(row.slots))], numbers)

    numbers = row.named(hyper.arena[hyper.start : hyper.start + len(row.columns)].tolist())
    if row.decoupled_decay:
        range_of_rows(0, rows, numbers)
        range_of_rows(rows, biases, numbers._replace(decay=0.0))
    else:
        range_of_rows(0, rows + biases, numbers)
