"""The formulas of the optimizers in `tables.OPTIMIZERS`: what one step makes of a parameter and its state.

What changes from step to step (a decaying learning rate, Adam's corrections) is computed for a whole epoch before it
starts, one row of `Update.hyper` for each step; a formula is elementwise. A gradient of 0 leaves a parameter and a
state of 0 as they are, so that padding stays zero. `optimizer_code.py` compiles a formula when it is first used.
"""

from collections.abc import Callable

from .. import tables
from ..simd import Vec, fma, maximum, select, sqrt

Formula = Callable[..., tuple[Vec, ...]]  # (w, g, *slots, *columns) -> (w, *slots)


def _sgd(w, g, rate):
    """w - rate g."""
    return (fma(g, -rate, w),)


def _momentum(w, g, v, rate, momentum):
    """Classical momentum, as in PyTorch: v = momentum v + g, w - rate v."""
    v = fma(momentum, v, g)
    return fma(v, -rate, w), v


def _rmsprop(w, g, v, rate, rho, one_minus_rho, epsilon):
    """v = rho v + (1 - rho) g^2, w - rate g / (sqrt(v) + epsilon) (Hinton, lecture 6e, 2012)."""
    v = fma(rho, v, one_minus_rho * (g * g))
    return w - rate * g / (sqrt(v) + epsilon), v


def _adam(w, g, m, v, rate, beta1, one_minus_beta1, beta2, one_minus_beta2, correction, epsilon):
    """m = beta1 m + (1 - beta1) g, v = beta2 v + (1 - beta2) g^2, w - rate' m / (sqrt(v) correction + epsilon).

    rate' = rate / (1 - beta1^t) and correction = 1 / sqrt(1 - beta2^t) (Kingma and Ba, 2015, algorithm 1).
    """
    m = fma(beta1, m, one_minus_beta1 * g)
    v = fma(beta2, v, one_minus_beta2 * (g * g))
    return w - rate * m / fma(sqrt(v), correction, epsilon), m, v


def _dampened(w, g, v, rate, momentum, one_minus_dampening):
    """v = momentum v + (1 - dampening) g, w - rate v."""
    v = fma(momentum, v, one_minus_dampening * g)
    return fma(v, -rate, w), v


def _nesterov(w, g, v, rate, momentum):
    """v = momentum v + g, w - rate (g + momentum v) (Sutskever et al., 2013, in PyTorch's form)."""
    v = fma(momentum, v, g)
    return fma(fma(momentum, v, g), -rate, w), v


def _adagrad(w, g, s, rate, epsilon):
    """s = s + g^2, w - rate g / (sqrt(s) + epsilon) (Duchi, Hazan and Singer, 2011)."""
    s = fma(g, g, s)
    return w - rate * g / (sqrt(s) + epsilon), s


def _adadelta(w, g, v, d, rate, rho, one_minus_rho, epsilon):
    """v = rho v + (1 - rho) g^2, u = sqrt(d + epsilon) / sqrt(v + epsilon) g, d = rho d + (1 - rho) u^2, w - rate u.

    Zeiler, 2012.
    """
    v = fma(rho, v, one_minus_rho * (g * g))
    u = sqrt(d + epsilon) / sqrt(v + epsilon) * g
    return fma(u, -rate, w), v, fma(rho, d, one_minus_rho * (u * u))


def _rmsprop_momentum(w, g, v, u, rate, rho, one_minus_rho, momentum, epsilon):
    """RMSprop whose steps g / (sqrt(v) + epsilon) are gathered in u = momentum u + step, w - rate u."""
    v = fma(rho, v, one_minus_rho * (g * g))
    u = fma(momentum, u, g / (sqrt(v) + epsilon))
    return fma(u, -rate, w), v, u


def _rmsprop_centered(w, g, v, m, u, rate, rho, one_minus_rho, momentum, epsilon):
    """The same with the variance v - m^2 in the place of v, m = rho m + (1 - rho) g (Graves, 2013)."""
    v = fma(rho, v, one_minus_rho * (g * g))
    m = fma(rho, m, one_minus_rho * g)
    u = fma(momentum, u, g / (sqrt(maximum(fma(-m, m, v), 0.0)) + epsilon))
    return fma(u, -rate, w), v, m, u


def _adamw(w, g, m, v, rate, beta1, one_minus_beta1, beta2, one_minus_beta2, correction, epsilon, decay):
    """Adam after w - decay w, decay = learning rate times decay (Loshchilov and Hutter, 2019)."""
    numbers = (rate, beta1, one_minus_beta1, beta2, one_minus_beta2, correction, epsilon)
    return _adam(fma(w, -decay, w), g, m, v, *numbers)


def _nadam(
    w, g, m, v, rate, rate_g, beta1, one_minus_beta1, beta2, one_minus_beta2, correction, epsilon, decay
):
    """Adam's m and v, w - (rate m + rate_g g) / (sqrt(v) correction + epsilon), after w - decay w (Dozat, 2016)."""
    m = fma(beta1, m, one_minus_beta1 * g)
    v = fma(beta2, v, one_minus_beta2 * (g * g))
    step = fma(rate, m, rate_g * g) / fma(sqrt(v), correction, epsilon)
    return fma(w, -decay, w) - step, m, v


def _amsgrad(
    w, g, m, v, top, rate, beta1, one_minus_beta1, beta2, one_minus_beta2, correction, epsilon, decay
):
    """AdamW with the largest v so far in the place of v (Reddi, Kale and Kumar, 2018)."""
    m = fma(beta1, m, one_minus_beta1 * g)
    v = fma(beta2, v, one_minus_beta2 * (g * g))
    top = maximum(v, top)
    return fma(w, -decay, w) - rate * m / fma(sqrt(top), correction, epsilon), m, v, top


def _lion(w, g, m, rate, beta1, one_minus_beta1, beta2, one_minus_beta2, decay):
    """w - decay w - rate sign(beta1 m + (1 - beta1) g), m = beta2 m + (1 - beta2) g (Chen et al., 2023)."""
    blend = fma(beta1, m, one_minus_beta1 * g)
    step = select(blend > 0.0, rate, select(blend < 0.0, -rate, 0.0))
    return fma(w, -decay, w) - step, fma(beta2, m, one_minus_beta2 * g)


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
