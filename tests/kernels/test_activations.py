"""Every row of the table of activations against its NumPy twin."""

import numpy as np
import pytest
from numba import njit

from fastmlp.kernels import activations, reference
from fastmlp.kernels.activations import ACTIVATIONS
from fastmlp.kernels.schema import stride
from tests.cases import COLUMNS, DTYPES
from tests.tolerance import assert_close

ROWS, SLOPE = 3, 0.1
TWIN_ULP = 4.0  # what NumPy promises of its own functions


@njit
def forward(y, ldy, x, ldx, rows, columns, code, slope):
    activations.activation_forward(y, 0, ldy, x, 0, ldx, rows, columns, code, slope)


@njit
def backward(dx, dy, y, ld, rows, columns, code, slope):
    activations.activation_backward(dx, 0, ld, dy, 0, ld, y, 0, ld, rows, columns, code, slope)


def arenas(columns, dtype, count):
    """Matrices of random numbers with zeros in the padding; their arenas and stride."""
    ld, random = stride(columns, dtype), np.random.default_rng(columns)
    flat = [np.zeros(ROWS * ld, dtype) for _ in range(count)]
    views = [reference.matrix(arena, 0, ld, ROWS, columns) for arena in flat]
    for view in views:
        view[:] = random.standard_normal(view.shape) * 3
    return flat, views, ld


def test_every_row_has_a_twin_in_the_same_place():
    assert list(reference.ACTIVATIONS) == [row.name for row in ACTIVATIONS]


@pytest.mark.parametrize("columns", COLUMNS)
@pytest.mark.parametrize("row", ACTIVATIONS, ids=lambda row: row.name)
@pytest.mark.parametrize("dtype", DTYPES)
def test_forward(dtype, row, columns):
    (x, y, twin), (_, actual, expected), ld = arenas(columns, dtype, 3)
    code = ACTIVATIONS.index(row)
    forward(y, ld, x, ld, ROWS, columns, code, SLOPE)
    reference.activation_forward(twin, 0, ld, x, 0, ld, ROWS, columns, code, SLOPE)
    assert_close(actual, expected, terms=int(2 * (row.max_ulp + TWIN_ULP)))


@pytest.mark.parametrize("columns", COLUMNS)
@pytest.mark.parametrize("row", ACTIVATIONS, ids=lambda row: row.name)
@pytest.mark.parametrize("dtype", DTYPES)
def test_backward(dtype, row, columns):
    (y, dy, dx, twin), (_, delta, actual, expected), ld = arenas(columns, dtype, 4)
    code = ACTIVATIONS.index(row)
    forward(y, ld, y, ld, ROWS, columns, code, SLOPE)
    y[columns::ld] = 1  # the column of ones
    dx[:] = np.nan
    backward(dx, dy, y, ld, ROWS, columns, code, SLOPE)
    reference.activation_backward(twin, 0, ld, dy, 0, ld, y, 0, ld, ROWS, columns, code, SLOPE)
    # A derivative is a few operations on numbers of at most 1.
    assert_close(actual, expected, terms=4, scale=np.abs(delta))
    padding = reference.matrix(dx, columns, ld, ROWS, ld - columns)
    assert not padding[~np.isnan(padding)].any()


@pytest.mark.parametrize("row", ACTIVATIONS, ids=lambda row: row.name)
@pytest.mark.parametrize("dtype", DTYPES)
def test_derivative_is_that_of_the_formula(dtype, row):
    """Central differences of the formula, computed in float64."""
    code, step, ld = ACTIVATIONS.index(row), 1e-5, 16
    x = np.linspace(-3, 3, ld)
    values = [np.empty(ld) for _ in range(3)]
    for y, shift in zip(values, (-step, step, 0.0), strict=True):
        forward(y, ld, x + shift, ld, 1, ld, code, SLOPE)
    slope = np.empty(ld, dtype)
    backward(slope, np.ones(ld, dtype), values[2].astype(dtype), ld, 1, ld, code, SLOPE)
    # Step squared times the third derivative, which is at most 2, and the rounding of the type.
    error = np.abs(slope - (values[1] - values[0]) / (2 * step))
    assert np.all(error <= 2 * step**2 + 4 * np.finfo(dtype).eps + 3 * np.finfo(float).eps / step)


@pytest.mark.parametrize("row", ACTIVATIONS, ids=lambda row: row.name)
@pytest.mark.parametrize("dtype", DTYPES)
def test_nan_stays_and_large_numbers_do_not_overflow(dtype, row):
    huge = np.finfo(dtype).max
    x = np.zeros(16, dtype)
    x[:3] = np.nan, huge, -huge
    forward(x, 16, x, 16, 1, 16, ACTIVATIONS.index(row), SLOPE)
    assert np.isnan(x[0])
    assert np.isfinite(x[1:]).all()
