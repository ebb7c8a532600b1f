"""Folds of rows: bit-equal to a scalar loop of the documented order, for every number of columns."""

import numpy as np
import pytest
from numba import njit

from fastmlp.kernels.loops.elementwise import fold_row
from fastmlp.kernels.schema import LINE
from fastmlp.kernels.simd import Int, Pointer, maximum, primitive
from tests.cases import DTYPES
from tests.kernels import scalar


@primitive
def emit_sum(x: Pointer, columns: Int) -> float:
    return fold_row(columns, [x], lambda at, value: [value], lambda a, b: a + b, [0.0])[0].lane(0)


@primitive
def emit_max(x: Pointer, columns: Int) -> float:
    return fold_row(columns, [x], lambda at, value: [value], maximum, [float("-inf")])[0].lane(0)


@primitive
def emit_sums(results: Pointer, x: Pointer, columns: Int) -> None:
    """Two folds in one pass: of the numbers, and of their squares."""
    folds = fold_row(columns, [x], lambda at, value: [value, value * value], lambda a, b: a + b, [0.0, 0.0])
    for i, total in enumerate(folds):
        (results + i).store_one(total)


@njit
def row_sum(x, columns):
    return emit_sum(x, columns)


@njit
def row_max(x, columns):
    return emit_max(x, columns)


@njit
def row_sums(results, x, columns):
    emit_sums(results, x, columns)


@pytest.mark.parametrize("columns", [1, 2, 7, 8, 9, 15, 16, 17, 31, 33, 64, 100, 1025])
@pytest.mark.parametrize("dtype", DTYPES)
def test_fold(dtype, columns):
    line = LINE // np.dtype(dtype).itemsize
    # The padding is not part of the row, whatever it holds.
    x = np.full((columns // line + 2) * line, np.nan, dtype)
    x[:columns] = np.random.default_rng(columns).standard_normal(columns)
    numbers = list(x[:columns])
    assert row_sum(x, columns) == scalar.fold(numbers, lambda a, b: a + b, dtype(0), line)
    assert row_max(x, columns) == max(numbers)
    both = np.zeros(2, dtype)
    row_sums(both, x, columns)
    squares = [number * number for number in numbers]
    assert both.tolist() == [
        scalar.fold(terms, lambda a, b: a + b, dtype(0), line) for terms in (numbers, squares)
    ]


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_order_matters_for_these_numbers(dtype):
    """Else the test above would pass for any order."""
    numbers = list(np.random.default_rng(1025).standard_normal(1025).astype(dtype))
    line = LINE // np.dtype(dtype).itemsize
    sums = {scalar.fold(numbers, lambda a, b: a + b, dtype(0), width) for width in (1, 2, line)}
    assert len(sums) == 3


@pytest.mark.parametrize("place", [0, 5, 15, 16, 30])
def test_nan_is_not_lost_in_a_sum(place):
    x = np.ones(48, np.float32)
    x[place] = np.nan
    assert np.isnan(row_sum(x, 31))
