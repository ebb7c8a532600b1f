"""Classes that have names: given, or found among the targets."""

import numpy as np
import pytest

from fastmlp import Dense, Sequential, load

X = np.random.default_rng(0).normal(size=(60, 2)).astype(np.float32)
NUMBERS = (X[:, 0] > 0) + 1 * (X[:, 1] > 0)
NAMES = np.array(["bird", "cat", "dög"])
OPTIONS = {"epochs": 3, "batch_size": 8, "verbose": 0}


def model_of(outputs=3, last="softmax", **options):
    return Sequential([Dense(8, "tanh"), Dense(outputs, last)], **options)


@pytest.fixture(scope="module")
def numbered():
    model = model_of()
    model.fit(X, NUMBERS, **OPTIONS)
    return model


@pytest.mark.parametrize(
    "form", [list, tuple, np.asarray, lambda y: y.astype(object), lambda y: y[:, None]],
    ids=["list", "tuple", "array", "objects", "column"],
)  # fmt: skip
def test_names_train_as_their_numbers(form, numbered):
    model, y = model_of(), form(NAMES[NUMBERS])
    model.fit(X, y, validation_split=0.25, **OPTIONS)
    again = model_of()
    again.fit(X, NUMBERS, validation_split=0.25, **OPTIONS)
    np.testing.assert_array_equal(model.network.params, again.network.params)
    assert model.class_names == tuple(NAMES)
    assert model.evaluate(X, y) == model.evaluate(X, NUMBERS)


def test_a_series_of_pandas():
    pandas = pytest.importorskip("pandas")
    model = model_of()
    model.fit(X, pandas.Series(NAMES[NUMBERS]), **OPTIONS)
    assert model.class_names == tuple(NAMES)
    with pytest.raises(ValueError, match=r"y: expected a target for each sample, got NaN at index 0"):
        model_of().fit(X, pandas.Series(np.where(NUMBERS == 1, None, NAMES[NUMBERS])), **OPTIONS)


def test_predicted_classes_are_names(numbered, tmp_path):
    model = model_of(class_names=NAMES)
    model.fit(X, NUMBERS, **OPTIONS)
    expected = NAMES[numbered.predict_classes(X)]
    model.save(tmp_path / "model")
    for each in (model, load(tmp_path / "model")):
        assert each.class_names == tuple(NAMES)
        assert each.predict_classes(X).tolist() == expected.tolist()
        assert each.predict_classes(X[3]).shape == ()
        assert each.predict_classes(X[3]) == expected[3]
    assert numbered.class_names == ()


def test_given_names_keep_their_order():
    """So a class may be missing among the targets, and the order need not be that of the alphabet."""
    model, few = model_of(class_names=["dog", "cat", "bird"]), ["dog", "bird"] * 30
    model.fit(X, few, **OPTIONS)
    other = model_of()
    other.fit(X, [0, 2] * 30, **OPTIONS)
    np.testing.assert_array_equal(model.network.params, other.network.params)


@pytest.mark.parametrize(("outputs", "last"), [(1, "sigmoid"), (2, "softmax")])
def test_two_classes(outputs, last):
    y = np.where(X[:, 0] > 0, "yes", "no")
    model = model_of(outputs, last, optimizer="rmsprop")
    model.fit(X, y, epochs=60, batch_size=8, verbose=0)
    assert model.class_names == ("no", "yes")
    assert (model.predict_classes(X) == y).mean() == model.evaluate(X, y)["accuracy"] > 0.9


def test_names_that_do_not_fit():
    model = model_of()
    with pytest.raises(
        ValueError, match=r"names of 3 classes, as the network has 3 outputs, got 2: a, b; give"
    ):
        model.fit(X, ["a", "b"] * 30, **OPTIONS)
    assert model.class_names == ()
    with pytest.raises(ValueError, match="names of 3 classes"):
        model_of(class_names=["a", "b"]).build(2)
    with pytest.raises(ValueError, match="names of 2 classes, as the network has 1 outputs"):
        model_of(1, "sigmoid").fit(X, NAMES[NUMBERS], **OPTIONS)
    with pytest.raises(ValueError, match="y: expected numbers, got dtype <U4"):
        model_of(1, "identity").fit(X, NAMES[NUMBERS], **OPTIONS)
    model.fit(X, NAMES[NUMBERS], **OPTIONS)
    with pytest.raises(ValueError, match=r"y: expected classes among bird, cat, dög, got 'fish'"):
        model.fit(X, ["cat", "fish"] * 30, **OPTIONS)
    with pytest.raises(ValueError, match="got 'fish'"):
        model.evaluate(X, ["cat", "fish"] * 30)
    assert model.epochs == 3
