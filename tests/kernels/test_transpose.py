"""The transpose, and the product with one for few rows: the same bits as NumPy's transpose and `gemm` with it."""

import numpy as np
import pytest

from fastmlp.kernels import reference
from fastmlp.kernels.loops import gemm as products
from fastmlp.kernels.loops import transpose as turning
from fastmlp.kernels.schema import NO_PREFETCH, SMALL_BATCH, Matrix, Strided, stride, whole_lines
from tests.cases import DTYPES, whole_vectors
from tests.kernels.calls import from_python

gemm, transpose = from_python(products.gemm), from_python(turning.transpose)
transposed_product = from_python(turning.transposed_product)

SHAPES = [(1, 1), (10, 10), (16, 16), (17, 33), (128, 64), (65, 7), (3, 130)]  # columns of y, terms of a sum


def weights(columns, depth, dtype):
    """An arena that ends with the last row, zero in its padding."""
    arena = np.zeros(columns * stride(depth, dtype), dtype)
    view = reference.arenas.matrix(arena, 0, stride(depth, dtype), columns, depth)
    view[:] = np.random.default_rng(0).standard_normal((columns, depth))
    return arena, view


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
def test_transpose(dtype, shape):
    columns, depth = shape
    w, matrix = weights(columns, depth, dtype)
    ldt = stride(columns, dtype)
    t = np.zeros(whole_lines(depth, dtype) * ldt, dtype)
    transpose(Matrix(t, 0, ldt), Matrix(w, 0, stride(depth, dtype)), columns, depth)
    assert np.array_equal(reference.arenas.matrix(t, 0, ldt, depth, columns), matrix.T)


@pytest.mark.parametrize("rows", range(1, SMALL_BATCH + 1))
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
def test_product_with_a_transpose(dtype, shape, rows):
    columns, depth = shape
    w, matrix = weights(columns, depth, dtype)
    ldx, ldy, ldt = stride(depth, dtype), stride(columns, dtype), stride(columns, dtype)
    x = np.full((rows + 1) * ldx, np.nan, dtype)
    reference.arenas.matrix(x, 0, ldx, rows, depth)[:] = np.random.default_rng(1).standard_normal(
        (rows, depth)
    )
    t = np.zeros(whole_lines(depth, dtype) * ldt, dtype)
    reference.arenas.matrix(t, 0, ldt, depth, columns)[:] = matrix.T
    y, expected = (np.full(rows * ldy, np.nan, dtype) for _ in range(2))
    factors = Matrix(x, 0, ldx), Matrix(w, 0, stride(depth, dtype))
    transposed_product(Matrix(y, 0, ldy), *factors, rows, columns, depth)
    gemm(
        Matrix(expected, 0, ldy),
        Strided(x, 0, ldx, 1),
        Matrix(t, 0, ldt),
        rows,
        columns,
        depth,
        False,
        NO_PREFETCH,
    )
    assert y.tobytes() == expected.tobytes()
    assert not reference.arenas.matrix(y, 0, ldy, rows, whole_vectors(columns, dtype))[:, columns:].any()
