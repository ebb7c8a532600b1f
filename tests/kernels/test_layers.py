"""Dense layers: forward, backward and gradient are bit-equal to scalar loops."""

import numpy as np
import pytest

from fastmlp.kernels import reference, schema
from fastmlp.kernels.program import entries
from tests.cases import DTYPES
from tests.kernels import networks, scalar
from tests.kernels.networks import SEED

# Rows, features, units of two layers: ones; primes; more rows than a chunk and more units than a tile; sums in halves.
SHAPES = [(1, 1, 1, 1), (13, 17, 7, 3), (65, 49, 129, 33), (9, 200, 150, 3)]


@pytest.fixture(params=SHAPES, ids=str)
def run(request, dtype):
    """A network after forward, loss and backward."""
    rows, features, *units = request.param
    parts = [("dense", count) for count in units]
    plan, state = networks.build(parts, features=features, rows=rows, dtype=dtype, loss="mean_squared_error")
    samples = networks.data(rows, features, units[-1], dtype)
    entries.forward(plan, state, samples, rows, SEED, 0)
    entries.loss(plan, state, samples, rows)
    entries.backward(plan, state, rows, SEED, 0)
    return plan, state, rows


@pytest.fixture(params=DTYPES)
def dtype(request):
    return request.param


def value(op, state, rows, place, columns):
    """A matrix of the workspace."""
    stride = op["ldx"] if place in ("x", "dx") else op["ldy"]
    return reference.arenas.matrix(state.workspace, op[place], int(stride), rows, int(columns))


def product(A, B):
    result = np.empty((A.shape[0], B.shape[1]), A.dtype)
    scalar.product(result, A, B)
    return result


def test_forward_adds_the_bias_after_the_sum(run):
    plan, state, rows = run
    for op in networks.dense(plan):
        weights = networks.weights_of(op, state.params)
        x = value(op, state, rows, "x", op["fan_in"])
        half = op["half"]
        expected = product(x[:, half:], weights[half:-1]) + weights[-1]
        if half:
            expected += product(x[:, :half], weights[:half])
        assert np.array_equal(value(op, state, rows, "y", op["fan_out"]), expected)


def test_sums_of_many_inputs_are_made_of_two_halves():
    halves = {inputs: schema.second_half(inputs) for inputs in (1, 128, 129, 200, 784, 20_000)}
    assert halves == {1: 0, 128: 0, 129: 96, 200: 128, 784: 416, 20_000: 10_016}


def test_a_column_of_ones_follows_the_outputs(run):
    plan, state, rows = run
    for op in networks.dense(plan):
        assert np.all(value(op, state, rows, "x", op["fan_in"] + 1)[:, -1] == 1)


def test_backward(run):
    plan, state, rows = run
    (op,) = (op for op in networks.dense(plan) if op["dx"] >= 0)
    weights = networks.weights_of(op, state.params)
    expected = product(value(op, state, rows, "dy", op["fan_out"]), np.ascontiguousarray(weights[:-1].T))
    assert np.array_equal(value(op, state, rows, "dx", op["fan_in"]), expected)


def test_gradient_with_the_bias_as_last_row(run):
    plan, state, rows = run
    for op in networks.dense(plan):
        x = value(op, state, rows, "x", op["fan_in"] + 1)
        expected = product(x.T, value(op, state, rows, "dy", op["fan_out"]))
        assert np.any(expected)
        assert np.array_equal(networks.weights_of(op, state.gradients), expected)


def test_padding_stays_zero(run):
    plan, state, rows = run
    for op in networks.dense(plan):
        assert not networks.padding(op, state.gradients).any()
        columns, stride = int(op["fan_out"]), int(op["ldy"])
        delta = reference.arenas.matrix(state.workspace, op["dy"] + columns, stride, rows, stride - columns)
        assert not delta.any()
