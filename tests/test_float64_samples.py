"""float64 and integer samples that float32 merges: scalers subtract in float64, without them there is a warning."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

from fastmlp import (
    Adam,
    Dense,
    Flatten,
    MaxAbsScaler,
    MinMaxScaler,
    Sequential,
    StandardScaler,
    find_learning_rate,
    load,
)  # fmt: skip
from fastmlp.sklearn import MLPClassifier

RANDOM = np.random.default_rng(4)
# Days that float32 merges, and classes that tell them apart.
DAYS = np.tile([20180131, 20180132], 40)[:, None]
Y = (DAYS[:, 0] % 2).astype(int)
ABOUT = RANDOM.normal(size=(80, 2))
X = np.hstack([ABOUT, DAYS])
FORMS = {
    "float64": X,
    "columns": np.asfortranarray(X),
    "csr": csr_matrix(X),
    "frame": pd.DataFrame({"a": X[:, 0], "b": X[:, 1], "day": DAYS[:, 0]}),
}
SCALERS = {"standard": StandardScaler, "range": MinMaxScaler}


def model_of(*first, **options):
    layers = [*first, Dense(16, "tanh"), Dense(16, "tanh"), Dense(2, "softmax")]
    return Sequential(layers, optimizer=Adam(0.02), seed=1, **options)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("scaler", SCALERS)
def test_days_are_told_apart(scaler, form, tmp_path):
    model = model_of(SCALERS[scaler]())
    given = FORMS[form]
    validation = model.fit(given, Y, epochs=60, batch_size=16, validation_data=(given, Y), verbose=0)[
        "val_accuracy"
    ]
    assert validation[-1] == model.evaluate(given, Y)["accuracy"] == 1
    assert (model.predict_classes(given) == Y).all()
    model.save(tmp_path / "model")
    loaded, predictor = load(tmp_path / "model"), model.predictor()
    outputs = model.predict(X)
    for one in (
        loaded.predict(given),
        [predictor(x) for x in X],
        model.forward(given),
        model.predict(csr_matrix(X)),
    ):
        np.testing.assert_array_equal(one, outputs)
    np.testing.assert_array_equal(model.predict(X[3]), outputs[3])
    np.testing.assert_allclose(model.predict(given, engine="reference"), outputs, rtol=1e-4)


@pytest.mark.parametrize("kind", [np.int32, np.int64, np.float64, np.uint32])
@pytest.mark.parametrize("scaler", SCALERS)
def test_any_type_that_holds_them(scaler, kind):
    whole = DAYS.astype(kind)
    scaled = SCALERS[scaler]().adapt(whole).forward(whole)
    expected = {"standard": (DAYS - DAYS.mean()) / DAYS.std(), "range": DAYS - DAYS.min()}[scaler]
    np.testing.assert_allclose(scaled, expected, rtol=1e-6)


def test_close_numbers_far_from_zero():
    far = 1e9 + np.array([[0.0], [0.001], [0.002], [0.003]])
    np.testing.assert_allclose(MinMaxScaler().adapt(far).forward(far)[:, 0], [0, 1 / 3, 2 / 3, 1], atol=1e-4)
    assert abs(StandardScaler().adapt(far).forward(far).mean()) < 1e-3


@pytest.mark.parametrize("engine", ["kernels", "reference"])
def test_the_same_numbers_in_float32_and_float64_give_the_same_bits(engine):
    plain = (RANDOM.normal(size=(70, 40)) * 100 + RANDOM.normal(size=40) * 1000).astype(np.float32)
    labels = np.arange(70) % 2
    trained = []
    for given in (plain, plain.astype(np.float64), csr_matrix(plain)):
        for threads in (1, 2, 3):
            model = model_of(StandardScaler())
            model.fit(given, labels, epochs=2, batch_size=30, threads=threads, engine=engine, verbose=0)
            trained.append(model.network.params.tobytes())
    assert len(set(trained)) == 1


def test_a_wide_first_layer_whose_inputs_are_shared():
    wide = np.hstack([DAYS + np.arange(700), RANDOM.normal(size=(80, 8))])
    trained = []
    for threads in (1, 2, 4):
        model = Sequential([StandardScaler(), Dense(400, "relu"), Dense(2, "softmax")])
        model.fit(wide, Y, epochs=2, batch_size=32, threads=threads, verbose=0)
        trained.append(model.network.params.tobytes())
    assert len(set(trained)) == 1


def test_a_constant_column_becomes_zero():
    given = np.hstack([X, np.full((80, 1), 20180131.7)])
    assert (StandardScaler().adapt(given).forward(given)[:, 3] == 0).all()


def test_other_ways_to_train():
    model = model_of(StandardScaler())
    for _ in range(80):
        model.train_on_batch(X, Y)
    assert model.evaluate(X, Y)["accuracy"] == 1
    found = find_learning_rate(model_of(StandardScaler()), X, Y, steps=60)
    assert found.smoothed.min() < 0.5
    split = model_of(StandardScaler()).fit(X, Y, epochs=60, batch_size=16, validation_split=0.2, verbose=0)
    assert split["val_accuracy"][-1] == 1


MERGED = {
    "float64": (X, "2"),
    "int64": (DAYS.astype(np.int64), "0"),
    "csr": (csr_matrix(X), "2"),
    "frame": (FORMS["frame"], "'day'"),
    "times of an hour": (1.7e9 + np.linspace(0, 3600, 80)[:, None], "0"),
}


@pytest.mark.parametrize("case", MERGED)
@pytest.mark.parametrize("first", [tuple, lambda: (MaxAbsScaler(),), lambda: (Flatten(),)])
def test_without_a_center_there_is_a_warning(case, first):
    given, name = MERGED[case]
    model = model_of(*first())
    with pytest.warns(
        UserWarning, match=rf"X: expected .*, got column {name} with .* add StandardScaler\(\)"
    ):
        model.fit(given, Y, epochs=1, verbose=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(given, Y, epochs=1, verbose=0)  # it was said before


QUIET = {
    "normal": RANDOM.normal(size=(1000, 3)),
    "far": RANDOM.normal(size=(1000, 3)) + 1000,
    "small whole numbers": np.arange(1000.0)[:, None],
    "float32": X.astype(np.float32),
    "large ids": RANDOM.integers(0, 2**40, (1000, 1)),
    "rounding": np.where(RANDOM.random((100, 1)) < 0.5, 0.1, np.nextafter(0.1, 1)),
}


@pytest.mark.parametrize("case", QUIET)
def test_where_rounding_does_not_matter_there_is_none(case):
    given = QUIET[case]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model_of().fit(given, np.arange(len(given)) % 2, epochs=1, verbose=0)
        model_of(dtype="float64").fit(X, Y, epochs=1, verbose=0)
        model_of(StandardScaler()).fit(X, Y, epochs=1, verbose=0)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_estimators_pass_float64_on():
    with pytest.warns(UserWarning, match="got column 2 with 2 different numbers, of which float32 keeps 1"):
        MLPClassifier(max_iter=2).fit(X, Y)
