"""Training through the public API: what is learnt, and what must be equal to the last bit."""

import sys
from io import StringIO

import numpy as np
import pytest

from fastmlp import (
    SGD,
    Adam,
    Dense,
    Dropout,
    Flatten,
    RMSprop,
    Sequential,
    TrainingDiverged,
    load,
    synthetic_digits,
)
from fastmlp.arenas import matrix
from fastmlp.kernels import jit, schema
from tests.mnist import mnist, needs_mnist
from tests.tolerance import assert_close

OPTIMIZERS = {
    "sgd": SGD(0.1),
    "momentum": SGD(0.05, momentum=0.9),
    "rmsprop": RMSprop(0.01),
    "adam": Adam(0.01),
}


def digits_model(**options):
    """A small network with everything that a file has to keep: dropout, an optimizer with state."""
    layers = [Flatten(), Dense(30, "relu"), Dropout(0.2), Dense(20, "tanh"), Dense(10, "softmax")]
    return Sequential(layers, **{"optimizer": "adam", "seed": 3} | options)


@pytest.fixture(scope="module")
def digits():
    """1,000 images and their labels; a last batch of 40 where batches have 64."""
    return synthetic_digits(1_000)


def parameters(model):
    """All trained numbers, one after the other."""
    return np.concatenate([array.ravel() for layer in model.layers for array in layer.parameters.values()])


def assert_same(model, other):
    np.testing.assert_array_equal(parameters(model), parameters(other))


# What is learnt


@needs_mnist
def test_mnist():
    data = mnist()
    model = Sequential(
        [Flatten(), Dense(512, "relu"), Dropout(0.2), Dense(256, "relu"), Dropout(0.2), Dense(10, "softmax")]
    )
    model.fit(data.x_train, data.y_train, epochs=5, batch_size=128, verbose=0)
    assert data.x_train.dtype == np.uint8
    assert model.evaluate(data.x_test, data.y_test)["accuracy"] >= 0.978


def test_synthetic_digits():
    images, labels = synthetic_digits(21_000)
    model = Sequential([Flatten(), Dense(128, "relu"), Dense(64, "relu"), Dense(10, "softmax")])
    model.fit(images[:20_000], labels[:20_000], epochs=5, batch_size=50, verbose=0)
    assert model.evaluate(images[20_000:], labels[20_000:])["accuracy"] >= 0.95


@pytest.mark.parametrize("activation", ["tanh", "relu", "leaky_relu", "sigmoid"])
def test_xor(activation):
    X, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float32"), [0, 1, 1, 0]
    model = Sequential([Dense(16, activation), Dense(2, "softmax")], optimizer=Adam(0.05))
    model.fit(X, y, epochs=300, batch_size=None, verbose=0)
    assert model.predict_classes(X).tolist() == y
    assert model.evaluate(X, y)["accuracy"] == 1


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_regression(optimizer):
    X = np.linspace(-1, 1, 200)[:, None]
    model = Sequential([Dense(20, "tanh"), Dense(1)], optimizer=OPTIMIZERS[optimizer])
    assert model.loss.name == "mean_squared_error"
    before = model.build(1).evaluate(X, X**2)["loss"]
    model.fit(X, X**2, epochs=100, batch_size=20, verbose=0)
    assert model.evaluate(X, X**2)["loss"] < before / 20


def test_multi_label():
    X = np.random.default_rng(0).normal(size=(400, 3))
    y = X > 0
    model = Sequential([Dense(16, "relu"), Dense(3, "sigmoid")], optimizer=Adam(0.01))
    assert model.loss.name == "binary_cross_entropy"
    model.fit(X, y, epochs=40, verbose=0)
    assert model.evaluate(X, y)["accuracy"] > 0.95
    assert ((model.predict(X) > 0.5) == y).mean() == pytest.approx(model.evaluate(X, y)["accuracy"])


@pytest.mark.parametrize("engine", ["kernels", "reference"])
def test_regression_of_several_outputs(engine):
    X = np.random.default_rng(0).uniform(-1, 1, (300, 2))
    y = np.stack([X.sum(axis=1), X.prod(axis=1), np.abs(X[:, 0])], axis=1)
    model = Sequential([Dense(40, "tanh"), Dense(3)], optimizer=Adam(0.01))
    model.fit(X, y, epochs=60, engine=engine, verbose=0)
    found = model.evaluate(X, y)
    error = model.predict(X) - y
    assert found == pytest.approx(
        {"loss": (error**2).mean(), "mean_absolute_error": np.abs(error).mean()}, rel=1e-4
    )
    assert found["loss"] < y.var(axis=0).mean() / 20


# What is the same


def test_reference_engine(digits):
    """The same order of samples, the same dropout, so the same network up to rounding."""
    X, y = digits
    options = {"dtype": "float64", "optimizer": SGD(0.1, momentum=0.5)}
    models = [digits_model(**options), digits_model(**options)]
    for model, engine in zip(models, ("kernels", "reference"), strict=True):
        model.fit(X, y, epochs=2, batch_size=64, engine=engine, verbose=0)
    # The longest sum has 785 terms; four layers of sums forward and backward, 32 steps.
    assert_close(*map(parameters, models), terms=785 * 8 * 32, scale=np.ones(models[0].parameters))
    ours, twins = (model.evaluate(X, y, engine="reference") for model in models)
    assert ours == pytest.approx(twins)
    np.testing.assert_allclose(models[0].predict(X), models[0].predict(X, engine="reference"), rtol=1e-9)


def test_bytes_are_fractions_of_255(digits):
    X, y = digits
    from_bytes, from_floats = digits_model(), digits_model()
    from_bytes.fit(X, y, epochs=1, verbose=0)
    from_floats.fit(X * np.float32(1 / 255), y, epochs=1, verbose=0)
    assert_same(from_bytes, from_floats)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_resumed_training(digits, optimizer, tmp_path):
    X, y = digits
    options = {"batch_size": 64, "verbose": 0}
    whole, halves = (digits_model(optimizer=OPTIMIZERS[optimizer]) for _ in range(2))
    whole.fit(X, y, epochs=2, **options)
    halves.fit(X, y, epochs=1, **options)
    halves.save(tmp_path / "model.safetensors")
    loaded = load(tmp_path / "model.safetensors")
    assert_same(halves, loaded)
    for model in (halves, loaded):
        model.fit(X, y, epochs=1, **options)
        assert_same(whole, model)
    assert whole.history.epochs == halves.history.epochs == [1, 2]
    assert loaded.history.epochs == [2]
    assert (
        whole.history["loss"]
        == halves.history["loss"]
        == [*halves.history["loss"][:1], *loaded.history["loss"]]
    )


def test_last_batch_is_trained():
    """One epoch of 4 + 3 samples is a step of 4, then one of 3."""
    X, y = np.random.default_rng(0).normal(size=(7, 5)), np.arange(7) % 2
    whole, parts = (Sequential([Dense(2, "softmax")], optimizer=SGD(0.5)) for _ in range(2))
    whole.fit(X, y, epochs=1, batch_size=4, shuffle=False, verbose=0)
    parts.fit(X[:4], y[:4], epochs=1, shuffle=False, verbose=0)
    parts.fit(X[4:], y[4:], epochs=1, shuffle=False, verbose=0)
    assert_same(whole, parts)


def test_no_batch_size_is_all_samples(digits):
    X, y = digits
    whole, sized = digits_model(), digits_model()
    whole.fit(X, y, epochs=2, batch_size=None, verbose=0)
    sized.fit(X, y, epochs=2, batch_size=len(X), verbose=0)
    assert_same(whole, sized)
    assert whole.network.steps == [2] * 5


def test_one_sample_after_the_other(digits):
    """A batch of one sample is a step of it alone."""
    X, y = digits[0][:30], digits[1][:30]
    whole, single = (Sequential([Flatten(), Dense(12, "tanh"), Dense(10, "softmax")]) for _ in range(2))
    history = whole.fit(X, y, epochs=1, batch_size=1, shuffle=False, verbose=0)
    losses = [single.train_on_batch(X[i : i + 1], y[i : i + 1]) for i in range(30)]
    assert_same(whole, single)
    assert history["loss"][0] == pytest.approx(np.mean(losses), rel=1e-12)
    assert whole.network.steps == single.network.steps == [30] * 3


@pytest.mark.parametrize("engine", ["kernels", "reference"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_step_on_a_batch_is_that_of_fit(digits, optimizer, engine):
    X, y = digits
    whole, steps = (
        Sequential([Flatten(), Dense(12, "relu"), Dense(10, "softmax")], optimizer=OPTIMIZERS[optimizer])
        for _ in range(2)
    )
    whole.fit(X[:100], y[:100], epochs=2, batch_size=64, shuffle=False, engine=engine, verbose=0)
    for _ in range(2):
        for part in (slice(0, 64), slice(64, 100)):
            before = steps.build((28, 28)).evaluate(X[part], y[part])["loss"]
            assert steps.train_on_batch(X[part], y[part], engine=engine) == pytest.approx(before, rel=1e-5)
    assert_same(whole, steps)
    assert (len(steps.history), steps.epochs) == (0, 0)


def test_each_step_on_a_batch_drops_other_units(digits):
    """With a rate that is almost 0 all steps are alike but for what dropout does."""
    X, y = digits
    model = Sequential([Flatten(), Dropout(0.5), Dense(10, "softmax")], optimizer=SGD(1e-30))
    losses = {model.train_on_batch(X[:64], y[:64]) for _ in range(5)}
    assert len(losses) == 5


def test_a_step_that_diverges_changes_nothing(digits):
    X, y = digits
    model = digits_model()
    model.fit(X, y, epochs=1, verbose=0)
    model.layers[1].weight[0, 0] = np.nan
    arenas = [arena.copy() for arena in (model.network.params, model.network.slots)]
    steps = list(model.network.steps)
    with pytest.raises(
        TrainingDiverged, match=f"the loss is not finite in step {steps[0] + 1}; the model is as it"
    ):
        model.train_on_batch(np.ones((3, 28, 28)), y[:3])
    for arena, before in zip((model.network.params, model.network.slots), arenas, strict=True):
        np.testing.assert_array_equal(arena, before)
    assert model.network.steps == steps


def test_epochs_can_be_named(digits):
    """From which epoch on to train, and up to which: the order of the samples and dropout are theirs."""
    X, y = digits
    whole, parts = digits_model(), digits_model()
    whole.fit(X, y, epochs=5, verbose=0)
    parts.fit(X, y, epochs=2, initial_epoch=0, verbose=0)
    parts.fit(X, y, epochs=4, initial_epoch=2, verbose=0)
    parts.fit(X, y, epochs=1, verbose=0)
    assert_same(whole, parts)
    assert whole.epochs == parts.epochs == 5
    assert parts.history.epochs == [1, 2, 3, 4, 5]
    assert parts.history["loss"] == whole.history["loss"]


def test_epochs_that_are_trained_again(digits):
    """They take the place of what the history had from there on."""
    X, y = digits
    model = digits_model()
    first = model.fit(X, y, epochs=4, validation_data=digits, verbose=0).as_dict()
    history = model.fit(X, y, epochs=3, initial_epoch=1, verbose=0)
    assert history.epochs == [1, 2, 3]
    assert model.epochs == 3
    assert history["loss"][0] == first["metrics"]["loss"][0]
    assert history["loss"][1:] != first["metrics"]["loss"][1:3]
    np.testing.assert_array_equal(history["val_loss"], [first["metrics"]["val_loss"][0], np.nan, np.nan])


@pytest.mark.parametrize(("epochs", "initial"), [(3, 3), (3, 4), (3, -1), (3, 0.5), (3, True), (3, "1")])
def test_epochs_that_cannot_be(digits, epochs, initial):
    with pytest.raises(
        ValueError, match=r"initial_epoch: expected a whole number from 0 and below epochs=3, .* got"
    ):
        digits_model().fit(*digits, epochs=epochs, initial_epoch=initial, verbose=0)


def test_seeds_differ(digits):
    X, y = digits
    models = [digits_model(seed=seed) for seed in (1, 2)]
    for model in models:
        model.fit(X, y, epochs=1, verbose=0)
    assert (parameters(models[0]) != parameters(models[1])).mean() > 0.9


# What is shown


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
    """Not for another architecture, batch size, loss or kind of samples; of an optimizer, its step alone, once."""
    X, y = digits

    def use(model, X, y, **options):
        model.fit(X, y, verbose=0, epochs=1, **options)
        model.evaluate(X, y)
        model.predict(X)

    use(digits_model(), X, y)
    before = compiled()
    use(digits_model(optimizer="momentum"), X, y)
    steps = {name for name in before if compiled()[name] != before[name]}
    assert steps <= {f"fastmlp.kernels.steps.{entry}" for entry in ("step_entry", "outer_entry")}
    before = compiled()
    use(digits_model(optimizer=Adam(0.1)), X, y, batch_size=17, threads=2)
    use(digits_model(optimizer="momentum"), X.astype("float32"), y.astype("int32"), keep_gradients=True)
    use(Sequential([Dense(5, "sigmoid"), Dense(4), Dense(3)]), X[:, 0] / 255.0, X[:, 1, :3] / 255.0)
    read_only = X.copy()
    read_only.flags.writeable = False
    use(Sequential([Flatten(), Dropout(0.5), Dense(10, "softmax")]), read_only, y.tolist(), shuffle=False)
    assert compiled() == before
