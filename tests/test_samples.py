"""What comes in: each bad input is one clear error that changes nothing, each odd one gives the right result."""

from contextlib import nullcontext

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from fastmlp import Adam, Dense, Dropout, Flatten, Sequential, load

GOOD_X = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
GOOD_Y = np.array([0, 1, 2, 0, 1, 2])


def classifier():
    return Sequential([Dense(5, "tanh"), Dropout(0.1), Dense(3, "softmax")])


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
    "nan": (np.where(GOOD_Y == 1, np.nan, 0), "y: expected whole numbers.* got nan of float64 at index 1"),
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
    "nan in a row": (np.full((6, 3), np.nan), r"y: expected finite numbers"),
    "ragged": ([[0], [1, 2], 0, 1, 2, 0], "y: expected a rectangular array"),
}
BAD_VALUES = {
    "too few": (np.zeros((5, 2)), "y: expected one target for each of the 6 samples of X, got 5"),
    "one column": (np.zeros((6, 1)), r"y: expected shape \(6, 2\).* got shape \(6, 1\)"),
    "one dimension": (np.zeros(6), r"y: expected shape \(6, 2\).* got shape \(6,\)"),
    "three dimensions": (np.zeros((6, 2, 1)), r"y: expected shape \(6, 2\)"),
    "nan": (np.full((6, 2), np.nan), r"y: expected finite numbers.* got nan at index \(0, 0\)"),
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
        ({"engine": "gpu"}, "unknown engine 'gpu': expected one of kernels, reference"),
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


# Odd but good


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


PIXELS = np.random.default_rng(1).integers(0, 256, (300, 4)).astype(np.uint8)
CLASSES = PIXELS[:, 0] // 86
SAME = {"bytes": PIXELS, "fractions": (PIXELS / 255).astype(np.float32), "numbers": PIXELS.astype(np.float32)}
WARNING = {
    ("numbers", "bytes"): r"X: the model was trained on numbers beyond 0 to 1, .*; .* X\.astype\('float32'\)",
    ("bytes", "numbers"): r"X: the model was trained on bytes .*; .* X\.astype\('uint8'\), or X / 255",
}


@pytest.mark.parametrize("given", SAME)
@pytest.mark.parametrize("trained", SAME)
@pytest.mark.parametrize("container", [np.asarray, csr_matrix], ids=["dense", "sparse"])
def test_samples_of_another_scale_than_those_of_the_training(tmp_path, container, trained, given):
    model = classifier()
    model.fit(container(SAME[trained]), CLASSES, epochs=1, verbose=0)
    assert model.sample_scale == trained
    model.save(tmp_path / "model")
    for one in (model, load(tmp_path / "model")):
        uses = (
            lambda X, one=one: one.predict(X),
            lambda X, one=one: one.evaluate(X, CLASSES),
            lambda X, one=one: one.fit(X, CLASSES, epochs=1, verbose=0),
        )
        for use in uses:
            message = WARNING.get((trained, given))
            with pytest.warns(UserWarning, match=message) if message else nullcontext():
                use(container(SAME[given]))
        assert one.sample_scale == trained


def test_a_model_that_nobody_trained_knows_no_scale():
    model = classifier().build(4)
    model.predict(SAME["numbers"])
    model.predict(SAME["bytes"])
    assert model.sample_scale == ""
