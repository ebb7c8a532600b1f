"""R27: Ctrl-C while a team trains. Whole steps stay, and the next run works."""

import _thread
import os
import signal
import threading
import time
from functools import partial

import numpy as np
import pytest

from tests.team_task import X, Y, model_of, script

pytestmark = pytest.mark.survives("R27")


LONG_X, LONG_Y = np.tile(X, (100, 1)), np.tile(Y, 100)


def when_training(model, act):
    """Do something in another thread as soon as the weights have changed."""
    before = model.network.params.copy()

    def watch():
        while np.array_equal(before, model.network.params):
            time.sleep(0.001)
        act()

    watcher = threading.Thread(target=watch)
    watcher.start()
    return watcher


INTERRUPTIONS = {
    "process": partial(os.kill, os.getpid(), signal.SIGINT),
    "main thread": partial(signal.pthread_kill, threading.main_thread().ident, signal.SIGINT),
    "other thread": partial(signal.raise_signal, signal.SIGINT),
    "interpreter": _thread.interrupt_main,
}


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("way", INTERRUPTIONS)
def test_ctrl_c(way, threads):
    model = model_of()
    model.fit(X, Y, epochs=1, shuffle=False, verbose=0)
    done = model.network.steps[0]
    watcher = when_training(model, INTERRUPTIONS[way])
    options = {"epochs": 1, "batch_size": 1, "shuffle": False, "threads": threads, "verbose": 0}
    with pytest.raises(KeyboardInterrupt):
        model.fit(LONG_X, LONG_Y, **options)
    watcher.join()
    steps = model.network.steps[0] - done
    assert 0 < steps < len(LONG_X)
    assert model.history.epochs == [1]

    # Whole steps: the same as if only those had been asked for.
    twin = model_of()
    twin.fit(X, Y, epochs=1, shuffle=False, verbose=0)
    twin.fit(LONG_X[:steps], LONG_Y[:steps], **options)
    np.testing.assert_array_equal(model.network.params, twin.network.params)
    np.testing.assert_array_equal(model.network.slots, twin.network.slots)

    model.fit(X, Y, epochs=1, threads=threads, verbose=0)
    assert model.history.epochs == [1, 2]
    assert np.isfinite(model.predict(X)).all()


# Interruptions at many moments; they come fast, so they also hit the code that starts and ends a run.
HAMMER = """
import signal, sys, threading, time
import numpy as np
from tests.team_task import X, Y, model_of
from tests.test_interruptions import LONG_X, LONG_Y

threads = int(sys.argv[1])
model, caught = model_of(), 0
model.fit(X, Y, epochs=1, threads=threads, verbose=0)
for number in range(60):
    interrupt = lambda: signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
    try:
        threading.Timer(0.0005 * number, interrupt).start()
        model.fit(LONG_X, LONG_Y, epochs=100, batch_size=1, threads=threads, verbose=0)
    except KeyboardInterrupt:
        caught += 1
model.fit(X, Y, epochs=1, threads=threads, verbose=0)
assert np.isfinite(model.network.params).all()
print(caught)
"""


@pytest.mark.parametrize("threads", ["1", "3"])
def test_ctrl_c_again_and_again(threads):
    assert script(HAMMER, threads).split() == ["60"]


# A second Ctrl-C at once, at many moments, so that it also hits the code that handles the first.
TWICE = """
import signal, sys, threading, time
import numpy as np
from fastmlp.engine import team
from tests.team_task import X, Y, model_of
from tests.test_interruptions import LONG_X, LONG_Y

threads = int(sys.argv[1])
model, caught = model_of(), 0
model.fit(X, Y, epochs=1, threads=threads, verbose=0)
running = threading.active_count()
main = threading.main_thread().ident


def press(number):
    for _ in range(2):
        signal.pthread_kill(main, signal.SIGINT)
        time.sleep(0.00002 * (number % 7))


for number in range(60):
    try:
        timer = threading.Timer(0.0005 * number, press, [number])
        timer.start()
        try:
            model.fit(LONG_X, LONG_Y, epochs=100, batch_size=1, threads=threads, verbose=0)
        finally:
            timer.join()
    except KeyboardInterrupt:
        caught += 1
    while True:  # the second one may come here
        try:
            timer.join()
            time.sleep(0.0005)
            break
        except KeyboardInterrupt:
            pass
model.fit(X, Y, epochs=1, threads=threads, verbose=0)
assert np.isfinite(model.network.params).all()
assert not team._unfinished
assert threading.active_count() == running, threading.enumerate()
print(caught)
"""


@pytest.mark.parametrize("threads", ["2", "3"])
def test_ctrl_c_twice(threads):
    """No thread is lost, and none still writes when the next run begins."""
    assert script(TWICE, threads).split() == ["60"]


@pytest.mark.slow
@pytest.mark.parametrize("units", [32, 2000])
def test_ctrl_c_returns_at_once(units):
    """Within half a second; the margin is for a machine that does other work too."""
    model, sent = model_of(units=units), []
    model.fit(X[:100], Y[:100], epochs=1, threads=2, verbose=0)

    def interrupt():
        time.sleep(0.3)
        sent.append(time.perf_counter())
        INTERRUPTIONS["process"]()

    watcher = when_training(model, interrupt)
    with pytest.raises(KeyboardInterrupt):
        model.fit(LONG_X, LONG_Y, epochs=100, batch_size=128, threads=2, verbose=0)
    returned = time.perf_counter()
    watcher.join()
    assert returned - sent[0] < 2 * 0.5
