"""Plans: what lowering makes of a network, where its matrices are, and how a plan is printed."""

from itertools import combinations

import numpy as np
import pytest

from fastmlp import (
    Activation,
    BatchNorm,
    Dense,
    Dropout,
    Flatten,
    GaussianNoise,
    LayerNorm,
    MaxAbsScaler,
    Sequential,
    StandardScaler,
)  # fmt: skip
from fastmlp.activations import ACTIVATIONS, ALONG_ROWS
from fastmlp.engine import layer_lowering
from fastmlp.engine.layer_lowering import lower
from fastmlp.engine.lowering import Lowering
from fastmlp.engine.plan import as_dicts, operation_name
from fastmlp.kernels import schema
from fastmlp.losses import Formula
from fastmlp.regularizers import L2

DTYPE = np.dtype(np.float32)
NETWORKS = {
    "one layer": [Dense(3)],
    "deep": [Flatten(), Dense(20, "relu"), Dropout(0.5), Dense(17, "tanh"), Dense(3, "softmax")],
    "softmax inside": [Dropout(0.1), Dense(5, "softmax"), Activation("sigmoid"), Dense(2, "sigmoid")],
    "scaled": [Flatten(), StandardScaler(), Dense(5, "relu"), Dense(2)],
    "no weights": [Flatten(), Activation("relu")],
    "wide": [Dense(200, "relu"), Dense(100, "tanh"), Dense(3)],
    "norms": [LayerNorm(), Dense(140, "gelu"), BatchNorm(), GaussianNoise(0.1), Dense(3, "softmax")],
}
FEATURES = {"wide": 300, "norms": 140}  # else 6
PURPOSES = {
    "prediction": {},
    "evaluation": {"loss": Formula("cross_entropy")},
    "training": {"loss": Formula("mean_squared_error"), "training": True},
    "training on zeros": {"loss": Formula("mean_squared_error"), "training": True, "sparse_input": True},
    "by hand": {"training": True, "input_delta": True},
    "mixed prediction": {"mixed": True},
    "mixed training": {"loss": Formula("mean_squared_error"), "training": True, "mixed": True},
    "mixed by hand": {"training": True, "input_delta": True, "mixed": True},
}


def plan_of(network="deep", purpose="training", rows=10, dtype=DTYPE):
    return lower(NETWORKS[network], (FEATURES.get(network, 6),), rows, dtype, **PURPOSES[purpose])


def names(layers, **options):
    """The operations of a network, by name."""
    return [operation_name(op) for op in lower(layers, (6,), 10, DTYPE, **options).operations]


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
        before, after = lower(layers, (5,), 8, DTYPE, training=training).operations[-3:-1]
        assert (after["x"], after["dx"]) == (before["y"], before["dy"])
        if second != "identity":
            assert (after["x"] == after["y"]) == (after["dx"] == after["dy"]) == (in_place or not training)


def test_lowering_knows_every_activation_and_no_other():
    for name in ACTIVATIONS:
        assert len(names([Dense(3, name)])) == (2 if name == "identity" else 3)
    lowering = Lowering(8, DTYPE, training=True)
    lowering.input((3,))
    with pytest.raises(KeyError, match="softmin"):
        lowering.activation("softmin")


def test_a_fused_activation_leaves_its_input():
    layers = [Dense(3, "tanh"), Activation("softmax")]
    for training in (False, True):
        *_, last, loss = lower(
            layers, (5,), 8, DTYPE, loss=Formula("cross_entropy"), training=training
        ).operations
        assert loss["x"] == last["y"]
        assert not training or loss["dx"] == last["dy"]


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
        for name, stride in (("x", "ldx"), ("y", "ldy"), ("dx", "ldx"), ("dy", "ldy"), ("second", "ldy")):
            if op[name] >= 0:
                matrices.add((int(op[name]), int(op[name] + plan.rows * op[stride])))
        if op["transposed"] >= 0:
            rows = schema.whole_lines(int(op["fan_out"]), plan.dtype)
            matrices.add((int(op["transposed"]), int(op["transposed"] + rows * op["ldt"])))
        if op["kept"] >= 0:
            groups = -(-plan.rows // 8)
            size = (5 + 2 * groups) * op["ldy"] if op["kind"] == schema.BATCH_NORM else plan.rows
            matrices.add((int(op["kept"]), int(op["kept"] + size)))
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
    ends = dense["weights"] + dense["depth"] * dense["ldw"]
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


@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("rows", [1, schema.SMALL_BATCH, schema.SMALL_BATCH + 1])
def test_few_rows_skip_the_zeros_of_relu_and_keep_no_transpose(rows, activation):
    plan = lower(
        [Dense(8, activation), Dense(3)], (5,), rows, DTYPE, loss=Formula("mean_squared_error"), training=True
    )
    few = rows <= schema.SMALL_BATCH
    (second,) = [op for op in plan.operations if op["fan_out"] == 3 and op["weights"] >= 0]
    assert second["kind"] == (schema.SPARSE if few and activation == "relu" else schema.DENSE)
    assert (second["transposed"] < 0) == few


def test_print():
    plan = plan_of("norms")
    header, *lines, sizes = str(plan).splitlines()
    assert header.split() == [
        "operation",
        "layer",
        "fan_in",
        "fan_out",
        "x",
        "y",
        "dx",
        "dy",
        "weights",
        "options",
    ]
    assert [line.split("  ")[0] for line in lines] == [operation_name(op) for op in plan.operations]
    assert sizes.startswith(
        f"10 rows of float32; with padding, {plan.parameters} parameters and {plan.workspace} "
    )
    (norm,) = [line for line in lines if line.startswith("batch_norm")]
    assert norm.endswith("epsilon=1e-05 momentum=0.9")
    assert "byte_scale=1" in lines[0]
    assert str(Sequential([Dense(2)]).build(3).plan).count("\n") == 3


def test_print_says_what_is_set():
    """Every field that a kernel of this kind reads, but for strides and what follows from the sizes."""
    plan = lower(
        [Dense(200, "leaky_relu", regularizer=L2(0.01), max_norm=2.0), Dropout(0.25), Dense(3)],
        (300,), 10, DTYPE, loss=Formula("huber", 0.5), training=True,
    )  # fmt: skip
    options = {line.split()[0]: line.split() for line in str(plan).splitlines()}
    for kind, option in [
        ("input", "by_inputs=1"), ("dense", "half=128"), ("loss", "option=0.5"), ("dropout", "rate=0.25"),
        ("activation", "option=0.01"),
    ]:  # fmt: skip
        assert option in options[kind], options[kind]
    first = str(plan).splitlines()[2]
    assert "l2=0.02" in first
    assert "max_norm=2" in first


@pytest.mark.parametrize("purpose", PURPOSES)
@pytest.mark.parametrize("network", NETWORKS)
def test_the_same_structure_is_lowered_once(network, purpose):
    first = plan_of(network, purpose)
    lowered = layer_lowering._lowered.cache_info().misses
    second = plan_of(network, purpose)
    assert layer_lowering._lowered.cache_info().misses == lowered
    assert np.array_equal(first.operations, second.operations)
    assert first.spans == second.spans
    second.operations["x"] = 7  # each network has a table of its own
    assert np.array_equal(first.operations, plan_of(network, purpose).operations)


@pytest.mark.parametrize("other", [
    [Dense(4, "relu"), Dense(2)], [Dense(3, "tanh"), Dense(2)], [Dense(3, "relu", regularizer=L2(0.1)), Dense(2)],
    [Dense(3, "relu", max_norm=1.0), Dense(2)], [Dense(3, "relu"), Dropout(0.5), Dense(2)],
    [Dense(3, "leaky_relu"), Dense(2)], [Dense(3, "leaky_relu", slope=0.2), Dense(2)], [Dense(3, "relu"), LayerNorm()],
    [Dense(3, "relu"), LayerNorm(epsilon=0.1)], [Dense(3), Activation("relu"), Dense(2)], [Dense(3, "relu"), Dense(1)],
])  # fmt: skip
def test_another_structure_is_another_plan(other):
    options = {"loss": Formula("huber", 0.5), "training": True}
    plan = lower([Dense(3, "relu"), Dense(2)], (6,), 10, DTYPE, **options)
    assert plan.operations.tobytes() != lower(other, (6,), 10, DTYPE, **options).operations.tobytes()


def test_other_circumstances_are_another_plan():
    layers = [Dense(3, "relu"), Dense(2)]
    given = [
        ((6,), 10, DTYPE, None), ((7,), 10, DTYPE, None), ((6,), 11, DTYPE, None), ((6,), 10, np.dtype("f8"), None),
        ((6,), 10, DTYPE, Formula("huber", 0.5)), ((6,), 10, DTYPE, Formula("huber", 0.6)),
    ]  # fmt: skip
    plans = [
        lower(layers, *some, loss=loss, training=training)
        for *some, loss in given
        for training in (False, True)
    ]
    tables = {(plan.operations.tobytes(), plan.rows, plan.workspace) for plan in plans}
    assert len(tables) == len(plans)


def test_scalers_that_keep_zeros_and_others_are_other_plans():
    options = {"sparse_input": True}
    shifted, kept = (
        StandardScaler().adapt([[1.0, 2.0], [3.0, 5.0]]),
        MaxAbsScaler().adapt([[1.0, 2.0], [3.0, 5.0]]),
    )
    assert names([shifted, Dense(2)], **options)[2:] == ["dense"]
    assert names([kept, Dense(2)], **options)[2:] == ["sparse"]


def test_fields_are_the_operations():
    plan = plan_of("norms")
    assert list(plan.fields) == as_dicts(plan.operations)
