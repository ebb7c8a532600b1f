"""Compiling every kernel before it is needed."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import TypeAlias

from ..data import synthetic_digits
from ..engine.compilation import announced
from ..engine.team import thread_limits
from ..kernels import simd
from ..kernels.compiler import cache
from ..kernels.compiler.jit import ENTRIES
from ..layers import Dense, Flatten
from ..model import Sequential
from .warm_worker import COMPILES, by_name

Process: TypeAlias = "subprocess.Popen[str]"


@dataclass(frozen=True)
class Warming:
    """What a warming took.

    Attributes
    ----------
    compiled, loaded : int
        Entries that were compiled, and those that came from the cache folder.
    seconds : float
        Wall time.
    """

    compiled: int
    loaded: int
    seconds: float


def warm_all(
    dtypes: Sequence[str] = ("float32",), *, on_compile: Callable[[], None] | None = None
) -> Warming:
    """Load all kernels from the cache folder, and compile those that are not there, on all cores.

    Each core has a process of its own, as Numba compiles one function at a time in a process. When this function is
    left, by whatever way, none of them is left.

    Parameters
    ----------
    dtypes : sequence of str
        `float32`, and `float64` or `mixed_bfloat16` too.
    on_compile : callable, optional
        Called once, before the first kernel is compiled; not called if all were loaded.

    Returns
    -------
    Warming
        Counts and seconds.

    Raises
    ------
    RuntimeError
        If one of the processes ends before its work is done.
    ImportError
        If the processor lacks instructions that all kernels need.
    """
    simd.require_instructions()
    began = time.perf_counter()
    names: SimpleQueue[str] = SimpleQueue()
    for name in by_name(dtypes):
        names.put(name)
    calls: SimpleQueue[Callable[[], None]] = SimpleQueue()  # what the first process that compiles takes
    if on_compile is not None:
        calls.put(on_compile)
    count = 1 if cache.folder() is None else min(thread_limits().values())
    workers = [_start(dtypes) for _ in range(count)]
    try:
        with ThreadPoolExecutor(count) as pool:
            try:
                feeding = [pool.submit(_feed, worker, names, calls) for worker in workers]
                counts = [each.result() for each in feeding]
            finally:
                for worker in workers:
                    worker.kill()  # and so its thread ends, which this block waits for
    finally:
        for worker in workers:
            worker.communicate()
    compiled, loaded = (sum(column) for column in zip(*counts, strict=True))
    return Warming(compiled, loaded, time.perf_counter() - began)


def _start(dtypes: Sequence[str]) -> Process:
    """A process that waits for names; in a session of its own, so that Ctrl-C comes to this process alone."""
    return subprocess.Popen(
        [sys.executable, "-m", "fastmlp.cli.warm_worker", *dtypes],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip


def _feed(
    worker: Process, names: SimpleQueue[str], calls: SimpleQueue[Callable[[], None]]
) -> tuple[int, int]:
    """Give a process one entry after another until none is left; how many kernels it compiled and loaded."""
    compiled, loaded = 0, 0
    with suppress(Empty):
        while True:
            answer = _ask(worker, names.get_nowait())
            if answer == COMPILES:
                with suppress(Empty):
                    calls.get_nowait()()
                answer = _line(worker)
            numbers = [int(word) for word in answer.split()]
            compiled += numbers[0]
            loaded += numbers[1]
    return compiled, loaded


def _ask(worker: Process, name: str) -> str:
    """Give a process the name of an entry; its first answer."""
    with suppress(BrokenPipeError):
        print(name, file=worker.stdin, flush=True)
    return _line(worker)


def _line(worker: Process) -> str:
    """The next line that a process writes."""
    line = worker.stdout.readline().strip() if worker.stdout else ""
    if not line:
        raise RuntimeError(
            f"warm: a process that compiles ended with exit code {worker.wait()} before its work was done; if the "
            "system has too little memory for one process on each core, set NUMBA_NUM_THREADS=1"
        )
    return line


def warm_training(optimizer: str = "adam", *, on_compile: Callable[[], None] | None = None) -> Warming:
    """As `warm_all`, but only what training by this optimizer and evaluation need, in float32."""
    with _watch(on_compile) as so_far:
        _train_tiny(optimizer)
    return so_far()


def _train_tiny(optimizer: str) -> None:
    """Call the entries of training and evaluation, with the types that they have in real use."""
    X, y = synthetic_digits(20)
    model = Sequential([Flatten(), Dense(4, "relu"), Dense(10, "softmax")], optimizer=optimizer)
    model.fit(X, y, epochs=1, batch_size=20, threads=1, verbose=0)
    model.evaluate(X, y, threads=1)


@contextmanager
def _watch(on_compile: Callable[[], None] | None) -> Iterator[Callable[[], Warming]]:
    """Count and time what is compiled and loaded in a block."""
    (compiled, loaded), start = _counts(), time.perf_counter()

    def so_far() -> Warming:
        compiled_now, loaded_now = _counts()
        return Warming(compiled_now - compiled, loaded_now - loaded, time.perf_counter() - start)

    with announced(on_compile):
        yield so_far


def _counts() -> tuple[int, int]:
    """Entries compiled and entries loaded by this process so far."""
    stats = [dispatcher.stats for dispatcher in ENTRIES.values()]
    return sum(sum(s.cache_misses.values()) for s in stats), sum(sum(s.cache_hits.values()) for s in stats)
