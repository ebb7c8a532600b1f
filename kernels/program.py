"""The program: entries that walk the plan. Each thread of a team calls them with its rank and the team's size."""

import numpy as np

from . import dense, gather, layers, updates, weight_blocks
from .batch_norm import BACKWARD, FORWARD, batch_chunks, join_chunks, remember_batch
from .gemm import ANEW
from .halves import HALVES, ROW_GRAIN, shares_inputs
from .jit import entry, inlined, kernel
from .schema import BATCH_NORM, INPUT, NORMS, WIDTH, Values
from .steps import prepared as prepared
from .threads import BROKEN, HALT, STEP, STOP, barrier, load, publish, share

CHUNK = np.int64(256)  # rows that go through all layers together, so that each weight is read once for many

# A literal would be a type of its own to Numba, and the kernels compiled once more for it.
_FIRST, _ONE = np.int64(0), np.int64(1)


@inlined
def _forward(plan, state, data, position, first, rows):
    """Forward as in prediction, where no operation is random."""
    values = Values(state.params, state.workspace)
    for i in range(plan.size):
        if plan[i].kind == INPUT:
            gather.input_forward(plan[i], state, data, position, first, rows)
        else:
            layers.forward(plan[i], values, first, rows)


@inlined
def _loss(plan, state, data, position, first, rows, scale):
    """Loss of these rows; whether all are finite."""
    head = plan[plan.size - 1]
    gather.gather_targets(head, state, data, position, first, rows)
    layers.loss(head, state, first, rows, scale)
    if data.weights.size > 0:
        layers.weigh(head, state, data, position, first, rows)
    total = 0.0
    for r in range(first, first + rows):
        total += state.losses[r]
    return np.isfinite(total)


@inlined
def _team_forward(plan, state, data, position, start, count, first, rows, seed, epoch, control, rank, size):
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
                gather.input_forward(op, state, data, position + first, first, rows)
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
def _team_backward(plan, state, position, start, count, first, rows, seed, epoch, control, rank, size):
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
def _rows_together(plan, batch_size, size):
    """Rows that go through all operations together: a chunk for each rank; all, where an operation looks at all."""
    for i in range(plan.size):
        if plan[i].kind == BATCH_NORM:
            return batch_size
    return CHUNK * size


@inlined
def _learn(plan, state, data, begin, piece, scale, together, seed, epoch, control, rank, size):
    """Forward, loss and backward of the rows in the workspace, so many together."""
    for start in range(0, piece, together):
        count = min(together, piece - start)
        part, stop = share(count, ROW_GRAIN, rank, size)
        first, rows = start + part, stop - part
        _team_forward(plan, state, data, begin, start, count, first, rows, seed, epoch, control, rank, size)
        if not _loss(plan, state, data, begin + first, first, rows, scale):
            publish(control, BROKEN, 1)
        _team_backward(plan, state, begin, start, count, first, rows, seed, epoch, control, rank, size)


@kernel
def _sum_gradients(plan, state, rows, before, rank, size):
    """This rank's blocks of all gradients, over the rows in the workspace and those of the batch `before` them."""
    turn = rank
    for i in range(plan.size - 1, -1, -1):
        weight_blocks.gradient(plan[i], state, rows, before, turn, rank, size)
        turn = weight_blocks.next_turn(plan[i], turn, size)


@inlined
def _measure(plan, state, update, rank, size):
    """Sums of squares of the rows of the gradients in this rank's blocks."""
    turn = rank
    for i in range(plan.size - 1, -1, -1):
        weight_blocks.measure_blocks(plan[i], state, update, turn, rank, size)
        turn = weight_blocks.next_turn(plan[i], turn, size)


@inlined
def _steps(plan, state, update, h0, stride, rank, size, scratch):
    """This rank's blocks of all layers from the arena of gradients; operation i's numbers are at h0 + i stride."""
    turn, scale = rank, updates.global_scale(plan, update)
    for i in range(plan.size - 1, -1, -1):
        if plan[i].weights >= 0:
            weight_scale, bias_scale = updates.own_scales(plan[i], update)
            weight_blocks.step(
                plan[i], state, update, h0 + i * stride, turn, rank, size, scratch, scale * weight_scale,
                scale * bias_scale,
            )  # fmt: skip
        turn = weight_blocks.next_turn(plan[i], turn, size)


@inlined
def _constrain(plan, state, update, rank, size):
    """This rank's lines of units of all layers, once all weights are there."""
    for i in range(plan.size):
        if plan[i].max_norm > 0:
            updates.constrain(plan[i], state, update, rank, size)


@inlined
def _gradient_steps(plan, state, update, h0, rows, control, rank, size, scratch):
    """This rank's blocks of all layers, each as soon as its gradient is summed, while that is hot."""
    turn = rank
    for i in range(plan.size - 1, -1, -1):
        if plan[i].weights >= 0:
            weight_blocks.gradient_step(
                plan[i], state, update, h0, rows, plan.size - 1 - i, turn, control, rank, size, scratch
            )  # fmt: skip
        turn = weight_blocks.next_turn(plan[i], turn, size)


@inlined
def _update(plan, state, update, h0, rows, before, control, rank, size):
    """Blocks of rows of the weights are dealt out to the ranks, through all layers, so that each gets as many: from
    the last layer, as backward has just read its weights, to the first, with which the next step begins.

    Two things need all ranks first, and a barrier of their own: the norm of gradients, and that of a unit's weights.
    """
    scratch = state.scratch.size // size * rank
    if state.gradients.size > 0:
        _sum_gradients(plan, state, rows, before, rank, size)
        if update.optimizer[NORMS] != 0:
            _measure(plan, state, update, rank, size)
            barrier(control, size)
        _steps(plan, state, update, h0, _FIRST, rank, size, scratch)
    else:
        _gradient_steps(plan, state, update, h0, rows, control, rank, size, scratch)
    if rank == 0:
        for i in range(plan.size):
            if plan[i].kind == BATCH_NORM:
                remember_batch(plan[i], state)
    if updates.is_constrained(plan):
        barrier(control, size)
        _constrain(plan, state, update, rank, size)


@entry
def train_epoch(totals, plan, state, data, batch_size, update, seed, epoch, control, rank, size):
    """Train on all samples once, in the order of `data.order`, from step `control[STEP]` on.

    totals[0] += sum of the losses, totals[1] += sum of the scores, totals[2] += samples, by rank 0, row by row in
    their order. A batch goes through the workspace in pieces, as many rows as there is room for; where there are
    several, the arena of gradients holds the sums in between. Each piece ends with two barriers: rows are written up to
    the first, gradients or weights up to the second; there are more around each operation whose inputs the team shares.
    Ends early, all ranks in the same step and before its update, when the caller publishes STOP or when a loss is not
    finite (BROKEN).
    """
    samples, together = data.order.size, _rows_together(plan, batch_size, size)
    for i in range(plan.size):
        weight_blocks.refresh(plan[i], state, rank, size)
    barrier(control, size)
    for number in range(load(control, STEP), (samples + batch_size - 1) // batch_size):
        begin, before = number * batch_size, np.int64(0)
        batch, loss, score = min(batch_size, samples - begin), totals[0], totals[1]
        while before < batch:
            rows = min(state.losses.size, batch - before)
            _learn(
                plan,
                state,
                data,
                begin + before,
                rows,
                1.0 / batch,
                together,
                seed,
                epoch,
                control,
                rank,
                size,
            )
            if rank == 0 and load(control, STOP) != 0:
                publish(control, HALT, 1)
            barrier(control, size)
            if load(control, HALT) != 0 or load(control, BROKEN) != 0:
                return
            if before + rows < batch:
                _sum_gradients(plan, state, rows, before, rank, size)
            else:
                _update(
                    plan, state, update, number * update.optimizer[WIDTH], rows, before, control, rank, size
                )
            before += rows
            if rank == 0:
                for r in range(rows):
                    loss += state.losses[r]
                    score += state.scores[r]
                if before == batch:
                    totals[0], totals[1] = loss, score
                    totals[2] += batch
                    publish(control, STEP, number + 1)
            barrier(control, size)


@entry
def evaluate(losses, scores, plan, state, data, control, rank, size):
    """Loss and score of every sample; this rank takes every size-th chunk: its share of the workspace's rows."""
    chunk = state.losses.size // size
    first = rank * chunk
    for position in range(first, data.order.size, size * chunk):
        rows = min(chunk, data.order.size - position)
        if load(control, STOP) != 0:
            break
        _forward(plan, state, data, position, first, rows)
        _loss(plan, state, data, position, first, rows, 1.0)
        for r in range(rows):
            losses[position + r] = state.losses[first + r]
            scores[position + r] = state.scores[first + r]


@entry
def predict(outputs, plan, state, data, control, rank, size):
    """The last operation's outputs for every sample; this rank takes every size-th chunk, as in `evaluate`."""
    chunk, last = state.losses.size // size, plan[plan.size - 1]
    first = rank * chunk
    for position in range(first, data.order.size, size * chunk):
        rows = min(chunk, data.order.size - position)
        if load(control, STOP) != 0:
            break
        _forward(plan, state, data, position, first, rows)
        for r in range(rows):
            y = last.y + (first + r) * last.ldy
            for c in range(last.fan_out):
                outputs[position + r, c] = state.workspace[y + c]


@entry
def predict_row(plan, params, workspace):
    """The operations after the first for one sample, which stands where INPUT would have put it.

    Few arguments, as each one costs a fraction of a microsecond.
    """
    values = Values(params, workspace)
    for i in range(1, plan.size):
        layers.forward(plan[i], values, _FIRST, _ONE)


@entry
def forward(plan, state, data, rows, seed, epoch):
    """Run operations forward for the first rows of the batch, on one thread."""
    values = Values(state.params, state.workspace)
    for i in range(plan.size):
        if plan[i].kind == INPUT:
            gather.input_forward(plan[i], state, data, _FIRST, _FIRST, rows)
        else:
            if plan[i].kind == BATCH_NORM:
                layers.whole_batch(plan[i], values, rows, FORWARD)
            layers.training_forward(plan[i], values, _FIRST, _FIRST, rows, seed, epoch)


@entry
def loss(plan, state, data, rows):
    """Losses, scores and deltas of the outputs for the first rows of the batch, on one thread."""
    _loss(plan, state, data, _FIRST, _FIRST, rows, 1.0 / rows)


@entry
def backward(plan, state, rows, seed, epoch):
    """Run operations backward and write the weight gradients, for the first rows of the batch, on one thread."""
    values = Values(state.params, state.workspace)
    for i in range(plan.size):
        weight_blocks.refresh(plan[i], state, _FIRST, _ONE)
    for i in range(plan.size - 1, -1, -1):
        if plan[i].kind == BATCH_NORM and plan[i].dx >= 0:
            layers.whole_batch(plan[i], values, rows, BACKWARD)
        layers.backward(plan[i], values, _FIRST, _FIRST, rows, seed, epoch)
    for i in range(plan.size):
        weight_blocks.gradient(plan[i], state, rows, ANEW, _FIRST, _FIRST, _ONE)


@entry
def step(plan, state, update):
    """Update the weights of these operations from the arena of gradients, on one thread.

    `update.hyper` has a row for each operation.
    """
    if update.optimizer[NORMS] != 0:
        _measure(plan, state, update, _FIRST, _ONE)
    _steps(plan, state, update, _FIRST, update.optimizer[WIDTH], _FIRST, _ONE, _FIRST)
    _constrain(plan, state, update, _FIRST, _ONE)
    for i in range(plan.size):
        if plan[i].kind == BATCH_NORM:
            remember_batch(plan[i], state)
