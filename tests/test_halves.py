"""Layers whose inputs a team shares: the same bits as on one thread, whatever the samples are."""

import numpy as np
import pytest

from fastmlp import Dense, Dropout, Sequential
from fastmlp.engine import team
from fastmlp.engine.layer_lowering import lower
from fastmlp.kernels import schema
from fastmlp.kernels.program import input_sharing
from fastmlp.kernels.program.input_sharing import NO_HALF, NO_PART, SHARED_ROWS
from fastmlp.kernels.program.threads import Member
from fastmlp.losses import Formula
from tests.kernels.calls import from_python

next_part = from_python(input_sharing.next_part)

SAMPLES, FEATURES, CLASSES = 130, 300, 3
BATCH = 24  # the last batch is smaller, and not for every thread a tile


def samples(form):
    """Samples of one kind, and their classes."""
    random = np.random.default_rng(0)
    X = random.standard_normal((SAMPLES, FEATURES)).astype(np.float32)
    if form != "dense":
        X = (np.abs(X) * 100 * (random.random(X.shape) < 0.2)).astype(np.uint8)
    if form == "csr":
        X = pytest.importorskip("scipy.sparse").csr_array(X)
    return X, random.integers(0, CLASSES, SAMPLES)


def train(form, **options):
    """All parameters after two epochs."""
    layers = [Dense(200, "relu"), Dropout(0.2), Dense(150, "tanh"), Dense(CLASSES, "softmax")]
    model = Sequential(layers, optimizer="adam", seed=3)
    model.fit(*samples(form), epochs=2, batch_size=BATCH, verbose=0, **options)
    return b"".join(array.tobytes() for layer in layers for array in layer.parameters.values())


@pytest.mark.parametrize("keep_gradients", [False, True])
@pytest.mark.parametrize("form", ["dense", "bytes", "csr"])
def test_any_number_of_threads(form, keep_gradients):
    expected = train(form, threads=1)
    for threads in (2, 3, 4, 6):
        assert train(form, threads=threads, keep_gradients=keep_gradients) == expected


@pytest.mark.parametrize("kind", [np.float32, np.uint8])
def test_threads_that_help_each_other(kind):
    random, found = np.random.default_rng(0), []
    X = (random.random((2 * SHARED_ROWS + 9, 1_100)) * 200 * (random.random(1_100) < 0.3)).astype(kind)
    for size in (1, 2, 4):
        layers = [Dense(700, "relu"), Dense(500, "relu"), Dense(CLASSES, "softmax")]
        model = Sequential(layers, optimizer="adam", seed=1)
        model.fit(X, np.arange(len(X)) % CLASSES, epochs=2, batch_size=SHARED_ROWS, threads=size, verbose=0)
        found.append(model.network.params.tobytes())
    assert found[0] == found[1] == found[2]


def taken(control, rank, series=0, last=NO_PART, rows=SHARED_ROWS):
    """What a rank of two gets next where the halves have two parts and three."""
    return next_part(Member(control, rank, 2), series, last, (2, 3), rows)


def test_a_rank_that_is_done_takes_parts_of_the_other_half():
    control = team.new_control()
    assert [taken(control, 1) for _ in range(3)] == [(1, 0), (1, 1), (1, 2)]
    assert taken(control, 1)[0] == NO_HALF  # rank 0 has not begun: its half may not be gathered yet
    assert taken(control, 0) == (0, 0)
    assert taken(control, 1) == (0, 1)
    assert taken(control, 0)[0] == taken(control, 1)[0] == NO_HALF


def test_deals_between_barriers_and_after_one():
    control = team.new_control()
    for series in (0, 1, 5):
        assert [taken(control, 0, series) for _ in range(3)] == [(0, 0), (0, 1), (NO_HALF, 0)]
    control[schema.ARRIVED] += 2
    assert [taken(control, 0), taken(control, 0)] == [(0, 0), (0, 1)]


def test_few_rows_stay_where_their_weights_are():
    control = team.new_control()
    parts = [taken(control, 1, last=last, rows=SHARED_ROWS - 1) for last in (NO_PART, 0, 1, 2)]
    assert parts == [(1, 0), (1, 1), (1, 2), (NO_HALF, 0)]
    assert not control.any()
    # Rank 3 of four: every other part.
    parts = [next_part(Member(control, 3, 4), 0, last, (2, 3), 1) for last in (NO_PART, 1)]
    assert parts == [(1, 1), (NO_HALF, 0)]


def by_inputs(rows, features, units, training=True):
    """Which of two layers have their inputs shared."""
    plan = lower(
        [Dense(units), Dense(4)],
        (features,),
        rows,
        np.dtype(np.float32),
        loss=Formula("cross_entropy"),
        training=training,
    )
    dense = plan.operations[plan.operations["weights"] >= 0]
    assert plan.operations[0]["by_inputs"] == dense[0]["by_inputs"]
    return dense["by_inputs"].tolist()


def test_inputs_are_shared_where_less_crosses_than_of_the_weights():
    assert by_inputs(64, 784, 128) == [1, 0]
    assert by_inputs(64, 784, 512) == [1, 0]
    assert by_inputs(784, 784, 128) == [0, 0]
    assert by_inputs(64, 128, 128) == [0, 0]
    assert by_inputs(schema.SMALL_BATCH, 784, 128) == [0, 0]
    assert by_inputs(64, 784, 128, training=False) == [0, 0]
