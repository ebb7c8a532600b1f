"""Sums over many inputs are made of two, so that two threads can share the inputs of a layer.

The terms of the first half of the inputs make one sum, those of the second half another, each from +0 in ascending
order; then the second is added to the first. The bias is the last term of the second. A layer of few inputs has one
sum: `schema.second_half` says where the second starts.

A thread that owns half of the inputs reads the rows of the weights that it updates, and no others: what crosses from
core to core is the half sums of a batch, not the weights.
"""

import numpy as np

from .blocks import Block, map_block
from .jit import inlined
from .simd import Int, Pointer, primitive
from .threads import share

FIRST, SECOND = np.int64(0), np.int64(1)
HALVES = np.int64(2)
ROW_GRAIN = np.int64(8)  # rows of a batch are shared out by whole tiles


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


@primitive
def join_halves(
    y: Pointer, y0: Int, second: Pointer, second0: Int, ldy: Int, rows: Int, columns: Int
) -> None:
    """y += second."""
    first = Block(y + y0, ldy)
    map_block(rows, columns, [first], [first, Block(second + second0, ldy)], lambda at, a, b: (a + b,))
