"""The plan: a network as data. Built by `lowering`, verified here, printed as a table, walked by the kernels."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..kernels import schema, tables


@dataclass(frozen=True)
class Plan:
    """One network lowered for one number of rows.

    Attributes
    ----------
    operations : ndarray of `schema.OPERATION`
        One row an operation, in the order of the forward pass.
    spans : tuple of slice
        The operations of each layer.
    parameters, workspace : int
        Sizes of the two arenas, in numbers.
    weight_rows : int
        Rows of all weights and biases.
    rows : int
        Rows of the workspace: the largest batch.
    dtype : dtype
        Of all numbers.
    """

    operations: np.ndarray
    spans: tuple[slice, ...]
    parameters: int
    workspace: int
    weight_rows: int
    rows: int
    dtype: np.dtype

    def __str__(self) -> str:
        """The plan as a readable table."""
        shown = [name for name in schema.OPERATION.names or () if name != "kind"]
        table = [["operation", *shown]]
        for op in self.operations:
            cells = ["-" if op[name] == -1 else f"{op[name]:.6g}" for name in shown]
            table.append([operation_name(op), *cells])
        widths = [max(len(line[i]) for line in table) for i in range(len(table[0]))]
        return "\n".join(
            "  ".join(
                [
                    line[0].ljust(widths[0]),
                    *(cell.rjust(w) for cell, w in zip(line[1:], widths[1:], strict=True)),
                ]
            )
            for line in table
        )


def operation_name(op: np.void) -> str:
    """What an operation is called in a table: its kind, and which activation or loss."""
    kind = schema.KINDS[op["kind"]]
    if op["kind"] == schema.ACTIVATION:
        return f"{kind} {tables.ACTIVATIONS[op['code']].name}"
    if op["kind"] == schema.LOSS:
        return f"{kind} {tables.LOSSES[op['code']].name}"
    return kind


def verify(plan: Plan) -> Plan:
    """Check that every code is known and every matrix lies inside its arena; the kernels trust a plan after this.

    Raises
    ------
    ValueError
        If the plan is not sound, which is a mistake in `lowering`.
    """
    for number, op in enumerate(plan.operations):
        # In Python's integers, which do not overflow.
        operation = dict(zip(schema.OPERATION.names or (), op.item(), strict=True))
        for problem in _problems(plan, operation):
            raise ValueError(f"plan: operation {number} ({operation}): {problem}")
    return plan


def _problems(plan: Plan, op: dict[str, Any]) -> Iterable[str]:
    """What is wrong with one operation."""
    if not 0 <= op["kind"] < len(schema.KINDS):
        yield "unknown kind"
        return
    coded = {schema.ACTIVATION: tables.ACTIVATIONS, schema.LOSS: tables.LOSSES}
    if not 0 <= op["code"] < len(coded.get(op["kind"], (None,))):
        yield "unknown code"
        return
    kind, fan_in, fan_out = op["kind"], op["fan_in"], op["fan_out"]
    if kind not in {schema.INPUT, schema.DENSE, schema.SPARSE} and fan_in != fan_out:
        yield f"{fan_in} columns come in, {fan_out} go out"
    if kind == schema.ACTIVATION and op["dx"] >= 0 and op["x"] == op["y"]:
        row = tables.ACTIVATIONS[op["code"]]
        if row.keeps == "x":
            yield f"{row.name} needs its input on the way back, but works in place"
    if not 0 <= op["biases"] <= op["depth"]:
        yield f"biases start at row {op['biases']} of {op['depth']}"
    if op["depth"] and not 0 <= op["sums"] <= plan.weight_rows - op["depth"]:
        yield f"sums is not inside its arena of {plan.weight_rows} numbers"
    for name in ("l1", "l2", "max_norm"):
        if not 0 <= op[name] < np.inf:
            yield f"{name} is no number from 0"
    for name, matrix in _matrices(plan, op).items():
        if not matrix.fits(op[name]):
            yield f"{name} is not inside its arena of {matrix.arena} numbers"
    if op["depth"] != {schema.DENSE: fan_in + 1, schema.SPARSE: fan_in + 1, schema.AFFINE: 2}.get(kind, 0):
        yield f"the weights have {op['depth']} rows"
    if kind in {schema.ROW_NORM, schema.BATCH_NORM}:
        groups = -(-plan.rows // int(schema.ROW_GROUP))
        room = plan.rows if kind == schema.ROW_NORM else (schema.MOMENT_ROWS + 2 * groups) * op["ldy"]
        if not 0 <= op["kept"] <= plan.workspace - room:
            yield f"kept is not inside its arena of {plan.workspace} numbers"


class _Matrix(NamedTuple):
    """What an operation says of a matrix in an arena, but for where it starts."""

    stride: int
    rows: int
    columns: int
    arena: int  # the size of the arena
    required: bool

    def fits(self, start: int) -> bool:
        """Whether it is inside its arena from there on, or may be missing where start is -1."""
        if start == -1 and not self.required:
            return True
        inside = 0 <= start <= self.arena - self.rows * self.stride
        return 1 <= self.columns < self.stride and inside


def _matrices(plan: Plan, op: dict[str, Any]) -> dict[str, _Matrix]:
    """The matrices of an operation, by the field that says where each starts."""
    kind, fan_in, fan_out = op["kind"], op["fan_in"], op["fan_out"]
    dense = kind in {schema.DENSE, schema.SPARSE}
    lines = schema.whole_lines(fan_out, plan.dtype)
    turned = dense and op["dx"] >= 0 and plan.rows > schema.SMALL_BATCH
    constants = 3 if kind == schema.BATCH_NORM else 2
    scaled = kind in {schema.SCALE, schema.BATCH_NORM}
    return {
        "x": _Matrix(op["ldx"], plan.rows, fan_in, plan.workspace, kind != schema.INPUT),
        "y": _Matrix(op["ldy"], plan.rows, fan_out, plan.workspace, True),
        "dx": _Matrix(op["ldx"], plan.rows, fan_in, plan.workspace, kind == schema.LOSS),
        "dy": _Matrix(op["ldy"], plan.rows, fan_out, plan.workspace, False),
        "second": _Matrix(op["ldy"], plan.rows, fan_out, plan.workspace, dense and op["half"] > 0),
        "weights": _Matrix(op["ldw"], op["depth"], fan_out, plan.parameters, dense or kind == schema.AFFINE),
        "transposed": _Matrix(op["ldt"], lines, fan_in, plan.workspace, turned),
        "constants": _Matrix(op["ldx"], constants, fan_in, plan.parameters, scaled),
    }
