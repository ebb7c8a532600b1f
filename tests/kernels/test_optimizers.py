"""Every row of the table of optimizers against its NumPy twin."""

import numpy as np
import pytest

from fastmlp.kernels import reference
from fastmlp.kernels.program import optimizer_code
from fastmlp.kernels.schema import Matrix
from fastmlp.kernels.tables import OPTIMIZERS
from tests.cases import DTYPES
from tests.kernels import networks
from tests.kernels.calls import from_python
from tests.tolerance import assert_close

ROWS, COLUMNS, LD, SIZE = 5, 19, 48, 5 * 48
TERMS = 12  # operations of a formula


_call_step = from_python(optimizer_code.call_step)


def matrices(w, slots, ld, g, hyper):
    return Matrix(w, 0, ld), Matrix(slots, 0, ld), w.size, Matrix(g, 0, ld), Matrix(hyper, 0, 0)


def kernel_step(w, slots, ld, g, hyper, rows, columns, code):
    """The last row is of biases."""
    words = optimizer_code.prepared(code, w.dtype)
    _call_step(words, *matrices(w, slots, ld, g, hyper), rows - 1, 1, columns)


def twin_step(w, slots, ld, g, hyper, rows, columns, code):
    reference.optimizers.optimizer_step(*matrices(w, slots, ld, g, hyper), rows - 1, 1, columns, code)


def arenas(dtype):
    """Weights, states and gradient: random, with zeros in the padding."""
    random = np.random.default_rng(0)
    weights, gradient, slots = (np.zeros(n * SIZE, dtype) for n in (1, 1, 3))
    for arena in (weights, gradient, *slots.reshape(3, -1)):
        view = reference.arenas.matrix(arena, 0, LD, ROWS, COLUMNS)
        view[:] = np.abs(random.standard_normal(view.shape))
    return weights, slots, gradient


@pytest.mark.parametrize("code", range(len(OPTIMIZERS)), ids=[row.name for row in OPTIMIZERS])
@pytest.mark.parametrize("dtype", DTYPES)
def test_steps(dtype, code):
    weights, slots, gradient = arenas(dtype)
    twin, twin_slots = weights.copy(), slots.copy()
    numbers, before = networks.hyper(OPTIMIZERS[code], dtype), weights.copy()
    for number in range(1, 4):
        for step, w, s in ((kernel_step, weights, slots), (twin_step, twin, twin_slots)):
            step(w, s, LD, gradient, numbers, ROWS, COLUMNS, code)
        largest = max(1.0, np.abs(twin).max(), np.abs(twin_slots).max())
        assert_close(weights, twin, terms=number * TERMS, scale=largest)
        assert_close(slots, twin_slots, terms=number * TERMS, scale=largest)
    assert (weights != before).any()
    unused = slots[len(OPTIMIZERS[code].slots) * SIZE :]
    assert np.array_equal(unused, arenas(dtype)[1][len(OPTIMIZERS[code].slots) * SIZE :])


@pytest.mark.parametrize("code", range(len(OPTIMIZERS)), ids=[row.name for row in OPTIMIZERS])
@pytest.mark.parametrize("dtype", DTYPES)
def test_padding_stays_zero(dtype, code):
    weights, slots, gradient = arenas(dtype)
    kernel_step(weights, slots, LD, gradient, networks.hyper(OPTIMIZERS[code], dtype), ROWS, COLUMNS, code)
    for arena in (weights, *slots.reshape(3, -1)):
        assert not reference.arenas.matrix(arena, COLUMNS, LD, ROWS, LD - COLUMNS).any()


WITH_STATE = [code for code, row in enumerate(OPTIMIZERS) if row.slots]


@pytest.mark.parametrize("code", WITH_STATE, ids=[OPTIMIZERS[code].name for code in WITH_STATE])
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_state_that_fades_away_becomes_zero_not_denormal(dtype, code):
    weights, slots, gradient = arenas(dtype)
    smallest = np.finfo(dtype).tiny
    used = slots[: len(OPTIMIZERS[code].slots) * SIZE]
    used[:], gradient[:] = smallest, 0
    kernel_step(weights, slots, LD, gradient, networks.hyper(OPTIMIZERS[code], dtype), ROWS, COLUMNS, code)
    kept = {"sum", "largest"}  # sums and maxima do not fade
    faded = [reference.arenas.matrix(slots, j * SIZE, LD, ROWS, COLUMNS) for j in range(used.size // SIZE)]
    for name, numbers in zip(OPTIMIZERS[code].slots, faded, strict=True):
        assert np.all(numbers == (smallest if name in kept else 0)), name
    assert np.isfinite(weights).all()
