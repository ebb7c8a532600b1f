"""What happens between the steps of training, in NumPy."""

import numpy as np

from ..schema import (
    BATCH_NORM,
    BEGUN,
    BEST,
    BEST_EPOCH,
    DONE,
    EPOCH_LOSS,
    PENALISED_LOSS,
    RECORD,
    RULE_INCLUSIVE,
    RULE_MIN_DELTA,
    RULE_PATIENCE,
    RULE_QUANTITY,
    RULE_SIGN,
    RULE_START,
    RULE_TOLERANCE,
    STOPPED,
    VAL_LOSS,
    WAITED,
)
from ..tables import KINDS
from .arenas import matrix
from .rng import shuffle


def begin_epoch(epochs, order, params, seed, draw, epoch):
    """Shuffle the samples, and keep the parameters from before the epoch."""
    if epochs.rows.size:
        order[:] = epochs.rows
        shuffle(order, seed, draw)
    epochs.before[:] = params[: epochs.before.size]
    epochs.records[epoch * RECORD : (epoch + 1) * RECORD] = 0.0
    epochs.progress[BEGUN] = epoch + 1


def is_finite(plan, state):
    """Whether all parameters and the optimizer's state are finite."""
    params = state.params
    trained = [
        matrix(params, op["weights"], op["ldw"], op["depth"], op["fan_out"])
        for op in plan
        if op["weights"] >= 0
    ]
    running = [
        matrix(params, op["constants"], op["ldx"], KINDS[BATCH_NORM].constant_rows, op["fan_in"])
        for op in plan
        if op["kind"] == BATCH_NORM
    ]
    return all(np.isfinite(array).all() for array in (state.slots, *trained, *running))


def sums_of(data_set):
    """The sums of losses and of scores."""
    return data_set.losses.sum(dtype=np.float64), data_set.scores.sum(dtype=np.float64)


def record(epochs, plan, state, validation, samples, epoch):
    """Write the means of an epoch to its record, and compare it with the best one."""
    row = epochs.records[epoch * RECORD : (epoch + 1) * RECORD]
    row[: EPOCH_LOSS + 2] /= samples
    if validation.losses.size:
        row[VAL_LOSS : VAL_LOSS + 2] = np.array(sums_of(validation)) / validation.losses.size
    row[PENALISED_LOSS] = row[EPOCH_LOSS] + _penalty(plan, state)
    follow_rule(epochs, state.params, epoch)
    epochs.progress[DONE] = epoch + 1


def _penalty(plan, state):
    """The penalties of all weights."""
    total = 0.0
    for op in plan:
        if op["l1"] or op["l2"]:
            rows = state.params[op["weights"] : op["weights"] + op["biases"] * op["ldw"]]
            weights = rows.reshape(op["biases"], op["ldw"])[:, : op["fan_out"]].astype(np.float64)
            total += op["l1"] * np.abs(weights).sum() + op["l2"] / 2 * np.square(weights).sum()
    return total


def follow_rule(epochs, params, epoch):
    """Compare an epoch with the best one; see program/stop_rule.py."""
    rule, progress = epochs.rule, epochs.progress
    if rule[RULE_QUANTITY] < 0 or epoch < rule[RULE_START]:
        return
    value = rule[RULE_SIGN] * epochs.records[epoch * RECORD + int(rule[RULE_QUANTITY])]
    best = progress[BEST]
    enough = best + rule[RULE_TOLERANCE]
    improves = value >= enough if rule[RULE_INCLUSIVE] else value > enough
    progress[WAITED] = 0 if improves else progress[WAITED] + 1
    if value > best + rule[RULE_MIN_DELTA]:
        progress[BEST], progress[BEST_EPOCH] = value, epoch + 1
        epochs.best[:] = params[: epochs.best.size]
    progress[STOPPED] = progress[WAITED] > rule[RULE_PATIENCE]
