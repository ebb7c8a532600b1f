"""Lowering: the single bridge from a description of a network to a plan that kernels can walk.

Each layer adds its operations to a `Lowering`, which knows where everything lies. What differs between training,
evaluation and prediction is decided here and nowhere else: a plan for prediction has no dropout and no deltas, so no
kernel asks what it is being used for.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..kernels import schema, tables
from .plan import Plan, verify

# Places, unless an operation has them.
_NOWHERE = ("x", "y", "dx", "dy", "weights", "transposed", "second", "constants", "kept", "sums")

# Activations along a row are kinds of their own.
_ALONG_ROWS = {"softmax": schema.SOFTMAX, "log_softmax": schema.LOG_SOFTMAX}

# A last activation that is computed together with these losses, from logits.
_FUSED = {
    "softmax": {"cross_entropy", "smoothed_cross_entropy", "cross_entropy_of_shares"},
    "log_softmax": {"cross_entropy", "smoothed_cross_entropy", "cross_entropy_of_shares"},
    "sigmoid": {"binary_cross_entropy"},
}


@dataclass(frozen=True)
class Value:
    """What flows between operations: a matrix in the workspace, and its delta where one is needed."""

    place: int
    stride: int
    columns: int
    delta: int  # -1: nobody needs it


class Lowering:
    """A plan under construction.

    Parameters
    ----------
    rows : int
        Rows of the workspace.
    dtype : dtype
        float32 or float64.
    training : bool
        Whether dropout is active and deltas flow backward.
    input_delta : bool
        Whether the delta of the network's input is wanted too.
    sparse_input : bool
        Whether the samples are mostly zero, so that it pays to skip the zeros.
    """

    def __init__(
        self,
        rows: int,
        dtype: np.dtype,
        *,
        training: bool,
        input_delta: bool = False,
        sparse_input: bool = False,
    ) -> None:
        self.rows, self.dtype, self.sparse_input = rows, dtype, sparse_input
        self.training, self.input_delta = training, input_delta
        self.workspace = self.parameters = self.weight_rows = self.layer = 0
        self.operations: list[dict[str, float]] = []
        self.value = Value(-1, -1, -1, -1)

    def input(self, columns: int) -> None:
        """Samples come in."""
        self.value = self._new_value(columns, with_delta=self.input_delta)
        self._add(schema.INPUT, y=self.value, number=schema.BYTE_SCALE)

    def dense(self, units: int, *, l1: float = 0.0, l2: float = 0.0, max_norm: float = 0.0) -> None:
        """y = x W + b; what is asked of the weights in training: see `schema.OPERATION`."""
        x, y = self.value, self._new_value(units)
        stride = schema.stride(units, self.dtype)
        fields = self._trained(x.columns + 1, stride) | {"biases": x.columns}
        if x.delta >= 0 and self.rows > schema.SMALL_BATCH:
            across = schema.stride(x.columns, self.dtype)
            rows = schema.whole_lines(units, self.dtype)
            fields |= {"transposed": self._allocate(rows * across), "ldt": across}
        rules = {"l1": l1, "l2": l2, "max_norm": max_norm}
        if half := schema.second_half(x.columns):
            shared = {"half": half, "by_inputs": self._by_inputs(x, units)}
            fields |= shared | {"second": self._allocate(self.rows * y.stride)}
            if self.operations[-1]["kind"] == schema.INPUT:
                self.operations[-1] |= shared
        self._add(schema.SPARSE if self._many_zeros() else schema.DENSE, x=x, y=y, **fields, **rules)

    def _by_inputs(self, x: Value, units: int) -> bool:
        """Whether it costs a team less to exchange the values and deltas of a batch than the weights.

        Samples need no exchange, as each thread gathers those columns that it needs.
        """
        exchanged = units if self.operations[-1]["kind"] == schema.INPUT else x.columns + units
        return self.training and self.rows > schema.SMALL_BATCH and self.rows * exchanged < x.columns * units

    def _many_zeros(self) -> bool:
        """Whether the values hold so many zeros that it pays to skip them.

        Those of sparse samples, if nothing has put something else in their place; and, where each weight is read
        for few rows, so that its way to the core is what counts, those of relu. Dropout only adds zeros.
        """
        last = next(op for op in reversed(self.operations) if op["kind"] != schema.DROPOUT)
        if last["kind"] in {schema.INPUT, schema.SCALE}:
            return self.sparse_input
        relu = last["kind"] == schema.ACTIVATION and last["code"] == tables.ACTIVATION_CODES["relu"]
        return relu and self.rows <= schema.SMALL_BATCH

    def activation(self, name: str, option: float = 0.0) -> None:
        """y = f(x), in place unless x is needed on the way back: by the derivative of this, or of what x came from."""
        if name == "identity":
            return
        x, code = self.value, tables.ACTIVATION_CODES.get(name, 0)
        needed = self._keeps_output() or tables.ACTIVATIONS[code].keeps == "x"
        y = self._new_value(x.columns) if self.training and needed else x
        self._add(_ALONG_ROWS.get(name, schema.ACTIVATION), x=x, y=y, code=code, number=option)

    def _keeps_output(self) -> bool:
        """Whether the derivative of the last operation is computed from its output."""
        last = self.operations[-1]
        if last["kind"] == schema.ACTIVATION:
            return tables.ACTIVATIONS[int(last["code"])].keeps == "y"
        return last["kind"] in _ALONG_ROWS.values()

    def scale(self, *, keeps_zeros: bool) -> None:
        """y = (x - center) factor, in place, with numbers of its own for each column."""
        self.sparse_input = self.sparse_input and keeps_zeros
        self._add(schema.SCALE, x=self.value, y=self.value, constants=self.parameters)
        self.parameters += 2 * self.value.stride

    def dropout(self, rate: float) -> None:
        """In training, zero some of the values and scale the others up."""
        if self.training and rate > 0:
            x, y = self.value, self._new_value(self.value.columns)
            self._add(schema.DROPOUT, x=x, y=y, number=rate)

    def noise(self, deviation: float) -> None:
        """In training, y = x + noise."""
        if self.training and deviation > 0:
            x, y = self.value, self._same_delta()
            self._add(schema.NOISE, x=x, y=y, number=deviation)

    def row_norm(self, epsilon: float) -> None:
        """y = (x - mean) / sqrt(variance + epsilon) of each row."""
        x, y = self.value, self._same_delta()
        kept = self._allocate(schema.whole_lines(self.rows, self.dtype))
        self._add(schema.ROW_NORM, x=x, y=y, kept=kept, number=epsilon)

    def batch_norm(self, epsilon: float, momentum: float) -> None:
        """The same of each column: in training with the moments of the batch, else with running ones."""
        x, place = self.value, self.parameters
        self.parameters += 3 * x.stride
        if self.training:
            y = self._same_delta()
            groups = -(-self.rows // int(schema.ROW_GROUP))
            kept = self._allocate((schema.MOMENT_ROWS + 2 * groups) * y.stride)
            numbers = {"number": epsilon, "momentum": momentum}
            self._add(schema.BATCH_NORM, x=x, y=y, constants=place, kept=kept, **numbers)
        else:
            self._add(schema.SCALE, x=x, y=x, constants=place)

    def affine(self) -> None:
        """y = gain x + offset, with trained numbers of its own for each column."""
        x = self.value
        y, stride = self._new_value(x.columns) if self.training else x, schema.stride(x.columns, self.dtype)
        self._add(schema.AFFINE, x=x, y=y, **self._trained(2, stride))

    def _trained(self, rows: int, stride: int) -> dict[str, float]:
        """Room for rows of trained numbers, all biases unless something else is said."""
        fields = {"weights": self.parameters, "ldw": stride, "depth": rows, "sums": self.weight_rows}
        self.parameters += rows * stride
        self.weight_rows += rows
        return dict[str, float](fields)

    def _same_delta(self) -> Value:
        """A new value, whose delta becomes that of the present one in place."""
        x = self.value
        y = self._new_value(x.columns, with_delta=False)
        self.value = Value(y.place, y.stride, y.columns, x.delta)
        return self.value

    def loss(self, name: str, option: float = 0.0) -> None:
        """Losses and scores of the outputs, and their deltas."""
        if self.operations and name in _FUSED.get(self._last_activation(), ()):
            last = self.operations.pop()
            self.value = Value(*(int(last[field]) for field in ("x", "ldx", "fan_in", "dx")))
        x = self.value
        if x.delta < 0:
            x = Value(x.place, x.stride, x.columns, self._allocate(self.rows * x.stride))
        target = Value(self._allocate(self.rows * x.stride), x.stride, x.columns, -1)
        self._add(schema.LOSS, x=x, y=target, code=tables.LOSS_CODES[name], number=option)

    def _last_activation(self) -> str:
        last = self.operations[-1]
        if last["kind"] == schema.ACTIVATION:
            return tables.ACTIVATIONS[int(last["code"])].name
        return {kind: name for name, kind in _ALONG_ROWS.items()}.get(int(last["kind"]), "")

    def _allocate(self, size: int) -> int:
        start = self.workspace
        self.workspace += size
        return start

    def _new_value(self, columns: int, *, with_delta: bool = True) -> Value:
        stride = schema.stride(columns, self.dtype)
        place = self._allocate(self.rows * stride)
        delta = self._allocate(self.rows * stride) if self.training and with_delta else -1
        self.value = Value(place, stride, columns, delta)
        return self.value

    def _add(self, kind: int, *, x: Value | None = None, y: Value | None = None, **fields: float) -> None:
        operation: dict[str, float] = dict.fromkeys(_NOWHERE, -1)
        if x is not None:
            operation |= {"x": x.place, "ldx": x.stride, "fan_in": x.columns, "dx": x.delta}
        if y is not None:
            operation |= {"y": y.place, "ldy": y.stride, "fan_out": y.columns, "dy": y.delta}
        self.operations.append(operation | {"kind": kind, "layer": self.layer} | fields)

    def finish(self, spans: Sequence[slice]) -> Plan:
        """The verified plan."""
        table = np.zeros(len(self.operations), schema.OPERATION)
        for row, operation in zip(table, self.operations, strict=True):
            for name, number in operation.items():
                row[name] = number
        blocks = 0
        for row in table[::-1]:
            row["blocks_before"] = blocks
            blocks += math.ceil(row["depth"] / schema.UPDATE_ROWS)
        sizes = self.parameters, self.workspace, self.weight_rows, self.rows
        return verify(Plan(table, tuple(spans), *sizes, self.dtype))
