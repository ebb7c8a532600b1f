"""Training: the same for all engines, types, batches and resumed runs."""

import numpy as np
import pytest

from fastmlp import SGD, Dense, Dropout, Flatten, Sequential, TrainingDiverged, load
from tests.digits import OPTIMIZERS, assert_same, digits_model, parameters
from tests.tolerance import assert_close


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


@pytest.mark.survives("R28")
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
    assert whole.history.epochs == halves.history.epochs == loaded.history.epochs == [1, 2]
    assert whole.history["loss"] == halves.history["loss"] == loaded.history["loss"]


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
        ValueError, match=r"initial_epoch: expected a whole number of at least 0 and below 3, got"
    ):
        digits_model().fit(*digits, epochs=epochs, initial_epoch=initial, verbose=0)


def test_seeds_differ(digits):
    X, y = digits
    models = [digits_model(seed=seed) for seed in (1, 2)]
    for model in models:
        model.fit(X, y, epochs=1, verbose=0)
    assert (parameters(models[0]) != parameters(models[1])).mean() > 0.9
