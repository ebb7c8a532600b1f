"""The program: the entries that execute a plan. Each thread of a team calls them with its rank and the team's size.

Arguments that entries write come first. `plan` is a structured array of `schema.OPERATION`; `state`, `data` and
`update` are the tuples of `schema`; `control` holds the words that the team shares. Each entry computes in the default
floating-point mode and restores the mode of its thread.
"""

from typing import NamedTuple

import numpy as np

from ..compiler.jit import entry, inlined
from ..loops.gemm import OVERWRITE
from ..loops.matrices import ceil_div
from ..schema import (
    BATCH_NORM,
    EPOCH_LOSS,
    EPOCH_SCORE,
    INPUT,
    NO_SEED,
    NORMS,
    ONE,
    RECORD,
    WIDTH,
    ZERO,
    Data,
    State,
    Update,
    Values,
)
from . import gather, layers, phases, weight_update
from .batch_norm import BACKWARD, FORWARD, whole_batch
from .epochs import begin_epoch, end_epoch, evaluate_rows, sum_results
from .float_mode import enter_default_mode, leave_default_mode
from .operation_code import link as link
from .optimizer_code import prepared as prepared
from .passes import learn, loss_of_rows, predicted, rows_together
from .phases import EPOCH, GRADIENT, OUTSIDE, enter
from .threads import BROKEN, HALT, STEP, STOP, Member, barrier, load, publish
from .update_all import limit_all, measure_all, step_all, sum_gradients, update_all, update_running


class _Steps(NamedTuple):
    """What all steps of training read."""

    plan: np.ndarray
    state: State
    data: Data
    batch_size: int
    update: Update
    records: np.ndarray  # `Epochs.records`


@inlined
def _add_losses(records, epoch, state, rows):
    """Add the losses and the scores of these rows to those of the epoch, row by row in their order."""
    place = epoch * RECORD
    loss, score = records[place + EPOCH_LOSS], records[place + EPOCH_SCORE]
    for r in range(rows):
        loss += state.losses[r]
        score += state.scores[r]
    records[place + EPOCH_LOSS], records[place + EPOCH_SCORE] = loss, score


@inlined
def _train_step(steps, number, begin, seed, epoch, draw, together, member):
    """Step `number` of the run, on the samples of the epoch from `begin` on; whether training goes on.

    A batch with more rows than the workspace holds is divided into micro-batches; `state.gradients` then accumulates
    their gradients. A micro-batch has two barriers: after the first, all its rows are written, after the second, all
    gradients or weights. Input-shared operations and BATCH_NORM have more.
    """
    plan, state, data, update = steps.plan, steps.state, steps.data, steps.update
    control, rank, size = member.control, member.rank, member.size
    batch, done = min(steps.batch_size, data.order.size - begin), ZERO
    while done < batch:
        rows = min(state.losses.size, batch - done)
        learn(plan, state, data, begin + done, rows, 1.0 / batch, together, seed, draw, member)
        if rank == 0 and load(control, STOP) != 0:
            publish(control, HALT, 1)
        barrier(member)
        if load(control, HALT) != 0 or load(control, BROKEN) != 0:
            return False
        if state.gradients.size > 0:
            enter(member, ZERO, GRADIENT)
            sum_gradients(plan, state, rows, done > 0, rank, size)
        done += rows
        if done == batch:
            update_all(plan, state, update, number * update.optimizer[WIDTH], rows, member)
        enter(member, plan.size - 1, phases.FORWARD)
        if rank == 0:
            _add_losses(steps.records, epoch, state, rows)
            if done == batch:
                publish(control, STEP, number + 1)
        barrier(member)
    return True


@entry
def train(plan, state, data, batch_size, update, epochs, validation, seed, draw, stop, control, rank, size):
    """Train from step `control[STEP]` to step `stop` of a run of whole epochs, in the order of `data.order`.

    `draw` is the key of the first epoch's random numbers. `update.hyper` and `epochs` are for all steps and epochs of
    the run. A run that ends within an epoch can go on there.

    Ends early, on all ranks in the same step: before its update when the caller publishes STOP or when a loss is not
    finite (BROKEN); after an epoch that leaves a parameter that is not finite (BROKEN), or that the rule ends.
    """
    mode, member = enter_default_mode(control), Member(control, rank, size)
    enter(member, ZERO, EPOCH)
    samples, together = data.order.size, rows_together(plan, batch_size, size)
    steps = _Steps(plan, state, data, batch_size, update, epochs.records)
    in_epoch, number, goes_on = ceil_div(samples, batch_size), load(control, STEP), True
    while goes_on and number < stop:
        epoch = number // in_epoch
        if rank == 0 and number % in_epoch == 0:
            begin_epoch(epochs, data.order, state.params, seed, draw + epoch, epoch)
        for i in range(plan.size):
            enter(member, i, EPOCH)
            weight_update.refresh(plan[i], Values(state.params, state.workspace), rank, size)
        barrier(member)
        end = min((epoch + 1) * in_epoch, stop)
        while goes_on and number < end:
            begin = (number - epoch * in_epoch) * batch_size
            goes_on = _train_step(steps, number, begin, seed, epoch, draw + epoch, together, member)
            number += 1
        enter(member, ZERO, EPOCH)
        if goes_on and number == (epoch + 1) * in_epoch:
            goes_on = end_epoch(epochs, plan, state, validation, samples, epoch, member)
    enter(member, ZERO, OUTSIDE)
    leave_default_mode(control, mode)


@entry
def evaluate(totals, data_set, control, rank, size):
    """Loss and score of every sample; rank 0 writes their sums, in the order of the samples, to `totals`."""
    mode, member = enter_default_mode(control), Member(control, rank, size)
    weight_update.refresh_before_use(data_set.plan, data_set.state, member)
    evaluate_rows(data_set, control, rank, size)
    barrier(member)
    if rank == 0:
        sum_results(totals, ZERO, data_set.losses, data_set.scores)
    leave_default_mode(control, mode)


@entry
def predict(outputs, plan, state, data, control, rank, size):
    """The outputs of the last operation (samples, outputs); this rank takes every size-th chunk, as in `evaluate`."""
    mode = enter_default_mode(control)
    weight_update.refresh_before_use(plan, state, Member(control, rank, size))
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
    leave_default_mode(control, mode)


@entry
def predict_row(plan, params, workspace):
    """Run the operations after the first for one sample, which the caller has written to the place of INPUT's outputs.

    Few arguments, as each one costs a fraction of a microsecond.
    """
    mode = enter_default_mode(params)
    values = Values(params, workspace)
    weight_update.refresh_all(plan, values, ZERO, ONE)
    for i in range(1, plan.size):
        layers.forward(plan[i], values, ZERO, ZERO, ONE, NO_SEED, ZERO)
    leave_default_mode(params, mode)


@entry
def forward(plan, state, data, rows, seed, epoch):
    """Run operations forward for the first rows of the batch, on one thread."""
    mode = enter_default_mode(state.params)
    values = Values(state.params, state.workspace)
    weight_update.refresh_all(plan, values, ZERO, ONE)
    for i in range(plan.size):
        if plan[i].kind == INPUT:
            gather.input_forward(plan[i], values, data, ZERO, ZERO, rows, rows)
        else:
            if plan[i].kind == BATCH_NORM:
                whole_batch(plan[i], values, rows, FORWARD)
            layers.forward(plan[i], values, ZERO, ZERO, rows, seed, epoch)
    leave_default_mode(state.params, mode)


@entry
def loss(plan, state, data, rows):
    """Losses, scores and deltas of the outputs for the first rows of the batch, on one thread."""
    mode = enter_default_mode(state.params)
    loss_of_rows(plan, state, data, ZERO, ZERO, rows, rows, 1.0 / rows)
    leave_default_mode(state.params, mode)


@entry
def backward(plan, state, rows, seed, epoch):
    """Run operations backward and write the weight gradients, for the first rows of the batch, on one thread."""
    mode = enter_default_mode(state.params)
    values = Values(state.params, state.workspace)
    weight_update.refresh_all(plan, values, ZERO, ONE)
    for i in range(plan.size - 1, -1, -1):
        if plan[i].kind == BATCH_NORM and plan[i].dx >= 0:
            whole_batch(plan[i], values, rows, BACKWARD)
        layers.backward(plan[i], values, ZERO, ZERO, rows, seed, epoch)
    sum_gradients(plan, state, rows, OVERWRITE, ZERO, ONE)
    leave_default_mode(state.params, mode)


@entry
def step(plan, state, update):
    """Update the weights of these operations from the arena of gradients, on one thread.

    `update.hyper` has a row for each operation.
    """
    mode = enter_default_mode(state.params)
    if update.optimizer[NORMS] != 0:
        measure_all(plan, state, update, ZERO, ONE)
    step_all(plan, state, update, ZERO, update.optimizer[WIDTH], ZERO, ZERO, ONE)
    limit_all(plan, state, update, ZERO, ONE)
    update_running(plan, state)
    leave_default_mode(state.params, mode)
