"""Compiling every kernel before it is needed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from ..data import synthetic_digits
from ..engine.catalogue import compilations
from ..engine.compilation import announced
from ..kernels.compiler.jit import ENTRIES
from ..layers import Dense, Flatten
from ..model import Sequential


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
    """Load all kernels from the cache folder, and compile those that are not there.

    Parameters
    ----------
    dtypes : sequence of str
        `float32`, `float64` or both.
    on_compile : callable, optional
        Called once, before the first kernel is compiled; not called if all were loaded.

    Returns
    -------
    Warming
        Counts and seconds.
    """
    with _watch(on_compile) as so_far:
        for entry, types in compilations([np.dtype(dtype) for dtype in dtypes]):
            entry.compile(types)
    return so_far()


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
