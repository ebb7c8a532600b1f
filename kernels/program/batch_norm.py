"""Normalisation over the rows of a batch, in steps between which a team waits for all its ranks.

Forward: each rank finds the moments of its own chunks of rows; then each joins those of its share of the columns; then
each normalises its own rows, which are whole chunks. Backward goes the same way with sums of deltas. What is found
stands at `op.kept`, rows of stride ldy: mean, factor and variance of the batch, two rows of the backward pass, and two
rows for each chunk.
"""

import numpy as np

from ..compiler.jit import inlined, kernel
from ..loops.gemm import ANEW
from ..loops.norms import column_moments, column_sums, join_moments, join_sums, running_moments
from ..schema import MOMENT_ROWS, ROW_GROUP
from .threads import share

FACTOR, PRODUCTS, MEANS, CHUNKS = np.int64(1), np.int64(3), np.int64(4), np.int64(MOMENT_ROWS)
FORWARD, BACKWARD = np.int64(0), np.int64(1)
COLUMN_GRAIN = np.int64(16)  # columns are shared out by whole cache lines


@inlined
def _chunks_place(op, first):
    return op.kept + (CHUNKS + first // ROW_GROUP * 2) * op.ldy


@kernel
def batch_chunks(op, state, first, rows, direction):
    """What is summed over the chunks of these rows: the moments of the inputs, or the deltas of the outputs."""
    work = state.workspace
    for r in range(first, first + rows, ROW_GROUP):
        place, count = _chunks_place(op, r), min(ROW_GROUP, first + rows - r)
        x, y, dy = op.x + r * op.ldx, op.y + r * op.ldy, op.dy + r * op.ldy
        if direction == FORWARD:
            column_moments(work, place, op.ldy, work, x, op.ldx, count, op.fan_out)
        else:
            column_sums(work, place, op.ldy, work, y, op.ldy, work, dy, op.ldy, count, op.fan_out, ANEW)


@kernel
def join_chunks(op, state, batch, rank, size, direction):
    """The same over the whole batch, for this rank's share of the columns."""
    begin, end = share(op.fan_out, COLUMN_GRAIN, rank, size)
    work, place, chunks = state.workspace, _chunks_place(op, 0) + begin, (batch + ROW_GROUP - 1) // ROW_GROUP
    if direction == FORWARD:
        moments = op.kept + begin
        join_moments(work, moments, work, place, op.ldy, chunks, batch, end - begin, op.number)
    else:
        means = op.kept + PRODUCTS * op.ldy + begin
        join_sums(work, means, work, place, op.ldy, chunks, batch, end - begin)


@inlined
def remember_batch(op, state):
    """Move what is used instead of a batch's moments, once there is none, towards those of this batch."""
    running_moments(
        state.params,
        op.constants,
        op.ldx,
        state.workspace,
        op.kept,
        op.ldy,
        op.fan_out,
        op.momentum,
        op.number,
    )
