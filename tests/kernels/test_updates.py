"""What happens before and after an optimizer's formula: bit for bit against scalar loops, and for any team."""

import numpy as np
import pytest
from numba import njit

from fastmlp.kernels import reference, schema, simd
from fastmlp.kernels.loops import updates
from fastmlp.kernels.program import entries
from fastmlp.kernels.schema import Matrix
from fastmlp.kernels.tables import OPTIMIZER_CODES, OPTIMIZERS
from tests.cases import DTYPES
from tests.kernels import networks, scalar
from tests.tolerance import assert_close

PARTS = [("dense", 37), ("tanh", 0.0), ("dense", 20), ("relu", 0.0), ("dense", 5)]
FEATURES, SAMPLES, OUTPUTS = 21, 150, 5
RULES = {
    "weight decay": {"rules": {schema.WEIGHT_DECAY: 0.1}},
    "value": {"rules": {schema.CLIP_VALUE: 0.001}},
    "norm": {"rules": {schema.CLIP_NORM: 0.05}},
    "global norm": {"rules": {schema.GLOBAL_CLIP_NORM: 0.05}},
    "l1": {"l1": 0.01},
    "l2": {"l2": 0.1},
    "max norm": {"max_norm": 0.5},
    "average": {"averaged": True, "rules": {schema.AVERAGE: 0.9}},
    "all": {
        "l1": 0.01, "l2": 0.1, "max_norm": 0.5, "averaged": True,
        "rules": {schema.WEIGHT_DECAY: 0.1, schema.GLOBAL_CLIP_NORM: 0.05, schema.AVERAGE: 0.9},
    },
    "all, by value": {
        "l1": 0.01, "l2": 0.1, "max_norm": 0.5, "averaged": True,
        "rules": {schema.WEIGHT_DECAY: 0.1, schema.CLIP_VALUE: 0.001, schema.AVERAGE: 0.9},
    },
}  # fmt: skip


def trained(which, rule, *, code=0, batch=70, team=1, dtype=np.float32, **changes):
    """The plan, arenas and averages after an epoch with this rule."""
    options = RULES[rule] | changes
    rules, averaged = options.pop("rules", {}), options.pop("averaged", False)
    needs_all = {schema.CLIP_NORM, schema.GLOBAL_CLIP_NORM} & rules.keys()
    options["materialised"] = bool(needs_all) or options.get("materialised", False)
    plan, state = networks.build(
        PARTS, features=FEATURES, rows=batch, dtype=dtype, loss="cross_entropy", team=team, **options
    )
    samples = networks.data(SAMPLES, FEATURES, OUTPUTS, dtype)
    averages = state.params[: state.params.size if averaged else 0].copy()
    networks.train(
        which, plan, state, samples, batch=batch, optimizer=code, rules=rules, averages=averages, team=team
    )
    return plan, state, averages


def bits(plan, state, averages):
    return b"".join(array.tobytes() for array in (state.params, state.slots, averages))


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
@pytest.mark.parametrize("batch", [3, 70])
@pytest.mark.parametrize("rule", RULES)
def test_the_same_bits_for_any_team_and_with_or_without_a_gradient_arena(rule, batch, optimizer):
    options = {"code": OPTIMIZER_CODES[optimizer], "batch": batch}
    results = {
        bits(*trained(entries, rule, team=team, materialised=materialised, **options))
        for team in (1, 2, 3)
        for materialised in (False, True)
    }
    assert len(results) == 1


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("batch", [3, 70])
@pytest.mark.parametrize("rule", RULES)
def test_the_twin(rule, batch, sparse):
    _, state, averages = trained(entries, rule, batch=batch, sparse=sparse)
    _, twin, twin_averages = trained(reference.entries, rule, batch=batch)
    _, plain, _ = trained(entries, "l1", batch=batch, l1=0.0)
    steps = -(-SAMPLES // batch)
    terms = steps * (FEATURES + 37 + 20 + batch + 30)
    changed = averages if rule == "average" else state.params
    assert not np.array_equal(changed, plain.params), "the rule changes nothing"
    for actual, expected in ((state.params, twin.params), (averages, twin_averages)):
        assert_close(actual, expected, terms=terms, scale=np.maximum(1, np.abs(expected)))


@pytest.mark.parametrize("rule", RULES)
def test_padding_stays_zero(rule):
    plan, state, averages = trained(entries, rule, code=OPTIMIZER_CODES["adamw"], materialised=True)
    for op in networks.dense(plan):
        for arena in (state.params, state.gradients, *state.slots.reshape(3, -1)):
            assert not networks.padding(op, arena).any()
        if averages.size:
            assert not networks.padding(op, averages).any()


@pytest.mark.parametrize("which", [entries, reference.entries])
@pytest.mark.parametrize("optimizer", [row.name for row in OPTIMIZERS if row.decoupled_decay] + ["sgd"])
@pytest.mark.parametrize("batch", [3, 70])
def test_weights_decay_and_biases_do_not(batch, optimizer, which):
    """Where nothing flows back, as all samples are 0 and so are all weights but the last ones, only decay is left."""
    code = OPTIMIZER_CODES[optimizer]
    row = OPTIMIZERS[code]
    decay = networks.hyper(row, np.float64)[-1] if row.decoupled_decay else 0.001
    plan, state = networks.build(
        [("dense", 5)], features=3, rows=batch, dtype=np.float64, loss="mean_squared_error"
    )
    samples = networks.data(batch, 3, 5, np.float64, kind=schema.DOUBLE)
    samples.inputs[:] = 0
    (op,) = networks.dense(plan)
    weights = networks.weights_of(op, state.params)
    before = weights.copy()
    # The biases are right, so all gradients are 0.
    samples = samples._replace(targets=np.tile(before[-1], batch))
    rules = {schema.WEIGHT_DECAY: 0.1} if optimizer == "sgd" else {}
    networks.train(which, plan, state, samples, batch=batch, optimizer=code, rules=rules)
    assert np.array_equal(weights[-1], before[-1])
    np.testing.assert_allclose(weights[:-1], before[:-1] * (1 - decay), rtol=1e-12)


def test_the_gradient_arena_keeps_the_gradient_of_the_loss():
    """Penalties, clipping and decay are seen by the formula only."""
    for rule in ("global norm", "value", "l2", "weight decay"):
        _, plain, _ = trained(entries, "l1", l1=0.0, batch=SAMPLES, materialised=True)
        _, changed, _ = trained(entries, rule, batch=SAMPLES, materialised=True)
        assert np.array_equal(plain.gradients, changed.gradients)


# Primitives, bit for bit


@njit
def _changed_gradient(y, g, w, ld, rows, columns, l1, l2, scale, limit, decay):
    arenas = Matrix(y, 0, ld), Matrix(g, 0, ld), Matrix(w, 0, ld)
    updates.changed_gradient(*arenas, rows, columns, l1, l2, scale, limit, decay)


@njit
def _sum_of_squares(sums, g, w, columns, l1, l2):
    updates.sum_of_squares(Matrix(sums, 0, 1), Matrix(g, 0, 0), Matrix(w, 0, 0), columns, l1, l2)


@njit
def _limit_columns(w, ld, rows, columns, limit):
    updates.limit_columns(Matrix(w, 0, ld), rows, columns, limit)


@njit
def _average(a, w, ld, rows, columns, kept):
    updates.average(Matrix(a, 0, ld), Matrix(w, 0, ld), rows, columns, kept)


@njit
def _fma(a, b, c):
    return scalar.fma(a, b, c)


def scalar_fma(a, b, c):
    """Of three numbers of one type, and of that type."""
    return type(c)(_fma(a, b, c))


def blocks(count, rows, ld, columns, dtype, seed=0):
    """Random blocks with zeros in the padding, and in some other places."""
    random, arenas = np.random.default_rng(seed), np.zeros((count, rows, ld), dtype)
    arenas[:, :, :columns] = random.standard_normal((count, rows, columns))
    arenas[:, :, :columns][random.random((count, rows, columns)) < 0.2] = 0
    return [arena.reshape(-1) for arena in arenas]


def penalised(g, w, l1, l2):
    return scalar_fma(l2, w, g) + np.sign(w) * l1


@pytest.mark.parametrize("columns", [1, 16, 19, 47])
@pytest.mark.parametrize("dtype", DTYPES)
def test_changed_gradient(dtype, columns):
    rows, ld = 5, 48
    y, g, w = blocks(3, rows, ld, columns, dtype)
    l1, l2, scale, limit, decay = map(dtype, (0.1, 0.3, 0.7, 0.4, 0.05))
    _changed_gradient(y, g, w, ld, rows, columns, l1, l2, scale, limit, decay)
    for r in range(rows):
        for i in range(r * ld, r * ld + columns):
            x = penalised(g[i], w[i], l1, l2) * scale
            x = min(max(x, -limit), limit)
            assert y[i] == scalar_fma(decay, w[i], x)


@pytest.mark.parametrize("columns", [1, 16, 19, 47])
@pytest.mark.parametrize("dtype", DTYPES)
def test_sum_of_squares(dtype, columns):
    g, w = blocks(2, 1, 48, columns, dtype)
    sums, (l1, l2) = np.zeros(16, dtype), map(dtype, (0.1, 0.3))
    _sum_of_squares(sums, g, w, columns, l1, l2)
    squares = [penalised(g[i], w[i], l1, l2) ** 2 for i in range(columns)]
    line = simd.LINE // np.dtype(dtype).itemsize
    assert sums[0] == scalar.fold(squares, lambda a, b: a + b, dtype(0), line)


@pytest.mark.parametrize("dtype", DTYPES)
def test_limit_columns(dtype):
    rows, columns, ld = 23, 32, 48
    (w,) = blocks(1, rows, ld, 19, dtype)
    w.reshape(rows, ld)[:, 3] *= dtype(0.01)  # one that is short enough
    before, limit = w.copy().reshape(rows, ld), dtype(2.0)
    _limit_columns(w, ld, rows, columns, limit)
    for c in range(columns):
        total = dtype(0)
        for r in range(rows):
            total = scalar_fma(before[r, c], before[r, c], total)
        norm = np.sqrt(total)
        factor = limit / norm if norm > limit else dtype(1)
        assert np.array_equal(w.reshape(rows, ld)[:, c], before[:, c] * factor)


@pytest.mark.parametrize("dtype", DTYPES)
def test_average(dtype):
    rows, columns, ld = 3, 19, 48
    a, w = blocks(2, rows, ld, columns, dtype)
    before, kept = a.copy(), dtype(0.9)
    _average(a, w, ld, rows, columns, kept)
    for i in range(rows * ld):
        assert a[i] == scalar_fma(kept, before[i] - w[i], w[i])
