"""Samples, targets and options that are refused, each in one line, and nothing has changed."""

import numpy as np
import pytest

from fastmlp import Dense, Sequential
from tests.six_samples import GOOD_X, GOOD_Y, classifier

pytestmark = pytest.mark.survives("R25")


def regressor():
    return Sequential([Dense(5, "tanh"), Dense(2)])


def multi_label():
    return Sequential([Dense(5, "tanh"), Dense(2, "sigmoid")])


def with_value(value, place=(2, 1), dtype=np.float64):
    """The samples with one other number."""
    X = GOOD_X.astype(dtype)
    X[place] = value
    return X


BAD_X = {
    "nan": (with_value(np.nan), r"X: expected finite numbers.* got nan at index \(2, 1\)"),
    "inf": (with_value(-np.inf, (5, 3)), r"X: .* got -inf at index \(5, 3\)"),
    "too large for float32": (with_value(1e300), r"X: .* of float32, got 1e\+300 at index \(2, 1\)"),
    "masked": (np.ma.masked_less(GOOD_X, 0), "X: .*masked"),
    "object": (GOOD_X.astype(object), "X: expected numbers, got dtype object"),
    "missing": ([[1.0, None]] * 6, "X: expected numbers, got dtype object"),
    "text": (GOOD_X.astype(str), "X: expected numbers, got dtype <U"),
    "one text": ("abc.csv", "X: expected an array of numbers, got 'abc.csv'; files are read with load_csv"),
    "nothing": (None, "X: expected an array of numbers, got None"),
    "dict": ({"a": GOOD_X}, r"X: expected an array of numbers, got \{'a': array"),
    "complex": (GOOD_X.astype(complex), "X: expected numbers, got dtype complex128"),
    "dates": (GOOD_X.astype("i8").astype("M8[s]"), "X: expected numbers, got dtype datetime64"),
    "ragged": ([[1, 2, 3, 4]] * 5 + [[1]], "X: expected a rectangular array of numbers"),
    "a number": (3.0, r"X: expected samples as rows.* got shape \(\)"),
    "one dimension": (GOOD_X[:, 0], r"X: expected samples as rows.* got shape \(6,\).*reshape\(-1, 1\)"),
    "no samples": (GOOD_X[:0], r"X: expected at least one sample.* got shape \(0, 4\)"),
    "no features": (GOOD_X[:, :0], r"X: expected at least one sample.* got shape \(6, 0\)"),
    "images": (GOOD_X.reshape(6, 2, 2), r"Dense\(units=5, .*: .* shape \(2, 2\); add Flatten\(\)"),
}
BAD_LABELS = {
    "too few": (GOOD_Y[:5], "y: expected one target for each of the 6 samples of X, got 5"),
    "too many": ([0] * 7, "y: .* 6 samples of X, got 7"),
    "none": (None, "y: .* got a single value"),
    "empty": ([], "y: .* got 0"),
    "above the last class": ([0, 1, 2, 3, 0, 0], "y: expected classes from 0 to 2, .* 3 outputs, got 0 to 3"),
    "far above": (GOOD_Y + 2**62, "y: expected classes from 0 to 2"),
    "unsigned far above": (np.full(6, 2**64 - 1, np.uint64), "y: expected classes from 0 to 2"),
    "negative": (GOOD_Y - 1, "y: expected classes from 0 to 2, .* got -1 to 1; number the classes"),
    "halves": (
        GOOD_Y + 0.5,
        "y: expected whole numbers from 0 to 2 .* got 0.5 of float64 at index 0; number",
    ),
    "nan": (np.where(GOOD_Y == 1, np.nan, 0), "y: expected a target for each sample, got NaN at index 1"),
    "inf": (np.where(GOOD_Y == 1, np.inf, 0), "y: expected whole numbers"),
    "too many names": (list("abcdab"), "expected names of 3 classes.* got 4|number the classes"),
    "object": (GOOD_Y.astype(object), "y: expected whole numbers.* got 0 of object at index 0"),
    "too few columns": (
        np.eye(3)[GOOD_Y, :2],
        r"y: .* one-hot rows.* 3 outputs, shape \(6, 3\), got shape \(6, 2\)",
    ),
    "three dimensions": (np.zeros((6, 3, 1)), r"y: .* one class for each sample"),
    "several labels": (np.ones((6, 3)), r"y: .* add up to 1.* sum of 3 in row 0; .* binary_cross_entropy"),
    "negative share": (np.full((6, 3), [1.5, 0, -0.5]), r"y: .* got -0.5 as the least"),
    "nan in a row": (np.full((6, 3), np.nan), r"y: expected a target for each sample, got NaN at index"),
    "ragged": ([[0], [1, 2], 0, 1, 2, 0], "y: expected a rectangular array"),
}
BAD_VALUES = {
    "too few": (np.zeros((5, 2)), "y: expected one target for each of the 6 samples of X, got 5"),
    "one column": (np.zeros((6, 1)), r"y: expected shape \(6, 2\).* got shape \(6, 1\)"),
    "one dimension": (np.zeros(6), r"y: expected shape \(6, 2\).* got shape \(6,\)"),
    "three dimensions": (np.zeros((6, 2, 1)), r"y: expected shape \(6, 2\)"),
    "nan": (np.full((6, 2), np.nan), r"y: expected a target for each sample, got NaN at index \(0, 0\)"),
    "too large for float32": (np.full((6, 2), 1e39), "y: .* of float32, got 1e\\+39"),
    "text": (np.full((6, 2), "a"), "y: expected numbers, got dtype <U1"),
    "complex": (np.zeros((6, 2), complex), "y: expected numbers, got dtype complex128"),
    "none": (None, "y: expected an array of numbers, got None"),
}


def refuse(model, X, y, message, **options):
    """A model that is new, and one that is trained, refuse and are as before."""
    with pytest.raises(ValueError, match=message) as caught:
        model.fit(X, y, verbose=0, **options)
    assert "\n" not in str(caught.value)
    with pytest.raises(RuntimeError, match="no parameters yet"):
        _ = model.network
    good = GOOD_Y if model.loss.name == "cross_entropy" else np.zeros((6, 2))
    model.fit(GOOD_X, good, epochs=1, verbose=0)
    before = model.network.params.copy()
    with pytest.raises(ValueError, match=message):
        model.fit(X, y, verbose=0, **options)
    np.testing.assert_array_equal(model.network.params, before)
    assert model.network.steps == [1] * len(model.layers)
    assert model.history.epochs == [1]
    model.fit(GOOD_X, good, epochs=1, verbose=0)


@pytest.mark.parametrize("name", set(BAD_X) - {"images"})
def test_bad_samples(name):
    X, message = BAD_X[name]
    refuse(classifier(), X, GOOD_Y, message)
    model = classifier().build(4)
    if name != "one dimension":
        for use in (model.predict, model.predict_classes, model.forward, lambda X: model.evaluate(X, GOOD_Y)):
            with pytest.raises(ValueError, match=message):
                use(X)


def test_images_need_flatten():
    X, message = BAD_X["images"]
    with pytest.raises(ValueError, match=message):
        classifier().fit(X, GOOD_Y)


@pytest.mark.parametrize("name", BAD_LABELS)
def test_bad_labels(name):
    y, message = BAD_LABELS[name]
    refuse(classifier(), GOOD_X, y, message)
    with pytest.raises(ValueError, match=message):
        classifier().build(4).evaluate(GOOD_X, y)


@pytest.mark.parametrize("make", [regressor, multi_label])
@pytest.mark.parametrize("name", BAD_VALUES)
def test_bad_values(name, make):
    y, message = BAD_VALUES[name]
    refuse(make(), GOOD_X, y, message)


@pytest.mark.parametrize("value", [-0.25, 1.5])
def test_probabilities_out_of_range(value):
    y = np.full((6, 2), 0.5)
    y[3, 1] = value
    refuse(multi_label(), GOOD_X, y, "y: expected targets from 0 to 1 for binary_cross_entropy, got")


@pytest.mark.parametrize(
    "X", [GOOD_X[:, :3], np.ones((6, 5)), GOOD_X.reshape(6, 2, 2)], ids=["3", "5", "2x2"]
)
def test_wrong_number_of_features(X):
    model = classifier().build(4)
    before = model.network.params.copy()
    message = r"X: expected samples of shape \(4,\) \(4 features\).* got"
    for use in (
        model.predict,
        model.forward,
        lambda X: model.evaluate(X, GOOD_Y),
        lambda X: model.fit(X, GOOD_Y),
    ):
        with pytest.raises(ValueError, match=message):
            use(X)
    with pytest.raises(ValueError, match="the model is built for samples of shape"):
        model.build(5)
    np.testing.assert_array_equal(model.network.params, before)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": 0}, "epochs: expected a whole number of at least 1, got 0"),
        ({"epochs": 1.5}, "epochs: .* got 1.5"),
        ({"epochs": True}, "epochs: .* got True"),
        ({"batch_size": 0}, "batch_size: .* got 0"),
        ({"batch_size": -3}, "batch_size: .* got -3"),
        ({"batch_size": "32"}, "batch_size: .* got '32'"),
        ({"threads": 0}, "threads: .* got 0"),
        ({"threads": 2.0}, "threads: .* got 2.0"),
        ({"engine": "gpu"}, "engine: expected one of kernels, reference"),
        (
            {"validation_data": GOOD_X},
            r"validation_data: expected \(X, y\) or \(X, y, sample_weight\), got ndarray",
        ),
        ({"validation_data": (GOOD_X[:, :2], GOOD_Y)}, r"validation X: expected samples of shape \(4,\)"),
        (
            {"validation_data": (GOOD_X, GOOD_Y[:2])},
            "validation y: expected one target for each of the 6 samples",
        ),
        ({"validation_data": (with_value(np.nan), GOOD_Y)}, r"validation X: expected finite numbers"),
        ({"validation_data": (GOOD_X, GOOD_Y + 1)}, "y: expected classes from 0 to 2"),
    ],
)
def test_bad_options(options, message):
    refuse(classifier(), GOOD_X, GOOD_Y, message, **options)
