"""Plans: what lowering makes of a network, that its matrices do not overlap, and that no lie gets by."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from fastmlp import Activation, Dense, Dropout, Flatten, MaxAbsScaler, Sequential, StandardScaler
from fastmlp.activations import ALONG_ROWS
from fastmlp.engine.layer_lowering import lower
from fastmlp.engine.plan import operation_name, verify
from fastmlp.kernels import schema, tables
from fastmlp.losses import Formula

DTYPE = np.dtype(np.float32)
NETWORKS = {
    "one layer": [Dense(3)],
    "deep": [Flatten(), Dense(20, "relu"), Dropout(0.5), Dense(17, "tanh"), Dense(3, "softmax")],
    "softmax inside": [Dropout(0.1), Dense(5, "softmax"), Activation("sigmoid"), Dense(2, "sigmoid")],
    "scaled": [Flatten(), StandardScaler(), Dense(5, "relu"), Dense(2)],
    "no weights": [Flatten(), Activation("relu")],
}
PURPOSES = {
    "prediction": {},
    "evaluation": {"loss": Formula("cross_entropy")},
    "training": {"loss": Formula("mean_squared_error"), "training": True},
    "training on zeros": {"loss": Formula("mean_squared_error"), "training": True, "sparse_input": True},
    "by hand": {"training": True, "input_delta": True},
}


def plan_of(network="deep", purpose="training", rows=10, dtype=DTYPE):
    return lower(NETWORKS[network], 6, rows, dtype, **PURPOSES[purpose])


def names(layers, **options):
    """The operations of a network, by name."""
    return [operation_name(op) for op in lower(layers, 6, 10, DTYPE, **options).operations]


def test_dropout_is_for_training():
    layers = [Dense(3, "relu"), Dropout(0.5), Dropout(0), Dense(2)]
    assert names(layers) == ["input", "dense", "activation relu", "dense"]
    assert names(layers, training=True) == ["input", "dense", "activation relu", "dropout", "dense"]


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(
    ("last", "loss", "fused"),
    [
        ("softmax", "cross_entropy", True),
        ("log_softmax", "cross_entropy", True),
        ("log_softmax", "mean_squared_error", False),
        ("gelu", "cross_entropy", False),
        ("sigmoid", "binary_cross_entropy", True),
        ("softmax", "mean_squared_error", False),
        ("sigmoid", "cross_entropy", False),
        ("tanh", "cross_entropy", False),
        ("identity", "cross_entropy", False),
    ],
)
def test_last_activation_and_loss(last, loss, fused, training):
    activation = [last] if last in ALONG_ROWS else [] if last == "identity" else [f"activation {last}"]
    for layers in ([Dense(3, last)], [Dense(3), Activation(last)]):
        assert names(layers) == ["input", "dense", *activation]
        expected = ["input", "dense", *([] if fused else activation), f"loss {loss}"]
        assert names(layers, loss=Formula(loss), training=training) == expected


@pytest.mark.parametrize(
    ("first", "second", "in_place"),
    [
        ("identity", "tanh", True),  # a dense layer does not look at its output
        ("identity", "softmax", True),
        ("identity", "gelu", False),
        ("gelu", "tanh", True),
        ("tanh", "identity", True),
        ("tanh", "relu", False),
        ("tanh", "gelu", False),
        ("tanh", "softmax", False),
        ("softmax", "log_softmax", False),
        ("log_softmax", "tanh", False),
    ],
)
def test_what_the_way_back_needs_is_kept(first, second, in_place):
    layers = [Dense(3, first), Activation(second), Dense(2)]
    for training in (False, True):
        before, after = lower(layers, 5, 8, DTYPE, training=training).operations[-3:-1]
        assert (after["x"], after["dx"]) == (before["y"], before["dy"])
        if second != "identity":
            assert (after["x"] == after["y"]) == (after["dx"] == after["dy"]) == (in_place or not training)


def test_a_fused_activation_leaves_its_input():
    layers = [Dense(3, "tanh"), Activation("softmax")]
    for training in (False, True):
        *_, last, loss = lower(
            layers, 5, 8, DTYPE, loss=Formula("cross_entropy"), training=training
        ).operations
        assert loss["x"] == last["y"]
        assert not training or loss["dx"] == last["dy"]


def test_an_input_that_is_needed_must_not_be_overwritten():
    plan = lower(
        [Dense(3), Activation("silu")], 5, 8, DTYPE, loss=Formula("mean_squared_error"), training=True
    )
    number = next(i for i, op in enumerate(plan.operations) if op["kind"] == schema.ACTIVATION)
    refuse(plan, number, "silu needs its input", y=plan.operations[number]["x"])


def test_zeros_are_skipped_in_the_first_layer():
    sparse = {"sparse_input": True}
    assert names([Flatten(), Dense(3), Dense(2)], **sparse) == ["input", "sparse", "dense"]
    assert names([Dropout(0.1), Dense(3)], training=True, **sparse) == ["input", "dropout", "sparse"]
    assert names([Dropout(0.1), Dense(3)], **sparse) == ["input", "sparse"]
    assert names([Activation("sigmoid"), Dense(3)], **sparse) == ["input", "activation sigmoid", "dense"]
    assert names([Activation("softmax"), Dense(3)], **sparse) == ["input", "softmax", "dense"]


def test_zeros_are_skipped_behind_a_scaler_that_keeps_them():
    X = np.array([[0, 1, 2, 0, 0, 1], [0, 3, 0, 0, 1, -2]], np.float32)
    sparse = {"sparse_input": True}
    assert names([MaxAbsScaler().adapt(X), Dense(3)], **sparse) == ["input", "scale", "sparse"]
    assert names([StandardScaler().adapt(X), Dense(3)], **sparse) == ["input", "scale", "dense"]
    assert names([MaxAbsScaler().adapt(X), Dense(3)]) == ["input", "scale", "dense"]


def test_constants_lie_outside_the_weights():
    plan = plan_of("scaled")
    (scale,) = [op for op in plan.operations if op["kind"] == schema.SCALE]
    end = scale["constants"] + 2 * scale["ldx"]
    weights = plan.operations[plan.operations["weights"] >= 0]["weights"]
    assert scale["constants"] >= 0
    assert (weights >= end).all()
    assert scale["weights"] == -1


def test_deltas_are_for_training():
    for purpose in ("prediction", "evaluation"):
        operations = plan_of(purpose=purpose).operations
        assert (operations["dy"] == -1).all()
        assert (operations["transposed"] == -1).all()
    training = plan_of(purpose="training").operations
    dense = training[training["weights"] >= 0]
    assert (dense["dy"] >= 0).all()
    # Nobody needs the delta of the samples, so the first layer's weights are not transposed.
    assert (dense["dx"] >= 0).tolist() == (dense["transposed"] >= 0).tolist() == [False, True, True]
    by_hand = plan_of(purpose="by hand").operations
    assert (by_hand[by_hand["weights"] >= 0]["dx"] >= 0).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("network", NETWORKS)
def test_parameters_lie_at_the_same_places(network, dtype):
    plans = [
        plan_of(network, purpose, rows, np.dtype(dtype)) for purpose in PURPOSES for rows in (1, 64, 1000)
    ]
    first = plans[0].operations
    for plan in plans:
        assert plan.parameters == plans[0].parameters
        dense = plan.operations[plan.operations["weights"] >= 0]
        expected = first[first["weights"] >= 0]
        for field in ("weights", "ldw", "fan_in", "fan_out", "layer"):
            np.testing.assert_array_equal(dense[field], expected[field])


def workspace_matrices(plan):
    """All matrices of the workspace, as (start, end)."""
    matrices = set()
    for op in plan.operations:
        for name, stride in (("x", "ldx"), ("y", "ldy"), ("dx", "ldx"), ("dy", "ldy")):
            if op[name] >= 0:
                matrices.add((int(op[name]), int(op[name] + plan.rows * op[stride])))
        if op["transposed"] >= 0:
            rows = schema.whole_lines(int(op["fan_out"]), plan.dtype)
            matrices.add((int(op["transposed"]), int(op["transposed"] + rows * op["ldt"])))
    return matrices


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("purpose", PURPOSES)
@pytest.mark.parametrize("network", NETWORKS)
def test_matrices_do_not_overlap(network, purpose, dtype):
    """But for those that are the same: what is computed in place."""
    plan = plan_of(network, purpose, 13, np.dtype(dtype))
    matrices = workspace_matrices(plan)
    for (start, end), (other, other_end) in combinations(sorted(matrices), 2):
        assert end <= other, f"{start}:{end} and {other}:{other_end}"
    assert max(end for _, end in matrices) <= plan.workspace
    dense = plan.operations[plan.operations["weights"] >= 0]
    ends = dense["weights"] + (dense["fan_in"] + 1) * dense["ldw"]
    assert (dense["weights"][1:] >= ends[:-1]).all()
    assert (ends <= plan.parameters).all()


def test_only_activations_work_in_place():
    for op in plan_of("deep").operations:
        if op["kind"] != schema.INPUT:
            in_place = {schema.ACTIVATION, schema.SOFTMAX, schema.SCALE}
            assert (op["x"] == op["y"]) == (op["kind"] in in_place)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_start_at_cache_lines(dtype):
    plan, line = plan_of(dtype=np.dtype(dtype)), schema.LINE // np.dtype(dtype).itemsize
    for name in ("x", "y", "dx", "dy", "weights", "transposed"):
        used = plan.operations[name] >= 0
        assert (plan.operations[name][used] % line == 0).all()
    for name in ("ldx", "ldy", "ldw", "ldt"):
        assert (plan.operations[name] % line == 0).all()


def test_spans_are_the_operations_of_the_layers():
    plan = plan_of()
    for number, span in enumerate(plan.spans):
        assert (plan.operations["layer"][span] == number).all()
    assert [span.stop - span.start for span in plan.spans] == [0, 2, 1, 2, 2]


def test_print():
    lines = str(plan_of()).splitlines()
    assert lines[0].split() == ["operation", *(name for name in schema.OPERATION.names if name != "kind")]
    assert [line.split("  ")[0] for line in lines[1:]] == [operation_name(op) for op in plan_of().operations]
    assert len({len(line) for line in lines}) == 1
    assert str(Sequential([Dense(2)]).build(3).plan).count("\n") == 2


# Lies

HUGE = 2**62


def refuse(plan, number, message, **lies):
    """A plan with lies about one operation."""
    operations = plan.operations.copy()
    for field, lie in lies.items():
        operations[field][number] = lie
    with pytest.raises(ValueError, match=rf"plan: operation {number} .*{message}"):
        verify(replace(plan, operations=operations))


def test_unknown_kinds():
    for number in range(len(plan_of().operations)):
        for kind in (-1, len(schema.KINDS), HUGE):
            refuse(plan_of(), number, "unknown kind", kind=kind)


def test_unknown_codes():
    operations = plan_of().operations
    sizes = {schema.ACTIVATION: len(tables.ACTIVATIONS), schema.LOSS: len(tables.LOSSES)}
    for number, op in enumerate(operations):
        for code in (-1, sizes.get(op["kind"], 1), HUGE):
            refuse(plan_of(), number, "unknown code", code=code)


@pytest.mark.parametrize("field", ["x", "y", "dx", "dy", "weights", "transposed"])
@pytest.mark.parametrize("purpose", PURPOSES)
def test_offsets_outside(purpose, field):
    plan = plan_of(purpose=purpose)
    used = [number for number, op in enumerate(plan.operations) if op[field] >= 0]
    for number in used:
        for lie in (-2, -HUGE, plan.workspace + plan.parameters, HUGE, 2**63 - 1):
            refuse(plan, number, f"{field} is not inside its arena", **{field: lie})
    assert used or purpose in ("prediction", "evaluation")


def test_strides_and_sizes():
    plan = plan_of()
    for number, op in enumerate(plan.operations):
        for field, lie in [
            ("fan_out", 0),
            ("fan_out", HUGE),
            ("fan_out", -5),
            ("ldy", 0),
            ("ldy", HUGE),
            ("ldy", -16),
        ]:
            refuse(plan, number, "is not inside|columns come in", **{field: lie})
        if op["kind"] != schema.INPUT:
            for field, lie in [("fan_in", 0), ("fan_in", HUGE), ("ldx", 0), ("ldx", HUGE)]:
                refuse(plan, number, "is not inside|columns come in|the weights have", **{field: lie})
        if op["weights"] >= 0:
            refuse(plan, number, "weights is not inside", ldw=HUGE)
            refuse(plan, number, "weights is not inside", ldw=int(op["fan_out"]))
        elif op["kind"] != schema.INPUT:
            refuse(plan, number, "columns come in", fan_in=int(op["fan_in"]) - 1)


@pytest.mark.parametrize("network", ["deep", "scaled"])
def test_what_must_be_there(network):
    plan = plan_of(network)
    for number, op in enumerate(plan.operations):
        refuse(plan, number, "y is not inside", y=-1)
        if op["kind"] != schema.INPUT:
            refuse(plan, number, "x is not inside", x=-1)
        if op["kind"] == schema.SCALE:
            for lie in (-1, -2, plan.parameters, HUGE):
                refuse(plan, number, "constants is not inside", constants=lie)
        if op["weights"] >= 0:
            refuse(plan, number, "weights is not inside", weights=-1)
            if op["dx"] >= 0:
                refuse(plan, number, "transposed is not inside", transposed=-1)
        if op["kind"] == schema.LOSS:
            refuse(plan, number, "dx is not inside", dx=-1)


def test_more_rows_than_there_is_room_for():
    plan = plan_of()
    with pytest.raises(ValueError, match="is not inside its arena"):
        verify(replace(plan, rows=plan.rows + 1))


@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("rows", [1, schema.SMALL_BATCH, schema.SMALL_BATCH + 1])
def test_few_rows_skip_the_zeros_of_relu_and_keep_no_transpose(rows, activation):
    plan = lower(
        [Dense(8, activation), Dense(3)], 5, rows, DTYPE, loss=Formula("mean_squared_error"), training=True
    )
    few = rows <= schema.SMALL_BATCH
    (second,) = [op for op in plan.operations if op["fan_out"] == 3 and op["weights"] >= 0]
    assert second["kind"] == (schema.SPARSE if few and activation == "relu" else schema.DENSE)
    assert (second["transposed"] < 0) == few


def test_sums_outside():
    plan = plan_of(purpose="training")
    dense = [number for number, op in enumerate(plan.operations) if op["weights"] >= 0]
    assert dense
    for number in dense:
        for lie in (-1, -2, plan.weight_rows, HUGE):
            refuse(plan, number, "sums is not inside its arena", sums=lie)


@pytest.mark.parametrize("field", ["l1", "l2", "max_norm"])
def test_rules_that_are_no_numbers(field):
    for lie in (-0.1, np.nan, np.inf):
        refuse(plan_of(purpose="training"), 1, f"{field} is no number from 0", **{field: lie})
