"""Dense layers in mixed precision: each product is bit-equal to the exact sums of the reference."""

import numpy as np
import pytest

from fastmlp.kernels import reference, schema
from fastmlp.kernels.program import entries
from fastmlp.kernels.reference import pairs
from tests.kernels import networks
from tests.kernels.networks import SEED
from tests.kernels.test_layers import value

GROUP = int(schema.GROUP)
# Rows, features, units of two layers: ones; primes; more than a group of rows, than a panel; sums in halves.
SHAPES = [(1, 1, 1, 1), (13, 17, 7, 3), (65, 49, 129, 33), (9, 200, 150, 3)]


@pytest.fixture(params=SHAPES, ids=str)
def run(request):
    """A network after forward, loss and backward."""
    rows, features, *units = request.param
    parts = [("dense", count) for count in units]
    plan, state = networks.build(
        parts, features=features, rows=rows, dtype=np.float32, loss="mean_squared_error", mixed=True
    )
    samples = networks.data(rows, features, units[-1], np.float32)
    entries.forward(plan, state, samples, rows, SEED, 0)
    entries.loss(plan, state, samples, rows)
    entries.backward(plan, state, rows, SEED, 0)
    assert [op["kind"] for op in networks.dense(plan)] == [schema.MIXED] * 2
    return plan, state, rows


def rounded(numbers, *, rows=False, columns=False):
    """Numbers of bfloat16, with zeros up to whole groups of terms along one axis."""
    padding = [
        (0, -size % GROUP if padded else 0)
        for size, padded in zip(numbers.shape, (rows, columns), strict=True)
    ]
    return np.pad(pairs.float32(pairs.bfloat16(numbers)), padding)


def product(start, a, b):
    """start + a b, group of terms by group."""
    a, b = rounded(a, columns=True), rounded(b, rows=True)
    total = np.broadcast_to(np.float32(start), (len(a), b.shape[1])).copy()
    for k in range(0, a.shape[1], GROUP):
        total = pairs.group_sum(total, a[:, k : k + GROUP], b[k : k + GROUP])
    return total


def test_forward_starts_at_the_bias(run):
    plan, state, rows = run
    for op in networks.dense(plan):
        weights, half = networks.weights_of(op, state.params), op["half"]
        x = value(op, state, rows, "x", op["fan_in"])
        expected = product(weights[-1], x[:, half:], weights[half:-1])
        if half:
            expected += product(0, x[:, :half], weights[:half])
        assert np.array_equal(value(op, state, rows, "y", op["fan_out"]), expected)


def test_backward(run):
    plan, state, rows = run
    (op,) = (op for op in networks.dense(plan) if op["dx"] >= 0)
    weights = networks.weights_of(op, state.params)
    expected = product(0, value(op, state, rows, "dy", op["fan_out"]), weights[:-1].T)
    assert np.array_equal(value(op, state, rows, "dx", op["fan_in"]), expected)


def test_gradient_with_the_bias_as_last_row(run):
    plan, state, rows = run
    for op in networks.dense(plan):
        x = value(op, state, rows, "x", op["fan_in"] + 1)
        expected = product(0, x.T, value(op, state, rows, "dy", op["fan_out"]))
        assert np.any(expected)
        assert np.array_equal(networks.weights_of(op, state.gradients), expected)


def test_ones_follow_the_values_and_zeros_all_else(run):
    plan, state, rows = run
    for op in networks.dense(plan):
        assert np.all(value(op, state, rows, "x", op["fan_in"] + 1)[:, -1] == 1)
        assert not networks.padding(op, state.gradients).any()
        columns, stride = int(op["fan_out"]), int(op["ldy"])
        delta = reference.arenas.matrix(state.workspace, op["dy"] + columns, stride, rows, stride - columns)
        assert not delta.any()


def test_a_smaller_batch_leaves_nothing_of_a_larger_one(run):
    """The rows of the larger batch are behind those of the smaller one, in the same group of terms."""
    plan, state, rows = run
    fewer = max(1, rows - 5)
    samples = networks.data(rows, int(plan[0]["fan_out"]), int(plan[-1]["fan_in"]), np.float32, seed=4)
    alone = networks.copy(state)
    alone.workspace[:] = 0
    for arenas in (state, alone):
        entries.forward(plan, arenas, samples, fewer, SEED, 0)
        entries.loss(plan, arenas, samples, fewer)
        entries.backward(plan, arenas, fewer, SEED, 0)
    assert np.array_equal(state.gradients, alone.gradients)
