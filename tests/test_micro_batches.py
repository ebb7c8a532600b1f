"""Large batches run through the workspace in micro-batches: the same bits, and the memory of one micro-batch."""

import numpy as np
import pytest

from fastmlp import Adam, BatchNorm, Dense, Dropout, LayerNorm, Sequential, TrainingDiverged
from fastmlp.engine import run_arguments
from fastmlp.engine.run_arguments import micro_batch_rows

SAMPLES, FEATURES, CLASSES = 150, 200, 3
BATCH, MICRO_BATCH = 100, 40  # the second batch is smaller, and so is the last micro-batch of each

NETWORKS = {
    "deep": lambda: [Dense(60, "relu"), Dropout(0.3), Dense(20, "tanh"), Dense(CLASSES, "softmax")],
    "wide": lambda: [Dense(200, "relu"), Dense(200, "gelu"), Dense(CLASSES, "softmax")],
    "norm": lambda: [Dense(33), LayerNorm(), Dense(CLASSES, "softmax")],
}
OPTIMIZERS = {
    "adam": Adam,
    "clipped": lambda: Adam(global_clip_norm=0.01),
    "penalised": lambda: Adam(weight_decay=0.01, ema_momentum=0.9),
    "sgd": lambda: "sgd",
}


def samples(form, dtype):
    """Samples of one kind, and their classes."""
    random = np.random.default_rng(0)
    X = random.standard_normal((SAMPLES, FEATURES)).astype(dtype)
    if form != "dense":
        X = (np.abs(X) * 100 * (random.random(X.shape) < 0.2)).astype(np.uint8)
    if form == "csr":
        X = pytest.importorskip("scipy.sparse").csr_array(X)
    return X, random.integers(0, CLASSES, SAMPLES)


@pytest.fixture
def trained(monkeypatch):
    """Train with so many rows in a micro-batch."""

    def train(rows, layers, form="dense", optimizer="adam", dtype="float32", **options):
        monkeypatch.setattr(run_arguments, "MICRO_BATCH_ROWS", rows)
        model = Sequential(layers, optimizer=optimizer, seed=3, dtype=dtype)
        weights = np.linspace(0.5, 2.0, SAMPLES)
        history = model.fit(
            *samples(form, dtype), epochs=2, batch_size=BATCH, sample_weight=weights, verbose=0, **options
        )
        return model, history

    return train


def bits(model, history):
    """All that training leaves behind."""
    net = model.network
    return (
        net.params.tobytes(),
        net.slots.tobytes(),
        net.averages.tobytes(),
        history["loss"],
        history["accuracy"],
    )


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("form", ["dense", "bytes", "csr"])
def test_samples_and_optimizers(trained, form, optimizer, threads):
    layers, step = NETWORKS["deep"], OPTIMIZERS[optimizer]
    whole = bits(*trained(BATCH, layers(), form, step()))
    assert bits(*trained(MICRO_BATCH, layers(), form, step(), threads=threads)) == whole


@pytest.mark.parametrize("threads", [1, 2, 4])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("layers", NETWORKS)
def test_layers(trained, layers, dtype, threads):
    whole = bits(*trained(BATCH, NETWORKS[layers](), dtype=dtype))
    assert bits(*trained(MICRO_BATCH, NETWORKS[layers](), dtype=dtype, threads=threads)) == whole


def test_kept_gradients_are_those_of_the_whole_batch(trained):
    models = [trained(rows, NETWORKS["deep"](), keep_gradients=True)[0] for rows in (BATCH, MICRO_BATCH)]
    assert models[0].network.gradients.tobytes() == models[1].network.gradients.tobytes() != b""


def test_gradients_of_a_run_are_not_kept(trained):
    model, _ = trained(MICRO_BATCH, NETWORKS["deep"]())
    with pytest.raises(RuntimeError, match="no gradients"):
        model.network.kept_gradients()


def workspace(model):
    """Numbers of the workspace of the last training."""
    _, _, state = model.network.cache["train"]
    return state.workspace.size


def test_memory_of_a_large_batch(trained, monkeypatch):
    monkeypatch.setattr(run_arguments, "MICRO_BATCH_ROWS", 24)
    sizes = []
    for batch_size in (24, 48, 144):
        model = Sequential(NETWORKS["deep"](), seed=3)
        model.fit(*samples("dense", "float32"), epochs=1, batch_size=batch_size, verbose=0)
        sizes.append(workspace(model))
    assert sizes[0] == sizes[1] == sizes[2]


def test_micro_batches_are_even(trained):
    model, _ = trained(1024, NETWORKS["deep"]())
    rows = {
        batch: micro_batch_rows(model.network, batch)
        for batch in (1, 7, 1000, 1024, 1025, 2048, 2049, 60_000)
    }
    assert rows == {1: 1, 7: 7, 1000: 1000, 1024: 1024, 1025: 520, 2048: 1024, 2049: 688, 60_000: 1024}


def test_batch_norm_sees_the_whole_batch(trained):
    layers = [Dense(33), BatchNorm(), Dense(CLASSES, "softmax")]
    model, history = trained(MICRO_BATCH, layers)
    assert micro_batch_rows(model.network, BATCH) == BATCH
    again = [Dense(33), BatchNorm(), Dense(CLASSES, "softmax")]
    assert bits(model, history) == bits(*trained(BATCH, again))


def test_a_loss_that_is_not_finite_in_a_later_micro_batch(monkeypatch):
    X = np.zeros((96, 4), np.float32)
    X[70] = 3e38  # its sums overflow
    monkeypatch.setattr(run_arguments, "MICRO_BATCH_ROWS", 32)
    model = Sequential([Dense(4, "relu"), Dense(1)], optimizer="sgd", seed=0)
    model.build(4)
    before = model.network.params.copy()
    with pytest.raises(TrainingDiverged, match="epoch 1"):
        model.fit(X, np.zeros((96, 1)), epochs=1, batch_size=96, shuffle=False, verbose=0)
    assert np.array_equal(before, model.network.params)
