"""The decorators: every compiler flag, and why. The only file that calls `njit`.

- `kernel`: a function that runs inside the program. Compiled into the entries that call it; see numba_internals.py.
- `inlined`: a kernel that Numba inlines into its caller; see there.
- `entry`: a function that Python calls. Releases the GIL; its machine code is cached on disk. An entry is defined at
  the top level of its module and names its helpers as globals: one that closes over a jitted function or an intrinsic
  would never be found in the cache.

Flags, the same for all:

- `_nrt=False`: nothing is allocated, so nothing is counted. Numba counts the references to an array at each call that
  passes it, by an atomic operation on a word that all threads share; the caller holds the arrays until the program has
  ended. See docs/decisions.
- `nogil=True`: threads run the program side by side. (Numba looks at this flag on entries only.)
- `error_model="numpy"`: division follows IEEE 754; the default adds a branch that raises.
- no `fastmath`: it may reassociate sums and removes tests for NaN; our sums have one order.
- no `parallel`: it costs compile time; the threads are our own.
- `boundscheck` is off unless `FASTMLP_BOUNDSCHECK=1`, which the tests use.

If Numba has changed inside, so that `numba_internals` cannot be imported, one warning says so and everything works
without it: each kernel gets machine code of its own, nothing is cached, and code that is called by address is a C
function (`cfunc`). The first call takes longer, in each process; the results are the same.
"""

import os
import warnings
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import numba
from numba import cfunc, njit, typeof, types

from .. import simd
from . import cache

cache.stamp()  # before files can change: their old code must not be kept under a new stamp

if numba.config.DISABLE_JIT:
    raise ImportError("fastmlp: its kernels must be compiled, but NUMBA_DISABLE_JIT is set; unset it")

try:
    from . import numba_internals
except ImportError as error:
    numba_internals = None
    warnings.warn(
        f"fastmlp: this version of fastmlp does not know Numba {numba.__version__} ({error}). The results are the "
        "same, but nothing is cached: every process compiles for about a minute. Install numba>=0.66,<0.69 or a newer "
        "fastmlp.",
        RuntimeWarning,
        stacklevel=2,
    )

_BOUNDSCHECK = os.environ.get("FASTMLP_BOUNDSCHECK") == "1"
_FLAGS = {"_nrt": False, "nogil": True, "error_model": "numpy", "boundscheck": _BOUNDSCHECK}
_VARIANT = f"w{simd.FLOAT32_LANES}" + ("-checked" if _BOUNDSCHECK else "") + ("-timed" if simd.TIMED else "")

ENTRIES: dict[str, Any] = {}


def kernel(function: Callable) -> Any:
    """Compile a function for use by other kernels and by entries."""
    if numba_internals is None:
        return njit(**_FLAGS)(function)
    return _inner(function, forceinline=False)


def inlined(function: Callable) -> Any:
    """Compile a function as a part of the kernels that call it.

    For the thin layers between an entry and the loops: such a call passes on all arenas, about a hundred numbers.
    """
    if numba_internals is None:
        return njit(inline="always", **_FLAGS)(function)
    return _inner(function, forceinline=True)


def _inner(function: Callable, *, forceinline: bool) -> Any:
    """Compile a function that has no machine code of its own.

    LLVM inlines it wherever it is called, or where LLVM thinks that this pays. `forceinline` must be given: without it,
    Numba takes the setting of the caller that it compiles.
    """
    options = {"pipeline_class": numba_internals.KernelCompiler, "forceinline": forceinline, **_FLAGS}
    return numba_internals.inside_only(njit(**options)(function))


def uncached(function: Callable) -> Any:
    """Compile a function as an entry is, but never keep it.

    For benchmarks: what they measure is then the code of the program, and files outside of the package are not cached.
    """
    if numba_internals is None:
        return njit(**_FLAGS)(function)
    return njit(pipeline_class=numba_internals.EntryCompiler, **_FLAGS)(function)


def entry(function: Callable) -> Any:
    """Compile a function that Python calls, through the cache of the package."""
    dispatcher = uncached(function)
    if numba_internals is not None:
        numba_internals.attach_cache(dispatcher, _VARIANT)
    ENTRIES[f"{function.__module__}.{function.__qualname__}"] = dispatcher
    return dispatcher


def keep_in(folder: Path) -> None:
    """Keep all that this process compiles in an empty folder, for other processors and not in the user's cache."""
    if numba_internals is None:
        raise RuntimeError(
            f"fastmlp cannot keep what Numba {numba.__version__} compiles: install numba>=0.66,<0.69"
        )
    for dispatcher in ENTRIES.values():
        numba_internals.keep_in(folder, dispatcher)


_kept: list[Any] = []  # C functions, whose machine code lives as long as they do


def address(function: Any, argument_types: Sequence) -> int:
    """The address of an entry's machine code for arguments of these types, for other entries to call it.

    It is called as Numba calls compiled functions: see `simd.Pointer.call`.
    """
    if numba_internals is not None:
        return numba_internals.address(function, tuple(argument_types))
    place = types.CPointer(types.int64)
    signature = types.int32(place, place, *argument_types)
    _kept.append(cfunc(signature, **_FLAGS)(_with_places(function, len(argument_types))))
    return _kept[-1].address


def _with_places(function: Any, count: int) -> Callable:
    """A function of this many parameters behind two more: the places of Numba's result and its error.

    C functions have no `*arguments`; these are the numbers of parameters of the entries that are called so.
    """

    def of_5(result, error, a, b, c, d, e):
        function(a, b, c, d, e)
        return 0

    def of_9(result, error, a, b, c, d, e, f, g, h, i):
        function(a, b, c, d, e, f, g, h, i)
        return 0

    def of_11(result, error, a, b, c, d, e, f, g, h, i, j, k):
        function(a, b, c, d, e, f, g, h, i, j, k)
        return 0

    def of_16(result, error, a, b, c, d, e, f, g, h, i, j, k, m, n, o, p, q):
        function(a, b, c, d, e, f, g, h, i, j, k, m, n, o, p, q)
        return 0

    return {5: of_5, 9: of_9, 11: of_11, 16: of_16}[count]


def prepared(function: Any, arguments: Sequence) -> Callable:
    """An entry for these arguments, to be called without any."""
    return partial(for_types_of(function, arguments), *arguments)


def for_types_of(function: Any, arguments: Sequence) -> Callable:
    """An entry for arguments of these types, and no others: its machine code, called without a look at their types.

    That look takes a third of a microsecond for three arrays, and ten for the tuples of arrays of a run. The entry is
    called once with these arguments.
    """
    function(*arguments)
    if numba_internals is None:
        return function
    return numba_internals.entry_point(function, tuple(map(typeof, arguments)))


def at_first_compilation(call: Callable[[], None]) -> AbstractContextManager[Any]:
    """A block in which `call` is called before the first function is compiled; not if all come from the cache."""
    return nullcontext() if numba_internals is None else numba_internals.compilation_listener(call)
