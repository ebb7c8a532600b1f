"""Folds of rows: bit-equal to a scalar loop of the documented order, for every number of columns."""

import numpy as np
import pytest
from numba import njit

from fastmlp.kernels import losses
from fastmlp.kernels.schema import LINE
from tests.cases import DTYPES
from tests.kernels import scalar


@njit
def row_sum(x, columns):
    return losses.row_sum(x, 0, columns)


@njit
def row_max(x, columns):
    return losses.row_max(x, 0, columns)


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
