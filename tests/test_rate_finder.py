"""Which learning rate to train with: the model stays as it is, the suggestion is one that trains well."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from fastmlp import (
    SGD,
    Adam,
    Dense,
    Dropout,
    Flatten,
    RMSprop,
    Sequential,
    StandardScaler,
    find_learning_rate,
    load,
    synthetic_digits,
)
from fastmlp.rate_finder import FEWEST_STEPS, _batches

IMAGES, LABELS = synthetic_digits(3_000)


def make(optimizer="adam", **options) -> Sequential:
    layers = [Flatten(), Dense(32, "relu"), Dropout(0.1), Dense(10, "softmax")]
    return Sequential(layers, optimizer=optimizer, **{"seed": 4} | options)


def test_curve():
    found = find_learning_rate(make(), IMAGES, LABELS, lowest=1e-5, highest=0.1, steps=120)
    np.testing.assert_allclose(found.rates, np.geomspace(1e-5, 0.1, 120))
    assert found.losses.shape == found.smoothed.shape == (120,)
    assert repr(found).startswith("<LearningRates of 120 steps from 1e-05 to 0.1: suggestion 0.0")
    assert found.losses[0] == pytest.approx(make().build((28, 28)).evaluate(IMAGES, LABELS)["loss"], rel=0.1)
    assert np.std(np.diff(found.smoothed)) < 0.3 * np.std(np.diff(found.losses))
    assert abs(np.mean(found.smoothed - found.losses)) < 0.01


@pytest.mark.parametrize("optimizer", [SGD(), SGD(momentum=0.9), RMSprop(), Adam()], ids=lambda o: o.name)
def test_the_suggestion_trains_better_than_rates_far_from_it(optimizer):
    """The loss after a pass with the suggestion is below that with a thirtieth and with thirty times of it."""
    suggestion = find_learning_rate(make(optimizer), IMAGES, LABELS).suggestion

    def loss(rate: float) -> float:
        model = make(type(optimizer)(**{**optimizer.__dict__, "learning_rate": rate}))
        model.fit(IMAGES, LABELS, epochs=2, batch_size=64, verbose=0)
        return model.evaluate(IMAGES, LABELS)["loss"]

    best = loss(suggestion)
    assert best < loss(suggestion / 30)
    assert best < loss(suggestion * 30)


def test_it_is_the_same_each_time():
    one, other = (find_learning_rate(make(), IMAGES, LABELS, steps=50) for _ in range(2))
    np.testing.assert_array_equal(one.losses, other.losses)
    assert one.suggestion == other.suggestion


def test_a_trained_model_stays_as_it_is(tmp_path):
    """What it is saved as is the same, byte for byte, and so is what it learns afterwards."""
    model = make(Adam(0.002))
    model.fit(IMAGES, LABELS, epochs=2, verbose=0)
    optimizer, history = model.optimizer, [*model.history["loss"]]
    model.save(tmp_path / "before")
    find_learning_rate(model, IMAGES, LABELS)
    model.save(tmp_path / "after")
    assert (tmp_path / "before").read_bytes() == (tmp_path / "after").read_bytes()
    assert model.optimizer is optimizer
    assert model.history["loss"] == history
    assert optimizer == Adam(0.002)
    untouched = load(tmp_path / "before")
    for one in (model, untouched):
        one.fit(IMAGES, LABELS, epochs=1, verbose=0)
    model.save(tmp_path / "model")
    untouched.save(tmp_path / "untouched")
    assert (tmp_path / "model").read_bytes() == (tmp_path / "untouched").read_bytes()


def test_a_model_that_is_not_built_stays_so():
    model = make()
    find_learning_rate(model, IMAGES, LABELS, steps=30)
    assert len(model.history) == 0
    with pytest.raises(RuntimeError, match="no parameters yet"):
        model.summary()
    model.add(Dense(10, "softmax"))


@pytest.mark.parametrize("built", [True, False], ids=["built", "not built"])
def test_a_learning_rate_that_is_a_function(built):
    """A file cannot hold it, and the search has rates of its own."""
    model, simple = make(Adam(lambda step: 0.01 / (1 + step))), make()
    if built:
        model.build((28, 28))
    schedule = model.optimizer.learning_rate
    found = find_learning_rate(model, IMAGES[:500], LABELS[:500])
    assert model.optimizer.learning_rate is schedule
    expected = find_learning_rate(simple, IMAGES[:500], LABELS[:500])
    np.testing.assert_array_equal(found.losses, expected.losses)


def test_it_starts_from_the_weights_of_the_model():
    model = make()
    model.fit(IMAGES, LABELS, epochs=5, verbose=0)
    found = find_learning_rate(model, IMAGES, LABELS, steps=40)
    assert found.losses[0] < 0.5


@pytest.mark.parametrize("seed", range(5))
def test_a_fall_by_chance_is_no_suggestion(seed):
    """With such small steps nothing is learnt, and the loss only differs from batch to batch."""
    found = find_learning_rate(make(SGD(), seed=seed), IMAGES, LABELS, lowest=1e-9, highest=1e-6)
    assert found.suggestion is None


def test_values_sparse_rows_and_few_samples():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 4)).astype("float32")
    y = X @ [[1.0], [2.0], [-1.0], [0.5]]
    model = Sequential([Dense(8, "tanh"), Dense(1)])
    dense = find_learning_rate(model, X, y, batch_size=64)
    assert dense.suggestion is not None
    given = find_learning_rate(model, sparse.coo_array(X), y.tolist(), batch_size=64)
    np.testing.assert_array_equal(given.losses, dense.losses)


def test_batches_are_all_of_the_same_size_and_pass_over_all_samples():
    source = _batches(10, 4, seed=0)
    taken = [next(source) for _ in range(5)]
    assert [len(batch) for batch in taken] == [4] * 5
    numbers = np.concatenate(taken)
    assert sorted(numbers[:10]) == sorted(numbers[10:]) == list(range(10))
    assert list(numbers[:10]) != list(numbers[10:])


def test_it_ends_where_the_loss_has_grown_far():
    found = find_learning_rate(make(SGD()), IMAGES, LABELS, highest=1e6, steps=300)
    assert FEWEST_STEPS < len(found.rates) < 300
    assert np.isfinite(found.losses).all()
    assert found.rates[-1] < 100
    assert found.suggestion < found.rates[-1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lowest": 0}, "lowest: expected a number above 0, got 0"),
        ({"lowest": 1.0, "highest": 0.1}, "highest: expected a number above 1, got 0.1"),
        ({"highest": np.inf}, "highest: expected a number above 1e-06, got inf"),
        ({"lowest": float("nan")}, "lowest: expected a number above 0, got nan"),
        ({"lowest": "1e-5"}, "lowest: expected a number above 0, got '1e-5'"),
        ({"steps": 19}, "steps: expected a whole number of at least 20, got 19"),
        ({"steps": 50.0}, "got 50.0"),
        ({"batch_size": 0}, "batch_size: expected a whole number of at least 1, got 0"),
        (
            {"lowest": 100.0, "highest": 1e9},
            r"the loss grew from .* too far within \d+ steps, from the learning rate 100",
        ),
    ],
)
def test_what_does_not_make_sense_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        find_learning_rate(make(SGD()), IMAGES, LABELS, **options)


def test_samples_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="y: expected one target for each of the 3000 samples of X, got 10"):
        find_learning_rate(make(), IMAGES, LABELS[:10])
    with pytest.raises(ValueError, match=r"X: expected finite numbers .* at index \(1, 2, 3\)"):
        bad = IMAGES.astype("float32")
        bad[1, 2, 3] = np.nan
        find_learning_rate(make(), bad, LABELS)
    with pytest.raises(ValueError, match=r"X: expected samples of shape \(28, 28\) .* got \(28, 27\)"):
        find_learning_rate(make().build((28, 28)), IMAGES[..., 1:], LABELS)
    with pytest.raises(TypeError, match="find_learning_rate: expected a Sequential, got str"):
        find_learning_rate("model", IMAGES, LABELS)


def test_data_frames_and_scalers():
    """A scaler is fitted to all samples, not to the first batch; names of columns do not disturb."""
    rng = np.random.default_rng(1)
    X = rng.normal(50, 20, size=(400, 3))
    y = (X.sum(axis=1) > 150).astype(int)
    given = pd.DataFrame(X, columns=["a", "b", "c"]), pd.Series(y)

    def scaled(optimizer) -> Sequential:
        return Sequential([StandardScaler(), Dense(8, "relu"), Dense(2, "softmax")], optimizer=optimizer)

    model = scaled("adam")
    found = find_learning_rate(model, *given, batch_size=8)
    assert model.feature_names == ()
    np.testing.assert_array_equal(found.losses, find_learning_rate(model, X, y, batch_size=8).losses)
    still = scaled(SGD(1e-30))  # has seen all samples, and learnt nothing
    still.fit(X, y, epochs=1, verbose=0)
    batch = next(_batches(400, 8, seed=0))
    assert found.losses[0] == pytest.approx(still.evaluate(X[batch], y[batch])["loss"])


def test_targets_that_are_names():
    names = np.array([f"digit {digit}" for digit in range(10)])[LABELS]
    model = make()
    by_name = find_learning_rate(model, IMAGES, names, steps=60)
    by_number = find_learning_rate(make(), IMAGES, LABELS, steps=60)
    np.testing.assert_array_equal(by_name.losses, by_number.losses)
    assert model.class_names == ()
