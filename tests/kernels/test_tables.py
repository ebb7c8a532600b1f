"""The tables of activations, losses and optimizers, which formulas are joined to by name."""

import pytest

from fastmlp.kernels import reference, schema, tables
from fastmlp.kernels.loops import activations, losses, optimizers

JOINED = [
    (tables.ACTIVATIONS, activations.ACTIVATIONS, reference.activations.ACTIVATIONS),
    (tables.LOSSES, losses.LOSSES, reference.losses.LOSSES),
    (tables.OPTIMIZERS, optimizers.OPTIMIZERS, reference.optimizers.OPTIMIZERS),
]


@pytest.mark.parametrize("joined", JOINED)
def test_kernels_and_reference_have_the_rows_in_the_order_of_their_codes(joined):
    rows, *engines = joined
    for formulas in engines:
        assert tuple(row for row, _ in formulas) == rows


@pytest.mark.parametrize("rows", [tables.ACTIVATIONS, tables.LOSSES, tables.OPTIMIZERS])
def test_names_are_unique(rows):
    assert list(tables.codes(rows).values()) == list(range(len(rows)))


def test_a_row_without_formula_and_a_formula_without_row_are_errors():
    formulas = {row.name: abs for row in tables.LOSSES}
    assert len(tables.with_formulas(tables.LOSSES, formulas)) == len(tables.LOSSES)
    for wrong in ({"huber": abs}, formulas | {"hubert": abs}):
        with pytest.raises(
            ValueError, match=r"kernels/tables.py: expected a row and a formula for each name"
        ):
            tables.with_formulas(tables.LOSSES, wrong)


def test_an_activation_keeps_its_input_or_its_output():
    assert {row.keeps for row in tables.ACTIVATIONS} == {"x", "y"}


def test_decay_is_the_last_number_of_a_step():
    for row in tables.OPTIMIZERS:
        assert ("decay" in row.columns) == row.decoupled_decay
        assert row.columns[: len(row.hyper)] == row.hyper


def test_no_two_random_numbers_serve_the_same_purpose():
    purposes = {name: number for name, number in vars(schema).items() if name.endswith("_PURPOSE")}
    assert len(set(purposes.values())) == len(purposes) == 8
    assert max(purposes.values()) == schema.LAYER_PURPOSE  # and those of layers follow
