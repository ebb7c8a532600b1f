"""R23, R31: how many threads a team has, that all of them run or none waits, and several models at once."""

import os
import threading

import numba
import numpy as np
import pytest

from fastmlp.engine import team
from fastmlp.kernels.program import threads as words
from tests.kernels.calls import from_python
from tests.team_task import LIMIT, X, model_of, script, trained

# How many threads


@pytest.mark.survives("R31")
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


@pytest.mark.survives("R31")
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


def test_threads_are_kept():
    """And those of a large team serve in small ones."""
    run(lambda control, rank, size: None, 5)
    before = threading.active_count()
    for size in (3, 1, 5, 2, 4):
        run(lambda control, rank, size: None, size)
    assert threading.active_count() == before


def test_ranks_stay_on_their_threads():
    def note(control, rank, size):
        seen.add((rank, threading.get_ident()))

    run(lambda control, rank, size: None, 4)
    for size in (4, 2, 3, 4):
        seen = set()
        run(note, size)
        if size == 4:
            first = seen
        assert len(seen) == size
    assert seen == first


LONELY = """
import sys, threading
import numpy as np
import fastmlp
from fastmlp.kernels.program import entries
from tests.team_task import X, Y, model_of

model = model_of()
model.fit(X, Y, epochs=1, threads=3, verbose=0)
train, before = entries.train, model.network.params.copy()


def fail(*arguments):
    if arguments[-2] == int(sys.argv[1]) and arguments[-1] > 1:
        raise MemoryError("no memory for this rank")
    train(*arguments)


entries.train = fail
try:
    model.fit(X, Y, epochs=2, threads=3, verbose=0)
except MemoryError as error:
    print(error)
assert np.array_equal(model.network.params, before)
entries.train = train
model.fit(X, Y, epochs=1, threads=3, verbose=0)
print("trained again")
"""


@pytest.mark.parametrize("rank", ["0", "1", "2"])
def test_a_rank_that_fails_leaves_nobody_at_a_barrier(rank):
    assert script(LONELY, rank).splitlines() == ["no memory for this rank", "trained again"]


def test_the_barrier_lets_go_when_a_thread_fails():
    """The others leave each further barrier too."""
    wait = from_python(words.barrier)
    left = []

    def meet(control, rank, size):
        if rank == 1:
            raise OSError("not coming")
        for _ in range(3):
            wait(words.Member(control, rank, size))
        left.append(rank)

    with pytest.raises(OSError, match="not coming"):
        run(meet, 3)
    assert sorted(left) == [0, 2]


def test_threads_that_cannot_be_started(monkeypatch):
    """Those that were started end; the number that was asked for is named; the next run works."""
    start, started = threading.Thread.start, []

    def limited(thread):
        if len(started) == 4:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        start(thread)

    run(lambda control, rank, size: None, 2)
    before = threading.active_count()
    monkeypatch.setattr(threading.Thread, "start", limited)
    with pytest.raises(
        RuntimeError, match=r"^threads: .*, got 1000: only \d+ run \(can't start new thread\); pass fewer"
    ):
        run(lambda control, rank, size: None, 1000)
    for thread in started:
        thread.join(LIMIT)
    assert len(started) == 4
    assert threading.active_count() == before
    monkeypatch.undo()
    test_every_rank_runs_once()


@pytest.mark.survives("R31")
def test_more_threads_than_cores():
    np.testing.assert_array_equal(trained(threads=8), trained(threads=1))


@pytest.mark.survives("R23")
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


@pytest.mark.survives("R23")
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
