"""The team: threads that run the program together while the calling thread waits.

The caller stays free for Ctrl-C and progress: workers run without the GIL, look at a stop word once a step and write
the step they are at. Teams are kept for the next call; each call borrows one, so several models may train at once
from several Python threads. After a fork the child starts its own.
"""

import math
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import NamedTuple

import numba
import numpy as np

from ..checks import is_count
from ..kernels.program import threads as words
from .buffers import aligned_zeros

Work = Callable[[np.ndarray, int, int], None]  # (control, rank, size)

BRIEF = 100_000_000  # multiply-adds of a run that takes a few milliseconds: Ctrl-C can wait for its end
MOST_THREADS = 1024  # more is a slip, and would exhaust the machine before it fails
POLL_SECONDS = 0.1  # how often a waiting caller shows progress
# Multiply-adds of a step from which on another thread may help: some times what a barrier costs.
WORK_PER_THREAD = 400_000


@cache
def cpu_quota() -> int | None:
    """Whole cores that the container may use (cgroup v2 or v1), or None where there is no limit."""
    v2, v1 = Path("/sys/fs/cgroup/cpu.max"), Path("/sys/fs/cgroup/cpu")
    try:
        if v2.exists():
            quota, period = v2.read_text().split()
        else:
            quota, period = ((v1 / f"cpu.cfs_{word}_us").read_text().strip() for word in ("quota", "period"))
    except (OSError, ValueError):
        return None
    return None if quota in {"max", "-1"} else max(1, math.ceil(int(quota) / int(period)))


def thread_limits() -> dict[str, int]:
    """What limits the number of threads, by name: the least of them is what there is."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    limits = {"NUMBA_NUM_THREADS": int(numba.config.NUMBA_NUM_THREADS), "CPU affinity": affinity}
    quota = cpu_quota()
    return limits if quota is None else limits | {"container CPU quota": quota}


def choose_threads(asked: int | None, work: float) -> int:
    """Number of threads for steps of this much work.

    Parameters
    ----------
    asked : int or None
        What the user asked for: taken as it is, even if it is more than there are cores. None: the least of
        `thread_limits()` and of what the work of a step can use.
    work : float
        Multiply-adds of a step.

    Raises
    ------
    ValueError
        If `asked` is not a whole number from 1 to `MOST_THREADS`.
    """
    if asked is None:
        return max(1, min(*thread_limits().values(), int(work // WORK_PER_THREAD)))
    if not is_count(asked) or not 1 <= asked <= MOST_THREADS:
        raise ValueError(
            f"threads: expected a whole number from 1 to {MOST_THREADS}, or None for all that help, got {asked!r}"
        )
    return int(asked)


class _Job(NamedTuple):
    """Work for a whole team, and how it went on each thread."""

    work: Work
    control: np.ndarray
    outcomes: list[BaseException | None]


class Team:
    """Threads that wait for work."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._inboxes: list[SimpleQueue[_Job]] = [SimpleQueue() for _ in range(size)]
        self._bell: SimpleQueue[None] = SimpleQueue()
        for rank in range(size):
            threading.Thread(target=self._serve, args=(rank,), name=f"fastmlp-{rank}", daemon=True).start()

    def _serve(self, rank: int) -> None:
        last = None
        while True:
            job = self._inboxes[rank].get()
            if job.control is last:
                continue  # handed out twice, as the caller was interrupted while it did so
            if rank == 0:
                # Not by the caller: an interruption between two of these would leave a thread alone at a
                # barrier.
                for inbox in self._inboxes[1:]:
                    inbox.put(job)
            outcome: BaseException | None = None
            try:
                job.work(job.control, rank, self.size)
            except BaseException as error:
                outcome = error
            last = job.control
            job.outcomes.append(outcome)
            del job, outcome
            self._bell.put(None)

    def run(self, work: Work, control: np.ndarray, on_wait: Callable[[int], None] | None) -> None:
        """Run `work` on all threads and wait; stop them at the next step if the wait is interrupted."""
        job = _Job(work, control, [])
        try:
            self._inboxes[0].put(job)
            self._wait(job, on_wait)
        except BaseException:
            # Ctrl-C, or an error of the caller's own. The threads still write to the memory, so wait for them.
            control[words.STOP] = 1
            self._inboxes[0].put(job)
            while len(job.outcomes) < self.size:
                with suppress(BaseException):
                    self._wait(job, None)
            raise
        for failure in job.outcomes:
            if failure is not None:
                raise failure

    def _wait(self, job: _Job, on_wait: Callable[[int], None] | None) -> None:
        """Wait until all threads are done.

        The outcomes tell, not the bell: it only wakes, and an interruption can swallow a ring. One that comes
        from another thread is noticed after the time-out.
        """
        while len(job.outcomes) < self.size:
            try:
                self._bell.get(timeout=POLL_SECONDS)
            except Empty:
                if on_wait is not None:
                    on_wait(int(job.control[words.STEP]))


_idle: dict[int, list[Team]] = {}
_lock = threading.Lock()


def _forget_teams() -> None:
    """In the child of a fork, the parent's threads do not exist."""
    global _lock
    _idle.clear()
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_teams)


def run(
    work: Work, size: int, control: np.ndarray, *, amount: int, on_wait: Callable[[int], None] | None = None
) -> None:
    """Run `work(control, rank, size)` on a team, or, if it is little, right here.

    Parameters
    ----------
    work : callable
        Runs on each thread; looks at `control[STOP]` and writes `control[STEP]`.
    size : int
        Number of threads.
    control : ndarray
        The shared words, new for each run.
    amount : int
        Multiply-adds of the whole run.
    on_wait : callable, optional
        Called with the step about ten times a second.
    """
    if size == 1 and amount < BRIEF:
        work(control, 0, 1)
        return
    with _lock:
        idle = _idle.setdefault(size, [])
        team = idle.pop() if idle else Team(size)
    try:
        team.run(work, control, on_wait)
    finally:
        with _lock:
            _idle.setdefault(size, []).append(team)


def new_control() -> np.ndarray:
    """Fresh shared words, each on a cache line of its own."""
    return aligned_zeros(words.CONTROL_WORDS, np.dtype(np.int64))
