"""Optimizers, one row of a table each: name, state, numbers a step, formula.

The numbers that change from step to step (a learning rate that decays, Adam's corrections) are computed for a whole
epoch before it starts, a row of `hyper` each; the formula is elementwise. A gradient of 0 leaves a parameter and a
state of 0 as they are, so padding stays zero. `steps.py` makes machine code of a row when it is first used.
"""

from collections.abc import Callable
from typing import NamedTuple

from ..simd import Vec, fma, maximum, select, sqrt


class Optimizer(NamedTuple):
    """One row of the table."""

    name: str
    slots: tuple[str, ...]  # state, each as large as the parameters
    hyper: tuple[str, ...]  # numbers a step; `shrink`, if there is one, is 0 for biases
    formula: Callable[..., tuple[Vec, ...]]  # (w, g, *slots, *hyper) -> (w, *slots)
    rests: bool = False  # a gradient of 0 leaves a parameter as it is, to the bit, whatever happened before


def _sgd(w, g, rate):
    """w - rate g."""
    return (fma(g, -rate, w),)


def _momentum(w, g, v, rate, momentum):
    """Classical momentum, as in PyTorch: v = momentum v + g, w - rate v."""
    v = fma(momentum, v, g)
    return fma(v, -rate, w), v


def _rmsprop(w, g, v, rate, rho, rest, epsilon):
    """v = rho v + (1 - rho) g^2, w - rate g / (sqrt(v) + epsilon) (Hinton, lecture 6e, 2012)."""
    v = fma(rho, v, rest * (g * g))
    return w - rate * g / (sqrt(v) + epsilon), v


def _adam(w, g, m, v, rate, beta1, rest1, beta2, rest2, correction, epsilon):
    """m = beta1 m + (1 - beta1) g, v = beta2 v + (1 - beta2) g^2, w - rate' m / (sqrt(v) correction + epsilon).

    rate' = rate / (1 - beta1^t) and correction = 1 / sqrt(1 - beta2^t) (Kingma and Ba, 2015, algorithm 1).
    """
    m = fma(beta1, m, rest1 * g)
    v = fma(beta2, v, rest2 * (g * g))
    return w - rate * m / fma(sqrt(v), correction, epsilon), m, v


def _dampened(w, g, v, rate, momentum, rest):
    """v = momentum v + (1 - dampening) g, w - rate v."""
    v = fma(momentum, v, rest * g)
    return fma(v, -rate, w), v


def _nesterov(w, g, v, rate, momentum):
    """v = momentum v + g, w - rate (g + momentum v) (Sutskever et al., 2013, in PyTorch's form)."""
    v = fma(momentum, v, g)
    return fma(fma(momentum, v, g), -rate, w), v


def _adagrad(w, g, s, rate, epsilon):
    """s = s + g^2, w - rate g / (sqrt(s) + epsilon) (Duchi, Hazan and Singer, 2011)."""
    s = fma(g, g, s)
    return w - rate * g / (sqrt(s) + epsilon), s


def _adadelta(w, g, v, d, rate, rho, rest, epsilon):
    """v = rho v + (1 - rho) g^2, u = sqrt(d + epsilon) / sqrt(v + epsilon) g, d = rho d + (1 - rho) u^2, w - rate u.

    Zeiler, 2012.
    """
    v = fma(rho, v, rest * (g * g))
    u = sqrt(d + epsilon) / sqrt(v + epsilon) * g
    return fma(u, -rate, w), v, fma(rho, d, rest * (u * u))


def _rmsprop_momentum(w, g, v, u, rate, rho, rest, momentum, epsilon):
    """RMSprop whose steps g / (sqrt(v) + epsilon) are gathered in u = momentum u + step, w - rate u."""
    v = fma(rho, v, rest * (g * g))
    u = fma(momentum, u, g / (sqrt(v) + epsilon))
    return fma(u, -rate, w), v, u


def _rmsprop_centered(w, g, v, m, u, rate, rho, rest, momentum, epsilon):
    """The same with the variance v - m^2 in the place of v, m = rho m + (1 - rho) g (Graves, 2013)."""
    v = fma(rho, v, rest * (g * g))
    m = fma(rho, m, rest * g)
    u = fma(momentum, u, g / (sqrt(maximum(fma(-m, m, v), 0.0)) + epsilon))
    return fma(u, -rate, w), v, m, u


def _adamw(w, g, m, v, rate, beta1, rest1, beta2, rest2, correction, epsilon, shrink):
    """Adam after w - shrink w, shrink = learning rate times decay (Loshchilov and Hutter, 2019)."""
    numbers = (rate, beta1, rest1, beta2, rest2, correction, epsilon)
    return _adam(fma(w, -shrink, w), g, m, v, *numbers)


def _nadam(w, g, m, v, rate, rate_g, beta1, rest1, beta2, rest2, correction, epsilon, shrink):
    """Adam's m and v, w - (rate m + rate_g g) / (sqrt(v) correction + epsilon), after w - shrink w (Dozat, 2016)."""
    m = fma(beta1, m, rest1 * g)
    v = fma(beta2, v, rest2 * (g * g))
    step = fma(rate, m, rate_g * g) / fma(sqrt(v), correction, epsilon)
    return fma(w, -shrink, w) - step, m, v


def _amsgrad(w, g, m, v, top, rate, beta1, rest1, beta2, rest2, correction, epsilon, shrink):
    """AdamW with the largest v so far in the place of v (Reddi, Kale and Kumar, 2018)."""
    m = fma(beta1, m, rest1 * g)
    v = fma(beta2, v, rest2 * (g * g))
    top = maximum(v, top)
    return fma(w, -shrink, w) - rate * m / fma(sqrt(top), correction, epsilon), m, v, top


def _lion(w, g, m, rate, beta1, rest1, beta2, rest2, shrink):
    """w - shrink w - rate sign(beta1 m + (1 - beta1) g), m = beta2 m + (1 - beta2) g (Chen et al., 2023)."""
    blend = fma(beta1, m, rest1 * g)
    step = select(blend > 0.0, rate, select(blend < 0.0, -rate, 0.0))
    return fma(w, -shrink, w) - step, fma(beta2, m, rest2 * g)


_ADAM = ("rate", "beta1", "rest1", "beta2", "rest2", "correction", "epsilon")

OPTIMIZERS = (
    Optimizer("sgd", (), ("rate",), _sgd, rests=True),
    Optimizer("momentum", ("velocity",), ("rate", "momentum"), _momentum),
    Optimizer("rmsprop", ("square",), ("rate", "rho", "rest", "epsilon"), _rmsprop),
    Optimizer("adam", ("mean", "square"), _ADAM, _adam),
    Optimizer("dampened", ("velocity",), ("rate", "momentum", "rest"), _dampened),
    Optimizer("nesterov", ("velocity",), ("rate", "momentum"), _nesterov),
    Optimizer("adagrad", ("sum",), ("rate", "epsilon"), _adagrad),
    Optimizer("adadelta", ("square", "change"), ("rate", "rho", "rest", "epsilon"), _adadelta),
    Optimizer(
        "rmsprop_momentum",
        ("square", "velocity"),
        ("rate", "rho", "rest", "momentum", "epsilon"),
        _rmsprop_momentum,
    ),
    Optimizer(
        "rmsprop_centered",
        ("square", "mean", "velocity"),
        ("rate", "rho", "rest", "momentum", "epsilon"),
        _rmsprop_centered,
    ),
    Optimizer("adamw", ("mean", "square"), (*_ADAM, "shrink"), _adamw),
    Optimizer("nadam", ("mean", "square"), ("rate", "rate_g", *_ADAM[1:], "shrink"), _nadam),
    Optimizer("amsgrad", ("mean", "square", "largest"), (*_ADAM, "shrink"), _amsgrad),
    Optimizer("lion", ("mean",), ("rate", "beta1", "rest1", "beta2", "rest2", "shrink"), _lion),
)
CODES = {optimizer.name: code for code, optimizer in enumerate(OPTIMIZERS)}
