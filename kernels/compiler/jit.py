"""The decorators: every compiler flag, and why. The only file that calls `njit`.

- `kernel`: a function that runs inside the program. Compiled into the entries that call it; see parts.py.
- `inlined`: a kernel that is no level of its own; see there.
- `entry`: a function that Python calls. Releases the GIL; its machine code is cached on disk. An entry
  stands at the top level of its module and names its helpers as globals: one that closes over a jitted
  function or an intrinsic would never hit the cache.

Flags, the same for both:

- `_nrt=False`: nothing is allocated, so nothing is counted. Numba counts the references to an array at each call that
  passes it, by an atomic operation on a word that all threads share; the caller holds the arrays until the program has
  ended. See docs/decisions.
- `nogil=True`: threads run the program side by side. (Numba looks at this flag on entries only.)
- `error_model="numpy"`: division follows IEEE 754; the default adds a branch that raises.
- no `fastmath`: it may reassociate sums and folds NaN tests away; our sums have one order.
- no `parallel`: it costs compile time; the threads are our own.
- `boundscheck` is off unless `FASTMLP_BOUNDSCHECK=1`, which the tests use.
"""

import os
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from numba import njit, typeof

from .. import simd
from . import cache, numba_internals

_BOUNDSCHECK = os.environ.get("FASTMLP_BOUNDSCHECK") == "1"
_FLAGS = {"_nrt": False, "nogil": True, "error_model": "numpy", "boundscheck": _BOUNDSCHECK}
_VARIANT = f"w{simd.FLOAT32_LANES}" + ("-checked" if _BOUNDSCHECK else "")

ENTRIES: dict[str, Any] = {}


def kernel(function: Callable) -> Any:
    """Compile a function for use by other kernels and by entries."""
    return numba_internals.only_inside(njit(pipeline_class=numba_internals.Compiler, **_FLAGS)(function))


def inlined(function: Callable) -> Any:
    """Compile a function as a part of the kernels that call it.

    For the thin layers between an entry and the loops: Numba optimises anew at every level of calls, so each level less
    shortens the first start.
    """
    return njit(inline="always", **_FLAGS)(function)


def entry(function: Callable) -> Any:
    """Compile a function that Python calls, through the cache of the package."""
    dispatcher = njit(**_FLAGS)(function)
    cache.attach(dispatcher, _VARIANT)
    ENTRIES[f"{function.__module__}.{function.__qualname__}"] = dispatcher
    return dispatcher


def address(function: Any, types: Sequence) -> int:
    """Where the machine code of an entry stands for arguments of these types, for other entries to call it."""
    function.compile(tuple(types))
    result = function.overloads[tuple(types)]
    return result.library.get_pointer_to_function(result.fndesc.llvm_func_name)


def prepared(function: Any, arguments: Sequence) -> Callable:
    """An entry for arguments of these types, and no others: its machine code, called without a look at their types.

    That look takes a third of a microsecond.
    """
    function(*arguments)
    return partial(function.overloads[tuple(map(typeof, arguments))].entry_point, *arguments)
