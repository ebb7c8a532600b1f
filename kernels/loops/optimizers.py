"""The formulas of the optimizers in `tables.OPTIMIZERS`: what one step makes of a parameter and its state.

What changes from step to step (a decaying learning rate, Adam's corrections) is computed for a whole epoch before it
starts, one row of `Update.hyper` for each step; a formula is elementwise. A gradient of 0 leaves a parameter and a
state of 0 as they are, so that padding stays zero. `optimizer_code.py` compiles a formula when it is first used.
"""

from collections.abc import Callable

from .. import tables
from ..simd import Vec, fma, maximum, select, sqrt

Formula = Callable[
    ..., tuple[Vec, ...]
]  # (w, g, *slots, n) -> (w, *slots), with the numbers of the step in n


def _sgd(w, g, n):
    """w - rate g."""
    return (fma(g, -n.rate, w),)


def _momentum(w, g, v, n):
    """Classical momentum, as in PyTorch: v = momentum v + g, w - rate v."""
    v = fma(n.momentum, v, g)
    return fma(v, -n.rate, w), v


def _rmsprop(w, g, v, n):
    """v = rho v + (1 - rho) g^2, w - rate g / (sqrt(v) + epsilon) (Hinton, lecture 6e, 2012)."""
    v = fma(n.rho, v, n.one_minus_rho * (g * g))
    return w - n.rate * g / (sqrt(v) + n.epsilon), v


def _adam(w, g, m, v, n):
    """m = beta1 m + (1 - beta1) g, v = beta2 v + (1 - beta2) g^2, w - rate' m / (sqrt(v) correction + epsilon).

    rate' = rate / (1 - beta1^t) and correction = 1 / sqrt(1 - beta2^t) (Kingma and Ba, 2015, algorithm 1).
    """
    m = fma(n.beta1, m, n.one_minus_beta1 * g)
    v = fma(n.beta2, v, n.one_minus_beta2 * (g * g))
    return w - n.rate * m / fma(sqrt(v), n.correction, n.epsilon), m, v


def _dampened(w, g, v, n):
    """v = momentum v + (1 - dampening) g, w - rate v."""
    v = fma(n.momentum, v, n.one_minus_dampening * g)
    return fma(v, -n.rate, w), v


def _nesterov(w, g, v, n):
    """v = momentum v + g, w - rate (g + momentum v) (Sutskever et al., 2013, in PyTorch's form)."""
    v = fma(n.momentum, v, g)
    return fma(fma(n.momentum, v, g), -n.rate, w), v


def _adagrad(w, g, s, n):
    """s = s + g^2, w - rate g / (sqrt(s) + epsilon) (Duchi, Hazan and Singer, 2011)."""
    s = fma(g, g, s)
    return w - n.rate * g / (sqrt(s) + n.epsilon), s


def _adadelta(w, g, v, d, n):
    """v = rho v + (1 - rho) g^2, u = sqrt(d + epsilon) / sqrt(v + epsilon) g, d = rho d + (1 - rho) u^2, w - rate u.

    Zeiler, 2012.
    """
    v = fma(n.rho, v, n.one_minus_rho * (g * g))
    u = sqrt(d + n.epsilon) / sqrt(v + n.epsilon) * g
    return fma(u, -n.rate, w), v, fma(n.rho, d, n.one_minus_rho * (u * u))


def _rmsprop_momentum(w, g, v, u, n):
    """RMSprop whose steps g / (sqrt(v) + epsilon) are gathered in u = momentum u + step, w - rate u."""
    v = fma(n.rho, v, n.one_minus_rho * (g * g))
    u = fma(n.momentum, u, g / (sqrt(v) + n.epsilon))
    return fma(u, -n.rate, w), v, u


def _rmsprop_centered(w, g, v, m, u, n):
    """The same with the variance v - m^2 in the place of v, m = rho m + (1 - rho) g (Graves, 2013)."""
    v = fma(n.rho, v, n.one_minus_rho * (g * g))
    m = fma(n.rho, m, n.one_minus_rho * g)
    u = fma(n.momentum, u, g / (sqrt(maximum(fma(-m, m, v), 0.0)) + n.epsilon))
    return fma(u, -n.rate, w), v, m, u


def _adamw(w, g, m, v, n):
    """Adam after w - decay w, decay = learning rate times decay (Loshchilov and Hutter, 2019)."""
    return _adam(fma(w, -n.decay, w), g, m, v, n)


def _nadam(w, g, m, v, n):
    """Adam's m and v, w - (rate m + rate_g g) / (sqrt(v) correction + epsilon), after w - decay w (Dozat, 2016)."""
    m = fma(n.beta1, m, n.one_minus_beta1 * g)
    v = fma(n.beta2, v, n.one_minus_beta2 * (g * g))
    step = fma(n.rate, m, n.rate_g * g) / fma(sqrt(v), n.correction, n.epsilon)
    return fma(w, -n.decay, w) - step, m, v


def _amsgrad(w, g, m, v, top, n):
    """AdamW with the largest v so far in the place of v (Reddi, Kale and Kumar, 2018)."""
    m = fma(n.beta1, m, n.one_minus_beta1 * g)
    v = fma(n.beta2, v, n.one_minus_beta2 * (g * g))
    top = maximum(v, top)
    return fma(w, -n.decay, w) - n.rate * m / fma(sqrt(top), n.correction, n.epsilon), m, v, top


def _lion(w, g, m, n):
    """w - decay w - rate sign(beta1 m + (1 - beta1) g), m = beta2 m + (1 - beta2) g (Chen et al., 2023)."""
    blend = fma(n.beta1, m, n.one_minus_beta1 * g)
    step = select(blend > 0.0, n.rate, select(blend < 0.0, -n.rate, 0.0))
    return fma(w, -n.decay, w) - step, fma(n.beta2, m, n.one_minus_beta2 * g)


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
