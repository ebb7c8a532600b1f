"""Every row of the table of activations: against its NumPy twin, its stated error, its derivative."""

import numpy as np
import pytest
from scipy.special import erf, ndtr

from fastmlp.kernels import reference
from fastmlp.kernels.loops import activations
from fastmlp.kernels.schema import Matrix, stride
from fastmlp.kernels.tables import ACTIVATION_CODES, ACTIVATIONS
from tests.cases import COLUMNS, DTYPES
from tests.kernels.calls import from_python
from tests.kernels.test_elementary import floats
from tests.tolerance import assert_close

ROWS, OPTION = 3, 0.1
TWIN_ULP = 4.0  # what NumPy promises of its own functions


def _logistic(x):
    tail = np.exp(-np.abs(x))
    return np.where(x < 0, tail, 1) / (1 + tail)


def _mish(x):
    n = np.exp(np.minimum(x, 40)) * (np.exp(np.minimum(x, 40)) + 2)
    return x * (n / (n + 2))


# In float64, where they are right to some units of its last place; with the option 1.
EXACT = {
    "identity": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "leaky_relu": lambda x: x,
    "tanh": np.tanh,
    "sigmoid": _logistic,
    "elu": lambda x: np.where(x > 0, x, np.expm1(x)),
    "selu": lambda x: 1.0507009873554804934193349852946 * np.where(
        x > 0, x, 1.6732632423543772848170429916717 * np.expm1(x)
    ),
    "gelu": lambda x: x * ndtr(x),
    "gelu_tanh": lambda x: x * _logistic(np.sqrt(8 / np.pi) * (x + 0.044715 * x**3)),
    "silu": lambda x: x * _logistic(x),
    "mish": _mish,
    "softplus": lambda x: np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))),
    "softsign": lambda x: x / (1 + np.abs(x)),
    "hard_sigmoid": lambda x: np.clip(x + 3, 0, 6) / 6,
    "hard_swish": lambda x: x * np.clip(x + 3, 0, 6) / 6,
}  # fmt: skip


_forward = from_python(activations.activation_forward)
_backward = from_python(activations.activation_backward)


def forward(y, ldy, x, ldx, rows, columns, code, option, which=_forward):
    which(Matrix(y, 0, ldy), Matrix(x, 0, ldx), rows, columns, code, option)


def backward(dx, dy, y, x, ld, rows, columns, code, option, which=_backward):
    which(*(Matrix(arena, 0, ld) for arena in (dx, dy, y, x)), rows, columns, code, option)


def arenas(columns, dtype, count):
    """Matrices of random numbers with zeros in the padding; their arenas and stride."""
    ld, random = stride(columns, dtype), np.random.default_rng(columns)
    flat = [np.zeros(ROWS * ld, dtype) for _ in range(count)]
    views = [reference.arenas.matrix(arena, 0, ld, ROWS, columns) for arena in flat]
    for view in views:
        view[:] = random.standard_normal(view.shape) * 3
    return flat, views, ld


def on_line(name, x, option=1.0):
    """f(x) for an array of any length."""
    padded = np.zeros(-(-x.size // 16) * 16, x.dtype)
    padded[: x.size] = x
    y, code = np.empty_like(padded), ACTIVATION_CODES[name]
    forward(y, padded.size, padded, padded.size, 1, padded.size, code, option)
    return y[: x.size]


def formula_of(name):
    return activations.ACTIVATIONS[ACTIVATION_CODES[name]][1]


@pytest.mark.parametrize("columns", COLUMNS)
@pytest.mark.parametrize("row", ACTIVATIONS, ids=lambda row: row.name)
@pytest.mark.parametrize("dtype", DTYPES)
def test_forward(dtype, row, columns):
    (x, y, twin), (_, actual, expected), ld = arenas(columns, dtype, 3)
    code = ACTIVATIONS.index(row)
    forward(y, ld, x, ld, ROWS, columns, code, OPTION)
    forward(twin, ld, x, ld, ROWS, columns, code, OPTION, reference.activations.activation_forward)
    # Far below 0 the twin computes small numbers as differences of numbers of the size of 1.
    scale = np.abs(expected) + (row.keeps == "x")
    assert_close(actual, expected, terms=int(2 * (formula_of(row.name).max_ulp + TWIN_ULP)), scale=scale)


@pytest.mark.parametrize("columns", COLUMNS)
@pytest.mark.parametrize("row", ACTIVATIONS, ids=lambda row: row.name)
@pytest.mark.parametrize("dtype", DTYPES)
def test_backward(dtype, row, columns):
    (y, dy, dx, twin, x), (_, delta, actual, expected, _), ld = arenas(columns, dtype, 5)
    code = ACTIVATIONS.index(row)
    forward(y, ld, x, ld, ROWS, columns, code, OPTION)
    for kept in (x, y):
        kept[columns::ld] = 1  # the column of ones
    dx[:] = np.nan
    backward(dx, dy, y, x, ld, ROWS, columns, code, OPTION)
    backward(twin, dy, y, x, ld, ROWS, columns, code, OPTION, reference.activations.activation_backward)
    # A derivative is a few operations on numbers of the size of 1 (x times something that falls faster).
    terms = 4 if row.keeps == "y" else 4 + int(2 * TWIN_ULP)
    assert_close(actual, expected, terms=terms, scale=2 * np.abs(delta))
    padding = reference.arenas.matrix(dx, columns, ld, ROWS, ld - columns)
    assert not padding[~np.isnan(padding)].any()


@pytest.mark.parametrize("row", ACTIVATIONS, ids=lambda row: row.name)
@pytest.mark.parametrize("dtype", DTYPES)
def test_derivative_is_that_of_the_formula(dtype, row):
    """Central differences of the formula, computed in float64."""
    code, step, ld = ACTIVATIONS.index(row), 1e-5, 32
    x = np.linspace(-4, 4, ld)
    values = [np.empty(ld) for _ in range(3)]
    for y, shift in zip(values, (-step, step, 0.0), strict=True):
        forward(y, ld, x + shift, ld, 1, ld, code, OPTION)
    slope, kept = np.empty(ld, dtype), [array.astype(dtype) for array in (values[2], x)]
    backward(slope, np.ones(ld, dtype), *kept, ld, 1, ld, code, OPTION)
    # Step squared times the third derivative, which is at most 2, and the rounding of the type: of a few operations,
    # and of what is kept, times the second derivative, which is at most 1.
    error = np.abs(slope - (values[1] - values[0]) / (2 * step))
    rounding = (8 if row.keeps == "x" else 4) * np.finfo(dtype).eps
    assert np.all(error <= 2 * step**2 + rounding + 5 * np.finfo(float).eps / step)


@pytest.mark.parametrize("row", ACTIVATIONS, ids=lambda row: row.name)
def test_error_is_as_stated(row):
    """Over float32 numbers of all sizes, in units of the last place of the exact result."""
    every = floats(0, 2**32, 4099)
    x = np.concatenate([every[np.isfinite(every)], np.linspace(-20, 20, 2_000_001, dtype=np.float32)])
    with np.errstate(all="ignore"):
        exact = EXACT[row.name](x.astype(np.float64))
        normal = np.isfinite(exact.astype(np.float32)) & np.isfinite(exact)
    unit = np.spacing(np.abs(exact[normal]).astype(np.float32)).astype(np.float64)
    error = np.abs(on_line(row.name, x)[normal] - exact[normal])
    formula = formula_of(row.name)
    excess = (error - formula.max_absolute) / unit
    assert excess.max() <= formula.max_ulp, f"{excess.max()} ulp at {x[normal][excess.argmax()]!r}"
    # And the bound is not much larger than it needs to be.
    assert excess.max() > formula.max_ulp - 1 or formula.max_ulp <= 0.5


def test_the_exact_gelu_is_that_of_the_error_function():
    x = np.linspace(-5, 5, 101)
    expected = 0.5 * x * (1 + erf(x / np.sqrt(2)))
    assert np.abs(on_line("gelu", x) - expected).max() <= 4 * np.finfo(float).eps
    # Far below 0 the usual formula has lost all digits; the tail still has them.
    assert on_line("gelu", np.array([-8.0], np.float32)) == pytest.approx(-8 * ndtr(-8.0), rel=1e-6)


@pytest.mark.parametrize("row", ACTIVATIONS, ids=lambda row: row.name)
@pytest.mark.parametrize("dtype", DTYPES)
def test_nan_stays_and_large_numbers_do_not_overflow(dtype, row):
    huge = np.finfo(dtype).max / 2  # SELU makes a number larger
    x, slope = np.zeros(16, dtype), np.full(16, np.nan, dtype)
    x[:3] = np.nan, huge, -huge
    y, code = np.empty_like(x), ACTIVATIONS.index(row)
    forward(y, 16, x, 16, 1, 16, code, OPTION)
    assert np.isnan(y[0])
    assert np.isfinite(y[1:]).all()
    backward(slope, np.ones_like(x), y, x, 16, 1, 16, code, OPTION)
    assert np.isfinite(slope[1:]).all()


def of_either_engine(row, x):
    """f(x) and f'(x) by the kernel and by its twin."""
    code, size = ACTIVATIONS.index(row), x.size
    values, slopes = np.empty((2, size), x.dtype), np.empty((2, size), x.dtype)
    forward(values[0], size, x, size, 1, size, code, OPTION)
    backward(slopes[0], np.ones_like(x), values[0], x, size, 1, size, code, OPTION)
    one = np.ones_like(x)
    with np.errstate(over="ignore"):
        which = reference.activations
        forward(values[1], size, x, size, 1, size, code, OPTION, which.activation_forward)
        backward(slopes[1], one, values[1], x, size, 1, size, code, OPTION, which.activation_backward)
    return values, slopes


@pytest.mark.parametrize("row", ACTIVATIONS, ids=lambda row: row.name)
@pytest.mark.parametrize("dtype", DTYPES)
def test_the_limits_at_infinity(dtype, row):
    """A function that has settled at a number keeps it; one that grows goes on; and so do derivatives."""
    ends = np.array([-1, 1], dtype)
    far, farther, infinite = (
        of_either_engine(row, np.repeat(ends * size, 8)) for size in (1e30, 2e30, np.inf)
    )
    for at, then, last in zip(far, farther, infinite, strict=True):
        expected = np.where(at == then, at, np.copysign(np.inf, at))
        np.testing.assert_array_equal(last, expected)
    assert np.isfinite(infinite[1]).all()
