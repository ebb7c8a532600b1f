"""Every row of the table of losses against its NumPy twin."""

import numpy as np
import pytest
from numba import njit

from fastmlp.kernels import losses, reference
from fastmlp.kernels.losses import LOSSES
from fastmlp.kernels.schema import stride
from tests.cases import DTYPES, whole_vectors
from tests.tolerance import assert_close

ROWS, FIRST = 5, 2  # the rows stand at FIRST in the batch
COLUMNS = (1, 2, 9, 16, 17, 1025)
FUNCTIONS = 16  # roundings of the elementary functions in a formula, ours and NumPy's


class Compiled:
    """The kernels, callable from Python."""

    @staticmethod
    @njit
    def loss_rows(code, d, d0, ldd, loss, score, first, z, z0, ldz, labels, t, t0, ldt, rows, columns, scale):
        losses.loss_rows(
            code, d, d0, ldd, loss, score, first, z, z0, ldz, labels, t, t0, ldt, rows, columns, scale
        )


def run(which, code, z, t, labels, scale=0.25):
    """Deltas with their padding, losses and scores."""
    rows, columns = z.shape
    dtype, ld = z.dtype, stride(columns, z.dtype)
    # Padding is NaN: nothing may come of it.
    arenas = [np.full(rows * ld, np.nan, dtype) for _ in range(3)]
    for arena, numbers in zip(arenas, (z, t), strict=False):
        reference.matrix(arena, 0, ld, rows, columns)[:] = numbers
    results = [np.zeros(FIRST + rows, dtype) for _ in range(2)]
    which.loss_rows(
        code, arenas[2], 0, ld, *results, FIRST, arenas[0], 0, ld, np.concatenate([[0] * FIRST, labels]),
        arenas[1], 0, ld, rows, columns, dtype.type(scale),
    )  # fmt: skip
    for result in results:
        assert not result[:FIRST].any()
    return arenas[2].reshape(rows, ld), *(result[FIRST:] for result in results)


def problem(columns, dtype, spread=3.0):
    random = np.random.default_rng(columns)
    z = (random.standard_normal((ROWS, columns)) * spread).astype(dtype)
    return z, random.random(z.shape).astype(dtype), random.integers(0, columns, ROWS)


def test_every_row_has_a_twin_in_the_same_place():
    assert list(reference.LOSSES) == [row.name for row in LOSSES]


@pytest.mark.parametrize("columns", COLUMNS)
@pytest.mark.parametrize("code", range(len(LOSSES)), ids=[row.name for row in LOSSES])
@pytest.mark.parametrize("dtype", DTYPES)
def test_loss(dtype, code, columns):
    z, t, labels = problem(columns, dtype)
    delta, loss, score = run(Compiled, code, z, t, labels)
    expected_delta, expected_loss, expected_score = run(reference, code, z, t, labels)
    terms = columns + FUNCTIONS
    largest = np.abs(z).max() + 1
    assert_close(loss, expected_loss, terms=terms, scale=largest**2)
    assert_close(score, expected_score, terms=terms)
    assert_close(delta[:, :columns], expected_delta[:, :columns], terms=terms, scale=0.25 * largest)


@pytest.mark.parametrize("columns", COLUMNS)
@pytest.mark.parametrize("code", range(len(LOSSES)), ids=[row.name for row in LOSSES])
@pytest.mark.parametrize("dtype", DTYPES)
def test_padding_of_the_deltas_becomes_zero(dtype, code, columns):
    delta, _, _ = run(Compiled, code, *problem(columns, dtype))
    width = whole_vectors(columns, dtype)
    assert not delta[:, columns:width].any()
    assert np.isnan(delta[:, width:]).all()


@pytest.mark.parametrize("code", range(len(LOSSES)), ids=[row.name for row in LOSSES])
@pytest.mark.parametrize("dtype", DTYPES)
def test_delta_is_the_derivative_of_the_loss(dtype, code):
    """Central differences, in float64, against the deltas of each type."""
    z, t, labels = problem(9, np.float64, spread=1.0)
    # Types differ in their inputs too, unless these are numbers of both.
    z, t = z.astype(np.float32).astype(np.float64), t.astype(np.float32).astype(np.float64)
    delta, _, _ = run(Compiled, code, z.astype(dtype), t.astype(dtype), labels, scale=1.0)
    step = 1e-5
    for column in range(z.shape[1]):
        shift = np.zeros_like(z)
        shift[:, column] = step
        above, below = (run(Compiled, code, z + s, t, labels)[1] for s in (shift, -shift))
        difference = (above - below) / (2 * step)
        # A difference is off by step^2 / 6 third derivatives, and by the rounding of a loss over the step.
        assert np.abs(delta[:, column] - difference).max() <= 1e-9 + 20 * np.finfo(dtype).eps


@pytest.mark.parametrize("code", range(len(LOSSES)), ids=[row.name for row in LOSSES])
@pytest.mark.parametrize("dtype", DTYPES)
def test_large_outputs_do_not_overflow_and_nan_shows(dtype, code):
    z, t, labels = problem(17, dtype, spread=1e4)
    delta, loss, _ = run(Compiled, code, z, t, labels)
    assert np.isfinite(delta[:, :17]).all()
    assert np.isfinite(loss).all()
    for wrong in (np.nan, np.inf):
        z[1, 16] = wrong
        labels[1] = 0
        _, loss, _ = run(Compiled, code, z, t, labels)
        assert not np.isfinite(loss[1])
        assert np.isfinite(np.delete(loss, 1)).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_accuracy_counts_the_first_of_equal_outputs(dtype):
    z = np.zeros((2, 20), dtype)
    z[:, [7, 18]] = 1
    code = [row.name for row in LOSSES].index("cross_entropy")
    _, _, score = run(Compiled, code, z, z, np.array([7, 18]))
    assert score.tolist() == [1, 0]
