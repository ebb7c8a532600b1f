"""Epochs that the program runs by itself have the bits, the history and the early stopping of single ones."""

import copy
import os
import signal
import time

import numpy as np
import pytest

from fastmlp import (
    Adam,
    BatchNorm,
    Dense,
    Dropout,
    EarlyStopping,
    Sequential,
    StandardScaler,
    TrainingDiverged,
)
from fastmlp.engine import training_run
from fastmlp.schedules import CosineDecay
from tests.test_interruptions import when_training

RANDOM = np.random.default_rng(5)
X = RANDOM.normal(size=(90, 6)).astype(np.float32)
Y = (X[:, 0] + 0.5 * RANDOM.normal(size=90) > 0).astype(int)
EPOCHS = 12


def model(**options):
    layers = [StandardScaler(), Dense(20, "tanh"), BatchNorm(), Dropout(0.2), Dense(2, "softmax")]
    return Sequential(layers, **{"seed": 4, "optimizer": Adam(0.02)} | options)


def look(epoch, logs):
    """A callback that does nothing, so that `fit` trains one epoch in each run."""


def state(trained):
    network = trained.network
    return network.params.tobytes(), network.slots.tobytes(), network.steps, network.draws, network.epochs


def both(options=None, stopping=None, build=model, **changes):
    """The same training in one run, and epoch by epoch."""
    found = []
    for callbacks in ([], [look]):
        stop = [] if stopping is None else [EarlyStopping(**stopping)]
        trained = build(**(options or {}))
        trained.fit(X, Y, epochs=EPOCHS, batch_size=16, callbacks=[*stop, *callbacks], verbose=0, **changes)
        found.append((trained, *stop))
    return found


def assert_equal(one, other):
    assert state(one) == state(other)
    assert one.history.without_times() == other.history.without_times()
    assert set(one.history) == set(other.history)
    assert one.history["seconds"][0] > 0


@pytest.fixture
def runs(monkeypatch):
    """How many epochs each run has."""
    seen, run = [], training_run.TrainingRun.run

    def counted(self, done, epochs, *others, **options):
        seen.append(epochs)
        run(self, done, epochs, *others, **options)

    monkeypatch.setattr(training_run.TrainingRun, "run", counted)
    return seen


@pytest.mark.parametrize("changes", [
    {}, {"validation_split": 0.3}, {"shuffle": False}, {"threads": 3}, {"validation_split": 0.3, "threads": 2},
    {"class_weight": "balanced", "validation_split": 0.2}, {"engine": "reference"},
])  # fmt: skip
def test_bits_and_history(changes, runs):
    (one,), (other,) = both(**changes)
    assert_equal(one, other)
    assert runs == [EPOCHS, *[1] * EPOCHS]


@pytest.mark.parametrize("stopping", [
    {"patience": 2}, {"patience": 2, "restore_best_weights": True}, {"patience": 0},
    {"patience": 3, "min_delta": 0.01, "start_from_epoch": 4}, {"monitor": "val_accuracy", "patience": 3},
    {"monitor": "loss", "patience": 1, "min_delta": 0.02}, {"monitor": "accuracy", "patience": 4, "mode": "min"},
])  # fmt: skip
def test_early_stopping(stopping, runs):
    (one, first), (other, second) = both(stopping=stopping, validation_split=0.3)
    assert_equal(one, other)
    assert (first.best, first.best_epoch, first.stopped_epoch) == (
        second.best,
        second.best_epoch,
        second.stopped_epoch,
    )
    assert first.restored_epoch == second.restored_epoch
    assert runs[0] == EPOCHS
    assert one.memories.keys() == other.memories.keys()


def test_some_stop_early_and_go_on_after_a_break():
    whole, stopped = model(), EarlyStopping(patience=2)
    whole.fit(X, Y, epochs=40, validation_split=0.3, callbacks=[stopped], verbose=0)
    assert 2 < stopped.stopped_epoch < 40
    parts = model()
    parts.fit(
        X,
        Y,
        epochs=stopped.stopped_epoch - 1,
        validation_split=0.3,
        callbacks=[EarlyStopping(patience=2)],
        verbose=0,
    )
    parts, again = copy.deepcopy(parts), EarlyStopping(patience=2)
    parts.fit(X, Y, epochs=40, initial_epoch=parts.epochs, validation_split=0.3, callbacks=[again], verbose=0)
    assert again.stopped_epoch == stopped.stopped_epoch
    assert_equal(whole, parts)


def test_a_schedule_is_followed():
    (one,), (other,) = both({"optimizer": Adam(CosineDecay(0.05, steps=60))})
    assert_equal(one, other)


@pytest.mark.parametrize("looks", [
    {"metrics": ["f1"]}, {"callbacks": [look]}, {"verbose": 2},
    {"callbacks": [EarlyStopping("loss", patience=9), EarlyStopping("loss", patience=9)]},
])  # fmt: skip
def test_who_looks_sees_each_epoch(looks, runs, capsys):
    model().fit(X, Y, epochs=2, **{"verbose": 0} | looks)
    assert runs == [1, 1]


def test_a_class_derived_from_early_stopping_is_called():
    class Noisy(EarlyStopping):
        seen = 0

        def on_epoch_end(self, epoch, logs):
            self.seen += 1
            super().on_epoch_end(epoch, logs)

    noisy = Noisy("loss", patience=100)
    model().fit(X, Y, epochs=3, callbacks=[noisy], verbose=0)
    assert noisy.seen == 3


def test_a_rate_of_a_function_of_ones_own_is_asked_for_epoch_by_epoch(runs):
    model(optimizer=Adam(lambda step: 0.01)).fit(X, Y, epochs=2, verbose=0)
    assert runs == [1, 1]


def test_long_trainings_are_several_runs(runs, monkeypatch):
    monkeypatch.setattr(training_run, "MOST_STEPS", 20)  # of 6 steps an epoch
    (one, first), (other, second) = both(stopping={"patience": 3}, validation_split=0.1)
    assert_equal(one, other)
    assert first.stopped_epoch == second.stopped_epoch
    assert runs[0] == 3


def test_divergence_keeps_the_epochs_before():
    errors = []
    for callbacks in ([], [look]):
        trained = model()
        trained.fit(X, Y, epochs=3, verbose=0)
        trained.layers[-1].weight[0, 0] = np.inf
        with pytest.raises(TrainingDiverged) as error:
            trained.fit(X, Y, epochs=3, callbacks=callbacks, verbose=0)
        errors.append(str(error.value))
        assert trained.history.epochs == [1, 2, 3]
    assert errors[0] == errors[1]
    assert "in epoch 4, step 1 of 3" in errors[0]


@pytest.mark.survives("R27")
@pytest.mark.parametrize("threads", [1, 2])
def test_ctrl_c_keeps_the_whole_epochs(threads):
    options = {"batch_size": 1, "threads": threads, "validation_split": 0.2, "verbose": 0}
    trained, stopping = model(), EarlyStopping(patience=10**6)
    trained.fit(X, Y, epochs=1, **options)

    def interrupt():
        time.sleep(0.3)
        os.kill(os.getpid(), signal.SIGINT)

    watcher = when_training(trained, interrupt)
    with pytest.raises(KeyboardInterrupt):
        trained.fit(X, Y, epochs=10**5, callbacks=[stopping], **options)
    watcher.join()
    done = trained.epochs
    assert 1 < done < 10**5
    assert trained.history.epochs == list(range(1, done + 1))
    assert trained.memories[stopping.watched].seen == done
    twin = model()
    twin.fit(X, Y, epochs=1, **options)
    twin.fit(X, Y, epochs=done - 1, **options)
    assert twin.history.without_times() == trained.history.without_times()
    assert trained.network.draws in (done, done + 1)
