"""Matrix products: bit-equal to a scalar loop, close to NumPy, and nothing written outside."""

import numpy as np
import pytest

from fastmlp.kernels import reference
from fastmlp.kernels.loops import gemm as products
from fastmlp.kernels.schema import LINE, NEXT_PANEL, NO_PREFETCH, ROWS_AHEAD, Matrix, Strided, stride
from tests.cases import CASES, DTYPES, whole_vectors
from tests.kernels import scalar
from tests.kernels.calls import from_python
from tests.tolerance import assert_close

gemm = from_python(products.gemm)


PREFETCHES = {"": NO_PREFETCH, "panel": NEXT_PANEL, "rows": ROWS_AHEAD}
# More than one block of terms and of rows, with a rest of each.
LARGE = [(201, 50, 300), (9, 100, 2 * products.BLOCK_DEPTH + 1), (1, 16, products.BLOCK_NUMBERS + 5)]


@pytest.mark.parametrize("prefetch", PREFETCHES.values(), ids=PREFETCHES.keys())
@pytest.mark.parametrize("case", [*CASES, *LARGE], ids=str)
@pytest.mark.parametrize("transposed", [False, True], ids=["A", "A'"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_product(dtype, transposed, case, prefetch):
    rows, columns, depth = case
    random = np.random.default_rng(0)
    start = LINE // np.dtype(dtype).itemsize
    ldb, ldc = stride(columns, dtype), stride(columns, dtype)
    lda = stride(rows if transposed else depth, dtype)
    a_m, a_k = (1, lda) if transposed else (lda, 1)
    # What must not be read is NaN, as is all of C before.
    arena_a = np.full(start + (depth if transposed else rows) * lda, np.nan, dtype)
    arena_b = np.full(start + depth * ldb, np.nan, dtype)
    arena_c = np.full(start + rows * ldc, np.nan, dtype)
    A = reference.arenas.matrix(arena_a, start, a_m, rows, depth, a_k)
    B = reference.arenas.matrix(arena_b, start, ldb, depth, columns)
    C = reference.arenas.matrix(arena_c, start, ldc, rows, columns)
    A[:], B[:] = random.standard_normal(A.shape), random.standard_normal(B.shape)
    width = whole_vectors(columns, dtype)
    reference.arenas.matrix(arena_b, start + columns, ldb, depth, width - columns)[:] = 0

    factors = Strided(arena_a, start, a_m, a_k), Matrix(arena_b, start, ldb)
    gemm(Matrix(arena_c, start, ldc), *factors, rows, columns, depth, False, prefetch)

    expected = np.empty((rows, columns), dtype)
    scalar.product(expected, A, B)
    assert np.array_equal(C, expected)
    assert np.all(reference.arenas.matrix(arena_c, start + columns, ldc, rows, width - columns) == 0)
    assert np.isnan(reference.arenas.matrix(arena_c, start + width, ldc, rows, ldc - width)).all()
    assert np.isnan(arena_c[:start]).all()

    twin = np.full_like(arena_c, np.nan)
    reference.gemm.gemm(Matrix(twin, start, ldc), *factors, rows, columns, depth, False)
    twin = reference.arenas.matrix(twin, start, ldc, rows, columns)
    assert_close(C, twin, terms=depth, scale=np.abs(A) @ np.abs(B))

    for first in {1, depth // 2} - {0, depth}:
        rest = Strided(arena_a, start + first * a_k, a_m, a_k), Matrix(arena_b, start + first * ldb, ldb)
        arena_c[start:], twin_c = np.nan, np.full_like(arena_c, np.nan)
        target, twin_target = Matrix(arena_c, start, ldc), Matrix(twin_c, start, ldc)
        gemm(target, *factors, rows, columns, first, False, prefetch)
        gemm(target, *rest, rows, columns, depth - first, True, prefetch)
        reference.gemm.gemm(twin_target, *factors, rows, columns, first, False)
        reference.gemm.gemm(twin_target, *rest, rows, columns, depth - first, True)
        assert np.array_equal(C, expected)
        twin = reference.arenas.matrix(twin_c, start, ldc, rows, columns)
        assert_close(C, twin, terms=depth, scale=np.abs(A) @ np.abs(B))


@pytest.mark.parametrize("dtype", DTYPES)
def test_depth_zero_gives_zero(dtype):
    arena = np.full(3 * 16, np.nan, dtype)
    gemm(Matrix(arena, 0, 16), Strided(arena, 0, 16, 1), Matrix(arena, 0, 16), 3, 5, 0, False, NO_PREFETCH)
    assert np.all(reference.arenas.matrix(arena, 0, 16, 3, 5) == 0)


@pytest.mark.parametrize("dtype", DTYPES)
def test_infinity_and_nan_pass_through(dtype):
    arena = np.zeros(4 * 16, dtype)
    arena[16], arena[17] = np.inf, np.nan
    arena[32] = arena[48] = 1.0  # B: its first two rows
    matrices = Matrix(arena, 0, 16), Strided(arena, 16, 16, 1), Matrix(arena, 32, 16)
    gemm(*matrices, 1, 1, 1, False, NO_PREFETCH)
    assert arena[0] == np.inf
    gemm(*matrices, 1, 1, 2, False, NO_PREFETCH)
    assert np.isnan(arena[0])
