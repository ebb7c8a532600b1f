"""The team: how many threads, Ctrl-C, many threads on few cores, several models at once, forks."""

import _thread
import json
import os
import signal
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import numba
import numpy as np
import pytest

from fastmlp import Dense, Dropout, Sequential, team

RANDOM = np.random.default_rng(0)
X, Y = RANDOM.integers(0, 256, (3_000, 40), np.uint8), RANDOM.integers(0, 5, 3_000)
LIMIT = 120  # seconds until a process counts as hanging


def model_of(seed=0, units=32):
    layers = [Dense(units, "relu"), Dropout(0.1), Dense(5, "softmax")]
    return Sequential(layers, seed=seed).build(X.shape[1])


def trained(seed=0, threads=1, epochs=2):
    """The parameters of a model after training."""
    model = model_of(seed)
    model.fit(X, Y, epochs=epochs, batch_size=70, threads=threads, verbose=0)
    return model.network.params


# How many threads


def test_limits(monkeypatch):
    monkeypatch.setattr(numba.config, "NUMBA_NUM_THREADS", 5)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(7)), raising=False)
    monkeypatch.setattr(team, "cpu_quota", lambda: None)
    assert team.thread_limits() == {"NUMBA_NUM_THREADS": 5, "CPU affinity": 7}
    assert team.choose_threads(None, 1e12) == 5
    monkeypatch.setattr(team, "cpu_quota", lambda: 3)
    assert team.thread_limits()["container CPU quota"] == 3
    assert team.choose_threads(None, 1e12) == 3


def test_the_work_of_a_step_decides(monkeypatch):
    monkeypatch.setattr(team, "thread_limits", lambda: {"some": 6, "more": 9})
    work = team.WORK_PER_THREAD
    sizes = [team.choose_threads(None, amount) for amount in (0, work - 1, 2 * work, 5 * work, 100 * work)]
    assert sizes == [1, 1, 2, 5, 6]


def test_what_was_asked_for_is_taken(monkeypatch):
    monkeypatch.setattr(team, "thread_limits", lambda: {"some": 2})
    assert team.choose_threads(8, 0) == 8
    assert team.choose_threads(np.int32(3), 0) == 3


@pytest.mark.parametrize("asked", [0, -1, 1025, 10**30, np.int64(2**62), 1.0, "2", True])
def test_bad_numbers_of_threads(asked):
    with pytest.raises(ValueError, match="threads: expected a whole number from 1 to 1024"):
        team.choose_threads(asked, 0)


@pytest.mark.parametrize(
    ("files", "quota"),
    [
        ({"cpu.max": "max 100000\n"}, None),
        ({"cpu.max": "150000 100000\n"}, 2),
        ({"cpu.max": "20000 100000\n"}, 1),
        ({"cpu.max": "nonsense\n"}, None),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, None),
        ({"cpu/cpu.cfs_quota_us": "400000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 4),
        ({}, None),
    ],
)
def test_quota_of_the_container(files, quota, tmp_path, monkeypatch):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(team, "Path", lambda path: tmp_path / path.removeprefix("/sys/fs/cgroup/"))
    assert team.cpu_quota.__wrapped__() == quota  # what it keeps is that of this machine


# Running


def run(work, size):
    team.run(work, size, team.new_control(), amount=team.BRIEF)


def test_every_rank_runs_once():
    ranks = []
    run(lambda control, rank, size: ranks.append((rank, size)), 5)
    assert sorted(ranks) == [(rank, 5) for rank in range(5)]


def test_an_error_comes_out_and_the_team_goes_on():
    def fail(control, rank, size):
        if rank == 1:
            raise OSError("no")

    for _ in range(3):
        with pytest.raises(OSError, match="no"):
            run(fail, 2)
    test_every_rank_runs_once()


def test_teams_are_kept():
    run(lambda control, rank, size: None, 3)
    before = threading.active_count()
    for _ in range(5):
        run(lambda control, rank, size: None, 3)
    assert threading.active_count() == before


def test_more_threads_than_cores():
    np.testing.assert_array_equal(trained(threads=8), trained(threads=1))


def test_two_models_at_once():
    expected, actual = [trained(seed) for seed in (1, 2)], {}

    def train(seed):
        actual[seed] = trained(seed, threads=2)

    threads = [threading.Thread(target=train, args=(seed,)) for seed in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LIMIT)
    np.testing.assert_array_equal([actual[1], actual[2]], expected)


def test_one_model_in_several_threads():
    """Threads that share a model take turns."""
    model, wrong = model_of(), []
    expected = [model.predict(X[i::4]) for i in range(4)]

    def predict(i):
        for _ in range(50):
            if not np.array_equal(model.predict(X[i::4], threads=1), expected[i]):
                wrong.append(i)

    threads = [threading.Thread(target=predict, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LIMIT)
    assert wrong == []


# Ctrl-C

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
from tests.test_team import LONG_X, LONG_Y, X, Y, model_of

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


def script(source, *arguments):
    """What a process with this source prints."""
    process = subprocess.run(
        [sys.executable, "-c", source, *arguments],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )
    assert process.returncode == 0, process.stderr
    return process.stdout


@pytest.mark.parametrize("threads", ["1", "3"])
def test_ctrl_c_again_and_again(threads):
    assert script(HAMMER, threads).split() == ["60"]


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


# Forks

FORK = """
import json, os, sys
import numpy as np
from tests.test_team import trained

threads = int(sys.argv[1])
before = trained(threads=threads)
child = os.fork()
same = bool((trained(threads=threads) == before).all())
if child == 0:
    os._exit(0 if same else 1)
_, status = os.waitpid(child, 0)
print(json.dumps([same, os.waitstatus_to_exitcode(status)]))
"""

POOL = """
import json, multiprocessing, sys
import numpy as np
from tests.test_team import trained

before = trained(threads=2)
with multiprocessing.get_context(sys.argv[1]).Pool(2) as pool:
    after = pool.map(trained, [0, 0, 0])
print(json.dumps(all((params == before).all() for params in after)))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.parametrize("threads", ["1", "3"])
def test_fork_after_training(threads):
    assert json.loads(script(FORK, threads)) == [True, 0]


@pytest.mark.parametrize("way", ["fork", "spawn"])
def test_processes_of_a_pool(way):
    assert json.loads(script(POOL, way)) is True
