"""Sums over many inputs are made of two, so that two threads can share the inputs of a layer.

The terms of the first half of the inputs make one sum, those of the second half another, each from +0 in ascending
order; then the second is added to the first. The bias is the last term of the second. A layer of few inputs has one
sum: `schema.second_half` says where the second starts.

A thread that owns half of the inputs reads the rows of the weights that it updates: what crosses from core to core is
the half sums of a batch, not the weights. Both halves are dealt out in parts. A thread that is done with its own takes
parts of the other, so that a core that others slow down, or a half with more zeros, does not keep the team waiting.
"""

import numpy as np

from ..compiler.jit import inlined, kernel
from ..loops.elementwise import Block, map_block
from ..schema import MOST_OPERATIONS, MOST_PARTS, ROW_GRAIN
from ..simd import Int, Pointer, primitive
from .threads import ARRIVED, DEALT, load, share, swap

FIRST, SECOND = np.int64(0), np.int64(1)
HALVES = np.int64(2)
SHARED_ROWS = np.int64(256)  # of a batch: from here on, a part is worth its way to another core
NOBODYS = np.int64(-1)  # the half of no part: all are taken
_WORDS = np.int64(8)  # of a cache line of `control`


@inlined
def shares_inputs(op, size):
    """Whether a team of this size shares the inputs of an operation, not the rows of the batch."""
    return op.by_inputs != 0 and size % HALVES == 0


@inlined
def half_of(op, columns, half):
    """The part [begin, end) of so many columns, of which those from op.half on are the second half."""
    return (FIRST, op.half) if half == FIRST else (op.half, columns)


@inlined
def half_rows(first, rows, rank, size):
    """The rows for which this rank takes its half of the inputs: where they start, and how many."""
    start, stop = share(rows, ROW_GRAIN, rank // HALVES, size // HALVES)
    return first + start, stop - start


@inlined
def parts_of_halves(op, columns, width):
    """In how many parts of so many columns the halves fall."""
    return (op.half + width - 1) // width, (columns - op.half + width - 1) // width


@kernel
def deal(control, number, last, parts, rows, rank, size):
    """The next part of an operation for this rank after its last one: a half, and a part of it.

    The halves have so many parts each, for so many rows of a batch. If these are few, a rank has its own half or every
    n-th part of it; if many, it goes on with the other half when its own is done.
    """
    if rows >= SHARED_ROWS:
        return _next_of_all(control, number, parts, rank, size)
    part = rank // HALVES if last == NOBODYS else last + size // HALVES
    half = rank % HALVES
    return (half, part) if part < parts[half] else (NOBODYS, FIRST)


@kernel
def _next_of_all(control, number, parts, rank, size):
    """The next part that nobody has, of this rank's half if there is one.

    What is taken is counted in a word for each half, which starts anew with each deal: the deals after a barrier have
    numbers, ascending, and so have the barriers. The first part is the owner's: it is taken when what the half needs
    has been gathered.
    """
    start = (load(control, ARRIVED) // size * MOST_OPERATIONS + number) * MOST_PARTS
    for turn in range(HALVES):
        half = (rank + turn) % HALVES
        word, count = DEALT + half * _WORDS, parts[half]
        while count > turn:
            seen = load(control, word)
            part = max(seen - start, FIRST)
            if part >= count or part < turn:
                break
            if swap(control, word, seen, start + part + 1) != 0:
                return half, part
    return NOBODYS, FIRST


@primitive
def join_halves(
    y: Pointer, y0: Int, second: Pointer, second0: Int, ldy: Int, rows: Int, columns: Int
) -> None:
    """y += second."""
    first = Block(y + y0, ldy)
    map_block(rows, columns, [first], [first, Block(second + second0, ldy)], lambda at, a, b: (a + b,))
