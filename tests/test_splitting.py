"""Samples kept back for validation: drawn by the seed, of each class its share."""

import numpy as np
import pytest

from fastmlp import Dense, Sequential
from fastmlp.splitting import split_rows

NONE = np.zeros(0, np.int64)


@pytest.mark.parametrize(
    ("count", "share", "kept"), [(10, 0.2, 2), (2, 0.5, 1), (1000, 0.333, 333), (7, 0.9, 6)]
)
def test_every_sample_is_on_one_side(count, share, kept):
    training, validation = split_rows(count, share, 7, NONE)
    assert len(validation) == kept
    assert sorted([*training, *validation]) == list(range(count))
    assert (np.diff(training) > 0).all()
    assert (np.diff(validation) > 0).all()


def test_each_class_gives_its_share():
    labels = np.random.default_rng(0).permutation(np.repeat([0, 1, 2, 3], [700, 200, 95, 5]))
    for seed in range(20):
        _, validation = split_rows(1000, 0.3, seed, labels)
        expected = 0.3 * np.bincount(labels)
        assert (np.abs(np.bincount(labels[validation], minlength=4) - expected) <= 1).all()


@pytest.mark.parametrize("labels", [NONE, np.arange(4000) % 2])
def test_the_draw_is_fair_and_keyed_by_the_seed(labels):
    """Each sample is kept as often as any other, within five standard deviations."""
    counts = np.zeros(4000)
    for seed in range(200):
        counts[split_rows(4000, 0.25, seed, labels)[1]] += 1
    assert (np.abs(counts - 50) <= 5 * np.sqrt(200 * 0.25 * 0.75)).all()
    np.testing.assert_array_equal(split_rows(4000, 0.25, 3, labels)[1], split_rows(4000, 0.25, 3, labels)[1])


@pytest.mark.parametrize("share", [1, 1.0, -0.1, 0.0, 0.01, 0.99, "half", True, None, np.nan])
def test_bad_shares(share):
    with pytest.raises(
        ValueError, match=r"validation_split: expected a share above 0 and below 1 .* of 10, got"
    ):
        split_rows(10, share, 0, NONE)


@pytest.mark.parametrize("engine", ["kernels", "reference"])
@pytest.mark.parametrize("shuffle", [False, True])
def test_fit_trains_on_one_part_and_evaluates_the_other(shuffle, engine):
    """As if the parts had been given one by one: the same bits."""
    random = np.random.default_rng(0)
    X, y = random.normal(size=(90, 4)).astype(np.float32), random.integers(0, 3, 90)
    training, validation = split_rows(90, 0.2, 5, y)
    split, given = (Sequential([Dense(6, "tanh"), Dense(3, "softmax")], seed=5) for _ in range(2))
    options = {"epochs": 3, "batch_size": 16, "shuffle": shuffle, "engine": engine, "verbose": 0}
    split.fit(X, y, validation_split=0.2, **options)
    given.fit(X[training], y[training], validation_data=(X[validation], y[validation]), **options)
    np.testing.assert_array_equal(split.network.params, given.network.params)
    for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
        assert split.history[name] == given.history[name]


def test_sparse_samples_are_split_too():
    sparse = pytest.importorskip("scipy.sparse")
    X = np.random.default_rng(0).integers(0, 2, (50, 6)).astype(np.float32)
    models = [Sequential([Dense(1)]) for _ in range(2)]
    for model, samples in zip(models, (X, sparse.csr_array(X)), strict=True):
        model.fit(samples, X.sum(axis=1), epochs=2, validation_split=0.3, verbose=0)
    np.testing.assert_array_equal(*(model.network.params for model in models))
    assert models[0].history["val_loss"] == models[1].history["val_loss"]


def test_a_split_and_data_are_too_much():
    X, y = np.ones((9, 2)), np.ones(9)
    model = Sequential([Dense(1)])
    with pytest.raises(ValueError, match=r"validation_split: .* give one of the two"):
        model.fit(X, y, validation_split=0.3, validation_data=(X, y), verbose=0)
    with pytest.raises(ValueError, match=r"validation_split: .* got 2"):
        model.fit(X, y, validation_split=2, verbose=0)
    assert model.epochs == 0
