"""Samples of odd types, layouts and shapes are as good as others."""

import numpy as np
import pytest

from fastmlp import Adam, Dense, Flatten, Sequential
from tests.six_samples import GOOD_X, GOOD_Y, classifier


def spread(array):
    """The same numbers with others in between."""
    wide = np.full((len(array) * 2, array.shape[1] * 3), np.nan, array.dtype)
    wide[::2, ::3] = array
    return wide[::2, ::3]


def read_only(array):
    copy = array.copy()
    copy.flags.writeable = False
    return copy


def misaligned(array):
    memory = np.zeros(array.nbytes + 1, np.uint8)[1:]
    view = memory.view(array.dtype).reshape(array.shape)
    view[...] = array
    assert not view.flags.aligned
    return view


ODD_X = {
    "spread": spread,
    "reversed": lambda X: X[::-1].copy()[::-1],
    "Fortran order": np.asfortranarray,
    "read-only": read_only,
    "misaligned": misaligned,
    "lists": lambda X: X.tolist(),
    "tuples": lambda X: tuple(map(tuple, X.tolist())),
    "float64": lambda X: X.astype(np.float64),
    "long double": lambda X: X.astype(np.longdouble),
    "big-endian": lambda X: X.astype(">f4"),
    "big-endian double": lambda X: X.astype(">f8"),
}


def trained(X, y):
    """The outputs of a model that was trained on these, and its measures of them."""
    model = classifier()
    model.fit(X, y, epochs=3, batch_size=4, verbose=0)
    return model.predict(X), model.evaluate(X, y)


@pytest.mark.parametrize("name", ODD_X)
def test_odd_samples(name):
    outputs, measures = trained(ODD_X[name](GOOD_X), GOOD_Y)
    expected, expected_measures = trained(GOOD_X, GOOD_Y)
    np.testing.assert_array_equal(outputs, expected)
    assert measures == expected_measures


@pytest.mark.parametrize(
    "dtype", [np.bool_, np.int8, np.int16, np.uint16, np.int64, np.uint64, np.float16, ">i4"]
)
def test_types_of_samples(dtype):
    """Numbers keep their value, whatever their type."""
    whole = np.arange(24).reshape(6, 4) % (2 if dtype == np.bool_ else 7)
    outputs, measures = trained(whole.astype(dtype), GOOD_Y)
    expected, expected_measures = trained(whole.astype(np.float32), GOOD_Y)
    np.testing.assert_array_equal(outputs, expected)
    assert measures == expected_measures


@pytest.mark.parametrize(
    "y",
    [
        GOOD_Y.tolist(),
        GOOD_Y.astype(np.uint8),
        GOOD_Y.astype(np.float64),
        GOOD_Y.astype(">i2"),
        GOOD_Y[:, None],
        np.repeat(GOOD_Y, 2)[::2],
        read_only(GOOD_Y),
    ],
    ids=["list", "uint8", "float64", "big-endian", "column", "spread", "read-only"],
)
def test_odd_labels(y):
    outputs, measures = trained(GOOD_X, y)
    expected, expected_measures = trained(GOOD_X, GOOD_Y)
    np.testing.assert_array_equal(outputs, expected)
    assert measures == expected_measures


def test_odd_values():
    """Integers, booleans and one dimension for one output; bytes are no fractions here."""
    y = np.array([0, 3, 1, 5, 2, 4])

    def outputs(y):
        model = Sequential([Dense(1)])
        model.fit(GOOD_X, y, epochs=5, verbose=0)
        return model.predict(GOOD_X)

    for odd in (y, y.tolist(), y[:, None], y.astype(np.uint8), np.asfortranarray(y[:, None]), read_only(y)):
        np.testing.assert_array_equal(outputs(odd), outputs(y.astype(np.float32)))
    np.testing.assert_array_equal(outputs(y > 2), outputs((y > 2).astype(np.float32)))


@pytest.mark.parametrize("shape", [(1, 4), (6, 1), (1, 1), (1, 300)])
def test_one_row_or_one_feature(shape):
    X, y = np.ones(shape), np.zeros(shape[0], int)
    model = Sequential([Dense(5, "tanh"), Dense(3, "softmax")], optimizer=Adam(0.1))
    model.fit(X, y, epochs=30, threads=3, verbose=0)
    assert model.predict(X).shape == (shape[0], 3)
    assert np.isfinite(model.predict(X)).all()
    assert model.evaluate(X, y)["accuracy"] == 1


def test_inputs_are_not_written_to():
    X, y = GOOD_X.copy(), GOOD_Y.copy()
    model = classifier()
    model.fit(X, y, epochs=2, verbose=0)
    model.forward(X)
    model.backward(np.ones((6, 3)))
    np.testing.assert_array_equal(X, GOOD_X)
    np.testing.assert_array_equal(y, GOOD_Y)


def test_images_of_any_shape():
    X = GOOD_X.reshape(6, 2, 1, 2)
    shaped, flat = (Sequential([Flatten(), Dense(3, "softmax")]) for _ in range(2))
    shaped.fit(X, GOOD_Y, epochs=2, verbose=0)
    flat.fit(GOOD_X, GOOD_Y, epochs=2, verbose=0)
    np.testing.assert_array_equal(shaped.predict(X), flat.predict(GOOD_X))
    np.testing.assert_array_equal(shaped.predict(X[0]), flat.predict(GOOD_X[0]))
