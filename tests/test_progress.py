"""What training shows and keeps: history, progress, gradients, padding; and that it compiles nothing anew."""

import sys
from io import StringIO

import numpy as np
import pytest

from fastmlp import SGD, Adam, Dense, Dropout, Flatten, Sequential
from fastmlp.engine.buffers import matrix
from fastmlp.kernels import schema
from fastmlp.kernels.compiler import jit
from tests.digits import OPTIMIZERS, digits_model
from tests.tolerance import assert_close


def test_validation_is_evaluation(digits):
    X, y = digits
    model = digits_model()
    history = model.fit(X[:900], y[:900], epochs=3, validation_data=(X[900:], y[900:]), verbose=0)
    measured = model.evaluate(X[900:], y[900:])
    assert {name: history[f"val_{name}"][-1] for name in measured} == measured
    assert history is model.history
    assert history.epochs == [1, 2, 3]
    names = {"loss", "accuracy", "val_loss", "val_accuracy", "seconds", "samples_per_second"}
    assert set(history) == names
    assert all(len(history[name]) == 3 for name in names)


def test_history_is_the_mean_over_the_samples(digits):
    """In one full batch without dropout, it is the evaluation from before the step."""
    X, y = digits
    model = Sequential([Flatten(), Dense(10, "softmax")]).build((28, 28))
    before = model.evaluate(X, y)
    history = model.fit(X, y, epochs=1, batch_size=None, verbose=0)
    assert {name: history[name][0] for name in before} == pytest.approx(before, rel=1e-6)


class Terminal(StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(("verbose", "lines", "bar"), [(0, 0, False), (1, 2, True), (2, 2, False)])
def test_what_is_shown(digits, verbose, lines, bar, monkeypatch):
    monkeypatch.setattr("sys.stderr", Terminal())
    model = digits_model()
    model.fit(*digits, epochs=2, verbose=verbose)
    shown = sys.stderr.getvalue()
    assert ("samples/s]" in shown) == bar
    assert [f"epoch {n}/2  loss {model.history['loss'][n - 1]:.4f}" in shown for n in (1, 2)] == [
        lines == 2
    ] * 2
    assert (shown == "") == (verbose == 0)


@pytest.mark.parametrize("verbose", [3, -1, "auto", None, 0.5])
def test_what_cannot_be_shown(digits, verbose):
    with pytest.raises(ValueError, match="verbose: expected 0, 1 or 2, got"):
        digits_model().fit(*digits, verbose=verbose)


def test_keep_gradients(digits):
    """What is seen afterwards is the gradient of the last step."""
    X, y = digits
    model = Sequential([Flatten(), Dense(12, "tanh"), Dense(10, "softmax")], optimizer=SGD(0.5)).build(
        (28, 28)
    )
    with pytest.raises(RuntimeError, match="keep_gradients"):
        _ = model.layers[1].d_weight
    before = [(layer.weight.copy(), layer.bias.copy()) for layer in model.layers[1:]]
    model.fit(X, y, epochs=1, batch_size=None, keep_gradients=True, verbose=0)
    for layer, (weight, bias) in zip(model.layers[1:], before, strict=True):
        # One fused multiply-add each, so one rounding.
        assert_close(
            layer.weight, weight - np.float32(0.5) * layer.d_weight, terms=2, scale=np.abs(weight) + 1
        )
        assert_close(layer.bias, bias - np.float32(0.5) * layer.d_bias, terms=2, scale=np.abs(bias) + 1)
        assert np.abs(layer.d_weight).max() > 0


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_padding_stays_zero(digits, optimizer):
    X, y = digits
    model = digits_model(optimizer=OPTIMIZERS[optimizer])
    model.fit(X, y, epochs=2, batch_size=64, keep_gradients=True, verbose=0)
    network, padded = model.network, np.ones(model.network.params.size, bool)
    for op in model.plan.operations:
        if op["kind"] == schema.DENSE:
            start, stride, rows = int(op["weights"]), int(op["ldw"]), int(op["fan_in"]) + 1
            matrix(padded, start, stride, rows, int(op["fan_out"]))[...] = False
    assert padded.any()
    assert (~padded).sum() == model.parameters
    for arena in (network.params, network.gradients, *network.slot_arenas()):
        assert not arena[padded].any()
        assert arena[~padded].any()


def compiled():
    """Machine code so far: of each entry its signatures, and how often it was compiled or read."""
    return {
        name: (len(entry.signatures), sum(entry.stats.cache_misses.values()))
        for name, entry in jit.ENTRIES.items()
    }


def test_nothing_is_compiled_twice(digits):
    """Not for another architecture, batch size or kind of samples; of an optimizer, its step alone, once."""
    X, y = digits

    def use(model, X, y, **options):
        model.fit(X, y, verbose=0, epochs=1, **options)
        model.evaluate(X, y)
        model.predict(X)

    def use_small():  # an activation, a loss and dropout are code of their own
        use(Sequential([Dropout(0.5), Dense(5, "sigmoid"), Dense(3)]), X[:, 0] / 255.0, X[:, 1, :3] / 255.0)

    use(digits_model(), X, y)
    use_small()
    before = compiled()
    use(digits_model(optimizer="momentum"), X, y)
    steps = {name for name in before if compiled()[name] != before[name]}
    assert steps <= {
        f"fastmlp.kernels.program.optimizer_code.{entry}" for entry in ("step_entry", "outer_entry")
    }
    before = compiled()
    use(digits_model(optimizer=Adam(0.1)), X, y, batch_size=17, threads=2)
    use(digits_model(optimizer="momentum"), X.astype("float32"), y.astype("int32"), keep_gradients=True)
    use_small()
    use(Sequential([Dense(5, "sigmoid"), Dense(4), Dense(3)]), X[:, 0] / 255.0, X[:, 1, :3] / 255.0)
    read_only = X.copy()
    read_only.flags.writeable = False
    use(Sequential([Flatten(), Dropout(0.5), Dense(10, "softmax")]), read_only, y.tolist(), shuffle=False)
    assert compiled() == before
