"""The team: threads that run the program together while the calling thread waits.

The caller stays free for Ctrl-C and progress: the threads run without the GIL, read a stop word once per step and write
the number of steps they have done. Idle threads are kept for later runs; each run borrows as many as it needs, so
several models may train at once from several Python threads. After a fork the child starts threads of its own.
"""

import math
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from itertools import count
from pathlib import Path
from queue import Empty, SimpleQueue

import numba
import numpy as np

from ..checks import is_count
from ..kernels.program import threads as words
from .buffers import aligned_zeros

Work = Callable[[np.ndarray, int, int], None]  # (control, rank, size)

BRIEF = 100_000_000  # multiply-adds of a run that takes a few milliseconds: Ctrl-C can wait for its end
MOST_THREADS = 1024  # more is a slip, and would exhaust the machine before it fails
POLL_SECONDS = 0.1  # how often a waiting caller shows progress
WORK_PER_THREAD = 400_000  # multiply-adds of a step for each thread: several times the cost of a barrier


@cache
def cpu_quota() -> int | None:
    """Whole cores that the container may use (cgroup v2 or v1), or None if there is no limit."""
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
    """The limits on the number of threads, by name; the smallest applies."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    limits = {"NUMBA_NUM_THREADS": int(numba.config.NUMBA_NUM_THREADS), "CPU affinity": affinity}
    quota = cpu_quota()
    return limits if quota is None else limits | {"container CPU quota": quota}


def choose_threads(asked: int | None, work: float) -> int:
    """Number of threads for steps of this much work.

    Parameters
    ----------
    asked : int or None
        The number that the user asked for, used even if it exceeds the number of cores. None: the smallest of
        `thread_limits()` and of what the work of a step can use.
    work : float
        Multiply-adds of a step.

    Raises
    ------
    ValueError
        If `asked` is not a whole number from 1 to `MOST_THREADS`.
    """
    if asked is None:
        useful = int(work // WORK_PER_THREAD)
        return min(*thread_limits().values(), useful) if useful > 1 else 1
    if not is_count(asked) or not 1 <= asked <= MOST_THREADS:
        raise ValueError(
            f"threads: expected a whole number from 1 to {MOST_THREADS}, or None for all that help, got {asked!r}"
        )
    return int(asked)


class _Run:
    """Work for a team, and its outcome on each thread."""

    def __init__(self, work: Work, control: np.ndarray, team: list["_Worker"]) -> None:
        self.work = work
        self.control = control
        self.team = team
        self.has_started = False
        self.outcomes: list[BaseException | None] = []
        self.bell: SimpleQueue[None] = SimpleQueue()  # rings when a thread is done

    @property
    def is_done(self) -> bool:
        """Whether all threads are done."""
        return len(self.outcomes) == len(self.team)

    def start(self) -> None:
        """Have the first thread start the others and itself. A second call has no effect.

        Not the caller: an interruption between two threads would leave the first of them alone at a barrier.
        """
        self.team[0].inbox.put((self, 0))

    def stop(self) -> None:
        """End the run at its next step."""
        self.control[words.STOP :: words.CONTROL_WORDS] = 1

    def fail(self) -> None:
        """End the run at once: threads at a barrier leave it, as one of them will never arrive."""
        self.control[words.HALT :: words.CONTROL_WORDS] = 1

    def wait(self, on_wait: Callable[[int], None] | None) -> None:
        """Wait until all threads are done.

        The outcomes decide, not the bell: an interruption can take a ring of the bell. The time-out also notices an
        interruption that another thread received.
        """
        while not self.is_done:
            try:
                self.bell.get(timeout=POLL_SECONDS)
            except Empty:
                if on_wait is not None:
                    on_wait(int(self.control[words.STEP]))

    def run(self, on_wait: Callable[[int], None] | None) -> None:
        """Start and wait; if the wait is interrupted, stop the threads first, as they still write to the memory."""
        try:
            self.start()
            self.wait(on_wait)
        except BaseException:
            self.abandon()
            raise

    def abandon(self) -> None:
        """Stop the threads and wait for them, even if it has not started, and whatever interrupts the wait."""
        while not self.is_done:
            with suppress(BaseException):
                self.stop()
                self.start()
                self.wait(None)


class _Worker:
    """A thread that waits for runs."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.inbox: SimpleQueue[tuple[_Run, int] | None] = SimpleQueue()
        self.thread = threading.Thread(target=self._serve, name=f"fastmlp-{number}", daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        while (given := self.inbox.get()) is not None:
            run, rank = given
            if rank == 0:
                if run.has_started:  # the caller was interrupted and started it twice
                    del given, run
                    continue
                run.has_started = True
                for i, worker in enumerate(run.team[1:], 1):
                    worker.inbox.put((run, i))
            outcome: BaseException | None = None
            try:
                run.work(run.control, rank, len(run.team))
            except BaseException as error:
                run.fail()
                outcome = error
            with _lock:
                _idle.append(self)
                run.outcomes.append(outcome)
                if run.is_done:
                    _unfinished.remove(run)
            run.bell.put(None)
            del given, run, outcome  # they hold the memory of a network


_lock = threading.Lock()
_numbers = count()
_idle: list[_Worker] = []
_unfinished: list[_Run] = []  # whose threads may still write to a network


def _forget_threads() -> None:
    """Drop what belonged to the parent's threads: they do not exist in the child of a fork."""
    global _lock
    _lock = threading.Lock()
    _idle.clear()
    _unfinished.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_threads)


def _borrow(size: int) -> list[_Worker]:
    """Idle threads and, if they are too few, new ones.

    Those with the lowest numbers come first, so that a rank stays on its thread from run to run.
    """
    team: list[_Worker] = []
    kept = 0
    try:
        with _lock:
            _idle.sort(key=lambda worker: worker.number)
            team += _idle[:size]
            del _idle[:size]
        kept = len(team)
        while len(team) < size:
            team.append(_Worker(next(_numbers)))
    except BaseException as error:
        for worker in team[kept:]:
            worker.inbox.put(None)
        with _lock:
            _idle.extend(team[:kept])
        if isinstance(error, RuntimeError):
            raise RuntimeError(
                f"threads: expected a number that the system can start, got {size}: only {len(team)} run ({error}); "
                "pass fewer, such as threads=2, or raise the limit on threads or memory"
            ) from None
        raise
    return team


def end_abandoned_runs() -> None:
    """Wait for runs that were stopped, as their callers may have been interrupted again: the threads still write."""
    if _unfinished:
        for run in list(_unfinished):
            if run.control[words.STOP]:
                run.abandon()


def run(
    work: Work, size: int, control: np.ndarray, *, amount: int, on_wait: Callable[[int], None] | None = None
) -> None:
    """Run `work(control, rank, size)` on a team, or, if it is little, on this thread.

    Parameters
    ----------
    work : callable
        Runs on each thread; reads `control[STOP]` and writes `control[STEP]`.
    size : int
        Number of threads.
    control : ndarray
        The shared words, new for each run; as many times as there are threads if each of them works for itself.
    amount : int
        Multiply-adds of the whole run.
    on_wait : callable, optional
        Called with the step about ten times a second.

    Raises
    ------
    RuntimeError
        If the system cannot start that many threads.
    """
    end_abandoned_runs()
    if size == 1 and amount < BRIEF:
        work(control, 0, 1)
        return
    current = _Run(work, control, _borrow(size))
    with _lock:
        _unfinished.append(current)
    try:
        current.run(on_wait)
    finally:
        if not current.is_done:
            current.abandon()  # interrupted a second time
    for failure in current.outcomes:
        if failure is not None:
            raise failure


def new_control(count: int = 1) -> np.ndarray:
    """New shared words, each on a cache line of its own; those of `count` teams, one after the other."""
    return aligned_zeros(count * words.CONTROL_WORDS, np.dtype(np.int64))
