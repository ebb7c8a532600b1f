"""Losses as a user sees them: names and options, forms of the targets, weights."""

import numpy as np
import pytest

from fastmlp import Dense, Sequential, load, losses
from fastmlp.kernels.tables import LOSS_CODES
from fastmlp.losses import LOSSES
from tests.tolerance import assert_close

ROWS, FEATURES, CLASSES = 60, 4, 3
RANDOM = np.random.default_rng(3)
X = RANDOM.normal(size=(ROWS, FEATURES)).astype("float32")
LABELS = RANDOM.integers(0, CLASSES, ROWS)
VALUES = RANDOM.random((ROWS, CLASSES)).astype("float32")
SHARES = VALUES / VALUES.sum(axis=1, keepdims=True)
WITH_OPTIONS = (
    losses.CrossEntropy(label_smoothing=0.1), losses.BinaryCrossEntropy(label_smoothing=0.2),
    losses.MeanSquaredError(reduction="sum"), losses.MeanAbsoluteError(), losses.Huber(delta=2), losses.LogCosh(),
    losses.Quantile(tau=0.9), losses.Poisson(),
)  # fmt: skip


def model_of(loss, last="identity", outputs=CLASSES, **options):
    return Sequential([Dense(6, "tanh"), Dense(outputs, last)], loss=loss, seed=4, **options).build(FEATURES)


def targets_of(loss):
    return LABELS if loss.name == "cross_entropy" else VALUES


def fitted(loss, y, last="identity", **options):
    model = model_of(loss, last)
    model.fit(X, y, epochs=2, batch_size=16, verbose=0, **options)
    return model


def assert_same(one, other):
    assert one.history["loss"] == other.history["loss"]
    np.testing.assert_array_equal(one.network.params, other.network.params)


def assert_near(model, other):
    scale = np.ones(other.network.params.shape)
    assert_close(model.network.params, other.network.params, terms=2000, scale=scale)


def test_every_kernel_belongs_to_a_loss():
    forms = {
        loss.formula(labels=labels).name
        for kind in LOSSES.values()
        for labels in (True, False)
        for loss in (kind(), next(other for other in WITH_OPTIONS if other.name == kind.name))
    }
    assert forms == LOSS_CODES.keys()


@pytest.mark.parametrize("loss", WITH_OPTIONS, ids=lambda loss: loss.name)
def test_options_are_saved_and_a_loaded_model_goes_on(loss, tmp_path):
    model = fitted(loss, targets_of(loss))
    model.save(tmp_path / "model.safetensors")
    loaded = load(tmp_path / "model.safetensors")
    assert loaded.loss == loss
    for each in (model, loaded):
        each.fit(X, targets_of(loss), epochs=1, batch_size=16, verbose=0)
    np.testing.assert_array_equal(loaded.network.params, model.network.params)


@pytest.mark.parametrize("name", LOSSES)
def test_a_name_is_the_loss_with_its_defaults(name):
    loss = LOSSES[name]()
    assert model_of(name).loss == loss
    assert_same(fitted(name, targets_of(loss)), fitted(loss, targets_of(loss)))


@pytest.mark.parametrize("loss", WITH_OPTIONS, ids=lambda loss: loss.name)
def test_training_makes_it_small_and_engines_agree(loss):
    before = model_of(loss).evaluate(X, targets_of(loss))["loss"]
    ours = fitted(loss, targets_of(loss))
    assert ours.evaluate(X, targets_of(loss))["loss"] < before
    assert_near(ours, fitted(loss, targets_of(loss), engine="reference"))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: losses.Huber(delta=0), "Huber: delta: expected a number above 0, got 0"),
        (lambda: losses.Huber(delta="1"), "Huber: delta: expected .*, got '1'"),
        (lambda: losses.Huber(delta=np.nan), "Huber: delta: expected .*, got nan"),
        (lambda: losses.Quantile(tau=1.0), "Quantile: tau: expected a number above 0 and below 1, got 1.0"),
        (lambda: losses.Quantile(tau=True), "Quantile: tau: expected .*, got True"),
        (lambda: losses.CrossEntropy(label_smoothing=1.0), "label_smoothing: .* of at least 0 and below 1, got 1.0"),
        (lambda: losses.BinaryCrossEntropy(label_smoothing=-0.1), "label_smoothing: expected .*, got -0.1"),
        (lambda: losses.MeanSquaredError(reduction="max"), "reduction: expected one of mean, sum"),
        (lambda: losses.loss_from_config({"name": "huber", "tau": 1}), "Huber: expected options among delta, got"),
        (lambda: losses.loss_from_config({"name": "l3"}), "loss: expected one of .*, got 'l3'"),
        (lambda: losses.choose_loss(None, ""), "loss: expected one of .*, got None"),
    ],
)  # fmt: skip
def test_bad_options(make, message):
    with pytest.raises(ValueError, match=message):
        make()


# Forms of targets


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("last", ["identity", "softmax", "log_softmax"])
def test_one_hot_rows_are_classes(last, smoothing):
    loss = losses.CrossEntropy(label_smoothing=smoothing)
    expected = fitted(loss, LABELS, last)
    for dtype in (np.float32, np.float64, np.uint8, np.int64, bool):
        assert_same(fitted(loss, np.eye(CLASSES)[LABELS].astype(dtype), last), expected)
    assert_same(fitted(loss, LABELS[:, None], last), expected)
    # From logits or after a softmax: the same loss.
    assert_same(fitted(loss, LABELS, "identity"), expected)


def test_probabilities():
    model = fitted("cross_entropy", SHARES, "softmax")
    score = model.evaluate(X, SHARES)
    p = model.predict(X).astype(np.float64)
    assert score["loss"] == pytest.approx(-(SHARES * np.log(p)).sum(axis=1).mean(), rel=1e-5)
    assert score["accuracy"] == np.mean(p.argmax(axis=1) == SHARES.argmax(axis=1))


def test_label_smoothing_of_classes_and_of_probabilities():
    smoothed = np.eye(CLASSES)[LABELS] * 0.7 + 0.3 / CLASSES
    of_labels = fitted(losses.CrossEntropy(label_smoothing=0.3), LABELS)
    assert_near(of_labels, fitted("cross_entropy", smoothed))
    again = SHARES * 0.7 + 0.3 / CLASSES
    assert_near(fitted(losses.CrossEntropy(label_smoothing=0.3), SHARES), fitted("cross_entropy", again))
    binary = fitted(losses.BinaryCrossEntropy(label_smoothing=0.3), VALUES, "sigmoid")
    assert_near(binary, fitted("binary_cross_entropy", VALUES * 0.7 + 0.15, "sigmoid"))


def test_sum_over_outputs_is_their_number_times_the_mean():
    model, other = model_of("mean_squared_error"), model_of(losses.MeanSquaredError(reduction="sum"))
    mean, total = (m.evaluate(X, VALUES) for m in (model, other))
    assert total["loss"] == pytest.approx(CLASSES * mean["loss"], rel=1e-6)
    assert total["mean_absolute_error"] == mean["mean_absolute_error"]


def test_a_quantile_is_learnt():
    """Without a hidden layer and with one constant feature, only a number is left to learn."""
    y = np.random.default_rng(0).exponential(size=2000)
    ones = np.ones((2000, 1), "float32")
    for tau in (0.1, 0.5, 0.9):
        model = Sequential([Dense(1)], loss=losses.Quantile(tau=tau), optimizer="adam", seed=0)
        model.fit(ones, y, epochs=60, batch_size=50, verbose=0)
        assert np.mean(y < model.predict(ones[:1])[0, 0]) == pytest.approx(tau, abs=0.05)


def test_poisson_learns_the_logarithm_of_the_mean():
    y = np.random.default_rng(0).poisson(3.0, 2000)
    ones = np.ones((2000, 1), "float32")
    model = Sequential([Dense(1)], loss="poisson", seed=0).build(1)
    model.fit(ones, y, epochs=60, batch_size=50, verbose=0)
    assert np.exp(model.predict(ones[:1])[0, 0]) == pytest.approx(y.mean(), rel=0.05)
    with pytest.raises(ValueError, match="y: expected targets from 0 on for poisson, got -1 to 1"):
        model.fit(ones[:2], [-1, 1])


# Weights


def test_weights_of_one_change_nothing():
    expected = fitted("cross_entropy", LABELS)
    assert_same(fitted("cross_entropy", LABELS, sample_weight=np.ones(ROWS)), expected)
    assert_same(fitted("cross_entropy", LABELS, class_weight={1: 1}), expected)


@pytest.mark.parametrize("loss", WITH_OPTIONS, ids=lambda loss: loss.name)
def test_whole_weights_are_repeated_samples(loss):
    """Of full batches; the sum is divided by the number of samples, so the repeated ones weigh less each."""
    weights = np.random.default_rng(1).integers(0, 4, ROWS)
    y, repeated = targets_of(loss), np.repeat(np.arange(ROWS), weights)
    factor = weights.sum() / ROWS
    model, other = model_of(loss, optimizer="sgd"), model_of(loss, optimizer="sgd")
    other.optimizer.learning_rate *= factor
    weighted = model.evaluate(X, y, sample_weight=weights)["loss"]
    assert weighted == pytest.approx(other.evaluate(X[repeated], y[repeated])["loss"] * factor, rel=1e-5)
    model.fit(X, y, epochs=3, batch_size=None, sample_weight=weights, verbose=0)
    other.fit(X[repeated], y[repeated], epochs=3, batch_size=None, verbose=0)
    assert_near(model, other)


@pytest.mark.parametrize("engine", ["kernels", "reference"])
def test_loss_is_weighted_and_the_score_is_not(engine):
    model, weights = fitted("cross_entropy", LABELS, "softmax"), RANDOM.random(ROWS)
    p = model.predict(X).astype(np.float64)
    each = -np.log(p[np.arange(ROWS), LABELS])
    of_class = np.array([2.0, 1.0, 0.5])
    scores = model.evaluate(
        X, LABELS, sample_weight=weights, class_weight={0: 2, 2: np.float32(0.5)}, engine=engine
    )
    assert scores["loss"] == pytest.approx(np.sum(each * weights * of_class[LABELS]) / ROWS, rel=1e-5)
    assert scores["accuracy"] == np.mean(p.argmax(axis=1) == LABELS)


def test_balanced_is_that_of_scikit_learn():
    utils = pytest.importorskip("sklearn.utils", reason="scikit-learn is not installed")
    labels = np.where(np.arange(ROWS) < 40, 0, 2)  # one class is missing
    table = utils.compute_class_weight("balanced", classes=np.array([0, 2]), y=labels)
    expected = fitted("cross_entropy", labels, class_weight=dict(zip((0, 2), table, strict=True)))
    assert_same(fitted("cross_entropy", labels, class_weight="balanced"), expected)


def test_classes_of_one_output_and_of_probabilities():
    binary = (LABELS > 0).astype(np.float32)
    one = model_of("binary_cross_entropy", "sigmoid", outputs=1)
    weights = np.where(binary > 0, 3.0, 1.0)
    expected = one.evaluate(X, binary, sample_weight=weights)
    assert one.evaluate(X, binary, class_weight={1: 3.0}) == expected
    model = model_of("cross_entropy")
    weights = np.where(SHARES.argmax(axis=1) == 2, 5.0, 1.0)
    assert model.evaluate(X, SHARES, class_weight={2: 5}) == model.evaluate(X, SHARES, sample_weight=weights)


def test_validation_samples_have_weights_of_their_own():
    weights = np.arange(ROWS) / ROWS
    model = fitted("cross_entropy", LABELS, class_weight={0: 9}, validation_data=(X, LABELS, weights))
    assert model.history["val_loss"][-1] == model.evaluate(X, LABELS, sample_weight=weights)["loss"]


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_the_same_bits_for_any_number_of_threads(threads):
    options = {"sample_weight": np.linspace(0, 2, ROWS), "class_weight": "balanced"}
    loss = losses.CrossEntropy(label_smoothing=0.1)
    assert_same(fitted(loss, LABELS, threads=threads, **options), fitted(loss, LABELS, threads=1, **options))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sample_weight": np.ones(3)}, "sample_weight: expected one weight for each of the 60 samples of X, got 3"),
        ({"sample_weight": 2.0}, "sample_weight: .* got a single value"),
        ({"sample_weight": np.ones((ROWS, 2))}, r"sample_weight: expected shape \(60,\), got \(60, 2\)"),
        ({"sample_weight": np.full(ROWS, -1)}, "sample_weight: expected finite numbers of at least 0, got -1 to -1"),
        ({"sample_weight": np.full(ROWS, np.nan)}, "sample_weight: expected finite numbers"),
        ({"sample_weight": np.zeros(ROWS)}, "expected a weight above 0 for some sample"),
        ({"class_weight": "even"}, "class_weight: expected a dict of class to weight, or 'balanced', got 'even'"),
        ({"class_weight": [1, 2, 3]}, "class_weight: expected a dict"),
        ({"class_weight": {3: 1.0}}, "class_weight: expected classes from 0 to 2, got 3"),
        ({"class_weight": {"0": 1.0}}, "class_weight: expected classes from 0 to 2, got '0'"),
        ({"class_weight": {0: -1.0}}, "class_weight: class 0: expected a number of at least 0, got -1.0"),
        ({"class_weight": {0: None}}, "class_weight: .* got None"),
    ],
)  # fmt: skip
def test_bad_weights(options, message):
    model = model_of("cross_entropy")
    for use in (model.evaluate, lambda *args, **kwargs: model.fit(*args, verbose=0, **kwargs)):
        with pytest.raises(ValueError, match=message):
            use(X, LABELS, **options)
    assert model.history.epochs == []


@pytest.mark.parametrize("loss", ["mean_squared_error", "binary_cross_entropy"])
def test_classes_are_needed_for_their_weights(loss):
    with pytest.raises(ValueError, match=f"class_weight: .* got {loss} with 3 outputs; use sample_weight"):
        model_of(loss).evaluate(X, VALUES, class_weight="balanced")


@pytest.mark.parametrize(
    ("y", "index"),
    [
        (["cat", "dog", float("nan")] * 2, 2),
        (np.array(["cat", None] * 3, object), 1),
        ([0, 1, np.nan] * 2, 2),
        (np.array([0, np.nan, 1] * 2), 1),
        ([[1.0, 0.0], [np.nan, 1.0]] * 3, r"\(1, 0\)"),
    ],
)
def test_targets_that_are_missing(y, index):
    model = Sequential([Dense(2, "softmax")])
    with pytest.raises(
        ValueError, match=rf"y: expected a target for each sample, got (NaN|None) at index {index};"
    ):
        model.fit(np.ones((6, 1)), y, verbose=0)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1e300] * 2, r"sample_weight: expected weights of at most 3.40282e\+38 \(float32\), got 1e\+300"),
        ([1e-60] * 2, "expected a weight above 0 for some sample"),
    ],
)
def test_weights_beyond_the_type_of_the_network(weights, message):
    with pytest.raises(ValueError, match=message):
        Sequential([Dense(1)]).fit([[1.0], [2.0]], [1.0, 2.0], sample_weight=weights, verbose=0)
