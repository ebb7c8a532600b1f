"""The elementary functions: their largest error, in units of the last place, and special numbers."""

import mpmath
import numpy as np
import pytest
from numba import njit
from scipy.special import ndtr

from fastmlp.kernels import simd
from fastmlp.kernels.loops import elementary
from fastmlp.kernels.loops.elementary import MAX_ULP, MAX_ULP_DOUBLE
from fastmlp.kernels.loops.elementwise import map_row
from fastmlp.kernels.simd import Int, Pointer, primitive
from tests.cases import DTYPES

NAMES = tuple(MAX_ULP)


@primitive
def evaluate(y: Pointer, x: Pointer, count: Int, function: Int) -> None:
    """y = f(x)."""

    def case(name):
        formula = getattr(elementary, name)
        map_row(count, [y], [x], lambda at, value: [formula(value)])

    simd.choose(function, {code: lambda name=name: case(name) for code, name in enumerate(NAMES)})


@njit
def _run(y, x, function):
    evaluate(y, x, x.size, function)


def run(name, x):
    """f(x) for an array of any length."""
    padded = np.zeros(-(-x.size // 16) * 16, x.dtype)
    padded[: x.size] = x
    y = np.empty_like(padded)
    _run(y, padded, NAMES.index(name))
    return y[: x.size]


def _sigmoid(x):
    tail = np.exp(-np.abs(x))
    return np.where(x < 0, tail, 1) / (1 + tail)


# In float64, for float32; and in many digits, for float64.
EXACT = {name: getattr(np, name, None) for name in NAMES} | {"sigmoid": _sigmoid, "normal_cdf": ndtr}
EXACT_DIGITS = {name: getattr(mpmath, name, None) for name in NAMES} | {
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "normal_cdf": lambda x: mpmath.erfc(-x / mpmath.sqrt(2)) / 2,
}


def domain(name, x):
    """log1p is for numbers from 0 on."""
    return np.abs(x) if name == "log1p" else x


def exact(name, x):
    with np.errstate(all="ignore"):
        return EXACT[name](x.astype(np.float64))


def check_float32(name, x):
    """Every error is at most MAX_ULP; infinity and NaN are where they belong. Returns the largest error."""
    y, truth = run(name, x), exact(name, x)
    with np.errstate(over="ignore"):
        rounded = truth.astype(np.float32)
    finite = np.isfinite(rounded)
    assert np.array_equal(y[~finite], rounded[~finite], equal_nan=True)
    unit = np.spacing(np.abs(rounded[finite])).astype(np.float64)
    error = np.abs(y[finite].astype(np.float64) - truth[finite]) / unit
    worst = error.max(initial=0.0)
    assert worst <= MAX_ULP[name], f"{worst} ulp at {x[finite][error.argmax()]!r}"
    return worst


def floats(start, stop, step=1):
    """The float32 numbers of these bits."""
    return np.arange(start, stop, step, np.uint64).astype(np.uint32).view(np.float32)


@pytest.mark.parametrize("name", NAMES)
def test_error_on_samples(name):
    check_float32(name, domain(name, floats(0, 2**32, 4099)))


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_error_on_every_float32(name):
    worst = max(check_float32(name, domain(name, floats(i, i + 2**24))) for i in range(0, 2**32, 2**24))
    # And the stated bound is no larger than it needs to be.
    assert worst > MAX_ULP[name] - 0.05


@pytest.mark.parametrize("name", NAMES)
def test_error_of_float64_on_samples(name):
    random = np.random.default_rng(0)
    small = random.uniform(-1, 1, 300) * 10.0 ** random.integers(-12, 2, 300)
    x = domain(name, np.concatenate([random.uniform(-5, 5, 600), small, random.uniform(-700, 700, 300)]))
    with mpmath.workdps(40):
        for argument, value in zip(x.tolist(), run(name, x).tolist(), strict=True):
            if name == "log" and argument < 0:
                assert np.isnan(value)
                continue
            truth = EXACT_DIGITS[name](mpmath.mpf(argument))
            error = abs(mpmath.mpf(value) - truth) / mpmath.mpf(float(np.spacing(abs(float(truth)))))
            assert error <= MAX_ULP_DOUBLE[name], f"{float(error)} ulp at {argument!r}"


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", NAMES)
def test_special_numbers(name, dtype):
    """NaN, infinities, zeros with their sign; expm1, which tanh calls for |x| only, may lose that."""
    x = domain(name, np.array([np.nan, np.inf, -np.inf, 0.0, -0.0], dtype))
    with np.errstate(all="ignore"):
        expected = EXACT[name](x)
    y = run(name, x)
    assert np.array_equal(y, expected, equal_nan=True)
    if name != "expm1":
        number = ~np.isnan(expected)
        assert np.array_equal(np.signbit(y[number]), np.signbit(expected[number]))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", NAMES)
def test_denormal_numbers(name, dtype):
    """Denormal arguments are numbers like others; so are denormal results."""
    limits = np.finfo(dtype)
    tiny = np.array([1, 2, 3, 1000, 1001], dtype) * limits.smallest_subnormal
    x = domain(name, np.concatenate([tiny, -tiny]))
    with np.errstate(all="ignore"):
        expected = EXACT[name](x)
    y = run(name, x)
    if name == "log":
        assert np.allclose(y[:5], expected[:5], rtol=2 * limits.eps, atol=0)
        assert np.isnan(y[5:]).all()
    else:
        assert np.all(np.abs(y - expected) <= np.spacing(np.abs(expected)))


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_smallest_results_are_denormal(dtype):
    smallest = np.finfo(dtype).tiny
    x = np.array([np.log(smallest) - 3], dtype)
    for name in ("exp", "sigmoid"):
        (y,) = run(name, x)
        assert 0 < y < smallest


@primitive
def _cosines(y: Pointer, t: Pointer, count: Int) -> None:
    """y = cos(2 pi t)."""
    map_row(count, [y], [t], lambda at, value: [elementary.cos_turns(value)])


@njit
def _run_cosines(y, t):
    _cosines(y, t, t.size)


@pytest.mark.parametrize("dtype", DTYPES)
def test_cosine_of_turns(dtype):
    t = np.linspace(0, 1, 4096, endpoint=False).astype(dtype)
    y = np.empty_like(t)
    _run_cosines(y, t)
    with mpmath.workdps(40):
        truth = [mpmath.cos(2 * mpmath.pi * mpmath.mpf(float(turns))) for turns in t]
        error = max(abs(mpmath.mpf(float(a)) - b) for a, b in zip(y, truth, strict=True))
    assert error <= elementary.COS_ERROR * np.finfo(dtype).eps
