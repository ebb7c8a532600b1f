"""The team: how many threads, that all of them run, and several models at once."""

import os
import threading

import numba
import numpy as np
import pytest

from fastmlp.engine import team
from tests.team_task import LIMIT, X, model_of, trained

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
