"""Many epochs in one call of `train`: the same bits as epoch by epoch, validation and early stopping included."""

from dataclasses import dataclass

import numpy as np
import pytest

from fastmlp.kernels import reference, schema
from fastmlp.kernels.loops import rng
from fastmlp.kernels.program import entries
from tests.kernels import networks
from tests.kernels.networks import SEED
from tests.tolerance import assert_close

PARTS = [("dense", 20), ("tanh", 0.0), ("dropout", 0.25), ("dense", 3)]
FEATURES, OUTPUTS, SAMPLES, BATCH, EPOCHS = 7, 3, 90, 40, 6
BOTH = pytest.mark.parametrize("which", [entries, reference.entries])


@dataclass
class Setting:
    plan: np.ndarray
    state: schema.State
    validation: schema.Evaluation


def setting(team=1, dtype=np.float32, **rules):
    options = {"features": FEATURES, "dtype": dtype}
    plan, state = networks.build(PARTS, rows=64, loss="cross_entropy", team=team, **options, **rules)
    val_plan, val_state = networks.build(
        [part for part in PARTS if part[0] != "dropout"], rows=16 * team, loss="cross_entropy", training=False,
        **options,
    )  # fmt: skip
    given = networks.data(50, FEATURES, OUTPUTS, dtype)
    results = np.zeros(50, dtype), np.zeros(50, dtype)
    validation = schema.Evaluation(*results, val_plan, val_state._replace(params=state.params), given, 16)
    return Setting(plan, state, validation)


def samples(dtype=np.float32):
    return networks.data(SAMPLES, FEATURES, OUTPUTS, dtype)


def kept(given, count=EPOCHS, rule=None):
    size = given.state.params.size
    return networks.epochs(
        given.state.params.dtype, count, shuffled=range(SAMPLES), before=size, best=size, rule=rule
    )


def train(which, given, epochs, data=None, **options):
    data = samples(given.state.params.dtype) if data is None else data
    return networks.train(
        which, given.plan, given.state, data, batch=BATCH, optimizer=3, kept=epochs,
        validation=given.validation, **options,
    )  # fmt: skip


def bits(given, records):
    return b"".join(array.tobytes() for array in (given.state.params, given.state.slots, records))


def one_by_one(which):
    """Epochs one at a time, each shuffled and validated by entries of its own."""
    given, records = setting(), []
    for epoch in range(EPOCHS):
        data = samples()
        order = np.arange(SAMPLES)
        rng.shuffle(order, SEED, epoch)
        totals, control = np.zeros(2), np.zeros(schema.CONTROL_WORDS, np.int64)
        without, one = given.validation._replace(losses=np.zeros(0, np.float32)), networks.epochs(np.float32)
        networks.train(
            which, given.plan, given.state, data._replace(order=order), batch=BATCH, optimizer=3, draw=epoch,
            kept=one, validation=without._replace(data=data._replace(order=order[:0])),
        )  # fmt: skip
        which.evaluate(totals, given.validation, control, 0, 1)
        records += [*one.records[:2], *totals / 50, one.records[schema.PENALISED_LOSS]]
    return bits(given, np.array(records))


@BOTH
def test_many_epochs_have_the_bits_of_single_ones(which):
    given = setting()
    epochs, control = train(which, given, kept(given))
    assert bits(given, epochs.records) == one_by_one(which)
    assert control[schema.STEP] == EPOCHS * 3
    assert epochs.progress[schema.BEGUN] == epochs.progress[schema.DONE] == EPOCHS


@pytest.mark.parametrize("team", [2, 3, 4])
def test_any_team_has_the_same_bits(team):
    rule = {schema.RULE_QUANTITY: schema.VAL_LOSS, schema.RULE_SIGN: -1, schema.RULE_PATIENCE: EPOCHS}
    found = set()
    for size in (1, team):
        given = setting(size)
        epochs, _ = train(entries, given, kept(given, rule=rule), team=size)
        found.add(bits(given, epochs.records) + epochs.best.tobytes() + epochs.before.tobytes())
    assert len(found) == 1


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_reference_has_the_same_epochs(dtype):
    rule = {schema.RULE_QUANTITY: schema.PENALISED_LOSS, schema.RULE_SIGN: -1, schema.RULE_PATIENCE: EPOCHS}
    results = []
    for which in (entries, reference.entries):
        given = setting(dtype=dtype, l1=1e-3, l2=1e-2)
        results.append((given, train(which, given, kept(given, rule=rule))[0]))
    (given, epochs), (twin, expected) = results
    assert np.all(epochs.records)
    assert_close(epochs.records.astype(dtype), expected.records.astype(dtype), terms=3000)
    assert_close(given.state.params, twin.state.params, terms=3000)
    assert np.array_equal(epochs.progress[[0, 1, 3, 4, 5]], expected.progress[[0, 1, 3, 4, 5]])


def followed(values, sign, rule):
    """What the rule makes of these values: a plain loop. Best epoch, epochs waited, the epoch after which it stops."""
    best, best_epoch, waited = -np.inf, 0, 0
    for epoch, value in enumerate(values, 1):
        if epoch <= rule.get(schema.RULE_START, 0):
            continue
        enough = best + rule.get(schema.RULE_TOLERANCE, 0)
        reached = sign * value >= enough if rule.get(schema.RULE_INCLUSIVE) else sign * value > enough
        waited = 0 if reached else waited + 1
        if sign * value > best + rule.get(schema.RULE_MIN_DELTA, 0):
            best, best_epoch = sign * value, epoch
        if waited > rule[schema.RULE_PATIENCE]:
            return best_epoch, waited, epoch
    return best_epoch, waited, 0


RULES = {
    "validation": (schema.VAL_LOSS, -1, {schema.RULE_PATIENCE: 1}),
    "by more": (
        schema.EPOCH_LOSS,
        -1,
        {schema.RULE_PATIENCE: 0, schema.RULE_MIN_DELTA: 0.05, schema.RULE_TOLERANCE: 0.05},
    ),
    "later": (schema.VAL_SCORE, 1, {schema.RULE_PATIENCE: 2, schema.RULE_START: 3}),
    "as good": (schema.EPOCH_SCORE, 1, {schema.RULE_PATIENCE: 1, schema.RULE_INCLUSIVE: 1}),
    "tolerance": (schema.EPOCH_LOSS, -1, {schema.RULE_PATIENCE: 1, schema.RULE_TOLERANCE: 0.02}),
}


@BOTH
@pytest.mark.parametrize("name", RULES)
def test_a_rule_ends_training_and_keeps_the_best(which, name):
    quantity, sign, rule = RULES[name]
    free = setting()
    values = train(which, free, kept(free, 30))[0].records.reshape(30, -1)[:, quantity]
    best_epoch, waited, stopped = followed(values, sign, rule)
    given = setting()
    words = {schema.RULE_QUANTITY: quantity, schema.RULE_SIGN: sign} | rule
    epochs, control = train(which, given, kept(given, 30, words))
    assert epochs.progress[schema.STOPPED] == (stopped > 0)
    assert epochs.progress[schema.DONE] == (stopped or 30)
    assert control[schema.STEP] == 3 * (stopped or 30)
    assert epochs.progress[schema.BEST_EPOCH] == best_epoch
    assert epochs.progress[schema.WAITED] == waited
    until_best = setting()
    train(which, until_best, kept(until_best, best_epoch))
    assert np.array_equal(epochs.best, until_best.state.params)


def test_some_rule_of_these_stops_early_and_some_does_not():
    given = setting()
    values = train(entries, given, kept(given, 30))[0].records.reshape(30, -1)
    stops = [followed(values[:, quantity], sign, rule)[2] for quantity, sign, rule in RULES.values()]
    assert any(stops)
    assert len(set(stops)) > 2


@BOTH
def test_an_epoch_that_leaves_a_state_that_is_not_finite(which):
    given = setting()
    before = given.state.params.copy()
    given.state.slots[-1] = np.inf  # of padding, so no loss shows it
    epochs, control = train(which, given, kept(given))
    assert control[schema.BROKEN] == schema.PARAMETERS_ARE_NOT_FINITE
    assert control[schema.STEP] == 3
    assert epochs.progress[schema.DONE] == 0
    assert np.array_equal(epochs.before, before)
