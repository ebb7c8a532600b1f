"""Scaling of features: bit for bit a scalar loop, and within rounding its NumPy twin."""

import numpy as np
import pytest

from fastmlp.kernels import reference
from fastmlp.kernels.loops import scaling
from fastmlp.kernels.schema import Matrix, stride
from tests.cases import COLUMNS, DTYPES
from tests.kernels.calls import from_python

ROWS = 3


forward, backward = from_python(scaling.scale_forward), from_python(scaling.scale_backward)


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
    twin = np.full_like(y, np.nan)
    for which, target in ((forward, y), (reference.scaling.scale_forward, twin)):
        which(Matrix(target, 0, ld), Matrix(x, 0, ld), Matrix(constants, 0, ld), ROWS, columns)
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
    twin = np.full_like(dx, np.nan)
    for which, target in ((backward, dx), (reference.scaling.scale_backward, twin)):
        which(Matrix(target, 0, ld), Matrix(dy, 0, ld), Matrix(constants, ld, ld), ROWS, columns)
    for r in range(ROWS):
        for c in range(columns):
            assert dx[r * ld + c] == twin[r * ld + c] == dtype(dy[r * ld + c] * constants[ld + c])
    rest = reference.arenas.matrix(dx, columns, ld, ROWS, ld - columns)
    assert not rest[~np.isnan(rest)].any()
