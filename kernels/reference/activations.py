"""The activations in NumPy: y = f(x), and dx = dy f'(x) from what an activation keeps, x or y."""

import math

import numpy as np

from .. import tables
from .arenas import view, width

_SELU_SCALE, _SELU_ALPHA = 1.0507009873554805, 1.6732632423543772
_GELU_TANH = (math.sqrt(2 / math.pi), 0.044715)


_LARGE = 1e30  # as in the kernels: the limit instead of infinity times 0


def _from_below(x):
    return np.maximum(x, -_LARGE)


def _bounded(x):
    return np.clip(x, -_LARGE, _LARGE)


def _identity(y, x, _):
    np.copyto(y, x)


def _identity_backward(dx, dy, y, _):
    np.copyto(dx, dy)


def _relu(y, x, _):
    np.maximum(x, 0, out=y)


def _relu_backward(dx, dy, y, _):
    np.multiply(dy, y > 0, out=dx)


def _leaky_relu(y, x, slope):
    np.copyto(y, np.where(x > 0, x, x * slope))


def _leaky_relu_backward(dx, dy, y, slope):
    np.copyto(dx, np.where(y > 0, dy, dy * slope))


def _tanh(y, x, _):
    np.tanh(x, out=y)


def _tanh_backward(dx, dy, y, _):
    derivative = y * y
    np.subtract(1, derivative, out=derivative)
    np.multiply(dy, derivative, out=dx)


def _sigmoid(y, x, _):
    np.negative(x, out=y)
    np.exp(y, out=y)
    y += 1
    np.reciprocal(y, out=y)


def _sigmoid_backward(dx, dy, y, _):
    derivative = 1 - y
    derivative *= y
    np.multiply(dy, derivative, out=dx)


def _elu(y, x, alpha):
    np.copyto(y, np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0))))


def _elu_backward(dx, dy, y, alpha):
    np.multiply(dy, np.where(y > 0, 1, y + alpha), out=dx)


def _selu(y, x, _):
    np.copyto(y, _SELU_SCALE * np.where(x > 0, x, _SELU_ALPHA * np.expm1(np.minimum(x, 0))))


def _selu_backward(dx, dy, y, _):
    np.multiply(dy, np.where(y > 0, _SELU_SCALE, y + _SELU_SCALE * _SELU_ALPHA), out=dx)


_erfc = np.frompyfunc(math.erfc, 1, 1)  # NumPy has none of its own


def _normal_cdf(x):
    return 0.5 * _erfc(x * -math.sqrt(0.5)).astype(np.float64)


def _gelu(y, x, _):
    x = _from_below(x)
    np.copyto(y, x * _normal_cdf(x), casting="same_kind")


def _gelu_backward(dx, dy, x, _):
    x = _bounded(x)
    density = np.exp(-0.5 * np.square(x, dtype=np.float64)) / math.sqrt(2 * math.pi)
    np.multiply(dy, _normal_cdf(x) + x * density, out=dx, casting="same_kind")


def _gelu_tanh(y, x, _):
    scale, cubic = _GELU_TANH
    x = _from_below(x)
    np.multiply(0.5 * x, 1 + np.tanh(scale * x * (1 + cubic * x * x)), out=y)


def _gelu_tanh_backward(dx, dy, x, _):
    x = _bounded(x)
    scale, cubic = _GELU_TANH
    square = x * x
    tanh = np.tanh(scale * x * (1 + cubic * square))
    inner = np.where(np.abs(tanh) == 1, 0, scale * (1 + 3 * cubic * square))
    np.multiply(dy, 0.5 * (1 + tanh) + 0.5 * x * (1 - tanh * tanh) * inner, out=dx)


def _silu(y, x, _):
    x = _from_below(x)
    np.divide(x, 1 + np.exp(-x), out=y)


def _silu_backward(dx, dy, x, _):
    x = _bounded(x)
    share = 1 / (1 + np.exp(-x))
    np.multiply(dy, share * (1 + x * (1 - share)), out=dx)


def _mish(y, x, _):
    x = _from_below(x)
    np.multiply(x, np.tanh(np.logaddexp(x, 0)), out=y)


def _mish_backward(dx, dy, x, _):
    x = _bounded(x)
    tanh = np.tanh(np.logaddexp(x, 0))
    np.multiply(dy, tanh + x * (1 - tanh * tanh) / (1 + np.exp(-x)), out=dx)


def _softplus(y, x, _):
    np.logaddexp(x, 0, out=y)


def _softplus_backward(dx, dy, y, _):
    np.multiply(dy, -np.expm1(-y), out=dx)


def _softsign(y, x, _):
    x = _bounded(x)
    np.divide(x, 1 + np.abs(x), out=y)


def _softsign_backward(dx, dy, y, _):
    np.multiply(dy, np.square(1 - np.abs(y)), out=dx)


def _hard_sigmoid(y, x, _):
    np.divide(np.clip(x + 3, 0, 6), 6, out=y)


def _hard_sigmoid_backward(dx, dy, y, _):
    np.multiply(dy, ((y > 0) & (y < 1)) / y.dtype.type(6), out=dx)


def _hard_swish(y, x, _):
    x = _from_below(x)
    np.multiply(x, np.clip(x + 3, 0, 6) / 6, out=y)


def _hard_swish_backward(dx, dy, x, _):
    np.multiply(dy, np.where(x < -3, 0, np.where(x > 3, 1, x / 3 + x.dtype.type(0.5))), out=dx)


ACTIVATIONS = tables.with_formulas(
    tables.ACTIVATIONS,
    {
        "identity": (_identity, _identity_backward),
        "relu": (_relu, _relu_backward),
        "leaky_relu": (_leaky_relu, _leaky_relu_backward),
        "tanh": (_tanh, _tanh_backward),
        "sigmoid": (_sigmoid, _sigmoid_backward),
        "elu": (_elu, _elu_backward),
        "selu": (_selu, _selu_backward),
        "gelu": (_gelu, _gelu_backward),
        "gelu_tanh": (_gelu_tanh, _gelu_tanh_backward),
        "silu": (_silu, _silu_backward),
        "mish": (_mish, _mish_backward),
        "softplus": (_softplus, _softplus_backward),
        "softsign": (_softsign, _softsign_backward),
        "hard_sigmoid": (_hard_sigmoid, _hard_sigmoid_backward),
        "hard_swish": (_hard_swish, _hard_swish_backward),
    },
)


@np.errstate(over="ignore", invalid="ignore")
def activation_forward(y, x, rows, columns, code, option):
    """y = f(x)."""
    _, (formula, _) = ACTIVATIONS[code]
    columns = width(columns, y, x)
    formula(view(y, rows, columns), view(x, rows, columns), option)


@np.errstate(over="ignore", invalid="ignore")
def activation_backward(dx, dy, y, x, rows, columns, code, option):
    """dx = dy f'(x), from y or x."""
    row, (_, formula) = ACTIVATIONS[code]
    places = dx, dy, x if row.keeps == "x" else y
    columns = width(columns, *places)
    formula(*(view(place, rows, columns) for place in places), option)
