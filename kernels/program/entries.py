"""The program: entries that walk the plan. Each thread of a team calls them with its rank and the team's size."""

import numpy as np

from ..compiler.jit import entry
from ..loops.gemm import ANEW
from ..schema import BATCH_NORM, INPUT, NORMS, WIDTH, Values
from . import gather, layers, weight_update
from .batch_norm import BACKWARD, FORWARD, remember_batch
from .optimizer_code import prepared as prepared
from .passes import learn, loss_of_rows, predicted, rows_together
from .threads import BROKEN, HALT, STEP, STOP, barrier, load, publish
from .update_all import constrain_all, measure_all, step_all, sum_gradients, update_all

# A literal would be a type of its own to Numba, and the kernels compiled once more for it.
_FIRST, _ONE = np.int64(0), np.int64(1)


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
    samples, together = data.order.size, rows_together(plan, batch_size, size)
    for i in range(plan.size):
        weight_update.refresh(plan[i], state, rank, size)
    barrier(control, size)
    for number in range(load(control, STEP), (samples + batch_size - 1) // batch_size):
        begin, before = number * batch_size, np.int64(0)
        batch, loss, score = min(batch_size, samples - begin), totals[0], totals[1]
        while before < batch:
            rows, at, scale = min(state.losses.size, batch - before), begin + before, 1.0 / batch
            learn(plan, state, data, at, rows, scale, together, seed, epoch, control, rank, size)
            if rank == 0 and load(control, STOP) != 0:
                publish(control, HALT, 1)
            barrier(control, size)
            if load(control, HALT) != 0 or load(control, BROKEN) != 0:
                return
            if state.gradients.size > 0:
                sum_gradients(plan, state, rows, before, rank, size)
            before += rows
            if before == batch:
                update_all(plan, state, update, number * update.optimizer[WIDTH], rows, control, rank, size)
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
        predicted(plan, state, data, position, first, rows)
        loss_of_rows(plan, state, data, position, first, rows, rows, 1.0)
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
        predicted(plan, state, data, position, first, rows)
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
            gather.input_forward(plan[i], state, data, _FIRST, _FIRST, rows, rows)
        else:
            if plan[i].kind == BATCH_NORM:
                layers.whole_batch(plan[i], values, rows, FORWARD)
            layers.training_forward(plan[i], values, _FIRST, _FIRST, rows, seed, epoch)


@entry
def loss(plan, state, data, rows):
    """Losses, scores and deltas of the outputs for the first rows of the batch, on one thread."""
    loss_of_rows(plan, state, data, _FIRST, _FIRST, rows, rows, 1.0 / rows)


@entry
def backward(plan, state, rows, seed, epoch):
    """Run operations backward and write the weight gradients, for the first rows of the batch, on one thread."""
    values = Values(state.params, state.workspace)
    for i in range(plan.size):
        weight_update.refresh(plan[i], state, _FIRST, _ONE)
    for i in range(plan.size - 1, -1, -1):
        if plan[i].kind == BATCH_NORM and plan[i].dx >= 0:
            layers.whole_batch(plan[i], values, rows, BACKWARD)
        layers.backward(plan[i], values, _FIRST, _FIRST, rows, seed, epoch)
    for i in range(plan.size):
        weight_update.gradient(plan[i], state, rows, ANEW, _FIRST, _FIRST, _ONE)


@entry
def step(plan, state, update):
    """Update the weights of these operations from the arena of gradients, on one thread.

    `update.hyper` has a row for each operation.
    """
    if update.optimizer[NORMS] != 0:
        measure_all(plan, state, update, _FIRST, _ONE)
    step_all(plan, state, update, _FIRST, update.optimizer[WIDTH], _FIRST, _ONE, _FIRST)
    constrain_all(plan, state, update, _FIRST, _ONE)
    for i in range(plan.size):
        if plan[i].kind == BATCH_NORM:
            remember_batch(plan[i], state)
