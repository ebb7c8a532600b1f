"""Where the time of a step goes: marks in the program, which only a build that measures itself (`simd.TIMED`) emits.

A rank is in one phase of one operation at any time. A mark adds the cycles since the last mark to the phase that ends.
In an ordinary build a mark emits nothing. In a timed one, `control[TIMES]` holds the address of one table of
`RANK_WORDS` words for each rank, or 0: nothing is added then.

    0   the counter at the last mark
    1   the operation
    2   its phase
    3   the phase before it
    8   the cycles of each phase of operation 0, then those of operation 1, ...
"""

from .. import simd
from ..schema import TIMES
from ..simd import TIMED, Int, primitive, when
from .member import Member

# OUTSIDE: of the program; its cycles mean nothing. EPOCH: the start and the end of an epoch. FORWARD of INPUT is
# gathering, that of LOSS computes the deltas of the outputs too.
OUTSIDE, EPOCH, FORWARD, BACKWARD, GRADIENT, UPDATE, TRANSPOSE, WAIT = range(8)
PHASES = 8

MOST_TIMED = 120  # operations of a plan that is measured: a table has no room for more
SINCE, PLACE, PHASE, BEFORE, CELLS = 0, 1, 2, 3, 8
RANK_WORDS = CELLS + PHASES * MOST_TIMED


def _mark(member: Member, operation: Int | None, phase: Int | None) -> None:
    """Emit: begin a phase; None: of the same operation, or the phase before this one."""
    words = member.control + TIMES

    def change() -> None:
        table = words.address_here() + member.rank * RANK_WORDS
        now, place, current = simd.clock(words), (table + PLACE).read_int(), (table + PHASE).read_int()
        cell = table + CELLS + (place * PHASES + current)
        cell.write(cell.read_int() + (now - (table + SINCE).read_int()))
        (table + SINCE).write(now)
        (table + PHASE).write((table + BEFORE).read_int() if phase is None else phase)
        (table + BEFORE).write(current)
        if operation is not None:
            (table + PLACE).write(operation)

    if TIMED:
        when(words.read_int(), change)


@primitive
def enter(member: Member, operation: Int, phase: Int) -> None:
    """This rank begins a phase of an operation."""
    _mark(member, operation, phase)


@primitive
def switch(member: Member, phase: Int) -> None:
    """This rank begins another phase of the same operation."""
    _mark(member, None, phase)


@primitive
def resume(member: Member) -> None:
    """This rank goes on with the phase from before the last `switch`."""
    _mark(member, None, None)
