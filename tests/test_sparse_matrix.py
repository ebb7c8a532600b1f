"""Sparse matrices of scipy: the bits of the dense matrix, which is never made."""

import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

from fastmlp import SGD, Dense, Sequential
from fastmlp.inputs.samples import as_samples
from tests.sparse_samples import CONTAINERS, FEATURES, ROWS, Y, classifier, dense_matrix, sp

FORMATS = ("csr", "csc", "coo", "bsr", "lil", "dok", "dia")


def everything(model, X, threads=None):
    """The bytes of all that comes out of a model that is trained and used on these samples."""
    history = model.fit(X, Y, epochs=2, batch_size=32, threads=threads, validation_data=(X, Y), verbose=0)
    outputs = [model.predict(X, threads=threads), model.predict_classes(X), model.forward(X)]
    arrays = [array for layer in model.layers for array in layer.parameters.values()] + outputs
    numbers = [*model.evaluate(X, Y, threads=threads).values(), *history["loss"], *history["val_loss"]]
    return b"".join(array.tobytes() for array in [*arrays, np.array(numbers)])


@pytest.mark.parametrize("density", [0.1, 0.7])
@pytest.mark.parametrize("kind", [np.uint8, np.float32, np.float64])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_bits_of_the_dense_matrix(dtype, kind, density):
    """Whatever the kernels that the density leads to, on any number of threads."""
    X = dense_matrix(kind, density)
    expected = everything(classifier(dtype=dtype), X)
    for threads in (1, 2, 3):
        assert everything(classifier(dtype=dtype), sp.csr_matrix(X), threads) == expected


@pytest.mark.parametrize("optimizer", ["sgd", "rmsprop"])
@pytest.mark.parametrize("batch_size", [1, 3])
def test_the_bits_of_the_dense_matrix_in_small_batches(batch_size, optimizer):
    X, trained = dense_matrix(), []
    for given in (X, sp.csr_matrix(X)):
        model = classifier(optimizer=optimizer)
        model.fit(given, Y, epochs=1, batch_size=batch_size, verbose=0)
        trained.append(model.network.params.tobytes())
    assert trained[0] == trained[1]


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.filterwarnings("ignore:Constructing a DIA")
def test_every_format(form, container):
    X = dense_matrix()
    samples = as_samples(CONTAINERS[container](X).asformat(form), np.dtype(np.float32))
    expected = sp.csr_matrix(X)
    assert (samples.count, samples.shape) == (ROWS, (FEATURES,))
    assert samples.starts.tolist() == expected.indptr.tolist()
    assert samples.columns.tolist() == expected.indices.tolist()
    assert samples.numbers.tolist() == expected.data.tolist()
    assert (samples.starts.dtype, samples.columns.dtype) == (np.int64, np.int32)


@pytest.mark.parametrize("kind", [np.bool_, np.int64, np.float16, ">f4", np.longdouble])
def test_other_numbers_are_those_of_the_dense_matrix(kind):
    X = dense_matrix(np.int64 if kind == np.bool_ else np.float32).astype(kind)
    sparse = sp.csr_matrix(X.astype(np.float64))
    sparse.data = sparse.data.astype(kind)  # scipy itself would refuse some of these types
    model = classifier().build(FEATURES)
    assert model.predict(sparse).tobytes() == model.predict(X).tobytes()


def test_columns_in_any_order_and_more_than_once():
    """They are put in order and summed up in a copy, even if the matrix says that they are in order."""
    data, columns, starts = np.arange(1, 7, dtype=np.float32), [3, 1, 3, 0, 2, 2], [0, 3, 3, 6]
    X = sp.csr_matrix((data, columns, starts), shape=(3, 4))
    before = [array.copy() for array in (X.data, X.indices, X.indptr)]
    X.has_canonical_format = True
    samples = as_samples(X, np.dtype(np.float32))
    assert samples.starts.tolist() == [0, 2, 2, 4]
    assert samples.columns.tolist() == [1, 3, 0, 2]
    assert samples.numbers.tolist() == [2, 4, 4, 11]
    for array, old in zip((X.data, X.indices, X.indptr), before, strict=True):
        np.testing.assert_array_equal(array, old)


def test_stored_zeros_room_behind_the_numbers_and_wide_indices():
    X = dense_matrix()
    X[X > 100] = 0
    odd = sp.csr_matrix(dense_matrix())
    odd.data[odd.data > 100] = 0
    odd.data = np.append(odd.data, np.float32(np.nan))
    odd.indices = np.append(odd.indices, -1).astype(np.int64)
    odd.indptr = odd.indptr.astype(np.int64)
    assert everything(classifier(), odd) == everything(classifier(), X)


@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_a_matrix_of_zeros(kind):
    X = np.zeros((ROWS, FEATURES), kind)
    assert everything(classifier(), sp.csr_matrix(X)) == everything(classifier(), X)


def test_read_only_arrays_compile_nothing():
    X = sp.csr_matrix(dense_matrix())
    model = classifier()
    expected = everything(model, X)
    from fastmlp.kernels.program import entries

    before = len(entries.train.signatures)
    for array in (X.data, X.indices, X.indptr):
        array.flags.writeable = False
    assert everything(classifier(), X) == expected
    assert len(entries.train.signatures) == before


@pytest.mark.parametrize("ordered", [True, False], ids=["ordered", "unordered"])
def test_a_matrix_and_classes_that_somebody_changes_meanwhile(ordered):
    """Kernels go by columns and classes, so they have their own."""
    X, y = sp.csr_matrix(dense_matrix()), Y.copy()
    if not ordered:
        first = slice(*X.indptr[1:3])
        X.indices[first], X.data[first] = X.indices[first][::-1].copy(), X.data[first][::-1].copy()
    expected = classifier().fit(X, y, epochs=3, verbose=0)["loss"]

    def change(epoch, logs):
        X.indices[:], X.indptr[:], y[:] = 0, 0, 0

    assert classifier().fit(X, y, epochs=3, callbacks=[change], verbose=0)["loss"] == expected
    assert not y.any()


def test_the_twin_in_numpy():
    X = sp.csr_matrix(dense_matrix(np.uint8))
    models = [classifier(optimizer=SGD(0.1)) for _ in range(2)]
    for model, given in zip(models, (X, X.toarray()), strict=True):
        model.fit(given, Y, epochs=2, verbose=0, engine="reference")
    assert models[0].network.params.tobytes() == models[1].network.params.tobytes()
    assert np.array_equal(*(model.predict(X, engine="reference") for model in models))


def test_layers_by_hand():
    X = dense_matrix()
    layer, other = Dense(5).build(FEATURES), Dense(5).build(FEATURES)
    assert np.array_equal(layer.forward(sp.csr_matrix(X)), other.forward(X))
    d_y = np.ones((ROWS, 5), np.float32)
    assert np.array_equal(layer.backward(d_y), other.backward(d_y))
    assert np.array_equal(layer.d_weight, other.d_weight)


def test_one_row_is_a_batch_of_one():
    X = dense_matrix()
    model = classifier().build(FEATURES)
    assert np.array_equal(model.predict(sp.csr_matrix(X)[3]), model.predict(X[3:4]))


def test_scipy_is_not_imported():
    code = """if True:
        import sys
        import fastmlp
        fastmlp.Sequential([fastmlp.Dense(2)]).fit([[1.0, 0.0]], [[0.0, 1.0]], epochs=1, verbose=0)
        sys.exit("scipy.sparse" in sys.modules)
    """
    assert subprocess.run([sys.executable, "-c", code], timeout=600).returncode == 0


# Text-like data: 20,000 words, 100 of them in each document, and ten for each topic.
WORDS, DOCUMENT, TOPICS = 20_000, 100, 4


def documents(count):
    """Documents as counts of words, with a few words about their topic."""
    random = np.random.default_rng(0)
    topics = random.integers(0, TOPICS, count)
    words = random.integers(10 * TOPICS, WORDS, (count, DOCUMENT))
    words[:, :5] = 10 * topics[:, None] + random.integers(0, 10, (count, 5))
    rows = np.repeat(np.arange(count), DOCUMENT)
    counts = np.ones(count * DOCUMENT, np.float32)
    return sp.csr_matrix((counts, (rows, words.reshape(-1))), shape=(count, WORDS)), topics


def test_text():
    """It is learnt, on two threads with the same bits as on one, in memory for a batch but not for the matrix."""
    X, topics = documents(4_000)
    known, new = slice(0, 3_000), slice(3_000, None)
    batch, item = 32, 4
    trained = []
    for threads in (1, 2):
        model = Sequential([Dense(16, "relu"), Dense(TOPICS, "softmax")])
        model.build(WORDS)
        tracemalloc.start()
        try:
            model.fit(X[known], topics[known], epochs=2, batch_size=batch, threads=threads, verbose=0)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        trained.append(model.network.params.tobytes())
        # Parameters, two moments and a copy of all; a batch; some copies of what the matrix stores.
        assert peak < 8 * model.network.params.nbytes + 2 * batch * WORDS * item + 10 * X.data.nbytes
        assert peak < 3_000 * WORDS * item / 4
        assert model.evaluate(X[new], topics[new])["accuracy"] > 0.98
    assert trained[0] == trained[1]
