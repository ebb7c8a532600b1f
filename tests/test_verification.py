"""Verification: a plan with a lie about anything that kernels trust is refused."""

from dataclasses import replace

import numpy as np
import pytest

from fastmlp import Activation, Dense
from fastmlp.engine.layer_lowering import lower
from fastmlp.engine.lowering import Lowering
from fastmlp.engine.verification import verify
from fastmlp.kernels import schema, tables
from fastmlp.losses import Formula
from tests.test_lowering import DTYPE, NETWORKS, PURPOSES, plan_of

HUGE = 2**62
LINE = schema.LINE // DTYPE.itemsize
PAIRS = ("xc", "xt", "dc", "dr", "wr", "wt", "zeros")

# Fields of which many numbers are right: they have tests of their own.
FREE = {"kind", "code", "layer", "by_inputs", "number", "momentum", "l1", "l2", "max_norm"}
FREE |= {"prefetch", "gradient_prefetch"}


def refuse(plan, position, message="", /, **lies):
    """A plan with lies about one operation."""
    operations = plan.operations.copy()
    for field, lie in lies.items():
        operations[field][position] = lie
    with pytest.raises(ValueError, match=rf"plan: .*{message}"):
        verify(replace(plan, operations=operations))


def numbers_of(plan, *kinds):
    """The numbers of the operations of these kinds."""
    found = [number for number, op in enumerate(plan.operations) if op["kind"] in kinds]
    assert found
    return found


@pytest.mark.parametrize("purpose", [each for each in PURPOSES if each != "evaluation"])
@pytest.mark.parametrize("network", NETWORKS)
def test_lies_about_every_field(network, purpose):
    plan = plan_of(network, purpose)
    for number, op in enumerate(plan.operations):
        last = number == len(plan.operations) - 1  # whose outputs may have any number of columns
        for field in set(schema.OPERATION.names) - FREE - ({"fan_out"} if last else set()):
            truth = int(op[field])
            lies = {truth - 1, truth + 1, -HUGE, HUGE}
            if field != "constants":  # of which prediction does not use all rows
                lies |= {truth + LINE, truth + 2 * LINE}
            if field == "centers":  # an input may have none
                lies.discard(-1)
            for lie in lies:
                refuse(plan, number, **{field: lie})


@pytest.mark.parametrize("purpose", ["training", "mixed training"])
@pytest.mark.parametrize("network", NETWORKS)
def test_lies_about_fields_that_a_kind_does_not_use(network, purpose):
    plan = plan_of(network, purpose)
    for number, op in enumerate(plan.operations):
        kind = tables.KINDS[op["kind"]]
        for field in set(schema.OPERATION.names) - {*kind.fields, *tables.EVERY_KIND, "code"}:
            message = "a number from 0|0 to 1|0 to 2|nothing for"
            refuse(plan, number, f"{field}: expected ({message})", **{field: 7})


@pytest.mark.parametrize("field", ["prefetch", "gradient_prefetch"])
def test_what_products_ask_for(field):
    plan = plan_of()
    for number in numbers_of(plan, schema.DENSE):
        for lie in (schema.NO_PREFETCH - 1, schema.ROWS_AHEAD + 1, HUGE):
            refuse(plan, number, f"{field}: expected 0 to 2", **{field: lie})


def test_the_table_of_kinds_knows_every_field():
    named = {field for kind in tables.KINDS for field in (*kind.fields, *tables.EVERY_KIND, *tables.LINKED)}
    assert named == set(schema.OPERATION.names)


def test_kinds_are_in_the_order_of_their_constants():
    for code, kind in enumerate(tables.KINDS):
        assert getattr(schema, kind.name.upper()) == code


def test_unknown_kinds():
    for number in range(len(plan_of().operations)):
        for kind in (-1, len(tables.KINDS), HUGE):
            refuse(plan_of(), number, f"kind: expected 0 to {len(tables.KINDS) - 1}", kind=kind)


def test_unknown_codes():
    for number, op in enumerate(plan_of().operations):
        for code in (-1, max(1, len(tables.KINDS[op["kind"]].codes)), HUGE):
            refuse(plan_of(), number, "code: expected 0 to", code=code)


def test_input_is_first_and_loss_is_last():
    plan = plan_of("one layer")
    turned = replace(plan, operations=plan.operations[::-1].copy())
    with pytest.raises(ValueError, match="kind: expected INPUT in the first operation and nowhere else"):
        verify(turned)
    twice = replace(plan, operations=plan.operations[[0, 1, 2, 2]])
    with pytest.raises(ValueError, match="kind: expected LOSS in the last operation only"):
        verify(twice)


@pytest.mark.parametrize("field", ["number", "momentum", "l1", "l2", "max_norm", "layer"])
def test_numbers_are_finite_and_not_negative(field):
    plan = plan_of("norms", "training")
    lies = [-1] if field == "layer" else [-0.1, np.nan, np.inf]
    for lie in lies:
        for number in range(len(plan.operations)):
            refuse(plan, number, rf"{field}: expected a number from 0", **{field: lie})


def test_a_rate_is_below_1_and_a_momentum_at_most():
    plan = plan_of("deep", "training")
    refuse(
        plan, *numbers_of(plan, schema.DROPOUT), "number: expected a number from 0 and below 1.0", number=1.0
    )
    plan = plan_of("norms", "training")
    refuse(plan, *numbers_of(plan, schema.BATCH_NORM), "momentum: expected 0 to 1", momentum=1.1)


@pytest.mark.parametrize("purpose", PURPOSES)
@pytest.mark.parametrize(
    "field", ["x", "y", "dx", "dy", "weights", "transposed", "second", "kept", "constants", *PAIRS]
)
def test_places_outside_their_arena(purpose, field):
    for network in NETWORKS:
        plan = plan_of(network, purpose)
        for number, op in enumerate(plan.operations):
            if op[field] >= 0:
                for lie in (-2, -HUGE, plan.workspace + plan.parameters, 2**63 - 1):
                    refuse(plan, number, f"{field}: expected ", **{field: lie})


@pytest.mark.parametrize("purpose", ["training", "mixed training"])
def test_places_that_must_be_there(purpose):
    for network in NETWORKS:
        plan = plan_of(network, purpose)
        for number, op in enumerate(plan.operations):
            for field in tables.PLACES:
                if op[field] >= 0 and field not in {"dy", "centers"}:
                    refuse(plan, number, f"{field}: expected ", **{field: -1})


def test_matrices_that_overlap():
    plan = plan_of("wide", "training")
    first, second, _ = numbers_of(plan, schema.DENSE)
    for number in (first, second):
        y = int(plan.operations["y"][number])
        refuse(plan, number, "workspace: y of .* overlaps second of|second of .* overlaps y of", second=y)
        refuse(plan, number, "workspace: .* overlaps", second=y + LINE)
    refuse(
        plan,
        second,
        "params: weights of .* overlaps weights of",
        weights=int(plan.operations["weights"][first]),
    )
    refuse(plan, second, "sums: sums of .* overlaps sums of", sums=int(plan.operations["sums"][first]))
    plan = plan_of("norms", "training")
    for number in numbers_of(plan, schema.ROW_NORM, schema.BATCH_NORM):
        refuse(plan, number, "workspace: .* overlaps", kept=int(plan.operations["y"][number]))


def test_matrices_of_pairs_that_overlap():
    plan = plan_of("wide", "mixed training")
    for number in numbers_of(plan, schema.MIXED)[1:]:
        y = int(plan.operations["y"][number])
        for field in ("wr", "wt", "zeros"):
            refuse(plan, number, "workspace: .* overlaps", **{field: y})


def test_a_mixed_layer_is_between_the_operations_that_round():
    plan = plan_of("wide", "mixed training")
    for number in numbers_of(plan, schema.MIXED):
        for other, kind, message in (
            (number - 1, schema.ROUND_DELTAS, "kind: expected "),
            (number + 1, schema.ROUND_VALUES, "kind: expected "),
            (number, schema.DENSE, "kind: expected MIXED behind ROUND_VALUES"),
        ):
            refuse(plan, other, f"({message}|xc: expected nothing)", kind=kind)
        for left_out in (number - 1, number, number + 1):
            operations = np.delete(plan.operations, left_out)
            with pytest.raises(ValueError, match=r"plan: operation .*: kind: expected .*(MIXED|ROUND)"):
                verify(replace(plan, operations=operations))
    plan = plan_of("wide", "mixed prediction")
    assert numbers_of(plan, schema.MIXED)
    assert schema.ROUND_DELTAS not in plan.operations["kind"]


def test_halves_are_where_the_contract_puts_them():
    plan = plan_of("wide", "training")
    for number in numbers_of(plan, schema.DENSE)[:2]:
        half = int(plan.operations["half"][number])
        for lie in (0, 1, half - 32, half + 32, half + 1, -half, 10**6):
            refuse(plan, number, "half: expected ", half=lie)
    refuse(plan, 0, "half: expected 160, got 128", half=128)


def test_a_layer_is_input_shared_only_where_it_has_halves():
    plan = plan_of("wide", "training")
    first, _, last = numbers_of(plan, schema.DENSE)
    for lie in (-1, 2, HUGE):
        refuse(plan, first, "by_inputs: expected ", by_inputs=lie)
    refuse(plan, last, "by_inputs: expected 0, or 1 where there are two halves, got 1", by_inputs=1)
    # Whoever gathers the samples must do it as the first layer needs them.
    refuse(plan, 0, "by_inputs: expected 1, got 0", by_inputs=0)
    operations = plan.operations.copy()
    operations["by_inputs"] = 0
    verify(replace(plan, operations=operations))


def test_more_rows_than_there_is_room_for():
    for network in NETWORKS:
        plan = plan_of(network)
        with pytest.raises(ValueError, match="plan: "):
            verify(replace(plan, rows=plan.rows + schema.SMALL_BATCH * 16))


def test_an_input_that_is_needed_must_not_be_overwritten():
    loss = Formula("mean_squared_error")
    plan = lower([Dense(3), Activation("silu")], (5,), 8, DTYPE, loss=loss, training=True)
    (number,) = numbers_of(plan, schema.ACTIVATION)
    x, dx = (int(plan.operations[field][number]) for field in ("x", "dx"))
    refuse(plan, number, "silu needs its input in backward", y=x, dy=dx)


def test_an_output_that_is_needed_must_not_be_overwritten():
    plan = lower([Dense(3, "tanh"), Activation("relu"), Dense(2)], (5,), 8, DTYPE, training=True)
    _, number = numbers_of(plan, schema.ACTIVATION)
    x, dx = (int(plan.operations[field][number]) for field in ("x", "dx"))
    refuse(plan, number, "tanh needs its output in backward", y=x, dy=dx)


def test_normalised_values_are_kept_by_what_follows():
    """Backward of both norms reads their output, so what follows must not work in place."""
    for norm in ("row_norm", "batch_norm"):
        lowering = Lowering(8, DTYPE, training=True)
        lowering.input((5,))
        lowering.dense(4)
        getattr(lowering, norm)(1e-5, *([0.9] if norm == "batch_norm" else []))
        lowering.activation("relu")
        *_, last = lowering.finish([]).operations
        assert last["x"] != last["y"]


def test_deltas_of_an_operation_in_place_are_one_matrix():
    plan = plan_of("deep", "training")
    number = numbers_of(plan, schema.ACTIVATION)[0]
    assert plan.operations["dx"][number] == plan.operations["dy"][number]
    refuse(plan, number, "dy: expected ", dy=int(plan.operations["y"][number]))
    refuse(plan, *numbers_of(plan, schema.DROPOUT), "dy: expected ", dy=int(plan.operations["dx"][number]))


def test_most_operations():
    """One word counts the parts that ranks have taken, by the number of the operation."""
    layers = [Activation("relu")] * int(schema.MOST_OPERATIONS)
    with pytest.raises(ValueError, match="expected 1 to 4096 operations, got 4097; use fewer layers"):
        lower(layers, (3,), 2, DTYPE)
    assert len(lower(layers[1:], (3,), 2, DTYPE).operations) == schema.MOST_OPERATIONS
    with pytest.raises(ValueError, match="expected 1 to 4096 operations, got 0"):
        verify(replace(plan_of(), operations=plan_of().operations[:0]))


def test_most_parts_of_an_input_shared_layer():
    units = int(schema.MOST_PARTS * schema.UPDATE_ROWS)
    lower([Dense(units)], (300,), 10, DTYPE, training=True)
    with pytest.raises(ValueError, match="expected at most 1048576 parts, got 1048577"):
        lower([Dense(units + 1)], (300,), 10, DTYPE, training=True)


def test_every_kind_with_weights_says_how_a_small_batch_computes_its_gradient():
    plan = plan_of("norms", "training")
    for number in numbers_of(plan, schema.DENSE, schema.AFFINE):
        kind = tables.KINDS[plan.operations["kind"][number]]
        assert plan.operations["outer_gradient"][number] == kind.outer_gradient
        refuse(plan, number, "outer_gradient: expected ", outer_gradient=not kind.outer_gradient)
