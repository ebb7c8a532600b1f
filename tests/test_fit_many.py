"""Many models at once: each with the bits of a lone run on its own rows, whatever the number of threads."""

import os
import signal
import threading
import time
import warnings

import numpy as np
import pytest
import scipy.sparse as sp

from fastmlp import (
    SGD,
    Adam,
    BatchNorm,
    Dense,
    Dropout,
    EarlyStopping,
    Flatten,
    Sequential,
    StandardScaler,
    fit_many,
)
from tests.test_interruptions import when_training

RANDOM = np.random.default_rng(2)
X = RANDOM.normal(size=(80, 5)).astype(np.float32)
Y = RANDOM.integers(0, 3, 80)
BUILDS = [
    lambda: [Dense(16, "relu"), Dense(3, "softmax")],
    lambda: [StandardScaler(), Dense(30, "tanh"), BatchNorm(), Dropout(0.3), Dense(3, "softmax")],
    lambda: [Dense(8, "gelu"), Dense(8, "relu"), Dense(3, "softmax")],
]
OPTIONS = {"epochs": 7, "batch_size": 16, "verbose": 0}


def models(count=7):
    return [
        Sequential(BUILDS[i % 3](), seed=i, optimizer=(Adam(0.01 * (1 + i)), SGD(0.1, momentum=0.9))[i % 2])
        for i in range(count)
    ]


def folds(count=7):
    """Folds, and bootstrap samples, in which rows occur twice and out of order."""
    random = np.random.default_rng(1)
    return [
        random.integers(0, 80, 70) if i % 2 else np.delete(np.arange(80), slice(10 * i, 10 * i + 10))
        for i in range(count)
    ]


def state(model):
    network = model.network
    return network.params.tobytes(), network.slots.tobytes(), network.steps, network.draws, network.epochs


def assert_equal(ones, others):
    for one, other in zip(ones, others, strict=True):
        assert state(one) == state(other)
        assert one.history.without_times() == other.history.without_times()


@pytest.mark.parametrize("threads", [1, 2, 3, 4])
@pytest.mark.parametrize("early", [False, True], ids=["to the end", "early stopping"])
def test_bits_of_lone_runs(threads, early):
    rows, options = folds(), {}
    validation = [np.arange(3 * i, 3 * i + 20) for i in range(7)]
    if early:
        options = {
            "early_stopping": EarlyStopping(patience=2, restore_best_weights=True),
            "validation_rows": validation,
        }
    many, lone = models(), models()
    histories = fit_many(many, X, Y, rows=rows, threads=threads, **OPTIONS | options)
    for model, own, val in zip(lone, rows, validation, strict=True):
        alone = {}
        if early:
            stopping = EarlyStopping(patience=2, restore_best_weights=True)
            alone = {"callbacks": [stopping], "validation_data": (X[val], Y[val])}
        model.fit(X[own], Y[own], **OPTIONS | alone)
    assert_equal(many, lone)
    assert [history is model.history for history, model in zip(histories, many, strict=True)] == [True] * 7
    assert not early or len({len(history) for history in histories}) > 1


@pytest.mark.parametrize("kind", ["csr", "float64", "images", "values", "weights"])
def test_other_data(kind):
    samples, targets, weight = X, Y, None
    first, last = (), (3, "softmax")
    if kind == "csr":
        samples = sp.csr_matrix(np.where(X > 0.5, X, 0))
    elif kind == "float64":
        samples = X.astype(np.float64) / 3
    elif kind == "images":
        samples, first = RANDOM.integers(0, 256, (80, 2, 3)).astype(np.uint8), (Flatten,)
    elif kind == "values":
        targets, last = X[:, 0] * 2, (1,)
    else:
        weight = RANDOM.random(80)

    def build(seed):
        return Sequential([*(kind() for kind in first), Dense(9, "tanh"), Dense(*last)], seed=seed)

    rows, many, lone = folds(3), [build(i) for i in range(3)], [build(i) for i in range(3)]
    fit_many(many, samples, targets, rows=rows, sample_weight=weight, **OPTIONS)
    for model, own in zip(lone, rows, strict=True):
        some = None if weight is None else weight[own]
        model.fit(samples[own], targets[own], sample_weight=some, **OPTIONS)
    assert_equal(many, lone)


def test_names_of_classes_and_going_on():
    names = np.array(["low", "high", "some"])[Y]
    many, lone = models(3), models(3)
    for _ in range(2):
        fit_many(many, X, names, **OPTIONS)
        for model in lone:
            model.fit(X, names, **OPTIONS)
    assert_equal(many, lone)
    assert many[0].class_names == ("high", "low", "some")
    assert len(many[0].history) == 14


def test_a_model_that_diverges_harms_no_other():
    many, lone = models(4), models(4)
    many[1].optimizer = SGD(1e30)
    with pytest.warns(
        RuntimeWarning, match="fit_many: 1 of 4 models diverged: model 1: the .* not finite in epoch 1"
    ):
        histories = fit_many(many, X, Y, **OPTIONS)
    assert len(histories[1]) == 0
    assert np.isfinite(many[1].predict(X)).all()
    for i in (0, 2, 3):
        lone[i].fit(X, Y, **OPTIONS)
    assert_equal([many[i] for i in (0, 2, 3)], [lone[i] for i in (0, 2, 3)])


def test_the_longest_comes_first(monkeypatch):
    started, fit = [], Sequential.fit_checked

    def noted(self, *arguments):
        started.append(self.seed)
        fit(self, *arguments)

    monkeypatch.setattr(Sequential, "fit_checked", noted)
    rows = [np.arange(size) for size in (20, 60, 40)]
    many = [Sequential([Dense(4), Dense(3, "softmax")], seed=seed) for seed in range(3)]
    fit_many(many, X, Y, rows=rows, threads=1, **OPTIONS)
    assert started == [1, 2, 0]


@pytest.mark.survives("R27")
@pytest.mark.parametrize("threads", [1, 2])
def test_ctrl_c_leaves_every_model_usable(threads):
    many = models(6)
    for model in many:
        model.build(5)

    def interrupt():
        time.sleep(0.2)
        os.kill(os.getpid(), signal.SIGINT)

    watcher = when_training(max(many[:3], key=lambda model: model.network.params.size), interrupt)
    with pytest.raises(KeyboardInterrupt):
        fit_many(many, X, Y, epochs=10**6, batch_size=4, threads=threads, verbose=0)
    watcher.join()
    assert any(model.epochs for model in many)
    for model in many:
        assert model.history.epochs == list(range(1, model.epochs + 1))
    fit_many(many, X, Y, **OPTIONS)
    assert all(
        np.isfinite(model.predict(X)).all()
        for model in many
        if not isinstance(model.layers[0], StandardScaler)
    )
    assert threading.active_count() < 20


def test_progress(capsys):
    fit_many(models(3), X, Y, epochs=1)
    assert capsys.readouterr().err.splitlines()[-1].startswith("3 models in ")
    fit_many(models(3), X, Y, epochs=1, verbose=0)
    assert capsys.readouterr().err == ""


SHARED = Dense(3, "softmax")
WRONG = {
    "models: expected a list of Sequential, at least one": lambda: fit_many([], X, Y),
    "models: expected a list of Sequential, got 3": lambda: fit_many([3], X, Y),
    "share no layer": lambda: fit_many([Sequential([SHARED]), Sequential([SHARED])], X, Y),
    "rows: expected an array of .* each of the 3 models, got 2": lambda: fit_many(models(3), X, Y, rows=folds(2)),
    r"rows\[1\]: expected numbers from 0 to 79": lambda: fit_many(models(2), X, Y, rows=[[0], [80]]),
    r"rows\[0\]: expected one or more whole numbers": lambda: fit_many(models(1), X, Y, rows=[[0.5]]),
    r"validation_rows\[0\]: expected one": lambda: fit_many(models(1), X, Y, validation_rows=[[]]),
    "early_stopping: expected an EarlyStopping": lambda: fit_many(models(1), X, Y, early_stopping=True),
    "monitor: .*val_loss": lambda: fit_many(models(1), X, Y, early_stopping=EarlyStopping()),
    "verbose": lambda: fit_many(models(1), X, Y, verbose=3),
    "threads": lambda: fit_many(models(1), X, Y, threads=0),
    "epochs": lambda: fit_many(models(1), X, Y, epochs=0),
    "classes from 0 to 2": lambda: fit_many(models(2), X, Y + 1),
    "batch_size": lambda: fit_many(models(2), X, Y, batch_size=-1),
}  # fmt: skip


@pytest.mark.parametrize("message", WRONG)
def test_wrong_arguments(message):
    with pytest.raises((ValueError, TypeError), match=message):
        WRONG[message]()


def test_nothing_has_changed_after_a_wrong_argument():
    many = [*models(2), Sequential([Dense(4, "softmax"), Dense(2, "softmax")])]
    with pytest.raises(ValueError, match="classes from 0 to 1"):
        fit_many(many, X, Y, verbose=0)
    assert not any(model.layers[-1].is_built for model in many)


def test_no_warning_without_a_reason():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit_many(models(2), X, Y, epochs=1, verbose=0)


def test_a_refused_number_of_threads_changes_nothing():
    many = [Sequential([Dense(3, "softmax")], seed=seed) for seed in range(2)]
    with pytest.raises(ValueError, match="threads"):
        fit_many(many, X, Y, threads=0, **OPTIONS)
    assert [model._network for model in many] == [None, None]
