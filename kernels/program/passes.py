"""Passes over the operations of a plan: forward, loss and backward, for the rows of one thread or of a team."""

from typing import NamedTuple

import numpy as np

from ..compiler.jit import inlined, kernel
from ..schema import BATCH_NORM, CHUNK, INPUT, NO_SEED, ZERO, Values
from . import dense, gather, layers, phases
from .batch_norm import BACKWARD, FORWARD, team_batch
from .input_sharing import HALVES, shares_inputs
from .mixed import row_grain
from .phases import enter
from .threads import BROKEN, barrier, publish, share


class Chunk(NamedTuple):
    """Rows that a team takes through all operations together. Rows are counted from row 0 of the micro-batch."""

    position: int  # the place of row 0 of the micro-batch in the epoch
    start: int  # the first row of the chunk
    count: int  # the rows of the chunk
    first: int  # the first row of this rank's share
    rows: int  # the rows of this rank's share


@inlined
def predicted(plan, state, data, position, first, rows):
    """Forward as in prediction, where no operation is random."""
    values = Values(state.params, state.workspace)
    for i in range(plan.size):
        if plan[i].kind == INPUT:
            gather.input_forward(plan[i], values, data, position, first, rows, gather.AHEAD)
        else:
            layers.forward(plan[i], values, ZERO, first, rows, NO_SEED, ZERO)


@kernel
def loss_of_rows(plan, state, data, position, first, rows, batch, scale):
    """Losses, scores and deltas of these rows; whether all losses are finite.

    This thread's next rows come `batch` rows later.
    """
    head = plan[plan.size - 1]
    gather.gather_targets(head, state, data, position, first, rows, batch)
    layers.loss(head, state, first, rows, scale)
    if data.weights.size > 0:
        layers.weight_losses(head, state, data, position, first, rows)
    total = 0.0
    for r in range(first, first + rows):
        total += state.losses[r]
    return np.isfinite(total)


@inlined
def _needs_no_barrier(i, gathered_by_halves, size):
    """Whether an input-shared layer may start without a barrier.

    The first layer of a team of two may: each half of its inputs is gathered by the one rank that owns it, and that
    rank takes the first part of the half. The other rank can only take a part after that, by a ticket, which makes what
    the owner gathered visible. In a larger team a half has several owners, which gather some rows each.
    """
    return gathered_by_halves and i == 1 and size == HALVES


@inlined
def team_forward(plan, state, data, chunk, seed, epoch, member):
    """Forward of a chunk.

    An input-shared layer needs a barrier before it (all inputs are written) and one after it (both half sums are).
    """
    rank, size = member.rank, member.size
    gathered_by_halves, values = False, Values(state.params, state.workspace)
    for i in range(plan.size):
        op = plan[i]
        enter(member, i, phases.FORWARD)
        if op.kind == INPUT:
            gathered_by_halves = shares_inputs(op, size) and data.starts.size == 0
            if gathered_by_halves:
                gather.input_half(op, values, data, chunk.position, chunk.start, chunk.count, rank, size)
            else:
                position = chunk.position + chunk.first
                gather.input_forward(op, values, data, position, chunk.first, chunk.rows, chunk.count)
        elif shares_inputs(op, size):
            if not _needs_no_barrier(i, gathered_by_halves, size):
                barrier(member)
            dense.forward_parts(op, values, chunk.start, chunk.count, member)
            barrier(member)
            dense.join(op, values, chunk.first, chunk.rows)
            dense.put_ones(op, values, chunk.first, chunk.rows)
        else:
            if op.kind == BATCH_NORM:
                team_batch(op, values, chunk, FORWARD, member)
            position = chunk.position + chunk.first
            layers.forward(op, values, position, chunk.first, chunk.rows, seed, epoch)


@inlined
def team_backward(plan, state, chunk, seed, epoch, member):
    """Backward of a chunk, with the same barriers."""
    size, values = member.size, Values(state.params, state.workspace)
    for i in range(plan.size - 1, -1, -1):
        op = plan[i]
        enter(member, i, phases.BACKWARD)
        if shares_inputs(op, size):
            if op.dx >= 0:
                barrier(member)
                dense.backward_parts(op, values, chunk.start, chunk.count, member)
                barrier(member)
        else:
            if op.kind == BATCH_NORM and op.dx >= 0:
                team_batch(op, values, chunk, BACKWARD, member)
            position = chunk.position + chunk.first
            layers.backward(op, values, position, chunk.first, chunk.rows, seed, epoch)


@inlined
def rows_together(plan, batch_size, size):
    """Rows of a chunk of the whole team: CHUNK for each rank; the whole batch if an operation needs all of it."""
    for i in range(plan.size):
        if plan[i].kind == BATCH_NORM:
            return batch_size
    return CHUNK * size


@inlined
def learn(plan, state, data, position, rows, scale, together, seed, epoch, member):
    """Forward, loss and backward of a micro-batch, `together` rows at a time.

    `position` is the place of its first row in the epoch, `scale` the factor of the deltas: 1 / rows of the batch.
    """
    grain = row_grain(plan)
    for start in range(0, rows, together):
        count = min(together, rows - start)
        begin, end = share(count, grain, member.rank, member.size)
        first, own = start + begin, end - begin
        chunk = Chunk(position, start, count, first, own)
        team_forward(plan, state, data, chunk, seed, epoch, member)
        enter(member, plan.size - 1, phases.FORWARD)
        if not loss_of_rows(plan, state, data, position + first, first, own, count, scale):
            publish(member.control, BROKEN, 1)
        team_backward(plan, state, chunk, seed, epoch, member)
