"""Sparse matrices that are refused: damaged ones, and numbers that no network takes."""

import numpy as np
import pytest

from fastmlp import Dense, Flatten, Sequential
from tests.sparse_samples import CONTAINERS, FEATURES, ROWS, Y, classifier, dense_matrix, sp

pytestmark = pytest.mark.survives("R25")


def changed(array, place, value):
    """A copy with one other entry."""
    return np.concatenate([array[:place], [value], array[place + 1 :]])


def damaged(container=sp.csr_matrix, **arrays):
    """A CSR matrix with other arrays than it was made with."""
    X = container(dense_matrix())
    for name, array in arrays.items():
        setattr(X, name, np.asarray(array))
    return X


GOOD = sp.csr_matrix(dense_matrix())
DAMAGED = {
    "column too large": (
        {"indices": changed(GOOD.indices, 7, FEATURES)},
        r"from 0 to 76, they go from 1 to 77",
    ),
    "column far too large": ({"indices": changed(GOOD.indices, 7, 2**40)}, "they go from 1 to 1099511627776"),
    "negative column": ({"indices": changed(GOOD.indices, 7, -1)}, "they go from -1 to 75"),
    "start after the next": ({"indptr": changed(GOOD.indptr, 7, GOOD.nnz)}, "indptr should ascend from 0"),
    "starts at 1": ({"indptr": changed(GOOD.indptr, 0, 1)}, "indptr should ascend from 0"),
    "starts below 0": ({"indptr": changed(GOOD.indptr, 0, -5)}, "indptr should ascend from 0"),
    "empty with a peak": ({"indptr": changed(GOOD.indptr * 0, 7, 5)}, "indptr should ascend from 0"),
    "end behind the numbers": ({"indptr": changed(GOOD.indptr, ROWS, GOOD.nnz + 1)}, "indptr ends at"),
    "too few starts": ({"indptr": GOOD.indptr[:-1]}, "should have 71 entries for 70 rows, it has 70"),
    "too many starts": ({"indptr": np.r_[GOOD.indptr, GOOD.nnz]}, "it has 72"),
    "fewer numbers than columns": ({"data": GOOD.data[:-1]}, "indices and .* numbers"),
    "fewer columns than numbers": ({"indices": GOOD.indices[:-1]}, "indices and .* numbers"),
    "halves": ({"indices": GOOD.indices + 0.5}, "should be whole numbers, they are int32 and float64"),
    "two dimensions": ({"data": GOOD.data[None]}, "one dimension"),
}


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_matrices(name, container):
    arrays, message = DAMAGED[name]
    X = damaged(CONTAINERS[container], **arrays)
    refuse(X, f"X: the csr_{container} is damaged: .*{message}.*; build it anew")


def test_another_damaged_format():
    X = sp.csc_matrix(dense_matrix())
    X.indices[4] = ROWS
    refuse(X, "X: scipy cannot convert this csc_matrix: .*ind")


BAD = {
    "nan": (damaged(data=changed(GOOD.data, 0, np.nan)), r"X: expected finite numbers.* got nan at index \(1, \d+\)"),
    "too large": (sp.csr_matrix(dense_matrix().astype(float) * 1e300), "X: expected finite .* of float32, got"),
    "complex": (GOOD.astype(complex), "X: expected numbers, got dtype complex128"),
    "no samples": (sp.csr_matrix((0, 4)), r"X: expected at least one sample.* got shape \(0, 4\)"),
    "no features": (sp.csr_matrix((4, 0)), r"X: expected at least one sample.* got shape \(4, 0\)"),
    "too wide": (sp.csr_matrix((1, 2**31)), r"at most 2,147,483,647 features, got shape \(1, 2147483648\)"),
    "one dimension": (sp.coo_array(np.ones(4)), r"X: .* got shape \(4,\); use"),
}  # fmt: skip


def refuse(X, message):
    """A new model and a built one refuse to use it, in one line, and are as before."""
    model = classifier()
    with pytest.raises(ValueError, match=message) as caught:
        model.fit(X, Y, verbose=0)
    assert "\n" not in str(caught.value)
    model.build(FEATURES)
    before = model.network.params.copy()
    for use in (model.predict, model.predict_classes, model.forward, lambda X: model.evaluate(X, Y)):
        with pytest.raises(ValueError, match=message):
            use(X)
    with pytest.raises(ValueError, match=message.replace("X:", "validation X:")):
        model.fit(GOOD, Y, validation_data=(X, Y), verbose=0)
    assert np.array_equal(model.network.params, before)


@pytest.mark.parametrize("name", BAD)
def test_bad_matrices(name):
    refuse(*BAD[name])


def test_the_index_of_a_number_that_is_not_finite():
    X = dense_matrix()
    row, column = np.argwhere(X)[17]
    sparse = sp.csr_matrix(X)
    sparse.data[17] = np.inf
    with pytest.raises(ValueError, match=rf"got inf at index \({row}, {column}\)"):
        classifier().fit(sparse, Y)


def test_other_places_want_dense_arrays():
    model = classifier().build(FEATURES)
    with pytest.raises(ValueError, match=r"y: expected a dense array, got a csr_matrix; use y\.toarray\(\)"):
        model.fit(GOOD, sp.csr_matrix(Y))
    with pytest.raises(ValueError, match="x: expected a dense array, got a csr_matrix"):
        model.predictor()(GOOD[0])
    with pytest.raises(ValueError, match=r"X: expected samples of shape \(77,\).* got \(76,\)"):
        model.predict(GOOD[:, 1:])
    images = Sequential([Flatten(), Dense(2)]).build((7, 11))
    with pytest.raises(ValueError, match=r"X: expected samples of shape \(7, 11\)"):
        images.predict(GOOD)
