"""Sums over many inputs are made of two half sums, so that two threads can share the inputs of a layer.

The terms of the first half of the inputs make one sum, the terms of the second half another, each from +0 in ascending
order; then the second is added to the first. The bias is the last term of the second. A layer of few inputs has one
sum: `schema.second_half` says where the second half begins.

In an input-shared layer, rank r owns half r % 2 of the inputs: it reads the rows of the weights that it also updates.
What crosses from core to core is the half sums of a batch, not the weights. Each half is divided into parts. A thread
that has finished its own half takes parts of the other, so that the team does not wait for a slow core or for a half
with fewer zeros.
"""

import numpy as np

from ..compiler.jit import inlined, kernel
from ..loops.elementwise import map_rows
from ..loops.matrices import ceil_div
from ..schema import MOST_OPERATIONS, MOST_PARTS, ROW_GRAIN, ZERO
from ..simd import Int, Rows, primitive
from .threads import ARRIVED, DEALT, load, share, swap

FIRST_HALF = np.int64(0)
HALVES = np.int64(2)
NO_HALF = np.int64(-1)  # there is no part left
NO_PART = np.int64(-1)  # no part has been taken yet
SHARED_ROWS = np.int64(
    256
)  # rows from which on helping with the other half is worth moving data between cores
_WORDS = np.int64(8)  # of a cache line of `control`


@inlined
def shares_inputs(op, size):
    """Whether a team of this size shares the inputs of an operation, not the rows of the batch."""
    return op.by_inputs != 0 and size % HALVES == 0


@inlined
def half_of(op, columns, half):
    """The range [begin, end) of a half, where the layer has this many columns in all."""
    return (ZERO, op.half) if half == FIRST_HALF else (op.half, columns)


@inlined
def half_rows(first, rows, rank, size):
    """The rows for which this rank gathers its half of the inputs: the first, and how many."""
    start, stop = share(rows, ROW_GRAIN, rank // HALVES, size // HALVES)
    return first + start, stop - start


@inlined
def parts_of_halves(op, columns, width):
    """How many parts of this width each half has, where the layer has this many columns in all."""
    return ceil_div(op.half, width), ceil_div(columns - op.half, width)


@kernel
def next_part(member, series, last, parts, rows):
    """The next part for this rank: its half (NO_HALF: none is left), and its number.

    `last` is the number of the part that this rank took before (NO_PART: none), `parts` how many each half has, `rows`
    the rows of the chunk. `series` is the number of this series of parts since the last barrier: 0, 1, 2, ... in the
    same order on all ranks.

    For few rows, each rank takes every n-th part of its own half, where n ranks own it. For many, ranks take tickets.
    """
    if rows >= SHARED_ROWS:
        return _take_ticket(member, series, parts)
    step = member.size // HALVES
    half, part = member.rank % HALVES, member.rank // HALVES if last == NO_PART else last + step
    return (half, part) if part < parts[half] else (NO_HALF, ZERO)


@kernel
def _take_ticket(member, series, parts):
    """The next part that no rank has taken: of this rank's own half, or else of the other one.

    Each half has a counter in `control`. A ticket is a number of three digits, (barriers so far, series, part), and the
    counter holds the next ticket. As barriers and series only grow, a new series starts above all older tickets and the
    counter needs no reset. With MOST_OPERATIONS = MOST_PARTS = 100, after 7 barriers, in series 2, with 3 parts:

        start           = 07 02 00      the ticket of part 0
        counter         = 07 01 05      an older series: part 0 is next
        swap to 07 02 01                this thread has part 0
        counter         = 07 02 01      part 1 is next
        ...
        counter         = 07 02 03      all 3 parts are taken

    Part 0 can only be taken by an owner of the half: when it is taken, the owner has gathered the inputs of the half
    (and the swap makes them visible), so helpers may take the other parts.
    """
    start = (load(member.control, ARRIVED) // member.size * MOST_OPERATIONS + series) * MOST_PARTS
    for helps in range(HALVES):  # 0: its own half, 1: the other one
        half = (member.rank + helps) % HALVES
        counter, count = DEALT + half * _WORDS, parts[half]
        first_allowed = helps
        while count > first_allowed:
            seen = load(member.control, counter)
            part = max(seen - start, ZERO)
            if part >= count or part < first_allowed:
                break
            if swap(member.control, counter, seen, start + part + 1) != 0:
                return half, part
    return NO_HALF, ZERO


@primitive
def join_halves(y: Rows, second: Rows, rows: Int, columns: Int) -> None:
    """y += second; both (rows, columns)."""
    map_rows(rows, columns, [y], [y, second], lambda at, a, b: (a + b,))
