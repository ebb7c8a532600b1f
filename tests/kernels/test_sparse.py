"""Products that skip zeros: bit-equal to those that do not, whatever the density."""

import numpy as np
import pytest

from fastmlp.engine.buffers import aligned_zeros
from fastmlp.kernels import reference, schema, tables
from fastmlp.kernels.loops import gemm as products
from fastmlp.kernels.loops import sparse
from fastmlp.kernels.program import entries
from fastmlp.kernels.schema import NO_PREFETCH, Matrix, Strided, stride
from tests.cases import DTYPES, whole_vectors
from tests.kernels import networks
from tests.kernels.calls import from_python
from tests.kernels.networks import build, padding

gemm = from_python(products.gemm)
sparse_forward, sparse_gradient = map(from_python, (sparse.sparse_forward, sparse.sparse_gradient))

DENSITIES = (0.0, 0.03, 0.2, 0.6, 1.0)
SHAPES = ((1, 1, 1), (1, 10, 785), (9, 65, 64), (64, 128, 65), (65, 129, 130), (130, 300, 17))


touched = from_python(sparse.touched_columns)


def sparse_matrix(random, rows, columns, density, dtype):
    """An arena with a matrix that is mostly zero; what lies behind its rows is not."""
    ld = stride(columns, dtype)
    arena = aligned_zeros(rows * ld, np.dtype(dtype))
    arena[:] = 1
    matrix = reference.arenas.matrix(arena, 0, ld, rows, columns)
    matrix[:] = random.standard_normal((rows, columns)) * (random.random((rows, columns)) < density)
    matrix[matrix == 0] *= -1  # -0 is a zero too
    return arena, ld, matrix


def dense_matrix(random, rows, columns, dtype):
    """An arena with a matrix, zero in its padding."""
    ld = stride(columns, dtype)
    arena = aligned_zeros(rows * ld, np.dtype(dtype))
    reference.arenas.matrix(arena, 0, ld, rows, columns)[:] = random.standard_normal((rows, columns))
    return arena, ld


@pytest.mark.parametrize("density", DENSITIES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
def test_forward(dtype, shape, density):
    rows, columns, depth = shape
    random = np.random.default_rng(0)
    x, ldx, _ = sparse_matrix(random, rows, depth, density, dtype)
    w, ldw = dense_matrix(random, depth, columns, dtype)
    ldy, width = stride(columns, dtype), whole_vectors(columns, dtype)
    y, expected = np.full(rows * ldy, np.nan, dtype), np.full(rows * ldy, np.nan, dtype)
    weights = Matrix(w, 0, ldw)
    sparse_forward(Matrix(y, 0, ldy), Matrix(x, 0, ldx), weights, rows, columns, depth)
    gemm(Matrix(expected, 0, ldy), Strided(x, 0, ldx, 1), weights, rows, columns, depth, False, NO_PREFETCH)
    assert y.tobytes() == expected.tobytes()
    assert np.isnan(reference.arenas.matrix(y, width, ldy, rows, ldy - width)).all()


@pytest.mark.parametrize("density", DENSITIES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
def test_gradient(dtype, shape, density):
    rows, units, columns = shape
    random = np.random.default_rng(1)
    x, ldx, matrix = sparse_matrix(random, rows, columns, density, dtype)
    d, ldd = dense_matrix(random, rows, units, dtype)
    ldg = stride(units, dtype)
    g, expected = np.full(columns * ldg, np.nan, dtype), np.full(columns * ldg, np.nan, dtype)
    gradient, inputs, deltas = Matrix(g, 0, ldg), Matrix(x, 0, ldx), Matrix(d, 0, ldd)
    sparse_gradient(gradient, inputs, deltas, columns, units, rows, False)
    gemm(Matrix(expected, 0, ldg), Strided(x, 0, 1, ldx), deltas, columns, units, rows, False, NO_PREFETCH)
    assert g.tobytes() == expected.tobytes()

    for first in {1, rows // 2} - {0, rows}:
        g[:] = np.nan
        rest = Matrix(x, first * ldx, ldx), Matrix(d, first * ldd, ldd)
        sparse_gradient(gradient, inputs, deltas, columns, units, first, False)
        sparse_gradient(gradient, *rest, columns, units, rows - first, True)
        assert g.tobytes() == expected.tobytes()

    count = min(columns, 64)
    bits = touched(inputs, count, rows)
    assert [bits >> j & 1 for j in range(count)] == (matrix[:, :count] != 0).any(axis=0).tolist()


@pytest.mark.parametrize("dtype", DTYPES)
def test_nan_is_no_zero(dtype):
    x = np.zeros(80 * 16, dtype)
    x[3] = np.nan
    w, y = np.ones(80 * 16, dtype), np.zeros(16, dtype)
    sparse_forward(Matrix(y, 0, 16), Matrix(x, 0, 80), Matrix(w, 0, 16), 1, 5, 9)
    assert np.isnan(y[:5]).all()


@pytest.mark.parametrize("batch", [1, 3, 20])
@pytest.mark.parametrize("optimizer", tables.OPTIMIZERS, ids=lambda row: row.name)
def test_training_skips_zeros_without_a_trace(optimizer, batch):
    """Also for small batches, and where only the weights of touched inputs are updated."""
    random = np.random.default_rng(2)
    X = (random.standard_normal((20, 100)) * (random.random((20, 100)) < 0.1)).astype(np.float32)
    targets = random.standard_normal(20 * 3).astype(np.float32)
    data = networks.unlabelled(X, targets)
    trained = []
    for skips in (False, True):
        plan, state = build(
            [("dense", 33), ("tanh", 0.0), ("dense", 3)],
            features=100, rows=batch, dtype=np.float32, loss="mean_squared_error", sparse=skips, materialised=False,
        )  # fmt: skip
        assert (schema.SPARSE in plan["kind"]) == skips
        networks.train(
            entries, plan, state, data, batch=batch, optimizer=tables.OPTIMIZER_CODES[optimizer.name]
        )
        assert all((padding(op, state.params) == 0).all() for op in networks.dense(plan))
        trained.append(state.params.tobytes() + state.slots.tobytes())
    assert trained[0] == trained[1]


@pytest.mark.parametrize("optimizer", tables.OPTIMIZERS, ids=lambda row: row.name)
def test_small_batches_by_materialised_gradients(optimizer):
    """A gradient that is summed where it is used gives the same bits as one that is written first."""
    random = np.random.default_rng(3)
    X, targets = (
        random.standard_normal((8, 20)).astype(np.float32),
        random.standard_normal(8 * 3).astype(np.float32),
    )
    data = networks.unlabelled(X, targets)
    trained = []
    for materialised in (False, True):
        plan, state = build(
            [("dense", 33), ("tanh", 0.0), ("dense", 3)],
            features=20, rows=2, dtype=np.float32, loss="mean_squared_error", materialised=materialised,
        )  # fmt: skip
        networks.train(entries, plan, state, data, batch=2, optimizer=tables.OPTIMIZER_CODES[optimizer.name])
        trained.append(state.params.tobytes() + state.slots.tobytes())
    assert trained[0] == trained[1]
