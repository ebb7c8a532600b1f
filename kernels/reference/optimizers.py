"""The twin of the optimizers: one step of w, with gradient g, in place.

Fading states may become denormal numbers here.
"""

from collections.abc import Callable

import numpy as np

from .. import schema
from ..schema import CODE, WIDTH
from .arenas import matrix, row_of, width


def _sgd(w, g, slots, rate):
    w -= rate * g


def _momentum(w, g, slots, rate, momentum):
    (v,) = slots
    v *= momentum
    v += g
    w -= rate * v


def _rmsprop(w, g, slots, rate, rho, rest, epsilon):
    (v,) = slots
    change = g * g
    change *= rest
    v *= rho
    v += change
    np.sqrt(v, out=change)
    change += epsilon
    np.divide(g, change, out=change)
    change *= rate
    w -= change


def _adam(w, g, slots, rate, beta1, rest1, beta2, rest2, correction, epsilon):
    m, v = slots
    change = g * rest1
    m *= beta1
    m += change
    np.multiply(g, g, out=change)
    change *= rest2
    v *= beta2
    v += change
    np.sqrt(v, out=change)
    change *= correction
    change += epsilon
    np.divide(m, change, out=change)
    change *= rate
    w -= change


def _dampened(w, g, slots, rate, momentum, rest):
    (v,) = slots
    v *= momentum
    v += rest * g
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


def _adadelta(w, g, slots, rate, rho, rest, epsilon):
    v, d = slots
    v *= rho
    v += rest * (g * g)
    u = np.sqrt(d + epsilon) / np.sqrt(v + epsilon) * g
    d *= rho
    d += rest * (u * u)
    w -= rate * u


def _rmsprop_momentum(w, g, slots, rate, rho, rest, momentum, epsilon):
    v, u = slots
    v *= rho
    v += rest * (g * g)
    u *= momentum
    u += g / (np.sqrt(v) + epsilon)
    w -= rate * u


def _rmsprop_centered(w, g, slots, rate, rho, rest, momentum, epsilon):
    v, m, u = slots
    v *= rho
    v += rest * (g * g)
    m *= rho
    m += rest * g
    u *= momentum
    u += g / (np.sqrt(np.maximum(v - m * m, 0)) + epsilon)
    w -= rate * u


def _adamw(w, g, slots, *numbers):
    *numbers, shrink = numbers
    w -= shrink * w
    _adam(w, g, slots, *numbers)


def _nadam(w, g, slots, rate, rate_g, beta1, rest1, beta2, rest2, correction, epsilon, shrink):
    m, v = slots
    m *= beta1
    m += rest1 * g
    v *= beta2
    v += rest2 * (g * g)
    w -= shrink * w
    w -= (rate * m + rate_g * g) / (np.sqrt(v) * correction + epsilon)


def _amsgrad(w, g, slots, rate, beta1, rest1, beta2, rest2, correction, epsilon, shrink):
    m, v, top = slots
    m *= beta1
    m += rest1 * g
    v *= beta2
    v += rest2 * (g * g)
    np.maximum(top, v, out=top)
    w -= shrink * w
    w -= rate * m / (np.sqrt(top) * correction + epsilon)


def _lion(w, g, slots, rate, beta1, rest1, beta2, rest2, shrink):
    (m,) = slots
    step = rate * np.sign(beta1 * m + rest1 * g)
    m *= beta2
    m += rest2 * g
    w -= shrink * w
    w -= step


# Formula, states, numbers of a row of `hyper`, whether its last number is a decay, which biases do not have.
OPTIMIZERS: dict[str, tuple[Callable, int, int, bool]] = {
    "sgd": (_sgd, 0, 1, False),
    "momentum": (_momentum, 1, 2, False),
    "rmsprop": (_rmsprop, 1, 4, False),
    "adam": (_adam, 2, 7, False),
    "dampened": (_dampened, 1, 3, False),
    "nesterov": (_nesterov, 1, 2, False),
    "adagrad": (_adagrad, 1, 2, False),
    "adadelta": (_adadelta, 2, 4, False),
    "rmsprop_momentum": (_rmsprop_momentum, 2, 5, False),
    "rmsprop_centered": (_rmsprop_centered, 3, 5, False),
    "adamw": (_adamw, 2, 8, True),
    "nadam": (_nadam, 2, 9, True),
    "amsgrad": (_amsgrad, 3, 8, True),
    "lion": (_lion, 1, 6, True),
}


def prepared(code, dtype):
    """The words of `Update.optimizer` for an optimizer."""
    words = np.zeros(schema.UPDATE_WORDS, np.int64)
    words[CODE], words[WIDTH] = code, row_of(OPTIMIZERS, code)[2]
    return words


def optimizer_step(w, slots, w0, ldw, slot_size, g, g0, ldg, hyper, h0, rows, biases, columns, code):
    """One step for a block of parameters, the last rows of which are biases."""
    formula, states, numbers, decays = row_of(OPTIMIZERS, code)
    columns, hyper = width(columns, ldw, ldg), hyper[h0 : h0 + numbers].tolist()
    parts = [(0, rows, hyper), (rows, biases, [*hyper[:-1], 0.0])] if decays else [(0, rows + biases, hyper)]
    for first, count, values in parts:
        place = w0 + first * ldw
        state = [matrix(slots, place + j * slot_size, ldw, count, columns) for j in range(states)]
        weights = matrix(w, place, ldw, count, columns)
        formula(weights, matrix(g, g0 + first * ldg, ldg, count, columns), state, *values)
