"""The plan: a network as a table of operations. Built by `lowering`, checked by `verification`, run by the kernels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..kernels import schema, tables

# What the table of a plan shows of each operation, and which other fields it names where they are set.
_COLUMNS = ("layer", "fan_in", "fan_out", "x", "y", "dx", "dy", "weights")
_OTHERS = (
    "transposed",
    "half",
    "second",
    "by_inputs",
    "constants",
    "centers",
    "kept",
    "xc",
    "xt",
    "dc",
    "dr",
    "wr",
    "wt",
    "number",
    "momentum",
    "l1",
    "l2",
    "max_norm",
)


@dataclass(frozen=True)
class Plan:
    """One network lowered for one number of rows.

    Attributes
    ----------
    operations : ndarray of `schema.OPERATION`
        One row for each operation, in the order of the forward pass.
    spans : tuple of slice
        The operations of each layer.
    parameters, workspace : int
        Sizes of the two arenas, in numbers.
    weight_rows : int
        Rows of all weights, those of biases included.
    rows : int
        Rows of the workspace: the largest number of samples that run at a time.
    dtype : dtype
        Type of all numbers.
    fields : tuple of dict
        The operations by field, in Python's numbers: reading a field of the table takes longer.
    """

    operations: np.ndarray
    spans: tuple[slice, ...]
    parameters: int
    workspace: int
    weight_rows: int
    rows: int
    dtype: np.dtype
    fields: tuple[dict[str, Any], ...]

    def with_own_table(self) -> Plan:
        """The same plan with a table of its own, in which the addresses of machine code can be written."""
        # All fields have 8 bytes: copied one by one, they take five times as long.
        words = self.operations.view(np.int64).copy()
        plan = object.__new__(Plan)
        plan.__dict__.update(self.__dict__, operations=words.view(schema.OPERATION))
        return plan

    def __str__(self) -> str:
        """The plan as a table: of each operation its sizes, where its matrices start, and the options of its kind."""
        lines = [["operation", *_COLUMNS, "options"], *map(_cells, as_dicts(self.operations))]
        sizes = (
            f"{self.rows} rows of {self.dtype}; with padding, {self.parameters} parameters and {self.workspace} "
            "numbers of workspace"
        )
        return "\n".join([*_aligned(lines), sizes])


def as_dicts(operations: np.ndarray) -> list[dict[str, Any]]:
    """The operations by field, in Python's numbers, which do not overflow."""
    names = schema.OPERATION.names or ()
    return [dict(zip(names, op, strict=True)) for op in operations.tolist()]


def is_unset(field: str, value: float) -> bool:
    """Whether a field has the value that says that there is nothing."""
    return value == (-1 if field in tables.PLACES else 0)


def operation_name(op: Any) -> str:
    """The kind of an operation, and which activation or loss it is."""
    kind = tables.KINDS[op["kind"]]
    return f"{kind.name} {kind.codes[op['code']].name}" if kind.codes else kind.name


def _cells(op: dict[str, Any]) -> list[str]:
    """A line of the table."""
    kind = tables.KINDS[op["kind"]]
    used = {*tables.EVERY_KIND, *kind.fields}
    columns = [f"{op[name]}" if name in used and op[name] >= 0 else "-" for name in _COLUMNS]
    names = {"number": kind.number}
    options = [
        f"{names.get(name, name)}={op[name]:.6g}"
        for name in _OTHERS
        if name in used and not is_unset(name, op[name])
    ]
    return [operation_name(op), *columns, " ".join(options)]


def _aligned(lines: Sequence[list[str]]) -> list[str]:
    """The cells of each line in columns: words to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    last = len(widths) - 1
    return [
        "  ".join(
            cell.ljust(width) if place in (0, last) else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]
