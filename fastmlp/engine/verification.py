"""Checks of a plan: everything that the kernels trust. A problem is a mistake in lowering, not of the user."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from ..checks import ceil_div
from ..kernels import schema, tables
from .plan import Plan, as_dicts, is_unset, operation_name

Operation = dict[str, Any]

# Fields that are numbers from 0 on, and those that are below a limit.
_NUMBERS = ("number", "momentum", "l1", "l2", "max_norm")
_LIMITS = {"rate": 1.0}


def verify(plan: Plan) -> Plan:
    """Check a plan: the kernels trust it from here on.

    Raises
    ------
    ValueError
        If the plan is not sound, which is a mistake in `lowering`; the message names the operation and the field.
    """
    operations = as_dicts(plan.operations)
    if not 1 <= len(operations) <= schema.MOST_OPERATIONS:
        raise ValueError(
            f"plan: expected 1 to {schema.MOST_OPERATIONS} operations, got {len(operations)}; use fewer layers"
        )
    for number, op in enumerate(operations):
        before = operations[number - 1] if number else None
        after = operations[number + 1] if number + 1 < len(operations) else None
        for problem in _problems(plan, op, before, after):
            raise ValueError(f"plan: operation {number} of kind {op['kind']}: {problem}")
    for problem in (*_blocks(plan), *_overlaps(plan, operations)):
        raise ValueError(f"plan: {problem}")
    return plan


def _problems(plan: Plan, op: Operation, before: Operation | None, after: Operation | None) -> Iterator[str]:
    """What is wrong with one operation; each check may rely on those before it."""
    if not 0 <= op["kind"] < len(tables.KINDS):
        yield _expected(op, "kind", f"0 to {len(tables.KINDS) - 1}")
        return
    kind = tables.KINDS[op["kind"]]
    if not 0 <= op["code"] < max(1, len(kind.codes)):
        yield _expected(op, "code", f"0 to {max(1, len(kind.codes)) - 1}")
        return
    yield from _order(op, before, after)
    yield from _numbers(kind, op)
    yield from _unset(kind, op)
    yield from _links(kind, op, before)
    yield from _layout(plan, kind, op)
    yield from _halves(kind, op, after)
    yield from _rounded(plan, op, before, after)
    yield from _places(plan, kind, op)
    yield from _in_place(kind, op, before)


def _expected(op: Operation, field: str, what: object) -> str:
    return f"{field}: expected {what}, got {op[field]}"


def _equal(op: Operation, **wanted: float) -> Iterator[str]:
    """A problem for each field that is not as wanted."""
    for field, number in wanted.items():
        if op[field] != number:
            yield _expected(op, field, number)


def _order(op: Operation, before: Operation | None, after: Operation | None) -> Iterator[str]:
    """INPUT is the first operation, and LOSS can only be the last."""
    if (op["kind"] == schema.INPUT) != (before is None):
        yield _expected(op, "kind", "INPUT in the first operation and nowhere else")
    if op["kind"] == schema.LOSS and after is not None:
        yield _expected(op, "kind", "LOSS in the last operation only")


def _unset(kind: tables.Kind, op: Operation) -> Iterator[str]:
    """Fields that the kind does not use say so: some kernels look at a field whatever the kind."""
    used = {*tables.EVERY_KIND, *kind.fields}
    for field, number in op.items():
        if field not in used and not is_unset(field, number):
            yield _expected(op, field, f"nothing for {kind.name}")


def _numbers(kind: tables.Kind, op: Operation) -> Iterator[str]:
    """Numbers are finite and not negative."""
    for field in _NUMBERS:
        limit = _LIMITS.get(kind.number, math.inf) if field == "number" else math.inf
        if not 0 <= op[field] < limit:
            yield _expected(op, field, f"a number from 0 and below {limit}")
    if op["momentum"] > 1:
        yield _expected(op, "momentum", "0 to 1")
    if op["layer"] < 0:
        yield _expected(op, "layer", "a number from 0")
    for field in ("prefetch", "gradient_prefetch"):
        if not schema.NO_PREFETCH <= op[field] <= schema.ROWS_AHEAD:
            yield _expected(op, field, f"{schema.NO_PREFETCH} to {schema.ROWS_AHEAD}")


def _links(kind: tables.Kind, op: Operation, before: Operation | None) -> Iterator[str]:
    """The input is the output of the operation before, and so are their deltas."""
    if before is None:
        return
    yield from _equal(op, x=before["y"], ldx=before["ldy"], fan_in=before["fan_out"])
    loss_in_evaluation = op["kind"] == schema.LOSS and before["dy"] == -1
    if not loss_in_evaluation:
        yield from _equal(op, dx=before["dy"])
    if not kind.resizes:
        yield from _equal(op, fan_out=op["fan_in"])


def _layout(plan: Plan, kind: tables.Kind, op: Operation) -> Iterator[str]:
    """Strides, and the rows of weights."""
    if op["fan_out"] < 1:
        yield _expected(op, "fan_out", "at least 1")
        return
    yield from _equal(op, ldy=schema.stride(op["fan_out"], plan.dtype))
    depth = kind.weight_rows(op["fan_in"])
    if not depth:
        return
    yield from _equal(
        op,
        ldw=schema.stride(op["fan_out"], plan.dtype),
        depth=depth,
        biases=depth - kind.bias_rows,
        outer_gradient=kind.outer_gradient,
    )
    if not 0 <= op["sums"] <= plan.weight_rows - depth:
        yield _expected(op, "sums", f"a place inside its arena of {plan.weight_rows} rows")
    if "transposed" in kind.fields:
        yield from _equal(op, ldt=schema.stride(op["fan_in"], plan.dtype) if _has_transposed(plan, op) else 0)


def _halves(kind: tables.Kind, op: Operation, after: Operation | None) -> Iterator[str]:
    """Two halves of a layer with many inputs; samples are gathered as the first layer needs them."""
    if "half" not in kind.fields:
        return
    if op["kind"] == schema.INPUT:
        shares = after is not None and after["kind"] in {schema.DENSE, schema.SPARSE}
        yield from _equal(op, **{field: after[field] if shares else 0 for field in ("half", "by_inputs")})  # type: ignore[index]
        return
    yield from _equal(op, half=schema.second_half(op["fan_in"]))
    if op["by_inputs"] not in ((0, 1) if op["half"] else (0,)):
        yield _expected(op, "by_inputs", "0, or 1 where there are two halves")
    parts = ceil_div(max(op["depth"], op["fan_out"]), int(schema.UPDATE_ROWS))
    if op["by_inputs"] and parts > schema.MOST_PARTS:
        yield f"expected at most {schema.MOST_PARTS} parts, got {parts}"


class _Matrix(NamedTuple):
    """A matrix that an operation has, but for where it starts."""

    stride: int
    rows: int
    arena: int  # size of its arena
    wanted: bool | None = True  # None: it may be missing

    def problem(self, start: int, line: int) -> str:
        """What is wrong with where it starts, or nothing."""
        if start == -1:
            return "a place" if self.wanted else ""
        if self.wanted is False:
            return "nothing"
        inside = 0 <= start <= self.arena - self.rows * self.stride
        return (
            ""
            if inside and start % line == 0
            else f"the start of a cache line inside its arena of {self.arena}"
        )


def _places(plan: Plan, kind: tables.Kind, op: Operation) -> Iterator[str]:
    """Each matrix is inside its arena, and there if and only if a kernel uses it."""
    line = schema.whole_lines(1, plan.dtype)
    for field, matrix in _matrices(plan, kind, op).items():
        if problem := matrix.problem(op[field], line):
            yield _expected(op, field, problem)
    if op["dx"] >= 0 and op["dy"] < 0 and op["kind"] != schema.LOSS:
        yield _expected(op, "dy", "a delta, as x has one")


def _matrices(plan: Plan, kind: tables.Kind, op: Operation) -> dict[str, _Matrix]:
    """The matrices of an operation, by the field that says where each starts."""
    ldx, ldy = op["ldx"], op["ldy"]
    every = {
        "x": _Matrix(ldx, plan.rows, plan.workspace, "x" in kind.fields),
        "y": _Matrix(ldy, plan.rows, plan.workspace),
        "dx": _Matrix(ldx, plan.rows, plan.workspace, True if op["kind"] == schema.LOSS else None),
        "dy": _Matrix(ldy, plan.rows, plan.workspace, None),
        "weights": _Matrix(op["ldw"], op["depth"], plan.parameters),
        "transposed": _Matrix(
            op["ldt"],
            schema.whole_lines(op["fan_out"], plan.dtype),
            plan.workspace,
            _has_transposed(plan, op),
        ),
        "second": _Matrix(ldy, plan.rows, plan.workspace, op["half"] > 0),
        "constants": _Matrix(ldx, kind.constant_rows, plan.parameters),
        "centers": _Matrix(ldy, schema.center_rows(plan.dtype), plan.parameters, None),
        "kept": _kept(plan, op),
        **_pairs(plan, op),
    }
    return {field: matrix for field, matrix in every.items() if field in kind.fields or field == "y"}


def _pairs(plan: Plan, op: Operation) -> dict[str, _Matrix]:
    """The matrices of pairs of an operation in mixed precision; panels are rows here."""
    inputs, units, rows = op["fan_in"], op["fan_out"], plan.rows
    trains, back = op["dy"] >= 0, _needs_delta(op)
    return {
        "xc": _Matrix(op["ldxc"], rows, plan.workspace),
        "xt": _Matrix(
            op["ldxt"], inputs + 1, plan.workspace, None if op["kind"] == schema.ROUND_VALUES else trains
        ),
        "dc": _Matrix(op["lddc"], rows, plan.workspace, back),
        "dr": _Matrix(op["lddr"], schema.panels(units), plan.workspace, trains),
        "wr": _Matrix(op["ldwr"], schema.panels(units), plan.workspace),
        "wt": _Matrix(op["ldwt"], schema.panels(inputs), plan.workspace, back),
        "zeros": _Matrix(schema.panels(max(inputs, units)) * int(schema.PANEL_COLUMNS), 1, plan.workspace),
    }


def _needs_delta(op: Operation) -> bool | None:
    """Whether the delta of x of a layer in mixed precision is computed; ROUND_DELTAS cannot tell."""
    return None if op["kind"] == schema.ROUND_DELTAS else bool(op["dx"] >= 0)


def _has_transposed(plan: Plan, op: Operation) -> bool:
    """Whether backward of a dense layer reads its weights transposed."""
    return bool(op["dx"] >= 0 and plan.rows > schema.SMALL_BATCH)


def _kept(plan: Plan, op: Operation) -> _Matrix:
    """What a normalisation keeps: moments of the columns, or a number for each row."""
    if op["kind"] == schema.BATCH_NORM:
        return _Matrix(op["ldy"], schema.moment_rows(plan.rows), plan.workspace)
    return _Matrix(1, schema.whole_lines(plan.rows, plan.dtype), plan.workspace)


def _rounded(plan: Plan, op: Operation, before: Operation | None, after: Operation | None) -> Iterator[str]:
    """MIXED is between the operations that round its input and the delta of its output, and has their matrices."""
    kind = op["kind"]
    if kind == schema.ROUND_VALUES and (after is None or after["kind"] != schema.MIXED):
        yield _expected(op, "kind", "MIXED behind ROUND_VALUES")
    if kind == schema.ROUND_DELTAS and (before is None or before["kind"] != schema.MIXED):
        yield _expected(op, "kind", "ROUND_DELTAS behind MIXED only")
    if kind == schema.MIXED and op["dy"] >= 0 and (after is None or after["kind"] != schema.ROUND_DELTAS):
        yield _expected(op, "kind", "ROUND_DELTAS behind MIXED, where there are deltas")
    if kind == schema.MIXED and (before is None or before["kind"] != schema.ROUND_VALUES):
        yield _expected(op, "kind", "MIXED behind ROUND_VALUES only")
    for field, (terms, distance) in _pair_strides(plan, op).items():
        if field in tables.KINDS[kind].fields:
            yield from _equal(op, **{f"ld{field}": distance(terms) if op[field] >= 0 else 0})
    if before is not None:
        yield from _equal(op, **{field: before[field] for field in _LENT.get(kind, ())})


def _pair_strides(plan: Plan, op: Operation) -> dict[str, tuple[int, Callable[[int], int]]]:
    """Of each matrix of pairs, the terms of a row or a panel, and the function of them that is its distance."""
    inputs, units, rows = op["fan_in"], op["fan_out"], plan.rows
    left, right = schema.pair_stride, schema.panel_step
    return {
        "xc": (inputs, left), "xt": (rows, left), "dc": (units, left),
        "dr": (rows, right), "wr": (inputs, right), "wt": (units, right),
    }  # fmt: skip


def _in_place(kind: tables.Kind, op: Operation, before: Operation | None) -> Iterator[str]:
    """Values and deltas are overwritten only where nothing reads them later."""
    if before is None:
        return
    if kind.only_reads:
        yield from _equal(op, y=op["x"], dy=op["dx"])
        return
    in_place = op["y"] == op["x"]
    if in_place and not kind.in_place:
        yield _expected(op, "y", f"another matrix than x, as {kind.name} does not work in place")
    read_later = op["dx"] >= 0 or (kind.weight_rows(op["fan_in"]) > 0 and op["dy"] >= 0)
    if in_place and read_later and tables.keeps(op["kind"], op["code"]) == "x":
        yield _expected(
            op, "y", f"another matrix than x, as {operation_name(op)} needs its input in backward"
        )
    if in_place and before["dx"] >= 0 and tables.keeps(before["kind"], before["code"]) == "y":
        yield _expected(
            op, "y", f"another matrix than x, as {operation_name(before)} needs its output in backward"
        )
    if (
        op["dx"] >= 0
        and op["kind"] != schema.LOSS
        and (op["dx"] == op["dy"]) != (in_place or kind.shares_delta)
    ):
        yield _expected(
            op, "dy", "dx where the operation works in place or shares its delta, else another matrix"
        )


def _blocks(plan: Plan) -> Iterator[str]:
    """Blocks of weights are numbered from the last operation to the first, so that ranks get as many each."""
    wanted = schema.blocks_before(plan.operations["depth"])
    if not np.array_equal(plan.operations["blocks_before"], wanted):
        yield f"blocks_before: expected {wanted.tolist()}, got {plan.operations['blocks_before'].tolist()}"


def _overlaps(plan: Plan, operations: list[Operation]) -> Iterator[str]:
    """Matrices of one arena that overlap, each counted once however many operations use it."""
    for arena, regions in _regions(plan, operations).items():
        regions.sort()
        for (_, end, name), (start, _, other) in pairwise(regions):
            if start < end:
                yield f"{arena}: {name} overlaps {other}"


def _regions(plan: Plan, operations: list[Operation]) -> dict[str, list[tuple[int, int, str]]]:
    """Start, end and name of each matrix, by arena."""
    regions: dict[str, list[tuple[int, int, str]]] = {"params": [], "sums": [], "workspace": []}
    for number, op in enumerate(operations):
        kind = tables.KINDS[op["kind"]]
        name = f"operation {number} ({operation_name(op)})"
        for field, matrix in _matrices(plan, kind, op).items():
            start = op[field]
            if start >= 0 and not _is_shared(field, op, operations[number - 1]):
                arena = "params" if field in {"weights", "constants", "centers"} else "workspace"
                regions[arena].append((start, start + matrix.rows * matrix.stride, f"{field} of {name}"))
        if op["depth"]:
            regions["sums"].append((op["sums"], op["sums"] + op["depth"], f"sums of {name}"))
    return regions


# Matrices that an operation in mixed precision has from the operation before.
_LENT = {schema.MIXED: ("xc", "xt"), schema.ROUND_DELTAS: ("dc", "dr")}


def _is_shared(field: str, op: Operation, before: Operation) -> bool:
    """Whether a matrix is one of the operation before, or x or dx of this one."""
    if field == "x":
        return True
    if field in _LENT.get(op["kind"], ()):
        return True
    if field == "dx":
        return bool(op["dx"] == before["dy"])
    return (
        field in {"y", "dy"}
        and op["kind"] != schema.INPUT
        and bool(op[field] == op["x" if field == "y" else "dx"])
    )
