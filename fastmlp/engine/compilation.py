"""Announces compilation: it takes about half a minute, once for each version of fastmlp."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from ..kernels.compiler.jit import at_first_compilation


def announced(call: Callable[[], None] | None) -> AbstractContextManager[Any]:
    """Call a function before the first kernel is compiled in a block; not if all come from the cache folder.

    Parameters
    ----------
    call : callable or None
        The function; None: no call.
    """
    return nullcontext() if call is None else at_first_compilation(call)


def say_compiling() -> None:
    """Print why the user waits."""
    print(
        "compiling the kernels, once for this version of fastmlp (about half a minute) ...",
        file=sys.stderr,
        flush=True,
    )
