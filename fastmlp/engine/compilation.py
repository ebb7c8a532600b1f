"""Compiling takes some seconds, once; here is who says so."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from numba.core import event


class _FirstCompilation(event.Listener):  # type: ignore[misc]
    """Calls a function when Numba starts to compile for the first time."""

    def __init__(self, call: Callable[[], None]) -> None:
        self._call: Callable[[], None] | None = call

    def on_start(self, event: event.Event) -> None:
        call, self._call = self._call, None
        if call is not None:
            call()

    def on_end(self, event: event.Event) -> None:
        pass


@contextmanager
def announced(call: Callable[[], None] | None) -> Iterator[None]:
    """Call a function before the first kernel that is compiled in a block; not if all come from the cache folder.

    Parameters
    ----------
    call : callable or None
        What to call; None is nothing.
    """
    if call is None:
        yield
        return
    with event.install_listener("numba:compile", _FirstCompilation(call)):
        yield


def say_compiling() -> None:
    """Tell who waits why."""
    print("compiling the kernels, once for this version of fastmlp ...", file=sys.stderr, flush=True)
