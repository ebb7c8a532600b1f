"""The thread tuner: the fastest number of threads is found, and no bit depends on it."""

import numpy as np
import pytest

from fastmlp import Dense, Sequential
from fastmlp.engine import training_run
from fastmlp.engine.thread_tuner import MOST_SECONDS, SEGMENT_SECONDS, ThreadTuner


def ran(tuner, seconds_a_step, steps):
    """Let the tuner choose for so many steps that take so long; the steps that each number of threads did."""
    done = {}
    while steps:
        size, count = tuner.next(steps)
        assert 1 <= count <= steps
        tuner.note(size, count, count * seconds_a_step[size])
        done[size] = done.get(size, 0) + count
        steps -= count
    return done


@pytest.mark.parametrize("fastest", [1, 2, 4])
def test_the_fastest_number_does_most_steps(fastest):
    seconds = {size: 1e-4 * (1 + abs(size - fastest)) for size in (1, 2, 4)}
    tuner = ThreadTuner(4, 1e6)
    done = ran(tuner, seconds, 100_000)
    assert tuner.size == fastest
    assert done[fastest] > 0.9 * sum(done.values())
    assert sum(done.values()) == 100_000


def test_it_changes_when_the_machine_does():
    tuner = ThreadTuner(2, 1e6)
    ran(tuner, {1: 2e-4, 2: 1e-4}, 50_000)
    assert tuner.size == 2
    ran(tuner, {1: 2e-4, 2: 5e-4}, 50_000)
    assert tuner.size == 1
    ran(tuner, {1: 2e-4, 2: 1e-4}, 50_000)
    assert tuner.size == 2


@pytest.mark.parametrize("epoch", [60, 10**9])
def test_what_is_slower_is_tried_ever_more_rarely(epoch):
    tuner, waits, seconds = ThreadTuner(2, 1e6), [], 0.0
    for _ in range(1000):
        size, steps = tuner.next(epoch)
        if size == 2:
            seconds += steps * 1e-4
            tuner.note(size, steps, steps * 1e-4)
        else:
            tuner.note(size, steps, steps * 2e-4)
            waits, seconds = [*waits, seconds], 0.0
    assert waits == sorted(waits)
    assert waits[-1] == pytest.approx(MOST_SECONDS, abs=SEGMENT_SECONDS)


@pytest.mark.parametrize("size", [1, 3])
def test_a_given_number_is_kept(size):
    tuner = ThreadTuner(size, 1e6, fixed=True)
    assert tuner.next(1000) == (size, 1000)
    tuner.note(size, 1000, 10.0)
    assert tuner.next(7) == (size, 7)


def test_odd_numbers_of_threads_are_halved_too():
    assert set(ran(ThreadTuner(6, 1e6), {6: 1e-3, 3: 1e-3, 1: 1e-3}, 10_000)) <= {1, 3, 6}


class Restless(ThreadTuner):
    """Changes the number of threads every few steps."""

    def next(self, steps):
        self._tries += 1
        return 1 + self._tries % 3, min(1 + self._tries % 2, steps)

    def note(self, size, steps, seconds):
        """It learns nothing."""


def test_no_bit_depends_on_the_tuner(monkeypatch):
    random = np.random.default_rng(0)
    X, y = random.standard_normal((130, 20)).astype(np.float32), random.integers(0, 3, 130)
    trained = []
    for tuner in (ThreadTuner, Restless):
        monkeypatch.setattr(training_run, "ThreadTuner", tuner)
        model = Sequential([Dense(33, "relu"), Dense(3, "softmax")], seed=3)
        model.fit(X, y, epochs=3, batch_size=8, threads=3, verbose=0)
        history = model.history["loss"]
        trained.append((model.network.params.tobytes(), model.network.slots.tobytes(), list(history)))
    assert trained[0] == trained[1]
