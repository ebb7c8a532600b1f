"""Normalisation over the rows of a batch, in steps between which the ranks of a team wait for each other.

Forward: each rank computes the moments of the row groups among its own rows; then it joins the moments of all row
groups for its share of the columns; then it normalises its own rows. Backward does the same with sums of deltas.
`loops/norms.py` describes the matrix that holds the results.
"""

import numpy as np

from ..compiler.jit import inlined, kernel
from ..loops.gemm import OVERWRITE
from ..loops.matrices import ceil_div, submatrix
from ..loops.norms import column_moments, column_sums, join_moments, join_sums, update_running_moments
from ..schema import MOMENT_ROWS, ONE, ROW_GROUP, ZERO
from .threads import barrier, share
from .views import constant_rows, dy_rows, kept_rows, x_rows, y_rows

FORWARD, BACKWARD = np.int64(0), np.int64(1)
COLUMN_GRAIN = np.int64(16)  # columns are shared by whole cache lines


@inlined
def _group_sums(op, workspace, group):
    """The two rows of sums of this row group and those of the groups after it."""
    return submatrix(kept_rows(op, workspace), MOMENT_ROWS + 2 * group, 0)


@kernel
def sum_groups(op, state, first, rows, direction):
    """The sums of the row groups in these rows: the moments of x (FORWARD), or the sums of dy (BACKWARD).

    `first` is a multiple of ROW_GROUP.
    """
    work = state.workspace
    for r in range(first, first + rows, ROW_GROUP):
        sums, count = _group_sums(op, work, r // ROW_GROUP), min(ROW_GROUP, first + rows - r)
        if direction == FORWARD:
            column_moments(sums, x_rows(op, work, r), count, op.fan_out)
        else:
            column_sums(sums, y_rows(op, work, r), dy_rows(op, work, r), count, op.fan_out, OVERWRITE)


@kernel
def join_groups(op, state, batch, direction, rank, size):
    """Join the sums of all row groups of the batch, for this rank's share of the columns."""
    begin, end = share(op.fan_out, COLUMN_GRAIN, rank, size)
    kept = submatrix(kept_rows(op, state.workspace), 0, begin)
    sums, groups = submatrix(kept, MOMENT_ROWS, 0), ceil_div(batch, ROW_GROUP)
    if direction == FORWARD:
        join_moments(kept, sums, groups, batch, end - begin, op.number)
    else:
        join_sums(kept, sums, groups, batch, end - begin)


@inlined
def whole_batch(op, state, rows, direction):
    """Both steps for all rows of a batch, on one thread."""
    sum_groups(op, state, ZERO, rows, direction)
    join_groups(op, state, rows, direction, ZERO, ONE)


@inlined
def team_batch(op, state, chunk, direction, member):
    """Both steps for the rows of a chunk, which is the whole batch, on a team; a barrier after each."""
    sum_groups(op, state, chunk.first, chunk.rows, direction)
    barrier(member)
    join_groups(op, state, chunk.count, direction, member.rank, member.size)
    barrier(member)


@inlined
def update_running_statistics(op, state):
    """Move the running mean and variance, which prediction uses, towards those of this batch."""
    update_running_moments(
        constant_rows(op, state.params), kept_rows(op, state.workspace), op.fan_out, op.momentum, op.number
    )
