"""When training stops early: a rule about one quantity, applied after each epoch.

An epoch is the best one if it is better than the best before it by more than `RULE_MIN_DELTA`. It is progress if it is
better by more than `RULE_TOLERANCE`, or, with `RULE_INCLUSIVE`, by as much. Training stops after more than
`RULE_PATIENCE` epochs in a row without progress.
"""

from ..compiler.jit import kernel
from ..schema import (
    BEST,
    BEST_EPOCH,
    RECORD,
    RULE_INCLUSIVE,
    RULE_MIN_DELTA,
    RULE_PATIENCE,
    RULE_QUANTITY,
    RULE_SIGN,
    RULE_START,
    RULE_TOLERANCE,
    STOPPED,
    WAITED,
)


@kernel
def follow_rule(epochs, params, epoch):
    """Compare epoch number `epoch` of the run, from 0, with the best one; copy its parameters if it is better."""
    rule, progress = epochs.rule, epochs.progress
    if rule[RULE_QUANTITY] < 0 or epoch < rule[RULE_START]:
        return
    value = rule[RULE_SIGN] * epochs.records[epoch * RECORD + int(rule[RULE_QUANTITY])]
    best = progress[BEST]
    enough = best + rule[RULE_TOLERANCE]
    if value > enough or (rule[RULE_INCLUSIVE] != 0 and value == enough):
        progress[WAITED] = 0
    else:
        progress[WAITED] += 1
    if value > best + rule[RULE_MIN_DELTA]:
        progress[BEST] = value
        progress[BEST_EPOCH] = epoch + 1
        for i in range(epochs.best.size):
            epochs.best[i] = params[i]
    if progress[WAITED] > rule[RULE_PATIENCE]:
        progress[STOPPED] = 1
