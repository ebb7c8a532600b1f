"""Every row of the table of losses: against its NumPy twin, scalar loops, its derivative."""

import numpy as np
import pytest

from fastmlp.kernels import reference
from fastmlp.kernels.loops import losses
from fastmlp.kernels.schema import Matrix, stride, whole_lines
from fastmlp.kernels.tables import LOSS_CODES, LOSSES
from tests.cases import DTYPES
from tests.kernels.calls import from_python
from tests.kernels.scalar import fold
from tests.tolerance import assert_close

ROWS, FIRST = 5, 2  # the rows stand at FIRST in the batch
COLUMNS = (1, 2, 9, 16, 17, 1025)
OPTION = 0.3  # a smoothing, a delta, a tau
CODES = pytest.mark.parametrize("code", range(len(LOSSES)), ids=[row.name for row in LOSSES])
OF_ALL_OUTPUTS = {"cross_entropy", "smoothed_cross_entropy", "cross_entropy_of_shares"}
ELEMENTWISE = [code for code, row in enumerate(LOSSES) if row.name not in OF_ALL_OUTPUTS]
FUNCTIONS = 16  # roundings of the elementary functions in a formula, ours and NumPy's


class Compiled:
    """The kernel, callable from Python."""

    loss_rows = staticmethod(from_python(losses.loss_rows))


def run(which, code, z, t, labels, scale=0.25, option=OPTION):
    """Deltas with their padding, losses and scores."""
    rows, columns = z.shape
    dtype, ld = z.dtype, stride(columns, z.dtype)
    # Padding is NaN: nothing may come of it.
    arenas = [np.full(rows * ld, np.nan, dtype) for _ in range(3)]
    for arena, numbers in zip(arenas, (z, t), strict=False):
        reference.arenas.matrix(arena, 0, ld, rows, columns)[:] = numbers
    results = [np.zeros(FIRST + rows, dtype) for _ in range(2)]
    outputs, values, deltas = (Matrix(arena, 0, ld) for arena in arenas)
    targets = losses.Targets(Matrix(np.concatenate([[0] * FIRST, labels]), FIRST, 1), values)
    places = [Matrix(result, FIRST, 1) for result in results]
    which.loss_rows(
        code, deltas, *places, outputs, targets, rows, columns, dtype.type(scale), dtype.type(option)
    )
    for result in results:
        assert not result[:FIRST].any()
    return arenas[2].reshape(rows, ld), *(result[FIRST:] for result in results)


def problem(columns, dtype, spread=3.0):
    random = np.random.default_rng(columns)
    z = (random.standard_normal((ROWS, columns)) * spread).astype(dtype)
    return z, random.random(z.shape).astype(dtype), random.integers(0, columns, ROWS)


def sizes(code, z, t):
    """The largest sum of terms in a loss of a row, and in a number of its deltas."""
    name, columns, largest = LOSSES[code].name, z.shape[1], float(np.abs(z).max()) + 1
    if name == "poisson":
        return np.exp(largest), np.exp(largest)
    if name == "sum_squared_error":
        return columns * largest**2, columns * largest
    if name == "cross_entropy_of_shares":
        return float(t.sum(axis=1).max() + 1) * 2 * largest, float(t.sum(axis=1).max() + 1)
    return largest**2, largest


@pytest.mark.parametrize("columns", COLUMNS)
@CODES
@pytest.mark.parametrize("dtype", DTYPES)
def test_loss(dtype, code, columns):
    z, t, labels = problem(columns, dtype)
    delta, loss, score = run(Compiled, code, z, t, labels)
    expected_delta, expected_loss, expected_score = run(reference.losses, code, z, t, labels)
    terms = columns + FUNCTIONS
    of_loss, of_delta = sizes(code, z, t)
    assert_close(loss, expected_loss, terms=terms, scale=np.full(ROWS, of_loss))
    assert_close(score, expected_score, terms=terms, scale=np.full(ROWS, of_delta))
    wanted = expected_delta[:, :columns]
    assert_close(delta[:, :columns], wanted, terms=terms, scale=np.full(wanted.shape, 0.25 * of_delta))


@pytest.mark.parametrize("code", ELEMENTWISE, ids=[LOSSES[code].name for code in ELEMENTWISE])
@pytest.mark.parametrize("columns", COLUMNS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_elementwise_losses_are_bit_equal_to_scalar_loops(dtype, columns, code):
    """Each output by itself, in a matrix of one column, gives the terms of the sums and the derivatives."""
    z, t, labels = problem(columns, dtype)
    t[0] = z[0]  # where some derivatives jump
    scale, count = dtype(0.3), dtype(1 if LOSSES[code].name == "sum_squared_error" else columns)
    delta, loss, score = run(Compiled, code, z, t, labels, scale=scale)
    one_by_one = [array.reshape(-1, 1) for array in (z, t)]
    derivative, terms, scores = run(Compiled, code, *one_by_one, np.zeros(z.size, np.int64), scale=1.0)
    derivative, terms, scores = (array.reshape(ROWS, columns) for array in (derivative[:, 0], terms, scores))
    assert np.array_equal(delta[:, :columns], derivative * (scale / count))
    line = 64 // z.itemsize
    for row in range(ROWS):
        assert loss[row] == fold(terms[row], np.add, dtype(0), line) / count
        assert score[row] == fold(scores[row], np.add, dtype(0), line) / dtype(columns)
    assert np.any(loss)


@pytest.mark.parametrize("dtype", DTYPES)
def test_formulas_at_chosen_points(dtype):
    """Worked out by hand: loss and derivative of single outputs."""
    points = {
        # name: [(z, t, loss, derivative), ...] with the option 0.3
        "mean_squared_error": [(3, 1, 4, 4), (1, 1, 0, 0)],
        "sum_squared_error": [(-1, 1, 4, -4)],
        "mean_absolute_error": [(3, 1, 2, 1), (-1, 1, 2, -1), (1, 1, 0, 0)],
        "huber": [(1.2, 1, 0.02, 0.2), (3, 1, 0.3 * (2 - 0.15), 0.3), (-1, 1, 0.3 * (2 - 0.15), -0.3)],
        "log_cosh": [
            (1, 0, np.log(np.cosh(1)), np.tanh(1)), (-1e-3, 0, 5e-7 - 1e-12 / 12 + 1e-18 / 45, np.tanh(-1e-3)),
            (1000, 0, 1000 - np.log(2), 1), (0, 0, 0, 0),
        ],
        "quantile": [(1, 3, 0.6, -0.3), (3, 1, 1.4, 0.7), (1, 1, 0, 0)],
        "poisson": [(0, 2, 1, -1), (np.log(3), 1, 3 - np.log(3), 2)],
        "binary_cross_entropy": [(0, 1, np.log(2), -0.5), (np.log(3), 0, np.log(4), 0.75)],
    }  # fmt: skip
    for name, cases in points.items():
        z, t, loss, derivative = (np.array(part, dtype)[:, None] for part in zip(*cases, strict=True))
        code = LOSS_CODES[name]
        delta, actual, _ = run(Compiled, code, z, t, np.zeros(len(z), np.int64), scale=1.0)
        rounding = 8 * np.finfo(dtype).eps
        np.testing.assert_allclose(actual, loss[:, 0], rtol=rounding, atol=rounding * (name == "poisson"))
        np.testing.assert_allclose(delta[:, 0], derivative[:, 0], rtol=rounding, atol=rounding)


@pytest.mark.parametrize("dtype", DTYPES)
def test_cross_entropies_agree(dtype):
    """One-hot shares are labels; smoothed labels are smoothed shares."""
    z, _, labels = problem(9, dtype)
    one_hot = np.eye(9, dtype=dtype)[labels]
    smoothed = one_hot * dtype(0.7) + dtype(0.3 / 9)
    of_labels, of_shares, of_smoothed = (
        LOSS_CODES[name] for name in ("cross_entropy", "cross_entropy_of_shares", "smoothed_cross_entropy")
    )
    for pair in (
        (run(Compiled, of_labels, z, z, labels), run(Compiled, of_shares, z, one_hot, labels)),
        (run(Compiled, of_labels, z, z, labels), run(Compiled, of_smoothed, z, z, labels, option=0.0)),
        (run(Compiled, of_smoothed, z, z, labels), run(Compiled, of_shares, z, smoothed, labels)),
    ):
        for one, other in zip(*pair, strict=True):
            width = min(9, one.shape[-1])
            one, other = one[..., :width], other[..., :width]
            assert_close(one, other, terms=9 + FUNCTIONS, scale=np.full(one.shape, np.abs(z).max() * 2))


@pytest.mark.parametrize("columns", COLUMNS)
@CODES
@pytest.mark.parametrize("dtype", DTYPES)
def test_padding_of_the_deltas_becomes_zero(dtype, code, columns):
    delta, _, _ = run(Compiled, code, *problem(columns, dtype))
    width = whole_lines(
        columns, np.dtype(dtype)
    )  # a sum along a row takes whole cache lines on every machine
    assert not delta[:, columns:width].any()
    assert np.isnan(delta[:, width:]).all()


@CODES
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


@CODES
@pytest.mark.parametrize("dtype", DTYPES)
def test_large_outputs_do_not_overflow_and_nan_shows(dtype, code):
    # The rate of Poisson is an exponential: it does overflow, but not of what a logarithm can be.
    z, t, labels = problem(17, dtype, spread=1e4 if LOSSES[code].name != "poisson" else 20.0)
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
