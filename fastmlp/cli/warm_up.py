"""Compiling every kernel before it is needed, by using all of them once on a tiny model."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from ..data import synthetic_digits
from ..engine.compilation import announced
from ..initializers import initial_weights
from ..kernels.compiler.jit import ENTRIES
from ..kernels.program.optimizer_code import prepared
from ..kernels.tables import OPTIMIZERS
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
        for dtype in dtypes:
            _pass_by_hand(_train_tiny(dtype))
            for code in range(len(OPTIMIZERS)):
                prepared(code, np.dtype(dtype))
        initial_weights("orthogonal", 2, 2, 0, 0)
    return so_far()


def warm_training(optimizer: str = "adam", *, on_compile: Callable[[], None] | None = None) -> Warming:
    """As `warm_all`, but only what training by this optimizer and evaluation need, in float32."""
    with _watch(on_compile) as so_far:
        _train_tiny("float32", optimizer)
    return so_far()


def _train_tiny(dtype: str, optimizer: str = "adam") -> Sequential:
    """Call the entries of training and evaluation, with the types that they have in real use."""
    X, y = synthetic_digits(20)
    model = Sequential([Flatten(), Dense(4, "relu"), Dense(10, "softmax")], optimizer=optimizer, dtype=dtype)
    model.fit(X, y, epochs=1, batch_size=20, threads=1, verbose=0)
    model.evaluate(X, y, threads=1)
    return model


def _pass_by_hand(model: Sequential) -> None:
    """Call the entries of prediction and of single passes."""
    X, _ = synthetic_digits(20)
    model.predict(X, threads=1)
    model.backward(np.zeros_like(model.forward(X)))
    model.optimizer.step(model)


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
