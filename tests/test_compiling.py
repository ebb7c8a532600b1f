"""Compiling is announced, on the thread that hears Ctrl-C, and no part of an epoch's time."""

import threading
from types import SimpleNamespace

import numba
import numpy as np
import pytest

from fastmlp import Dense, Sequential
from fastmlp.engine import training_run
from fastmlp.engine.compilation import announced
from fastmlp.kernels.program import entries

X, Y = np.eye(8, dtype="float32"), np.arange(8) % 2
WORD = "compiling the kernels"


@pytest.fixture
def calls(monkeypatch):
    """Who called the program, until which step; the first call compiles something, as with an empty cache."""
    seen = []

    def train(*arguments):
        if not seen:
            numba.njit(lambda x: x + 1)(1)
        seen.append((threading.current_thread(), arguments[-4]))
        entries.train(*arguments)

    program = SimpleNamespace(train=train, prepared=entries.prepared)
    monkeypatch.setattr(training_run, "program_of", lambda engine: program)
    monkeypatch.setattr(training_run, "_compiled", set())
    return seen


def fitted(**options):
    model = Sequential([Dense(4, "relu"), Dense(2, "softmax")])
    model.fit(X, Y, batch_size=4, epochs=2, **options)
    return model


def test_the_calling_thread_compiles_before_the_team_trains(calls):
    fitted(threads=2, verbose=0)
    assert calls[0] == (threading.current_thread(), 0)
    assert all(thread is not threading.current_thread() and stop == 4 for thread, stop in calls[1:])
    assert len(calls) == 1 + 2


def test_it_is_said_before_the_first_epoch(calls, capsys):
    fitted(validation_split=0.25)
    lines = capsys.readouterr().err.splitlines()
    assert [line.startswith(WORD) for line in lines] == [True, False, False]


def test_nothing_is_said_if_nothing_is_compiled_or_wanted(calls, capsys):
    fitted(verbose=0)
    fitted()
    assert WORD not in capsys.readouterr().err


def test_it_is_said_once():
    said = []
    with announced(lambda: said.append(True)):
        for number in (1, 1.0):
            numba.njit(lambda x: x)(number)
    assert said == [True]


def test_having_the_code_changes_nothing():
    model, other = fitted(verbose=0), Sequential([Dense(4, "relu"), Dense(2, "softmax")])
    other.fit(X, Y, batch_size=4, epochs=1, verbose=0, validation_data=(X, Y))
    other.fit(X, Y, batch_size=4, epochs=1, verbose=0)
    np.testing.assert_array_equal(model.layers[0].weight, other.layers[0].weight)
    assert other.network.steps == [4, 4]
