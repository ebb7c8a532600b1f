"""Softmax and its logarithm against the NumPy reference."""

import numpy as np
import pytest

from fastmlp.kernels import reference
from fastmlp.kernels.loops import softmax
from fastmlp.kernels.schema import Matrix, stride
from tests.cases import DTYPES
from tests.kernels.calls import from_python
from tests.kernels.test_losses import COLUMNS, FUNCTIONS
from tests.tolerance import assert_close

ROWS = 5


# Kernel and reference, forward and backward.
KERNELS = {
    "softmax": (
        (from_python(softmax.softmax_forward), from_python(softmax.softmax_backward)),
        (reference.softmax.softmax_forward, reference.softmax.softmax_backward),
    ),
    "log_softmax": (
        (from_python(softmax.log_softmax_forward), from_python(softmax.log_softmax_backward)),
        (reference.softmax.log_softmax_forward, reference.softmax.log_softmax_backward),
    ),
}


def arena(columns, dtype, numbers=0.0):
    """A matrix with 1 in the column behind it, and the arena it lies in."""
    flat = np.zeros(ROWS * stride(columns, dtype), dtype)
    view = reference.arenas.matrix(flat, 0, stride(columns, dtype), ROWS, columns)
    view[:] = numbers
    return flat, view


@pytest.mark.parametrize("columns", COLUMNS)
@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_against_the_reference(dtype, name, columns):
    ld, random = stride(columns, dtype), np.random.default_rng(columns)
    x, delta = random.standard_normal((2, ROWS, columns)) * 3
    values, deltas = [], []
    for forward, backward in KERNELS[name]:
        (y, value), (d, d_x) = arena(columns, dtype, x), arena(columns, dtype, delta)
        outputs, deltas_place = Matrix(y, 0, ld), Matrix(d, 0, ld)
        forward(outputs, outputs, ROWS, columns)
        reference.arenas.matrix(y, columns, ld, ROWS, 1)[:] = 1
        backward(deltas_place, deltas_place, outputs, ROWS, columns)
        values.append(value)
        deltas.append(d_x)
        assert not reference.arenas.matrix(d, columns, ld, ROWS, ld - columns).any()
    terms = columns + FUNCTIONS
    assert_close(*values, terms=terms, scale=np.abs(values[1]) + (name == "log_softmax") * np.abs(x).max())
    assert_close(*deltas, terms=terms, scale=np.abs(delta).sum(axis=1, keepdims=True) + np.zeros_like(delta))


@pytest.mark.parametrize("dtype", DTYPES)
def test_shares_add_up_and_logarithms_are_theirs(dtype):
    columns, ld = 33, stride(33, dtype)
    x = np.random.default_rng(0).standard_normal((ROWS, columns)) * 20
    results = []
    for name in KERNELS:
        y, value = arena(columns, dtype, x)
        KERNELS[name][0][0](Matrix(y, 0, ld), Matrix(y, 0, ld), ROWS, columns)
        results.append(value)
    shares, logarithms = results
    assert_close(shares.sum(axis=1), np.ones(ROWS, dtype), terms=columns + FUNCTIONS)
    assert np.all(logarithms <= 0)
    logarithm = 200  # the error of a logarithm of -100
    assert_close(np.exp(logarithms), shares, terms=columns + FUNCTIONS + logarithm)


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_large_numbers_do_not_overflow_and_nan_shows(dtype, name):
    columns, ld = 20, stride(20, dtype)
    flat, value = arena(columns, dtype, np.linspace(-1e4, 1e4, columns))
    value[1, 7] = np.nan
    KERNELS[name][0][0](Matrix(flat, 0, ld), Matrix(flat, 0, ld), ROWS, columns)
    assert np.isnan(value[1]).all()
    assert np.isfinite(np.delete(value, 1, axis=0)).all()
