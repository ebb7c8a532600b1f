"""Layers whose inputs a team shares: the same bits as on one thread, whatever the samples are."""

import numpy as np
import pytest

from fastmlp import Dense, Dropout, Sequential
from fastmlp.kernels import schema
from fastmlp.losses import Formula
from fastmlp.lowering import lower

SAMPLES, FEATURES, CLASSES, BATCH = (
    130,
    300,
    3,
    24,
)  # the last batch is smaller, and not for every thread a tile


def samples(form):
    """Samples of one kind, and their classes."""
    random = np.random.default_rng(0)
    X = random.standard_normal((SAMPLES, FEATURES)).astype(np.float32)
    if form != "dense":
        X = (np.abs(X) * 100 * (random.random(X.shape) < 0.2)).astype(np.uint8)
    if form == "csr":
        X = pytest.importorskip("scipy.sparse").csr_array(X)
    return X, random.integers(0, CLASSES, SAMPLES)


def train(form, **options):
    """All parameters after two epochs."""
    layers = [Dense(200, "relu"), Dropout(0.2), Dense(150, "tanh"), Dense(CLASSES, "softmax")]
    model = Sequential(layers, optimizer="adam", seed=3)
    model.fit(*samples(form), epochs=2, batch_size=BATCH, verbose=0, **options)
    return b"".join(array.tobytes() for layer in layers for array in layer.parameters.values())


@pytest.mark.parametrize("keep_gradients", [False, True])
@pytest.mark.parametrize("form", ["dense", "bytes", "csr"])
def test_any_number_of_threads(form, keep_gradients):
    expected = train(form, threads=1)
    for threads in (2, 3, 4, 6):
        assert train(form, threads=threads, keep_gradients=keep_gradients) == expected


def by_inputs(rows, features, units, training=True):
    """Which of two layers have their inputs shared."""
    plan = lower(
        [Dense(units), Dense(4)],
        features,
        rows,
        np.dtype(np.float32),
        loss=Formula("cross_entropy"),
        training=training,
    )
    dense = plan.operations[plan.operations["weights"] >= 0]
    assert plan.operations[0]["by_inputs"] == dense[0]["by_inputs"]
    return dense["by_inputs"].tolist()


def test_inputs_are_shared_where_less_crosses_than_of_the_weights():
    assert by_inputs(64, 784, 128) == [1, 0]
    assert by_inputs(64, 784, 512) == [1, 0]
    assert by_inputs(784, 784, 128) == [0, 0]
    assert by_inputs(64, 128, 128) == [0, 0]
    assert by_inputs(schema.SMALL_BATCH, 784, 128) == [0, 0]
    assert by_inputs(64, 784, 128, training=False) == [0, 0]
