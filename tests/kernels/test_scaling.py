"""Scaling of features: bit for bit a scalar loop, and within rounding its NumPy twin."""

import numpy as np
import pytest
from numba import njit

from fastmlp.kernels import reference
from fastmlp.kernels.loops import scaling
from fastmlp.kernels.schema import stride
from tests.cases import COLUMNS, DTYPES

ROWS = 3


@njit
def forward(y, ldy, x, ldx, constants, ldc, rows, columns):
    scaling.scale_forward(y, 0, ldy, x, 0, ldx, constants, 0, ldc, rows, columns)


@njit
def backward(dx, lddx, dy, lddy, constants, ldc, rows, columns):
    scaling.scale_backward(dx, 0, lddx, dy, 0, lddy, constants, ldc, rows, columns)


def arenas(columns, dtype):
    """Random rows and constants, with zeros in the padding, and an arena for the result."""
    ld, random = stride(columns, dtype), np.random.default_rng(columns)
    x, constants, y = np.zeros(ROWS * ld, dtype), np.zeros(2 * ld, dtype), np.full(ROWS * ld, np.nan, dtype)
    for arena, rows in ((x, ROWS), (constants, 2)):
        view = reference.arenas.matrix(arena, 0, ld, rows, columns)
        view[:] = random.standard_normal(view.shape) * 3
    return ld, x, constants, y


@pytest.mark.parametrize("columns", COLUMNS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_forward(dtype, columns):
    ld, x, constants, y = arenas(columns, dtype)
    forward(y, ld, x, ld, constants, ld, ROWS, columns)
    twin = np.full_like(y, np.nan)
    reference.scaling.scale_forward(twin, 0, ld, x, 0, ld, constants, 0, ld, ROWS, columns)
    for r in range(ROWS):
        for c in range(columns):
            difference = dtype(x[r * ld + c] - constants[c])
            assert y[r * ld + c] == twin[r * ld + c] == dtype(difference * constants[ld + c])
    rest = reference.arenas.matrix(y, columns, ld, ROWS, ld - columns)
    assert not rest[~np.isnan(rest)].any()


@pytest.mark.parametrize("columns", COLUMNS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_backward(dtype, columns):
    ld, dy, constants, dx = arenas(columns, dtype)
    backward(dx, ld, dy, ld, constants, ld, ROWS, columns)
    twin = np.full_like(dx, np.nan)
    reference.scaling.scale_backward(twin, 0, ld, dy, 0, ld, constants, ld, ROWS, columns)
    for r in range(ROWS):
        for c in range(columns):
            assert dx[r * ld + c] == twin[r * ld + c] == dtype(dy[r * ld + c] * constants[ld + c])
    rest = reference.arenas.matrix(dx, columns, ld, ROWS, ld - columns)
    assert not rest[~np.isnan(rest)].any()
