"""Batches of at most `SMALL_BATCH` rows, whose gradients are added where they are used, against the reference."""

import numpy as np
import pytest

from fastmlp import SGD, Adam, BatchNorm, Dense, GaussianNoise, LayerNorm, Sequential
from fastmlp.engine.layer_lowering import lower
from fastmlp.kernels import schema, tables
from fastmlp.losses import Formula

RANDOM = np.random.default_rng(3)
BATCHES = range(1, schema.SMALL_BATCH + 1)
SAMPLES = 12

NETWORKS = {
    "dense": lambda: [Dense(6, "tanh"), Dense(2)],
    "sparse": lambda: [Dense(6, "relu"), Dense(2)],
    "two halves": lambda: [Dense(140, "tanh"), Dense(2)],
    "affine of rows": lambda: [Dense(6, "tanh"), LayerNorm(), Dense(2)],
    "affine of columns": lambda: [Dense(6, "tanh"), GaussianNoise(0.1), BatchNorm(epsilon=0.1), Dense(2)],
}
OPTIMIZERS = {"sgd": SGD, "adam": Adam, "weight decay": lambda: SGD(0.1, weight_decay=0.1)}


def train(engine, layers, optimizer, batch_size, X, y, epochs=2):
    model = Sequential(layers(), loss="mean_squared_error", optimizer=optimizer(), seed=5, dtype="float64")
    model.fit(X, y, epochs=epochs, batch_size=batch_size, engine=engine, threads=1, verbose=0)
    return model.network.params


def data(samples):
    """Half of the inputs are zero."""
    X = RANDOM.normal(size=(samples, 7)) * (RANDOM.random((samples, 7)) < 0.5)
    return X, RANDOM.normal(size=(samples, 2))


def assert_equal_but_for_rounding(ours, expected):
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-9 * (1 + np.abs(expected).max()))


def test_the_networks_have_every_kind_with_weights():
    """But that of mixed precision, which has no path for few rows and no float64."""
    found = set()
    for layers in NETWORKS.values():
        plan = lower(layers(), (7,), 4, np.dtype(float), loss=Formula("huber", 1.0), training=True)
        found |= set(plan.operations["kind"][plan.operations["weights"] >= 0].tolist())
    every = {code for code, kind in enumerate(tables.KINDS) if kind.weight_rows(1) > 0}
    assert found == every - {schema.MIXED}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("batch_size", BATCHES)
def test_every_kind_with_weights(batch_size, network, optimizer):
    X, y = data(SAMPLES)
    ours, expected = (
        train(engine, NETWORKS[network], OPTIMIZERS[optimizer], batch_size, X, y)
        for engine in ("kernels", "reference")
    )
    assert_equal_but_for_rounding(ours, expected)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("last", BATCHES)
def test_a_small_last_batch_leaves_no_stale_transposed_weights(last, optimizer):
    """Its step does not transpose the weights, which the next epoch reads transposed."""
    X, y = data(16 + last)
    layers = lambda: [Dense(9, "tanh"), Dense(9, "tanh"), Dense(2)]  # noqa: E731
    ours, expected = (
        train(engine, layers, OPTIMIZERS[optimizer], 8, X, y, epochs=4) for engine in ("kernels", "reference")
    )
    assert_equal_but_for_rounding(ours, expected)
