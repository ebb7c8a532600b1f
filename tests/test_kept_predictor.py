"""What a model keeps between two calls of `predict`: never seen, but for the time."""

import copy
import pickle
import threading
import warnings

import numpy as np
import pytest

from fastmlp import (
    Adam,
    BatchNorm,
    Dense,
    Dropout,
    Flatten,
    LayerNorm,
    MinMaxScaler,
    Sequential,
    StandardScaler,
    load,
    synthetic_digits,
)
from fastmlp.sklearn import MLPClassifier, MLPRegressor

X = np.random.default_rng(0).normal(size=(300, 6)).astype(np.float32)
Y = np.arange(300) % 3

NETWORKS = {
    "small": lambda: [Dense(20, "relu"), Dense(3, "softmax")],
    "scaled": lambda: [StandardScaler(), Dense(20, "tanh"), Dropout(0.5), Dense(3, "softmax")],
    "norms": lambda: [MinMaxScaler(), Dense(9, "gelu"), BatchNorm(), LayerNorm(), Dense(3, "softmax")],
}


def trained(layers=NETWORKS["small"], **options):
    model = Sequential(layers(), **options)
    model.fit(X, Y, epochs=1, verbose=0)
    return model


def by_all_checks(model, samples):
    """The outputs without what is kept."""
    model.network.kept_predictor = None
    return model.predict(samples)


def keeps(model):
    """Whether the last call has left something to the next one."""
    return model.network.kept_predictor is not None


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("given", [np.float32, np.float64])
@pytest.mark.parametrize("layers", NETWORKS.values(), ids=NETWORKS)
def test_the_bits_of_all_rows(layers, given, dtype):
    model = trained(layers, dtype=dtype)
    samples = X.astype(given)
    expected = model.predict(samples, threads=1)
    assert keeps(model)
    for rows in (1, 2, 3, 7, 8, 9, 64, 170, 255, 256, 257, 300):
        outputs = model.predict(samples[:rows])
        assert outputs.dtype == model.network.dtype
        assert np.array_equal(outputs, expected[:rows])
    assert np.array_equal([model.predict(sample) for sample in samples], expected)
    assert np.array_equal(model.predict(samples[::2][:5]), expected[::2][:5])  # not contiguous
    assert np.array_equal(model.predict(np.asfortranarray(samples[:5])), expected[:5])


def test_samples_with_many_zeros():
    model = trained()
    sparse = np.where(np.random.default_rng(1).random((40, 6)) < 0.8, 0, X[:40]).astype(np.float32)
    expected = model.predict(sparse, threads=1)
    assert np.array_equal(model.predict(sparse), expected)
    assert np.array_equal([model.predict(row) for row in sparse], expected)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_images(dtype):
    images, labels = synthetic_digits(30)
    model = Sequential([Flatten(), Dense(10, "softmax")])
    model.fit(images.astype(dtype), labels, epochs=1, verbose=0)
    expected = model.predict(images.astype(dtype), threads=1)
    assert np.array_equal(model.predict(images[:3].astype(dtype)), expected[:3])
    assert np.array_equal([model.predict(image) for image in images.astype(dtype)], expected)


def test_each_result_is_its_own():
    model = trained()
    first = [model.predict(X[0]) for _ in range(3)][-1]
    kept = first.copy()
    first_rows = [model.predict(X[:4]) for _ in range(3)][-1]
    kept_rows = first_rows.copy()
    model.predict(X[5])
    model.predict(X[4:8])
    assert np.array_equal(first, kept)
    assert np.array_equal(first_rows, kept_rows)


# What it follows


def assigned(model):
    model.layers[-1].weight = np.arange(60).reshape(20, 3) / 60


def written(model):
    model.layers[-1].bias[:] = [3.0, 2.0, 1.0]


def fitted(model):
    model.fit(X, Y, epochs=1, verbose=0)


def stepped(model):
    model.train_on_batch(X[:8], Y[:8])


def with_gradients(model):
    model.fit(X, Y, epochs=1, verbose=0, keep_gradients=True)


def scaled_otherwise(model):
    model.layers[0].adapt(100 * X + 7)


CHANGES = [assigned, written, fitted, stepped, with_gradients]


@pytest.mark.parametrize("rows", [1, 5])
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_it_follows_the_weights(change, rows):
    model = trained()
    before = [model.predict(X[:rows]) for _ in range(3)][-1]
    change(model)
    after = model.predict(X[:rows])
    assert not np.array_equal(after, before)
    assert np.array_equal(after, by_all_checks(model, X[:rows]))


@pytest.mark.parametrize("rows", [1, 5])
def test_it_follows_scalers(rows):
    model = trained(NETWORKS["scaled"])
    before = [model.predict(X[:rows]) for _ in range(3)][-1]
    scaled_otherwise(model)
    after = model.predict(X[:rows])
    assert not np.array_equal(after, before)
    assert np.array_equal(after, by_all_checks(model, X[:rows]))


def test_a_scaler_without_factors_is_refused():
    model = trained(NETWORKS["scaled"])
    for _ in range(3):
        model.predict(X[0])
    model.layers[0].factor[:] = 0
    with pytest.raises(RuntimeError, match="has seen no samples yet"):
        model.predict(X[0])


def test_it_follows_averages():
    model = Sequential(NETWORKS["small"](), optimizer=Adam(0.01, ema_momentum=0.5))
    model.fit(X, Y, epochs=2, verbose=0)
    before = [model.predict(X[0]) for _ in range(3)][-1]
    with model.averaged():
        averaged = model.predict(X[0])
        assert np.array_equal(averaged, by_all_checks(model, X[0]))
    assert not np.array_equal(averaged, before)
    assert np.array_equal(model.predict(X[0]), before)


def test_it_follows_loading_and_copies(tmp_path):
    model = trained()
    outputs = [model.predict(X[:5]) for _ in range(3)][-1]
    model.save(tmp_path / "model")
    loaded = load(tmp_path / "model")
    copies = [loaded, copy.copy(model), copy.deepcopy(model), pickle.loads(pickle.dumps(model))]  # noqa: S301
    model.fit(X, Y, epochs=1, verbose=0)
    for other in copies:
        assert not keeps(other)
        assert other.data_spec.output_shape.__self__ is other
        for _ in range(3):
            assert np.array_equal(other.predict(X[:5]), outputs)
            assert np.array_equal(other.predict(X[0]), outputs[0])


def test_a_pickle_is_no_larger():
    model = trained()
    before = len(pickle.dumps(model))
    for _ in range(3):
        model.predict(X[0])
    assert keeps(model)
    assert len(pickle.dumps(model)) == before


# What is refused and what is warned of, as without it

REFUSED = {
    "NaN": (np.array([1, 2, np.nan, 0, 0, 0], np.float32), "expected finite numbers"),
    "infinity": (np.array([[1, 2, 0, -np.inf, 0, 0]] * 3), "expected finite numbers"),
    "both infinities": (np.array([1, np.inf, 0, -np.inf, 0, 0]), "expected finite numbers"),
    "beyond float32": (np.array([1, 2, 0, 1e39, 0, 0]), "expected finite numbers of float32"),
    "another shape": (X[0, :5], "expected samples as rows"),
    "other features": (X[:3, :5], r"expected samples of shape \(6,\)"),
    "no rows": (X[:0], "expected at least one sample"),
    "no dimension": (np.array(1.0), "expected samples as rows"),
    "complex": (X[0].astype(complex), "expected numbers"),
    "words": (np.array(["1"] * 6), "expected numbers"),
}


@pytest.mark.parametrize(("samples", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused(samples, message):
    model = trained()
    for _ in range(3):
        model.predict(X[0])
        model.predict(X[:3])
    with pytest.raises(ValueError, match=rf"^X: {message}") as refused:
        model.predict(samples)
    with pytest.raises(ValueError, match=rf"^X: {message}") as expected:
        by_all_checks(model, samples)
    assert str(refused.value) == str(expected.value)


def test_large_finite_numbers_are_accepted():
    """Their squares are beyond float32."""
    model = trained()
    samples = X[:3] * np.float32(1e30)
    with warnings.catch_warnings(), np.errstate(all="raise"):
        warnings.simplefilter("error")
        for _ in range(3):
            assert np.isfinite(model.predict(samples[0])).all()
            assert np.isfinite(model.predict(samples)).all()


def test_names_of_classes_that_do_not_fit():
    model = trained()
    for _ in range(3):
        model.predict(X[0])
    model.class_names = ["one", "two"]
    with pytest.raises(ValueError, match="expected names of 3 classes"):
        model.predict(X[0])
    model.class_names = ["one", "two", "three"]
    assert model.predict_classes(X[:2]).dtype.kind == "U"


def test_arguments_that_are_not_acceptable():
    model = trained()
    for _ in range(3):
        model.predict(X[0])
    with pytest.raises(ValueError, match=r"^threads: expected"):
        model.predict(X[0], threads=0)
    with pytest.raises(ValueError, match=r"^engine: expected"):
        model.predict(X[0], engine="fast")


@pytest.mark.parametrize("trained_on", [np.uint8, np.float32])
@pytest.mark.parametrize("given", [np.uint8, np.float32, np.float64])
def test_warnings_about_another_scale(trained_on, given):
    images, labels = synthetic_digits(8)
    model = Sequential([Flatten(), Dense(10, "softmax")])
    model.fit(images.astype(trained_on), labels, epochs=1, verbose=0)

    def warned():
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model.predict(images[:3].astype(given))
            model.predict(images[0].astype(given))
        return [str(warning.message) for warning in caught]

    model.network.kept_predictor = None
    expected = warned()
    assert bool(expected) == ((trained_on == np.uint8) != (given == np.uint8))
    assert warned() == expected


# Threads


def test_many_threads_at_once():
    model = trained()
    samples = [X[start : start + 1 + start % 3] for start in range(40)]
    expected = [model.predict(some, threads=1) for some in samples]
    ready, wrong = threading.Barrier(4), []

    def work():
        ready.wait()
        for _ in range(100):
            wrong.extend(
                one for one, outputs in zip(samples, expected, strict=True)
                if not np.array_equal(model.predict(one), outputs)
            )  # fmt: skip

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_signal_handler_that_predicts_too():
    """It runs between two lines of a prediction of the same thread."""
    model = trained()
    expected = [by_all_checks(model, X[i]) for i in range(2)]
    for _ in range(3):
        model.predict(X[0])
    row = model.network.kept_predictor._row
    run, found = row._run, []

    def interrupted():
        row._run = run
        found.append(model.predict(X[1]))
        run()

    row._run = interrupted
    found.append(model.predict(X[0]))
    assert np.array_equal(found, expected[::-1])


# Estimators


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("given", [np.float32, np.float64])
def test_estimators(classes, given):
    samples, targets = X.astype(given), np.arange(300) % classes
    perceptron = MLPClassifier(8, max_iter=2, tol=-1, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        perceptron.fit(samples, targets)
    expected = perceptron.set_params(threads=1).predict_proba(samples)
    perceptron.set_params(threads=None).predict_proba(samples)
    for rows in (1, 5, 100):
        outputs = perceptron.predict_proba(samples[:rows])
        assert outputs.dtype == given
        assert np.array_equal(outputs, expected[:rows])
        assert np.array_equal(perceptron.predict(samples[:rows]), expected[:rows].argmax(axis=1))


def test_what_estimators_refuse():
    perceptron = MLPRegressor(8, max_iter=1, tol=1e9, n_iter_no_change=1, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        perceptron.fit(X, X[:, 0])
    for _ in range(3):
        perceptron.predict(X[:1])
    for samples, message in {
        "NaN": (np.full((2, 6), np.nan, np.float32), "Input X contains NaN"),
        "infinity": (np.full((2, 6), np.inf), "Input X contains infinity"),
        "features": (X[:, :5], "X has 5 features, but MLPRegressor is expecting 6 features"),
        "a row": (X[0], "Expected 2D array, got 1D array"),
    }.values():
        with pytest.raises(ValueError, match=message):
            perceptron.predict(samples)
    assert perceptron.predict(np.arange(12).reshape(2, 6)).dtype == np.float64


def test_names_of_features():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=list("abcdef"))
    perceptron = MLPRegressor(8, max_iter=1, tol=1e9, n_iter_no_change=1, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        perceptron.fit(frame, X[:, 0])
    for _ in range(3):
        with pytest.warns(UserWarning, match="X does not have valid feature names"):
            perceptron.predict(X[:1])
