"""The entries in NumPy: training, whole data sets, and single passes over the operations of a plan."""

import numpy as np

from ..schema import (
    BROKEN,
    HALT,
    LOSS,
    LOSS_IS_NOT_FINITE,
    PARAMETERS_ARE_NOT_FINITE,
    RECORD,
    STEP,
    STOP,
    STOPPED,
    WIDTH,
)
from .epochs import begin_epoch, is_finite, record, sums_of
from .layers import bind
from .optimizers import prepared as prepared
from .updates import steps_of_all


def link(operations, dtype):
    """Do nothing: only the program calls operations by address."""


def _forward(operations, data, position, seed, epoch):
    for operation in operations:
        operation.forward(data, position, seed, epoch)
        if operation.op.kind != LOSS:
            operation.one.fill(1)


def _backward(operations, position, seed, epoch):
    for operation in reversed(operations):
        if operation.op.dx >= 0:
            operation.backward(position, seed, epoch)


def _dense(operations):
    return [operation for operation in operations if operation.op.weights >= 0]


def _train_step(bound, gradients, data, begin, batch, hyper, update, seed, draw, control):
    """One step; the sums of its losses and scores, or None if it was not finished."""
    operations = bound[batch]
    head = operations[-1]
    _forward(operations, data, begin, seed, draw)
    if not head.loss(data, begin, 1.0 / batch):
        control[BROKEN] = LOSS_IS_NOT_FINITE
    _backward(operations, begin, seed, draw)
    if control[STOP]:
        control[HALT] = 1
    if control[HALT] or control[BROKEN]:
        return None
    dense = _dense(operations)
    for operation in dense:
        operation.gradient(gradients)
    steps_of_all(dense, gradients, update, [hyper] * len(dense))
    for operation in operations:
        operation.remember()
    return head.losses.sum(dtype=np.float64), head.scores.sum(dtype=np.float64)


@np.errstate(all="ignore")
def train(plan, state, data, batch_size, update, epochs, validation, seed, draw, stop, control, rank, size):
    """Train from step `control[STEP]` to step `stop` of a run of whole epochs, in the order of `data.order`."""
    samples = data.order.size
    gradients = state.gradients if state.gradients.size else np.zeros_like(state.params)
    bound = {rows: bind(plan, state, rows) for rows in {min(batch_size, samples), samples % batch_size} - {0}}
    in_epoch = -(-samples // batch_size)
    for number in range(int(control[STEP]), stop):
        epoch, step = divmod(number, in_epoch)
        if step == 0:
            begin_epoch(epochs, data.order, state.params, seed, draw + epoch, epoch)
        begin, hyper = step * batch_size, number * update.optimizer[WIDTH]
        batch = min(batch_size, samples - begin)
        sums = _train_step(
            bound, gradients, data, begin, batch, hyper, update, seed, draw + epoch, control
        )  # fmt: skip
        if sums is None:
            break
        epochs.records[epoch * RECORD : epoch * RECORD + 2] += sums
        control[STEP] = number + 1
        if step == in_epoch - 1:
            if epochs.before.size and not is_finite(plan, state):
                control[BROKEN] = PARAMETERS_ARE_NOT_FINITE
                break
            evaluate_rows(validation, control)
            if control[STOP]:
                control[HALT] = 1
                break
            record(epochs, plan, state, validation, samples, epoch)
            if epochs.progress[STOPPED]:
                break


def _batches(plan, state, data, chunk, control):
    """Run forward on all samples, a chunk at a time, until STOP."""
    for position in range(0, data.order.size, chunk):
        if control[STOP]:
            break
        operations = bind(plan, state, min(chunk, data.order.size - position))
        _forward(operations, data, position, 0, 0)
        yield position, operations[-1]


def evaluate_rows(data_set, control):
    """Loss and score of every sample."""
    data = data_set.data
    for position, head in _batches(data_set.plan, data_set.state, data, data_set.chunk, control):
        head.loss(data, position, 1.0)
        here = slice(position, position + head.rows)
        data_set.losses[here], data_set.scores[here] = head.losses, head.scores


@np.errstate(all="ignore")
def evaluate(totals, data_set, control, rank, size):
    """Loss and score of every sample, and their sums."""
    evaluate_rows(data_set, control)
    totals[:] = sums_of(data_set)


@np.errstate(all="ignore")
def predict(outputs, plan, state, data, control, rank, size):
    """The last operation's outputs for every sample."""
    for position, last in _batches(plan, state, data, state.losses.size, control):
        outputs[position : position + last.rows] = last.y[:, : last.op.fan_out]


@np.errstate(all="ignore")
def forward(plan, state, data, rows, seed, epoch):
    """Run operations forward for the first rows of the batch."""
    _forward(bind(plan, state, rows), data, 0, seed, epoch)


@np.errstate(all="ignore")
def loss(plan, state, data, rows):
    """Losses, scores and deltas of the outputs for the first rows of the batch."""
    (head,) = bind(plan[-1:], state, rows)
    head.loss(data, 0, 1.0 / rows)


@np.errstate(all="ignore")
def backward(plan, state, rows, seed, epoch):
    """Run operations backward and write the weight gradients, for the first rows of the batch."""
    operations = bind(plan, state, rows)
    _backward(operations, 0, seed, epoch)
    for operation in _dense(operations):
        operation.gradient(state.gradients)


def step(plan, state, update):
    """Update the weights of these operations from the arena of gradients."""
    operations = bind(plan, state, state.losses.size)
    places = {id(operation): i * update.optimizer[WIDTH] for i, operation in enumerate(operations)}
    dense = _dense(operations)
    steps_of_all(dense, state.gradients, update, [places[id(operation)] for operation in dense])
    for operation in operations:
        operation.remember()
