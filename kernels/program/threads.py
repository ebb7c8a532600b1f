"""What the threads of a team share: counters, a barrier, and the division of rows between ranks.

All shared words are in one array `control`, each on a cache line of its own; `schema` names them.
"""

import sys

from numba import types

from .. import simd
from ..compiler.jit import inlined, kernel
from ..schema import ARRIVED, BROKEN, CONTROL_WORDS, DEALT, HALT, STEP, STOP
from ..simd import Int, Pointer, primitive
from .member import Member
from .phases import WAIT, resume, switch

__all__ = [
    "ARRIVED", "BROKEN", "CONTROL_WORDS", "DEALT", "HALT", "STEP", "STOP", "Member", "barrier", "load", "publish",
    "share", "swap",
]  # fmt: skip

_SPINS = 2000  # loads of the counter, one after another: some microseconds ...
_PAUSES = 200  # ... then loads with a pause before each ...

# ... then another thread may have the core. (Windows has no `sched_yield`, so there the core stays busy.)
if sys.platform == "win32":

    @kernel
    def _yield_core():
        return

else:
    _yield_core = types.ExternalFunction("sched_yield", types.int32())


@primitive
def load(words: Pointer, word: Int) -> int:
    """Read a shared word; what its writer wrote before it is visible too."""
    return (words + word).read_atomic()


@primitive
def publish(words: Pointer, word: Int, number: Int) -> None:
    """Write a shared word; who reads it sees what this thread wrote before."""
    (words + word).write_atomic(number)


@primitive
def _add(words: Pointer, word: Int, number: Int) -> int:
    """Add to a shared word; return what it was."""
    return (words + word).add_atomic(number)


@primitive
def swap(words: Pointer, word: Int, expected: Int, number: Int) -> int:
    """Write a shared word if it is what was expected; return 1 if it was, else 0."""
    return (words + word).swap_atomic(expected, number)


@primitive
def _pause(words: Pointer) -> None:
    """Pause the core for some cycles."""
    simd.pause(words)


@inlined
def barrier(member):
    """Wait until all threads of the team are here; then each sees what the others wrote before.

    Returns at once when HALT is set, as a thread that failed does not arrive. The caller must look at HALT then.
    """
    switch(member, WAIT)
    _wait(member.control, member.size)
    resume(member)


@kernel
def _wait(control, size):
    """Wait until all `size` threads are here, or HALT is set."""
    if size == 1:
        return
    goal = (_add(control, ARRIVED, 1) // size + 1) * size
    for spin in range(_SPINS + _PAUSES):
        if load(control, ARRIVED) >= goal:
            return
        if spin > _SPINS:
            _pause(control)
    while load(control, ARRIVED) < goal:
        if load(control, HALT) != 0:
            return
        _yield_core()


@kernel
def share(count, grain, rank, size):
    """This rank's share [begin, end) of `count` things: whole grains, divided as evenly as possible."""
    grains = (count + grain - 1) // grain
    return min(grains * rank // size * grain, count), min(grains * (rank + 1) // size * grain, count)
