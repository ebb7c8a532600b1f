"""The formulas of the activations in `tables.ACTIVATIONS`: value, derivative, largest error.

Where an activation keeps its output ("y"), its derivative is a formula of the output, so the input need not be kept and
the activation works in place. Where it keeps its input ("x"), lowering gives the output memory of its own in training.
Padding is computed like other columns and ignored; its deltas stay zero, as every derivative is finite.
"""

from collections.abc import Callable
from typing import NamedTuple

from .. import simd, tables
from ..simd import Case, Int, Rows, Vec, absolute, fma, maximum, minimum, primitive, select
from .elementary import MAX_ULP, exp, expm1, log1p, normal_cdf, normal_tail, sigmoid, sigmoid_and_slope, tanh
from .elementwise import map_rows


class Formula(NamedTuple):
    """An activation. `option` is the argument that some of them take: a slope, or the alpha of ELU.

    An output is off by at most `max_ulp` units of its last place and `max_absolute`, in float32 (ELU with alpha 1).
    """

    value: Callable[..., Vec]  # (x, option) -> y
    derivative: Callable[..., Vec]  # (x or y, option) -> dy/dx
    max_ulp: float
    max_absolute: float = 0.0  # for outputs so close to 0 that units of the last place say nothing


# Where x is multiplied by a factor that goes to 0 faster than x grows, x is limited to this size: the same bits for all
# finite numbers, and the limit instead of infinity times 0.
_LARGE = 1e30


def _from_below(x: Vec) -> Vec:
    """x, limited from below; NaN stays NaN."""
    return maximum(x.like(-_LARGE), x)


def _bounded(x: Vec) -> Vec:
    """x, limited on both sides; NaN stays NaN."""
    return minimum(x.like(_LARGE), _from_below(x))


def _leaky_relu(x: Vec, slope: Vec) -> Vec:
    return select(x > 0.0, x, x * slope)


def _elu(x: Vec, alpha: Vec) -> Vec:
    """alpha (e^x - 1) below 0 (Clevert et al., 2016)."""
    return select(x > 0.0, x, expm1(x) * alpha)


_SELU_SCALE, _SELU_ALPHA = 1.0507009873554805, 1.6732632423543772  # (Klambauer et al., 2017)


def _selu(x: Vec, _: Vec) -> Vec:
    return select(x > 0.0, x * _SELU_SCALE, expm1(x) * (_SELU_SCALE * _SELU_ALPHA))


def _selu_derivative(y: Vec, _: Vec) -> Vec:
    return select(y > 0.0, _SELU_SCALE, y + _SELU_SCALE * _SELU_ALPHA)


def _gelu(x: Vec, _: Vec) -> Vec:
    """x P(X < x), the exact form (Hendrycks and Gimpel, 2016)."""
    return _from_below(x) * normal_cdf(x)


def _gelu_derivative(x: Vec, _: Vec) -> Vec:
    """P(X < x) + x p(x); the derivatives at -x and x add up to 1."""
    tail, density = normal_tail(x)
    below = fma(minimum(x.like(_LARGE), absolute(x)), -density, tail)
    return select(x < 0.0, below, 1.0 - below)


# sqrt(2 / pi) (x + 0.044715 x^3) = x (A + B x^2) / 2; (1 + tanh u) / 2 is the logistic function of 2 u.
_GELU_TANH_A = 1.5957691216057308
_GELU_TANH_B = 0.044715 * _GELU_TANH_A
_GELU_TANH_END = 32.0  # beyond it the derivative is 0 or 1 to all digits


def _gelu_tanh(x: Vec, _: Vec) -> Vec:
    """x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2."""
    return _from_below(x) * sigmoid(x * fma(x * x, _GELU_TANH_B, _GELU_TANH_A))


def _gelu_tanh_derivative(x: Vec, _: Vec) -> Vec:
    x = select(x > _GELU_TANH_END, _GELU_TANH_END, select(x < -_GELU_TANH_END, -_GELU_TANH_END, x))
    square = x * x
    below, slope = sigmoid_and_slope(x * fma(square, _GELU_TANH_B, _GELU_TANH_A))
    return fma(x * slope, fma(square, 3.0 * _GELU_TANH_B, _GELU_TANH_A), below)


def _silu(x: Vec, _: Vec) -> Vec:
    """x / (1 + e^-x) (Elfwing et al., 2018)."""
    return _from_below(x) * sigmoid(x)


def _silu_derivative(x: Vec, _: Vec) -> Vec:
    value, slope = sigmoid_and_slope(x)
    return fma(_bounded(x), slope, value)


def _mish(x: Vec, _: Vec) -> Vec:
    """x tanh(log(1 + e^x)) (Misra, 2019), computed as x n / d with t = e^-|x|, which does not overflow."""
    t = exp(-absolute(x))
    n = select(x < 0.0, t * (t + 2.0), fma(t, 2.0, t.like(1.0)))
    return _from_below(x) * (n / _mish_denominator(x, t, n))


def _mish_denominator(x: Vec, t: Vec, n: Vec) -> Vec:
    return select(x < 0.0, n + 2.0, fma(t * t, 2.0, n))


def _mish_derivative(x: Vec, _: Vec) -> Vec:
    """n / d + 4 x t (1 + t) / d^2, with t squared for positive x."""
    t = exp(-absolute(x))
    n = select(x < 0.0, t * (t + 2.0), fma(t, 2.0, t.like(1.0)))
    inverse = 1.0 / _mish_denominator(x, t, n)
    slope = select(x < 0.0, t, t * t) * (t + 1.0) * 4.0
    return fma(_bounded(x) * inverse, slope * inverse, n * inverse)


def _softplus(x: Vec, _: Vec) -> Vec:
    """log(1 + e^x)."""
    return maximum(x, x.like(0.0)) + log1p(exp(-absolute(x)))


def _softsign(x: Vec, _: Vec) -> Vec:
    x = _bounded(x)
    return x / (absolute(x) + 1.0)


def _softsign_derivative(y: Vec, _: Vec) -> Vec:
    rest = 1.0 - absolute(y)
    return rest * rest


_SIXTH = 1.0 / 6.0


def _hard_sigmoid(x: Vec, _: Vec = None) -> Vec:
    """x / 6 + 1 / 2 within [0, 1]."""
    shifted = x + 3.0
    return select(shifted < 0.0, 0.0, select(shifted > 6.0, 6.0, shifted)) / 6.0


def _hard_sigmoid_derivative(y: Vec, _: Vec) -> Vec:
    return select((y > 0.0) & (y < 1.0), _SIXTH, y.like(0.0))


def _hard_swish(x: Vec, _: Vec) -> Vec:
    """x hard_sigmoid(x) (Howard et al., 2019)."""
    return _from_below(x) * _hard_sigmoid(x)


def _hard_swish_derivative(x: Vec, _: Vec) -> Vec:
    return select(x < -3.0, 0.0, select(x > 3.0, 1.0, fma(x, 1.0 / 3.0, x.like(0.5))))


# The largest error of results below the smallest normal number.
_FADING = 1e-43

ACTIVATIONS = tables.with_formulas(
    tables.ACTIVATIONS,
    {
        "identity": Formula(lambda x, _: x, lambda y, _: y.like(1.0), 0.0),
        "relu": Formula(
            lambda x, _: maximum(x.like(0.0), x), lambda y, _: select(y > 0.0, 1.0, y.like(0.0)), 0.0
        ),
        "leaky_relu": Formula(_leaky_relu, lambda y, slope: select(y > 0.0, 1.0, slope), 0.5),
        "tanh": Formula(lambda x, _: tanh(x), lambda y, _: 1.0 - y * y, MAX_ULP["tanh"]),
        "sigmoid": Formula(lambda x, _: sigmoid(x), lambda y, _: y * (1.0 - y), MAX_ULP["sigmoid"]),
        "elu": Formula(_elu, lambda y, alpha: select(y > 0.0, 1.0, y + alpha), 1.1),
        "selu": Formula(_selu, _selu_derivative, 1.9, _FADING),
        "gelu": Formula(_gelu, _gelu_derivative, 7.0, _FADING),
        "gelu_tanh": Formula(_gelu_tanh, _gelu_tanh_derivative, 5.2, 1e-8),
        "silu": Formula(_silu, _silu_derivative, 3.3, _FADING),
        "mish": Formula(_mish, _mish_derivative, 4.6, _FADING),
        "softplus": Formula(_softplus, lambda y, _: -expm1(-y), 2.1),
        "softsign": Formula(_softsign, _softsign_derivative, 1.5),
        "hard_sigmoid": Formula(_hard_sigmoid, _hard_sigmoid_derivative, 1.1),
        "hard_swish": Formula(_hard_swish, _hard_swish_derivative, 2.0),
    },
)


@primitive
def activation_forward(y: Rows, x: Rows, rows: Int, columns: Int, code: Case, option: Vec) -> None:
    """y = f(x), with f the activation of this code; x and y are (rows, columns) and may be the same matrix."""

    def case(row: tables.Activation, formula: Formula):
        map_rows(rows, columns, [y], [x], lambda at, value: [formula.value(value, option)])

    simd.choose(code, {i: lambda a=a: case(*a) for i, a in enumerate(ACTIVATIONS)})


@primitive
def activation_backward(
    dx: Rows, dy: Rows, y: Rows, x: Rows, rows: Int, columns: Int, code: Case, option: Vec
) -> None:
    """dx = dy f'(x), with f' computed from y = f(x) or from x: the one that this activation keeps."""

    def case(row: tables.Activation, formula: Formula):
        kept = y if row.keeps == "y" else x
        map_rows(
            rows, columns, [dx], [dy, kept],
            lambda at, delta, value: [delta * formula.derivative(value, option)],
        )  # fmt: skip

    simd.choose(code, {i: lambda a=a: case(*a) for i, a in enumerate(ACTIVATIONS)})
