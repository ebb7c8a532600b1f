"""The optimizers in NumPy: one step of w with gradient g, in place.

Unlike in the kernels, numbers of the state may become denormal.
"""

import numpy as np

from .. import schema, tables
from ..schema import CODE, WIDTH
from .arenas import matrix, width


def _sgd(w, g, slots, rate):
    w -= rate * g


def _momentum(w, g, slots, rate, momentum):
    (v,) = slots
    v *= momentum
    v += g
    w -= rate * v


def _rmsprop(w, g, slots, rate, rho, one_minus_rho, epsilon):
    (v,) = slots
    change = g * g
    change *= one_minus_rho
    v *= rho
    v += change
    np.sqrt(v, out=change)
    change += epsilon
    np.divide(g, change, out=change)
    change *= rate
    w -= change


def _adam(w, g, slots, rate, beta1, one_minus_beta1, beta2, one_minus_beta2, correction, epsilon):
    m, v = slots
    change = g * one_minus_beta1
    m *= beta1
    m += change
    np.multiply(g, g, out=change)
    change *= one_minus_beta2
    v *= beta2
    v += change
    np.sqrt(v, out=change)
    change *= correction
    change += epsilon
    np.divide(m, change, out=change)
    change *= rate
    w -= change


def _dampened(w, g, slots, rate, momentum, one_minus_dampening):
    (v,) = slots
    v *= momentum
    v += one_minus_dampening * g
    w -= rate * v


def _nesterov(w, g, slots, rate, momentum):
    (v,) = slots
    v *= momentum
    v += g
    w -= rate * (g + momentum * v)


def _adagrad(w, g, slots, rate, epsilon):
    (s,) = slots
    s += g * g
    w -= rate * g / (np.sqrt(s) + epsilon)


def _adadelta(w, g, slots, rate, rho, one_minus_rho, epsilon):
    v, d = slots
    v *= rho
    v += one_minus_rho * (g * g)
    u = np.sqrt(d + epsilon) / np.sqrt(v + epsilon) * g
    d *= rho
    d += one_minus_rho * (u * u)
    w -= rate * u


def _rmsprop_momentum(w, g, slots, rate, rho, one_minus_rho, momentum, epsilon):
    v, u = slots
    v *= rho
    v += one_minus_rho * (g * g)
    u *= momentum
    u += g / (np.sqrt(v) + epsilon)
    w -= rate * u


def _rmsprop_centered(w, g, slots, rate, rho, one_minus_rho, momentum, epsilon):
    v, m, u = slots
    v *= rho
    v += one_minus_rho * (g * g)
    m *= rho
    m += one_minus_rho * g
    u *= momentum
    u += g / (np.sqrt(np.maximum(v - m * m, 0)) + epsilon)
    w -= rate * u


def _adamw(w, g, slots, *numbers):
    *numbers, decay = numbers
    w -= decay * w
    _adam(w, g, slots, *numbers)


def _nadam(
    w, g, slots, rate, rate_g, beta1, one_minus_beta1, beta2, one_minus_beta2, correction, epsilon, decay
):
    m, v = slots
    m *= beta1
    m += one_minus_beta1 * g
    v *= beta2
    v += one_minus_beta2 * (g * g)
    w -= decay * w
    w -= (rate * m + rate_g * g) / (np.sqrt(v) * correction + epsilon)


def _amsgrad(w, g, slots, rate, beta1, one_minus_beta1, beta2, one_minus_beta2, correction, epsilon, decay):
    m, v, top = slots
    m *= beta1
    m += one_minus_beta1 * g
    v *= beta2
    v += one_minus_beta2 * (g * g)
    np.maximum(top, v, out=top)
    w -= decay * w
    w -= rate * m / (np.sqrt(top) * correction + epsilon)


def _lion(w, g, slots, rate, beta1, one_minus_beta1, beta2, one_minus_beta2, decay):
    (m,) = slots
    step = rate * np.sign(beta1 * m + one_minus_beta1 * g)
    m *= beta2
    m += one_minus_beta2 * g
    w -= decay * w
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


def optimizer_step(w, slots, w0, ldw, slot_size, g, g0, ldg, hyper, h0, rows, biases, columns, code):
    """One step for a block of parameters, the last rows of which are biases."""
    row, formula = OPTIMIZERS[code]
    columns = width(columns, ldw, ldg)

    def part(first, count, numbers):
        place = w0 + first * ldw
        state = [matrix(slots, place + j * slot_size, ldw, count, columns) for j in range(len(row.slots))]
        gradient = matrix(g, g0 + first * ldg, ldg, count, columns)
        formula(matrix(w, place, ldw, count, columns), gradient, state, *numbers)

    numbers = hyper[h0 : h0 + len(row.columns)].tolist()
    if row.decoupled_decay:
        part(0, rows, numbers)
        part(rows, biases, [*numbers[:-1], 0.0])
    else:
        part(0, rows + biases, numbers)
