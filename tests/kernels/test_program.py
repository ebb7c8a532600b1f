"""The program against its NumPy twin, and its promises."""

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from fastmlp.engine.execution import NO_EVALUATION
from fastmlp.kernels import reference, schema, tables
from fastmlp.kernels.program import entries
from tests.kernels import networks
from tests.kernels.networks import SEED
from tests.tolerance import assert_close

FEATURES, OUTPUTS, SAMPLES, BATCH = 21, 5, 150, 70
STEPS = -(-SAMPLES // BATCH)
# Scaled samples, every activation, softmax in the middle, dropout.
EVERYTHING = [
    ("scale", False),
    *(part for row in tables.ACTIVATIONS for part in (("dense", 20), (row.name, 0.1))),
    ("dense", 33), ("softmax", 0.0), ("dense", 17), ("dropout", 0.25), ("dense", OUTPUTS),
]  # fmt: skip
# Roundings on the way of a sample: the sums of each dense layer, and what its activation is off by.
DEPTH = sum(33 + 8 for name, _ in EVERYTHING if name == "dense")
TERMS = STEPS * (2 * DEPTH + BATCH)


def build(loss, **changes):
    options = {"features": FEATURES, "rows": 128, "dtype": np.float32, "loss": loss} | changes
    return networks.build(EVERYTHING, **options)


def samples(kind=schema.SINGLE):
    return networks.data(SAMPLES, FEATURES, OUTPUTS, np.float32, kind=kind)


def snapshot(state, kept):
    return b"".join(array.tobytes() for array in (state.params, state.slots, kept.records))


def train(which, plan, state, given=None, code=0, **changes):
    options = {"batch": BATCH, "optimizer": code} | changes
    return networks.train(which, plan, state, given or samples(), **options)


def scale(*arrays):
    """Size of the terms of all sums: of the largest numbers that occur."""
    return np.float64(max(1.0, *(float(np.abs(array).max()) for array in arrays)))


@pytest.mark.parametrize("optimizer", range(len(tables.OPTIMIZERS)))
@pytest.mark.parametrize("loss", [row.name for row in tables.LOSSES])
def test_the_twin_trains_the_same_network(loss, optimizer):
    plan, state = build(loss)
    twin, before = networks.copy(state), networks.copy(state)
    kept, _ = train(entries, plan, state, code=optimizer)
    expected, _ = train(reference.entries, plan, twin, code=optimizer)
    assert not np.array_equal(state.params, before.params)
    assert_close(state.params, twin.params, terms=TERMS, scale=scale(twin.params))
    assert_close(state.slots, twin.slots, terms=TERMS, scale=scale(twin.slots))
    # Records are means of float64 sums of float32 losses.
    assert_close(np.float32(kept.records), np.float32(expected.records), terms=TERMS)


@pytest.mark.parametrize("kind", [schema.BYTES, schema.SINGLE, schema.DOUBLE])
def test_samples_of_each_type(kind):
    plan, state = build("cross_entropy")
    twin, given = networks.copy(state), samples(kind)
    entries.forward(plan, state, given, 7, SEED, 0)
    reference.entries.forward(plan, twin, given, 7, SEED, 0)
    op = plan[0]
    rows = [reference.arenas.matrix(s.workspace, op["y"], int(op["ldy"]), 7, FEATURES) for s in (state, twin)]
    assert np.any(rows[0])
    assert np.array_equal(*rows)


@pytest.mark.parametrize("kind", [schema.BYTES, schema.SINGLE, schema.DOUBLE])
def test_samples_in_csr_form(kind):
    """The numbers come to their columns, and zeros to all others, whatever stood there before."""
    plan, state = build("cross_entropy")
    twin, dense = networks.copy(state), networks.copy(state)
    given, op = samples(kind), plan[0]
    numbers = given.inputs.view(schema.ITEM_TYPES[kind]).reshape(SAMPLES, FEATURES)
    numbers[np.random.default_rng(3).random(numbers.shape) < 0.7] = 0
    numbers[given.order[2]] = 0
    for which, arenas, form in (
        (entries, dense, given),
        (entries, state, networks.csr(given, FEATURES)),
        (reference.entries, twin, networks.csr(given, FEATURES)),
    ):
        reference.arenas.matrix(arenas.workspace, op["y"], int(op["ldy"]), 128, FEATURES)[:] = 7
        which.forward(plan[:1], arenas, form, 9, SEED, 0)
    assert state.workspace.tobytes() == dense.workspace.tobytes() == twin.workspace.tobytes()


@pytest.mark.parametrize("loss", [row.name for row in tables.LOSSES])
def test_pieces_one_by_one(loss):
    plan, state = build(loss)
    twin, given, rows = networks.copy(state), samples(), 65
    for which, arenas in ((entries, state), (reference.entries, twin)):
        which.forward(plan, arenas, given, rows, SEED, 3)
        which.loss(plan, arenas, given, rows)
        which.backward(plan, arenas, rows, SEED, 3)
    for name in ("losses", "scores", "gradients"):
        actual, expected = getattr(state, name), getattr(twin, name)
        assert np.any(expected)
        assert_close(actual, expected, terms=2 * DEPTH + rows, scale=scale(expected))
    for which, arenas in ((entries, state), (reference.entries, twin)):
        which.step(plan, arenas, networks.update(which, 0, np.float32, len(plan)))
    assert_close(state.params, twin.params, terms=2 * DEPTH + rows, scale=scale(twin.params))


@pytest.mark.parametrize("team", [1, 2])
def test_evaluate_and_predict(team):
    count, chunk = 600, 256  # the first thread has a second, smaller chunk
    given = networks.data(count, FEATURES, OUTPUTS, np.float32)
    control = np.zeros(schema.CONTROL_WORDS, np.int64)
    results = {}
    for which, size in ((entries, team), (reference.entries, 1)):
        plan, state = build("mean_squared_error", training=False, rows=team * chunk)
        rows = np.zeros(count, np.float32), np.zeros(count, np.float32)
        data_set, totals = schema.Evaluation(*rows, plan, state, given, chunk), np.zeros(2)
        outputs = np.zeros((count, OUTPUTS), np.float32)
        without_loss, arenas = build(None, rows=team * chunk)
        arenas.params[:] = state.params
        with ThreadPoolExecutor(size) as pool:
            for done in [
                pool.submit(which.evaluate, totals, data_set, control, rank, size) for rank in range(size)
            ]:
                done.result()
        for rank in range(size):
            which.predict(outputs, without_loss, arenas, given, control, rank, size)
        assert totals.tolist() == [math.fsum(rows[0]), math.fsum(rows[1])] or which is reference.entries
        results[which] = (*rows, outputs)
    for actual, expected in zip(*results.values(), strict=True):
        assert np.all(np.any(expected.reshape(count, -1), axis=1))
        assert_close(actual, expected, terms=DEPTH, scale=scale(expected))


@pytest.mark.parametrize("optimizer", range(len(tables.OPTIMIZERS)))
def test_the_same_bits_for_any_team_and_with_or_without_a_gradient_arena(optimizer):
    results = set()
    for team in (1, 2, 3):
        for materialised in (False, True):
            plan, state = build("cross_entropy", team=team, materialised=materialised)
            kept, _ = train(entries, plan, state, code=optimizer, team=team)
            results.add(snapshot(state, kept))
    assert len(results) == 1


def run(which, plan, state, kept, control, stop):
    """One epoch, until this step, on one thread."""
    update = networks.update(which, 0, np.float32, STEPS)
    nothing = NO_EVALUATION[state.params.dtype]
    which.train(plan, state, samples(), BATCH, update, kept, nothing, SEED, 0, stop, control, 0, 1)


@pytest.mark.parametrize("which", [entries, reference.entries])
def test_stop_ends_before_the_update(which):
    plan, state = build("cross_entropy")
    before = state.params.copy()
    kept, control = networks.epochs(np.float32), np.zeros(schema.CONTROL_WORDS, np.int64)
    control[schema.STOP] = 1
    run(which, plan, state, kept, control, STEPS)
    assert control[schema.HALT] == 1
    assert control[schema.STEP] == 0
    assert np.array_equal(state.params, before)
    assert not kept.records.any()
    assert kept.progress[schema.DONE] == 0


@pytest.mark.parametrize("which", [entries, reference.entries])
@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_a_loss_that_is_not_finite_ends_before_the_update(which, wrong):
    given = samples()
    # In the second step.
    given.inputs.view(np.float32).reshape(SAMPLES, FEATURES)[given.order[BATCH]] = wrong
    plan, state = build("mean_squared_error")
    kept, control = train(which, plan, state, given)
    assert control[schema.BROKEN] == schema.LOSS_IS_NOT_FINITE
    assert control[schema.STEP] == 1
    assert kept.progress[schema.DONE] == 0
    assert np.isfinite(state.params).all()


@pytest.mark.parametrize("which", [entries, reference.entries])
def test_an_epoch_goes_on_from_the_step_it_stopped_at(which):
    plan, whole = build("cross_entropy")
    parts = networks.copy(whole)
    expected, _ = train(which, plan, whole)
    kept, control = networks.epochs(np.float32), np.zeros(schema.CONTROL_WORDS, np.int64)
    for stop in (1, STEPS):
        run(which, plan, parts, kept, control, stop)
    assert snapshot(parts, kept) == snapshot(whole, expected)


def test_padding_of_weights_and_states_stays_zero():
    plan, state = build("cross_entropy")
    three_states = next(code for code, row in enumerate(tables.OPTIMIZERS) if len(row.slots) == 3)
    train(entries, plan, state, code=three_states)
    for op in networks.dense(plan):
        for arena in (state.params, *state.slots.reshape(3, -1)):
            assert networks.weights_of(op, arena).any()
            assert not networks.padding(op, arena).any()
