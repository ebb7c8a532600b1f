"""What happens between the steps of training: the start of an epoch, and its end with the validation."""

from ..compiler.jit import inlined, kernel
from ..loops.finite import penalty_of_row, zero_if_finite
from ..loops.rng import shuffle_rows
from ..schema import (
    BATCH_NORM,
    BEGUN,
    DONE,
    EPOCH_LOSS,
    EPOCH_SCORE,
    PARAMETERS_ARE_NOT_FINITE,
    PENALISED_LOSS,
    RECORD,
    STOPPED,
    VAL_LOSS,
    VAL_SCORE,
    ZERO,
    Matrix,
)
from .passes import loss_of_rows, predicted
from .stop_rule import follow_rule
from .threads import BROKEN, HALT, STOP, barrier, load, publish
from .views import constant_rows, weight_rows
from .weight_update import refresh_before_use

MOMENTS = 3  # rows of constants of BATCH_NORM that training changes


@kernel
def begin_epoch(epochs, order, params, seed, draw, epoch):
    """Shuffle the samples, and keep the parameters from before the epoch; on one thread."""
    for i in range(epochs.rows.size):
        order[i] = epochs.rows[i]
    if epochs.rows.size > 0:
        shuffle_rows(order, seed, draw)
    for i in range(epochs.before.size):
        epochs.before[i] = params[i]
    epochs.records[epoch * RECORD + EPOCH_LOSS] = 0.0
    epochs.records[epoch * RECORD + EPOCH_SCORE] = 0.0
    epochs.progress[BEGUN] = epoch + 1


@kernel
def _is_finite(plan, state):
    """Whether all parameters and the optimizer's state are finite.

    Padding is finite. The float64 centers of a scaler are no numbers of the network's type, so they are left out.
    """
    result = Matrix(state.scratch, ZERO, ZERO)
    zero_if_finite(result, Matrix(state.slots, ZERO, ZERO), state.slots.size)
    total = state.scratch[0]
    for op in plan:
        if op.weights >= 0:
            zero_if_finite(result, weight_rows(op, state.params, ZERO), op.depth * op.ldw)
            total += state.scratch[0]
        if op.kind == BATCH_NORM:
            zero_if_finite(result, constant_rows(op, state.params), MOMENTS * op.ldx)
            total += state.scratch[0]
    return total == 0


@kernel
def _penalty(plan, state):
    """The penalties of all weights: the sum of each row, then the rows in their order."""
    total = 0.0
    for op in plan:
        if op.l1 != 0 or op.l2 != 0:
            for k in range(op.biases):
                result, row = Matrix(state.scratch, ZERO, ZERO), weight_rows(op, state.params, k)
                penalty_of_row(result, row, op.fan_out, op.l1, op.l2)
                total += state.scratch[0]
    return total


@inlined
def evaluate_rows(data_set, control, rank, size):
    """Loss and score of every sample; this rank takes every size-th chunk of its share of the workspace's rows."""
    plan, state, data = data_set.plan, data_set.state, data_set.data
    first = rank * data_set.chunk
    for position in range(first, data.order.size, size * data_set.chunk):
        rows = min(data_set.chunk, data.order.size - position)
        if load(control, STOP) != 0:
            break
        predicted(plan, state, data, position, first, rows)
        loss_of_rows(plan, state, data, position, first, rows, rows, 1.0)
        for r in range(rows):
            data_set.losses[position + r] = state.losses[first + r]
            data_set.scores[position + r] = state.scores[first + r]


@kernel
def sum_results(totals, start, losses, scores):
    """Write the sums of losses and of scores, each in the order of the samples, to two places from `start` on."""
    loss, score = 0.0, 0.0
    for r in range(losses.size):
        loss += losses[r]
        score += scores[r]
    totals[start], totals[start + 1] = loss, score


@inlined
def _record(epochs, plan, state, validation, samples, epoch):
    """Write the means of an epoch to its record, and compare it with the best one."""
    start = epoch * RECORD
    epochs.records[start + EPOCH_LOSS] /= samples
    epochs.records[start + EPOCH_SCORE] /= samples
    if validation.losses.size > 0:
        sum_results(epochs.records, start + VAL_LOSS, validation.losses, validation.scores)
        epochs.records[start + VAL_LOSS] /= validation.losses.size
        epochs.records[start + VAL_SCORE] /= validation.losses.size
    epochs.records[start + PENALISED_LOSS] = epochs.records[start + EPOCH_LOSS] + _penalty(plan, state)
    follow_rule(epochs, state.params, epoch)
    epochs.progress[DONE] = epoch + 1


@inlined
def end_epoch(epochs, plan, state, validation, samples, epoch, member):
    """Evaluate the validation data and record the epoch; whether training goes on.

    It does not if a parameter is not finite (BROKEN; only where there are parameters to go back to), if the caller asks
    to stop (the epoch is not recorded then), or if the rule says so.
    """
    control, rank, size = member.control, member.rank, member.size
    refresh_before_use(validation.plan, validation.state, member)
    if rank == 0 and epochs.before.size > 0 and not _is_finite(plan, state):
        publish(control, BROKEN, PARAMETERS_ARE_NOT_FINITE)
    if load(control, BROKEN) == 0:
        evaluate_rows(validation, control, rank, size)
    barrier(member)
    # Not before the barrier: a rank may have seen STOP, and left its samples out, after all others looked.
    if rank == 0:
        if load(control, STOP) != 0:
            publish(control, HALT, 1)
        elif load(control, BROKEN) == 0:
            _record(epochs, plan, state, validation, samples, epoch)
    barrier(member)
    return load(control, HALT) == 0 and load(control, BROKEN) == 0 and epochs.progress[STOPPED] == 0
