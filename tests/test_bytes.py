"""How uint8 samples are read: images as fractions of 255, rows as the numbers that they are."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from fastmlp import Dense, Flatten, MinMaxScaler, Sequential, StandardScaler, find_learning_rate
from fastmlp.inputs.samples import as_samples
from fastmlp.sklearn import MLPClassifier, MLPRegressor

RANDOM = np.random.default_rng(2)
IMAGES = RANDOM.integers(0, 256, (90, 5, 4)).astype(np.uint8)
TABLE = RANDOM.integers(0, 9, (90, 20)).astype(np.uint8)
Y = RANDOM.integers(0, 3, 90)
FIRST = {"none": tuple, "standard": lambda: (StandardScaler(),), "range": lambda: (MinMaxScaler(),)}


def results(X, first, *, engine="kernels"):
    """All that a model puts out that is trained and used on these samples, as bytes."""
    model = Sequential([Flatten(), *FIRST[first](), Dense(40, "tanh"), Dense(3, "softmax")], seed=1)
    X_val = X[:30]
    history = model.fit(
        X, Y, epochs=2, batch_size=16, validation_data=(X_val, Y[:30]), engine=engine, verbose=0
    )
    found = [
        model.network.params,
        model.predict(X),
        history["loss"],
        history["val_loss"],
        model.train_on_batch(X, Y),
    ]
    found += [*model.evaluate(X, Y).values(), model.forward(X)]
    if isinstance(X, np.ndarray):
        predictor = model.predictor()
        found += [model.predict(X[0]), predictor(X[0]), predictor(X[1])]
    return [np.asarray(one).tobytes() for one in found]


@pytest.mark.parametrize("engine", ["kernels", "reference"])
@pytest.mark.parametrize("first", FIRST)
def test_a_table_of_bytes_is_the_same_as_its_numbers_in_another_type(first, engine):
    expected = results(TABLE.astype(np.float32), first, engine=engine)
    assert results(TABLE, first, engine=engine) == expected
    assert results(TABLE.astype(np.float64), first, engine=engine) == expected
    if engine == "kernels":
        assert results(csr_matrix(TABLE), first) == results(csr_matrix(TABLE.astype(np.float32)), first)


@pytest.mark.parametrize("engine", ["kernels", "reference"])
@pytest.mark.parametrize("first", FIRST)
def test_images_of_bytes_are_fractions_of_255(first, engine):
    fractions = IMAGES * np.float32(1 / 255)
    assert results(IMAGES, first, engine=engine) == results(fractions, first, engine=engine)


def test_a_table_of_bytes_stays_bytes_in_memory():
    samples = as_samples(TABLE, np.dtype(np.float32))
    assert np.shares_memory(samples.numbers, TABLE)


def test_layers_by_hand():
    model = Sequential([Flatten(), Dense(3)]).build((5, 4))
    rows = IMAGES.reshape(90, 20)
    np.testing.assert_array_equal(
        model.layers[1].forward(rows), model.layers[1].forward(rows.astype(np.float32))
    )
    np.testing.assert_array_equal(model.forward(IMAGES), model.forward(IMAGES * np.float32(1 / 255)))


def test_the_range_of_learning_rates():
    first, second = (
        find_learning_rate(Sequential([Dense(3, "softmax")]), X, Y, steps=20)
        for X in (TABLE, TABLE.astype(np.float32))
    )
    np.testing.assert_array_equal(first.losses, second.losses)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("form", [np.asarray, csr_matrix])
def test_estimators(form):
    X, numbers = form(TABLE), form(TABLE.astype(np.float32))
    for kind in (MLPClassifier, MLPRegressor):
        first, second = (kind(max_iter=2, random_state=0).fit(one, Y) for one in (X, numbers))
        np.testing.assert_array_equal(first.predict(X), second.predict(numbers))
        assert first.model_.network.params.tobytes() == second.model_.network.params.tobytes()
