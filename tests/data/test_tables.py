"""Classes, splits, summaries and NPZ files: what makes a data set of what was read."""

import numpy as np
import pandas
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

from fastmlp import DataSet, Table, load_npz, train_test_split
from fastmlp.data.labels import match_classes, name_classes
from fastmlp.errors import FileFormatError

X = np.arange(40, dtype=np.float32).reshape(20, 2)
Y = np.array([0] * 12 + [1] * 6 + [2] * 2)


# Classes


@pytest.mark.parametrize(
    ("texts", "names", "codes"),
    [
        (["b", "a", "b"], ("a", "b"), [1, 0, 1]),
        (["2", "0", "1"], ("0", "1", "2"), [2, 0, 1]),
        (["1", "x"], ("1", "x"), [0, 1]),
        (["True", "False"], ("False", "True"), [1, 0]),
        # Numbers that are not 0, 1, ..., k - 1 are names, in the order of their values.
        (["1", "-1"], ("-1", "1"), [1, 0]),
        (["1000", "5", "30"], ("5", "30", "1000"), [2, 0, 1]),
        (["1", "2", "3"], ("1", "2", "3"), [0, 1, 2]),
        (["2", "0"], ("0", "2"), [1, 0]),
        (["255"], ("255",), [0]),
        (["02", "01", "10"], ("01", "02", "10"), [1, 0, 2]),
        (["1.0", "0.0"], ("0.0", "1.0"), [1, 0]),
        (["+1", "-1"], ("-1", "+1"), [1, 0]),
        (["1e2", "2e1"], ("2e1", "1e2"), [1, 0]),
        (["9007199254740993", "9007199254740992"], ("9007199254740992", "9007199254740993"), [1, 0]),
    ],
)
def test_name_classes(texts, names, codes):
    found, numbers = name_classes(texts)
    assert (found, numbers.tolist()) == (names, codes)
    np.testing.assert_array_equal(match_classes(texts, names), numbers)


def test_match_classes():
    assert match_classes(["1.0", "1", "2", "x", "01"], ("1", "x")).tolist() == [0, 0, -1, 1, 0]
    assert match_classes(["01", "1", "1.0"], ("1", "01")).tolist() == [1, 0, -1]


def test_values_are_not_classes():
    with pytest.raises(ValueError, match=r"the label 0\.5 is not a whole number; .* targets"):
        name_classes(["1", "0.5"])


@pytest.mark.parametrize("texts", [("1", "1.0"), ("01", "1"), ("+1", "1"), ("100", "1e2"), ("-0", "0")])
def test_one_number_written_in_two_ways_is_neither_one_class_nor_two(texts):
    with pytest.raises(ValueError, match="are the same number; write both alike"):
        name_classes(texts)


# train_test_split


@settings(deadline=None)  # the first call compiles
@given(st.lists(st.integers(0, 4), min_size=2, max_size=60), st.integers(0, 2**63 - 1), st.data())
def test_a_stratified_split_takes_the_same_share_of_each_class(labels, seed, draw):
    size = draw.draw(st.integers(1, len(labels) - 1))
    y, places = np.array(labels), np.arange(len(labels))
    train, test, y_train, y_test = train_test_split(places, y, test_size=size, stratify=y, seed=seed)
    assert sorted([*train, *test]) == places.tolist()
    assert len(test) == size
    np.testing.assert_array_equal(y_train, y[train])
    np.testing.assert_array_equal(y_test, y[test])
    for label in range(5):
        exact = (y == label).sum() * size / len(y)
        assert abs((y_test == label).sum() - exact) < 1


def test_a_split_is_pinned():
    """A change of these random numbers would change results that others have published."""
    parts = train_test_split(np.arange(10), np.arange(10), test_size=0.3, seed=7)
    assert parts[1].tolist() == PINNED
    assert (
        parts[1].tolist() != train_test_split(np.arange(10), np.arange(10), test_size=0.3, seed=8)[1].tolist()
    )


PINNED = [8, 3, 1]


def test_what_is_split_keeps_its_type():
    frame = pandas.DataFrame({"a": X[:, 0], "b": X[:, 1]}, index=range(100, 120))
    expected = train_test_split(X, Y, stratify=Y)
    by_frame = train_test_split(frame, pandas.Series(Y), stratify=Y)
    by_matrix = train_test_split(scipy.sparse.coo_array(X), Y, stratify=Y)
    for plain, framed, sparse in zip(expected, by_frame, by_matrix, strict=True):
        np.testing.assert_array_equal(framed.to_numpy(), plain)
        np.testing.assert_array_equal(sparse.toarray() if scipy.sparse.issparse(sparse) else sparse, plain)
    assert list(by_frame[0].columns) == ["a", "b"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"test_size": 0.0}, "test_size: expected a share between 0 and 1"),
        ({"test_size": 1.0}, "test_size: .* got 1.0"),
        ({"test_size": 0.01}, "test_size: .* 20 for training"),
        ({"test_size": 20}, "test_size: .* got 20"),
        ({"test_size": True}, "test_size: .* got True"),
        ({"test_size": "half"}, "test_size: .* got 'half'"),
        ({"seed": -1}, "seed: expected"),
        ({"y": Y[:-1]}, r"y: expected one for each of the 20 samples of X, got shape \(19,\)"),
        ({"stratify": Y[:3]}, "stratify: expected a class for each of 20 samples"),
    ],
)
def test_splits_that_cannot_be(change, message):
    with pytest.raises(ValueError, match=message):
        train_test_split(**({"X": X, "y": Y} | change))


# Tables and their summaries


def test_split_of_a_table_carries_the_names():
    table = Table(X, Y, "few", ("a", "b"), ("x", "y", "z"))
    data = table.split(0.5, seed=3)
    assert (data.feature_names, data.class_names, data.name) == (("a", "b"), ("x", "y", "z"), "few")
    assert np.bincount(data.y_test).tolist() == [6, 3, 1]
    assert repr(table) == "Table('few', X=(20, 2), y=(20,))"
    values = Table(X, X[:, 0], "values").split(0.5)
    assert len(values.x_test) == 10


def test_tables_that_do_not_belong_together():
    table = Table(X, Y, "one", ("a", "b"), ("x", "y", "z"))
    assert table.with_test(table).y_test is Y
    for other, message in [
        (Table(X[:, :1], Y, "two", ("a",), table.class_names), "features"),
        (Table(X.astype("f8"), Y, "two", ("a", "b"), table.class_names), "type"),
        (Table(X, Y, "two", ("b", "a"), table.class_names), "names of the features"),
        (Table(X, Y, "two", ("a", "b"), ("x", "y")), "classes"),
        (Table(X, None, "two", ("a", "b"), table.class_names), "in both"),
    ]:
        with pytest.raises(ValueError, match=message):
            table.with_test(other)
    with pytest.raises(ValueError, match="expected classes or values"):
        Table(X, None, "no y").split()


def lines_of(summary):
    """Rows of a summary: their first word and the rest."""
    return {line.split("  ")[0].strip(): line.split()[-1] for line in summary.splitlines()}


def test_summary_counts_what_numpy_counts():
    random = np.random.default_rng(2)
    many = np.where(random.random((2000, 700)) < 0.3, 0, random.normal(size=(2000, 700)))
    many[random.random(many.shape) < 0.001] = np.nan
    rows = lines_of(Table(many, random.integers(0, 3, 2000), "many").summary())
    assert rows["missing"] == f"{np.isnan(many).sum():,}"
    assert rows["range"] == f"{np.nanmax(many):g}"
    share = f"{(many == 0).mean():.1%}".replace("%", "")
    assert f"{share} %" in Table(many, None, "many").summary()
    assert sum(key.startswith("class") for key in rows) == 3


def test_summaries_of_all_kinds():
    train, test = np.zeros((5, 28, 28), np.uint8), np.ones((2, 28, 28), np.uint8)
    images = DataSet(train, train[:, 0, 0], test, test[:, 0, 0], "images")
    assert "28 x 28 = 784" in images.summary()
    values = Table(X, np.stack([Y, Y], axis=1) / 3.0, "values").summary()
    assert lines_of(values)["targets"] == "2"
    assert "0 to 0.666667" in values
    assert "class" not in Table(X, None, "none").summary()
    assert lines_of(Table(np.full((2, 1), np.nan), None, "nothing").summary())["range"] == "-"


# NPZ


def test_npz(tmp_path):
    np.savez(tmp_path / "a.npz", X=X, y=Y)
    np.savez_compressed(tmp_path / "b.npz", x_train=X, y_train=np.array(["a", "b"] * 10), values=X[:, 1:])
    plain, named = load_npz(tmp_path / "a.npz"), load_npz(tmp_path / "b.npz", "x_train", "y_train")
    np.testing.assert_array_equal(plain.X, X)
    assert (plain.y.tolist(), plain.class_names) == (Y.tolist(), ("0", "1", "2"))
    assert (named.y.tolist(), named.class_names) == ([0, 1] * 10, ("a", "b"))
    assert load_npz(tmp_path / "b.npz", "x_train", None).y is None
    values = load_npz(tmp_path / "b.npz", "x_train", "values")
    assert (values.y.shape, values.class_names) == ((20, 1), ())


def test_npz_of_bad_files(tmp_path):
    bad = tmp_path / "bad.npz"
    with pytest.raises(FileNotFoundError, match="there is no such file"):
        load_npz(bad)
    bad.write_bytes(b"nothing of the kind")
    with pytest.raises(FileFormatError, match="not an NPZ file"):
        load_npz(bad)
    np.savez(bad, X=X, y=Y)
    with pytest.raises(FileFormatError, match="has no array 'Y'; it has X, y"):
        load_npz(bad, "X", "Y")
    bad.write_bytes(bad.read_bytes()[:200])
    with pytest.raises(FileFormatError, match="not an NPZ file"):
        load_npz(bad)
    np.save(tmp_path / "one.npy", X)
    with pytest.raises(FileFormatError, match="not an NPZ file"):
        load_npz(tmp_path / "one.npy")
    for arrays, message in [
        ({"X": X[:, 0], "y": Y}, r"X: expected samples as rows of numbers, got shape \(20,\)"),
        ({"X": X, "y": Y[:3]}, "y: expected one for each of the 20 samples"),
        ({"X": X.astype(str), "y": Y}, "X: expected samples as rows of numbers"),
        ({"X": X, "y": Y.astype("M8[s]")}, "y: expected classes or values"),
    ]:
        np.savez(bad, **arrays)
        with pytest.raises(FileFormatError, match=message):
            load_npz(bad)


@pytest.mark.survives("R1")
def test_npz_never_runs_anything(tmp_path):
    np.savez(tmp_path / "objects.npz", X=X, y=np.array([print, len], object))
    with pytest.raises(FileFormatError, match=r"not an NPZ file of numbers and texts.*Python objects"):
        load_npz(tmp_path / "objects.npz")
