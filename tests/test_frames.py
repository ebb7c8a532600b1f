"""Data frames of pandas: taken as they are, with the names of their columns, and refused with clear words."""

import json

import numpy as np
import pandas as pd
import pytest

from fastmlp import Dense, FileFormatError, Sequential, StandardScaler, load
from fastmlp.files.model_file import read_model, write_model
from fastmlp.inputs.frames import column_names

RANDOM = np.random.default_rng(21)
VALUES = RANDOM.normal(size=(30, 3))
FRAME = pd.DataFrame(VALUES, columns=["a", "b", "c"], index=range(1000, 1030))
LABELS = pd.Series(RANDOM.integers(0, 2, 30), index=FRAME.index)


def model_of():
    return Sequential([StandardScaler(), Dense(4, "tanh"), Dense(2, "softmax")], seed=2)


@pytest.fixture(scope="module")
def trained():
    model = model_of()
    model.fit(FRAME, LABELS, epochs=2, verbose=0, validation_data=(FRAME, LABELS))
    return model


def test_a_frame_is_its_values(trained):
    plain = model_of()
    plain.fit(VALUES, LABELS.to_numpy(), epochs=2, verbose=0)
    assert trained.network.params.tobytes() == plain.network.params.tobytes()
    np.testing.assert_array_equal(trained.predict(FRAME), plain.predict(VALUES))
    assert trained.evaluate(FRAME, LABELS) == plain.evaluate(VALUES, LABELS.to_numpy())
    np.testing.assert_array_equal(trained.predict(FRAME.iloc[3]), trained.predict(VALUES)[3])
    assert plain.feature_names == ()


FRAMES = {
    "mixed": ({"a": [1, 2], "b": [True, False], "c": [0.5, 1.5]}, [[1, 1, 0.5], [2, 0, 1.5]]),
    "nullable": (
        {
            "a": pd.array([1, 2], "Int64"), "b": pd.array([True, False], "boolean"), "c": pd.array([0.5, 1], "Float32"),
        },
        [[1, 1, 0.5], [2, 0, 1]],
    ),
    "sparse": ({"a": pd.arrays.SparseArray([0.0, 2.0]), "b": [1, 2], "c": [3, 4]}, [[0, 1, 3], [2, 2, 4]]),
    "bytes": ({name: np.array([0, 1], np.uint8) for name in "abc"}, [[0, 0, 0], [1, 1, 1]]),
}  # fmt: skip


@pytest.mark.parametrize("case", FRAMES)
def test_types_of_columns(case):
    columns, values = FRAMES[case]
    model = model_of()
    model.fit(np.eye(3), [0, 1, 0], epochs=1, verbose=0)
    np.testing.assert_array_equal(
        model.predict(pd.DataFrame(columns)), model.predict(np.array(values, np.float64))
    )


def test_targets_as_series_and_frames():
    model = Sequential([Dense(2)])
    model.fit(FRAME, FRAME[["a", "b"]], epochs=1, verbose=0)
    assert model.evaluate(FRAME, FRAME[["a", "b"]]) == model.evaluate(VALUES, VALUES[:, :2])
    single = Sequential([Dense(2, "softmax")])
    single.fit(FRAME, LABELS.astype("Int64"), epochs=1, verbose=0)
    single.fit(FRAME, LABELS.to_frame(), epochs=1, verbose=0)


BAD = {
    "text": (FRAME.assign(city="x", date=pd.Timestamp("2020")), r"got 2 columns: 'city', 'date' .*drop.*get_dummies"),
    "category": (FRAME.assign(b=pd.Categorical(["u", "v"] * 15)), "columns of numbers, got column 'b' of category"),
    "complex": (FRAME.assign(b=1j), "got column 'b' of complex128"),
    "nan": (FRAME.drop(1007).reindex(FRAME.index), r"missing in 3 columns: 'a', 'b', 'c', first in row 7 \(from 0\)"),
    "missing integer": (FRAME.assign(c=pd.array([1] * 29 + [None], "Int64")), "column 'c', first in row 29 .*fillna"),
    "infinite": (FRAME.replace(FRAME.iloc[0, 0], np.inf), r"expected finite numbers.* got inf at index \(0, 0\)"),
    "other order": (FRAME[["b", "a", "c"]], r"'a' where 'b' is; use X\[list\(model\.feature_names\)\]"),
    "other names": (FRAME.rename(columns={"c": "d"}), "in their order: 'c' is missing$"),
    "more": (FRAME.assign(d=1.0), r"'d' is none of them; use X\[list"),
    "series": (FRAME["a"], r"X: expected samples as rows.* use X\.to_frame\(\) for one feature or X\.to_frame\(\)\.T"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_frames(case, trained):
    frame, message = BAD[case]
    for use in (
        trained.predict,
        lambda X: trained.evaluate(X, LABELS),
        lambda X: trained.fit(X, LABELS, verbose=0),
    ):
        with pytest.raises(ValueError, match=message):
            use(frame)


def test_bad_labels():
    for y, message in [
        (pd.Series(["x", 1] * 15), "y: expected whole numbers .* number the classes"),
        (pd.Series([0.0, np.nan] * 15), "y: expected a target for each sample, got NaN at index 1"),
        (
            pd.Series(pd.array([0, None] * 15, "Int64")),
            "y: expected a target for each sample, got NaN at index 1",
        ),
        (LABELS.iloc[:3], "y: expected one target for each of the 30 samples"),
    ]:
        with pytest.raises(ValueError, match=message):
            model_of().fit(FRAME, y, verbose=0)


def test_validation_in_another_order():
    with pytest.raises(ValueError, match="validation X: expected the columns of X in their order"):
        model_of().fit(FRAME, LABELS, validation_data=(FRAME[["c", "b", "a"]], LABELS), verbose=0)


def test_columns_that_have_no_names():
    assert column_names(pd.DataFrame(VALUES)) == ()
    assert column_names(VALUES) == ()
    model = model_of()
    model.fit(pd.DataFrame(VALUES), LABELS, epochs=1, verbose=0)
    model.predict(FRAME[["c", "b", "a"]])


def test_names_are_saved(trained, tmp_path):
    trained.class_names = ("no", "yes")
    trained.save(tmp_path / "model")
    loaded = load(tmp_path / "model")
    assert (loaded.feature_names, loaded.class_names) == (("a", "b", "c"), ("no", "yes"))
    with pytest.raises(ValueError, match="'a' where 'b' is"):
        loaded.predict(FRAME[["b", "a", "c"]])
    config, tensors = read_model(tmp_path / "model")
    lies = ({}, [], {"class_names": []}, {"class_names": "no"}, {"class_names": [1]}, {"loss": ["x"]})
    for text in (*(json.dumps(lie).encode() for lie in lies), b"{", b"\xff"):
        write_model(tmp_path / "lie", config, tensors | {"names": np.frombuffer(text, np.uint8)})
        with pytest.raises(FileFormatError, match="lie: not a model of fastmlp: "):
            load(tmp_path / "lie")
