"""Ways through the operations of a plan: forward, loss and backward, of rows of one thread or of a team's batch."""

import numpy as np

from ..compiler.jit import inlined
from ..schema import BATCH_NORM, CHUNK, INPUT, ROW_GRAIN, Values
from . import dense, gather, layers
from .batch_norm import BACKWARD, FORWARD, batch_chunks, join_chunks
from .input_sharing import HALVES, shares_inputs
from .threads import BROKEN, barrier, publish, share


@inlined
def predicted(plan, state, data, position, first, rows):
    """Forward as in prediction, where no operation is random."""
    values = Values(state.params, state.workspace)
    for i in range(plan.size):
        if plan[i].kind == INPUT:
            gather.input_forward(plan[i], state, data, position, first, rows, gather.FEW_AHEAD)
        else:
            layers.forward(plan[i], values, first, rows)


@inlined
def loss_of_rows(plan, state, data, position, first, rows, batch, scale):
    """Loss of these rows; whether all are finite. The next ones of this thread come `batch` rows later."""
    head = plan[plan.size - 1]
    gather.gather_targets(head, state, data, position, first, rows, batch)
    layers.loss(head, state, first, rows, scale)
    if data.weights.size > 0:
        layers.weigh(head, state, data, position, first, rows)
    total = 0.0
    for r in range(first, first + rows):
        total += state.losses[r]
    return np.isfinite(total)


@inlined
def team_forward(plan, state, data, position, start, count, first, rows, seed, epoch, control, rank, size):
    """Forward of `count` rows of the batch, from `start` on; this rank's are `rows`, from `first` on.

    Where the team shares the inputs of an operation, all are needed before and all half sums behind.
    """
    gathered, values = False, Values(state.params, state.workspace)
    for i in range(plan.size):
        op = plan[i]
        if op.kind == INPUT:
            gathered = shares_inputs(op, size) and data.starts.size == 0
            if gathered:
                gather.input_half(op, state, data, position, start, count, rank, size)
            else:
                gather.input_forward(op, state, data, position + first, first, rows, count)
        elif shares_inputs(op, size):
            if not (gathered and i == 1 and size == HALVES):
                barrier(control, size)
            dense.forward_parts(op, values, start, count, control, rank, size)
            barrier(control, size)
            dense.join(op, values, first, rows)
            dense.put_ones(op, values, first, rows)
        else:
            if op.kind == BATCH_NORM:
                batch_chunks(op, values, first, rows, FORWARD)
                barrier(control, size)
                join_chunks(op, values, count, rank, size, FORWARD)
                barrier(control, size)
            layers.training_forward(op, values, position + first, first, rows, seed, epoch)


@inlined
def team_backward(plan, state, position, start, count, first, rows, seed, epoch, control, rank, size):
    """Backward of the same rows."""
    values = Values(state.params, state.workspace)
    for i in range(plan.size - 1, -1, -1):
        op = plan[i]
        if shares_inputs(op, size):
            if op.dx >= 0:
                barrier(control, size)
                dense.backward_parts(op, values, start, count, control, rank, size)
                barrier(control, size)
        else:
            if op.kind == BATCH_NORM and op.dx >= 0:
                batch_chunks(op, values, first, rows, BACKWARD)
                barrier(control, size)
                join_chunks(op, values, count, rank, size, BACKWARD)
                barrier(control, size)
            layers.backward(op, values, position + first, first, rows, seed, epoch)


@inlined
def rows_together(plan, batch_size, size):
    """Rows that go through all operations together: a chunk for each rank; all, where an operation looks at all."""
    for i in range(plan.size):
        if plan[i].kind == BATCH_NORM:
            return batch_size
    return CHUNK * size


@inlined
def learn(plan, state, data, begin, piece, scale, together, seed, epoch, control, rank, size):
    """Forward, loss and backward of the rows in the workspace, so many together."""
    for start in range(0, piece, together):
        count = min(together, piece - start)
        part, stop = share(count, ROW_GRAIN, rank, size)
        first, rows = start + part, stop - part
        team_forward(plan, state, data, begin, start, count, first, rows, seed, epoch, control, rank, size)
        if not loss_of_rows(plan, state, data, begin + first, first, rows, count, scale):
            publish(control, BROKEN, 1)
        team_backward(plan, state, begin, start, count, first, rows, seed, epoch, control, rank, size)
