"""Normalisation: sums in their documented order, bit for bit; the whole of it within rounding of NumPy."""

import numpy as np
import pytest
from numba import njit

from fastmlp.kernels import reference, schema, simd
from fastmlp.kernels.loops import norms
from fastmlp.kernels.schema import Matrix, stride
from tests.cases import COLUMNS, DTYPES, whole_vectors
from tests.kernels import scalar
from tests.tolerance import assert_close

ROWS, EPSILON = 21, 1e-5  # two whole chunks and a smaller one
LINE = simd.LINE


@njit
def row_norm(y, x, d, kept, ld, rows, columns):
    outputs, factors = Matrix(y, 0, ld), Matrix(kept, 0, 1)
    norms.row_norm_forward(outputs, Matrix(x, 0, ld), factors, rows, columns, EPSILON)
    norms.row_norm_backward(Matrix(d, 0, ld), outputs, factors, rows, columns)


@njit
def affine(y, x, w, ld, rows, columns):
    norms.affine_forward(Matrix(y, 0, ld), Matrix(x, 0, ld), Matrix(w, 0, ld), rows, columns)


@njit
def sums(s, x, d, ld, first, rows, columns):
    """Over the rows from the first on, onto the sums of those before."""
    rest = Matrix(x, first * ld, ld), Matrix(d, first * ld, ld)
    norms.column_sums(Matrix(s, 0, ld), *rest, rows - first, columns, first > 0)


@njit
def moments(m, s, x, ld, rows, columns):
    group = schema.ROW_GROUP
    for first in range(0, rows, group):
        sums = Matrix(s, first // group * 2 * ld, ld)
        norms.column_moments(sums, Matrix(x, first * ld, ld), min(group, rows - first), columns)
    groups = (rows + group - 1) // group
    norms.join_moments(Matrix(m, 0, ld), Matrix(s, 0, ld), groups, rows, columns, EPSILON)


@njit
def scalar_sums(s, x, d):
    """Two sums over the rows in their order, one fused multiply-add a term."""
    for c in range(x.shape[1]):
        product, total = s.dtype.type(0), s.dtype.type(0)
        for r in range(x.shape[0]):
            product, total = scalar.fma(x[r, c], d[r, c], product), total + d[r, c]
        s[0, c], s[1, c] = product, total


@njit
def scalar_moments(mean, squares, x):
    """The moments of chunks, joined in their order."""
    number = mean.dtype.type
    for c in range(x.shape[1]):
        count, middle, total = number(0), number(0), number(0)
        for first in range(0, x.shape[0], 8):
            stop = min(first + 8, x.shape[0])
            own_mean, own_total, own = number(0), number(0), number(stop - first)
            for r in range(first, stop):
                own_mean += x[r, c]
            own_mean /= own
            for r in range(first, stop):
                own_total = scalar.fma(x[r, c] - own_mean, x[r, c] - own_mean, own_total)
            apart, share = own_mean - middle, own / (count + own)
            total += scalar.fma(apart * apart, count * share, own_total)
            middle, count = scalar.fma(apart, share, middle), count + own
        mean[c], squares[c] = middle, total


def arenas(columns, dtype, count):
    """The distance of rows, and arenas of random rows with zeros in the padding."""
    ld, random = stride(columns, dtype), np.random.default_rng(columns)
    made = [np.zeros(ROWS * ld, dtype) for _ in range(count)]
    for arena in made:
        reference.arenas.matrix(arena, 0, ld, ROWS, columns)[:] = (
            random.standard_normal((ROWS, columns)) * 3 + 1
        )
    return ld, made


def view(arena, ld, columns, rows=ROWS):
    return reference.arenas.matrix(arena, 0, ld, rows, columns)


def test_ranks_take_whole_row_groups():
    assert schema.ROW_GRAIN % schema.ROW_GROUP == 0


@pytest.mark.parametrize("columns", COLUMNS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_rows(dtype, columns):
    ld, (y, x, d, kept) = arenas(columns, dtype, 4)
    given, twin_y, twin_d, twin_kept = d.copy(), y.copy(), d.copy(), kept.copy()
    row_norm(y, x, d, kept, ld, ROWS, columns)
    outputs, kept_factors = Matrix(twin_y, 0, ld), Matrix(twin_kept, 0, 1)
    reference.norms.row_norm_forward(outputs, Matrix(x, 0, ld), kept_factors, ROWS, columns, EPSILON)
    reference.norms.row_norm_backward(Matrix(twin_d, 0, ld), outputs, kept_factors, ROWS, columns)
    # Two sums forward and two backward; their terms are of the size of x over its deviation.
    factors = np.abs(twin_kept[:ROWS, None])
    size = 1 + np.abs(view(x, ld, columns)).max(axis=1, keepdims=True) * factors
    options = {"terms": 4 * columns + 20, "scale": size}
    assert_close(kept[:ROWS], twin_kept[:ROWS], terms=4 * columns + 20, scale=(size * size * factors)[:, 0])
    assert_close(view(y, ld, columns), view(twin_y, ld, columns), **options | {"scale": size**3})
    largest = np.abs(view(given, ld, columns)).max()
    scale = size**5 * factors * largest * columns
    assert_close(view(d, ld, columns), view(twin_d, ld, columns), **options | {"scale": scale})
    for arena in (y, d):
        assert not reference.arenas.matrix(
            arena, columns, ld, ROWS, whole_vectors(columns, dtype) - columns
        ).any()


@pytest.mark.parametrize("columns", COLUMNS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_sums_along_a_row_have_one_order(dtype, columns):
    ld, (y, x, d, kept) = arenas(columns, dtype, 4)
    row_norm(y, x, d, kept, ld, ROWS, columns)
    line, number = LINE // np.dtype(dtype).itemsize, np.dtype(dtype).type
    line = max(line, simd.FLOAT32_LINE if dtype is np.float32 else simd.FLOAT32_LINE // 2)
    for r, row in enumerate(view(x, ld, columns)):
        add = lambda a, b: a + b  # noqa: E731
        mean = scalar.fold(row, add, number(0), line) / number(columns)
        squares = scalar.fold((row - mean) * (row - mean), add, number(0), line)
        factor = number(1) / np.sqrt(squares / number(columns) + number(EPSILON))
        assert kept[r] == factor
        assert np.array_equal(view(y, ld, columns)[r], (row - mean) * factor)


@pytest.mark.parametrize("columns", COLUMNS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_gain_and_offset(dtype, columns):
    ld, (y, x, w) = arenas(columns, dtype, 3)
    affine(y, x, w, ld, ROWS, columns)
    twin = y.copy()
    reference.norms.affine_forward(*(Matrix(arena, 0, ld) for arena in (twin, x, w)), ROWS, columns)
    gain, offset = view(w, ld, columns, 2)
    scale = np.abs(view(x, ld, columns) * gain) + np.abs(offset)
    assert_close(view(y, ld, columns), view(twin, ld, columns), terms=2, scale=scale)


@pytest.mark.parametrize("columns", COLUMNS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_sums_over_rows(dtype, columns):
    ld, (s, x, d) = arenas(columns, dtype, 3)
    sums(s, x, d, ld, 0, ROWS, columns)
    expected, twin = np.empty((2, columns), dtype), s.copy()
    scalar_sums(expected, view(x, ld, columns), view(d, ld, columns))
    assert np.array_equal(view(s, ld, columns, 2), expected)
    s[:] = np.nan
    sums(s, x, d, ld, 0, 5, columns)
    sums(s, x, d, ld, 5, ROWS, columns)
    assert np.array_equal(view(s, ld, columns, 2), expected)
    target = Matrix(twin, 0, ld)
    for first, rows, accumulate in ((0, 5, False), (5, ROWS - 5, True)):
        place = first * ld
        reference.norms.column_sums(
            target, Matrix(x, place, ld), Matrix(d, place, ld), rows, columns, accumulate
        )
    deltas = np.abs(view(d, ld, columns))
    scale = np.stack([(np.abs(view(x, ld, columns)) * deltas).sum(axis=0), deltas.sum(axis=0)])
    assert_close(expected, view(twin, ld, columns, 2), terms=ROWS, scale=scale)


@pytest.mark.parametrize("rows", [1, 7, 8, 9, 16, ROWS])
@pytest.mark.parametrize("columns", COLUMNS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_moments_over_rows(dtype, columns, rows):
    ld, (m, s, x) = arenas(columns, dtype, 3)
    moments(m, s, x, ld, rows, columns)
    mean, factor, variance = view(m, ld, columns, 3)
    expected, squares, number = np.empty(columns, dtype), np.empty(columns, dtype), np.dtype(dtype).type
    scalar_moments(expected, squares, view(x, ld, columns, rows))
    assert np.array_equal(mean, expected)
    assert np.array_equal(variance, squares / number(rows))
    assert np.array_equal(factor, number(1) / np.sqrt(variance + number(EPSILON)))
    exact = view(x, ld, columns, rows).astype(np.float64)
    assert_close(mean, exact.mean(axis=0).astype(dtype), terms=rows + 5, scale=np.abs(exact).mean(axis=0))
    assert_close(
        variance, exact.var(axis=0).astype(dtype), terms=2 * rows + 10, scale=(exact**2).mean(axis=0)
    )


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_variance_of_numbers_far_from_zero(dtype):
    """Their squares would have lost it."""
    ld, (m, s, x) = arenas(5, dtype, 3)
    view(x, ld, 5)[:] += 1e5 if dtype is np.float32 else 1e12
    moments(m, s, x, ld, ROWS, 5)
    np.testing.assert_allclose(
        view(m, ld, 5, 3)[2], view(x, ld, 5).astype(np.longdouble).var(axis=0).astype(dtype), rtol=1e-2
    )
