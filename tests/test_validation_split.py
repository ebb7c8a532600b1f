"""A share of the samples kept back for validation."""

import numpy as np
import pytest

from fastmlp import Dense, Sequential, StandardScaler, train_test_split

RANDOM = np.random.default_rng(0)
X, Y = RANDOM.normal(size=(90, 4)).astype(np.float32), np.repeat([0, 1, 2], [60, 20, 10])
VALUES = X.sum(axis=1, keepdims=True)


def parts(stratify):
    """The rows that are trained on and those that are not, in ascending order, as `train_test_split` has them."""
    training, validation, *_ = train_test_split(np.arange(90), Y, test_size=0.2, stratify=stratify, seed=5)
    return np.sort(training), np.sort(validation)


@pytest.mark.parametrize("engine", ["kernels", "reference"])
@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("targets", ["classes", "values"])
def test_as_if_the_parts_had_been_given_one_by_one(targets, shuffle, engine):
    """The same bits, those of the scaler included, which sees what is trained on and nothing else."""
    y, last, stratify = (Y, Dense, Y) if targets == "classes" else (VALUES, Dense, None)
    training, validation = parts(stratify)
    split, given = (
        Sequential([StandardScaler(), Dense(6, "tanh"), Dense(3, "softmax") if y is Y else last(1)], seed=5)
        for _ in range(2)
    )
    options = {"epochs": 3, "batch_size": 16, "shuffle": shuffle, "engine": engine, "verbose": 0}
    split.fit(X, y, validation_split=0.2, **options)
    given.fit(X[training], y[training], validation_data=(X[validation], y[validation]), **options)
    np.testing.assert_array_equal(split.network.params, given.network.params)
    for name in set(given.history) - {"seconds", "samples_per_second"}:
        assert split.history[name] == given.history[name]
    if y is Y:
        assert np.bincount(Y[validation]).tolist() == [12, 4, 2]


def test_sparse_samples_are_split_too():
    sparse = pytest.importorskip("scipy.sparse")
    few = RANDOM.integers(0, 2, (50, 6)).astype(np.float32)
    models = [Sequential([StandardScaler(), Dense(1)]) for _ in range(2)]
    for model, samples in zip(models, (few, sparse.csr_array(few)), strict=True):
        model.fit(samples, few.sum(axis=1), epochs=2, validation_split=0.3, verbose=0)
    np.testing.assert_array_equal(*(model.network.params for model in models))
    assert models[0].history["val_loss"] == models[1].history["val_loss"]


@pytest.mark.parametrize("share", [1, 1.0, -0.1, 2, "half", True, None, np.nan])
def test_what_is_no_share(share):
    with pytest.raises(
        ValueError, match="validation_split: expected a number of at least 0 and below 1, got"
    ):
        Sequential([Dense(1)]).fit(X, VALUES, validation_split=share, verbose=0)


@pytest.mark.parametrize("share", [0.001, 0.999])
def test_both_parts_need_samples(share):
    model = Sequential([Dense(1)])
    with pytest.raises(ValueError, match=f"validation_split: .* leaves some of the 90 .* got {share}"):
        model.fit(X, VALUES, validation_split=share, verbose=0)
    assert model.epochs == 0


def test_a_split_and_data_are_too_much():
    with pytest.raises(ValueError, match=r"validation_split: .* give one of the two"):
        Sequential([Dense(1)]).fit(X, VALUES, validation_split=0.3, validation_data=(X, VALUES), verbose=0)


def test_a_share_may_be_a_number_of_numpy():
    models = [Sequential([Dense(1)]) for _ in range(2)]
    for model, share in zip(models, (0.25, np.float32(0.25)), strict=True):
        model.fit(X, VALUES, epochs=1, validation_split=share, verbose=0)
    np.testing.assert_array_equal(*(model.network.params for model in models))
