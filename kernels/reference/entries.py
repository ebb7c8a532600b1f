"""The entries in NumPy: epochs, whole data sets, and single passes over the operations of a plan."""

import numpy as np

from ..schema import BROKEN, HALT, LOSS, STEP, STOP, WIDTH
from .layers import bind
from .optimizers import prepared as prepared
from .updates import steps_of_all


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


@np.errstate(all="ignore")
def train_epoch(totals, plan, state, data, batch_size, update, seed, epoch, control, rank, size):
    """Train on all samples once, in the order of `data.order`, from step `control[STEP]` on."""
    samples = data.order.size
    gradients = state.gradients if state.gradients.size else np.zeros_like(state.params)
    bound = {rows: bind(plan, state, rows) for rows in {min(batch_size, samples), samples % batch_size} - {0}}
    for number in range(int(control[STEP]), -(-samples // batch_size)):
        begin = number * batch_size
        batch = min(batch_size, samples - begin)
        operations = bound[batch]
        head = operations[-1]
        _forward(operations, data, begin, seed, epoch)
        if not head.loss(data, begin, 1.0 / batch):
            control[BROKEN] = 1
        _backward(operations, begin, seed, epoch)
        if control[STOP]:
            control[HALT] = 1
        if control[HALT] or control[BROKEN]:
            break
        dense = _dense(operations)
        for operation in dense:
            operation.gradient(gradients)
        steps_of_all(dense, gradients, update, [number * update.optimizer[WIDTH]] * len(dense))
        for operation in operations:
            operation.remember()
        totals[:3] += head.losses.sum(dtype=np.float64), head.scores.sum(dtype=np.float64), batch
        control[STEP] = number + 1


def _batches(plan, state, data, control):
    """Run forward on all samples, as many at a time as the workspace holds, until STOP."""
    for position in range(0, data.order.size, state.losses.size):
        if control[STOP]:
            break
        operations = bind(plan, state, min(state.losses.size, data.order.size - position))
        _forward(operations, data, position, 0, 0)
        yield position, operations[-1]


@np.errstate(all="ignore")
def evaluate(losses, scores, plan, state, data, control, rank, size):
    """Loss and score of every sample."""
    for position, head in _batches(plan, state, data, control):
        head.loss(data, position, 1.0)
        here = slice(position, position + head.rows)
        losses[here], scores[here] = head.losses, head.scores


@np.errstate(all="ignore")
def predict(outputs, plan, state, data, control, rank, size):
    """The last operation's outputs for every sample."""
    for position, last in _batches(plan, state, data, control):
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
