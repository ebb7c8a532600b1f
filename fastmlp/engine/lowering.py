"""Lowering: from the description of a network to the plan that kernels execute.

Each layer adds its operations to a `Lowering`, which decides where every matrix starts. What differs between training,
evaluation and prediction is decided here and nowhere else: a plan of prediction has no dropout and no deltas, so no
kernel asks what it is used for.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..kernels import schema, tables
from .plan import Plan, as_dicts
from .processor import gradient_prefetch, weights_prefetch
from .verification import verify

# Activations of whole rows are kinds of their own.
_ALONG_ROWS = {"softmax": schema.SOFTMAX, "log_softmax": schema.LOG_SOFTMAX}
_NAMES_ALONG_ROWS = {kind: name for name, kind in _ALONG_ROWS.items()}

# The last activation is part of these losses, which take its inputs.
_CROSS_ENTROPIES = {"cross_entropy", "smoothed_cross_entropy", "cross_entropy_of_shares"}
_FUSED = {
    "softmax": _CROSS_ENTROPIES,
    "log_softmax": _CROSS_ENTROPIES,
    "sigmoid": {"binary_cross_entropy"},
}


@dataclass(frozen=True)
class Value:
    """A matrix in the workspace that flows between operations, and its delta.

    Attributes
    ----------
    place, stride, columns : int
        Where it starts; the distance between its rows; its columns.
    delta : int
        Where its delta starts; -1 if nothing needs one.
    """

    place: int
    stride: int
    columns: int
    delta: int


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
        Whether the delta of the network's input is needed too.
    sparse_input : bool
        Whether the samples are mostly zero, so that it pays to skip the zeros.
    mixed : bool
        Whether the products of dense layers are of bfloat16, in a network of float32.
    """

    def __init__(
        self,
        rows: int,
        dtype: np.dtype,
        *,
        training: bool,
        input_delta: bool = False,
        sparse_input: bool = False,
        mixed: bool = False,
    ) -> None:
        self.rows = rows
        self.dtype = dtype
        self.training = training
        self.input_delta = input_delta
        self.sparse_input = sparse_input
        self.mixed = mixed
        self.workspace = 0
        self.parameters = 0
        self.weight_rows = 0
        self.layer = 0
        self.operations: list[dict[str, float]] = []
        self.value = Value(-1, -1, -1, -1)

    def input(self, shape: tuple[int, ...]) -> None:
        """Gather samples of this shape."""
        self._new_value(math.prod(shape), with_delta=self.input_delta)
        self._add(schema.INPUT, None, self.value, number=schema.byte_scale(shape))

    def dense(self, units: int, l1: float = 0.0, l2: float = 0.0, max_norm: float = 0.0) -> None:
        """y = x W + b; for the rules of the weights see `schema.OPERATION`."""
        rules = {"l1": l1, "l2": l2, "max_norm": max_norm}
        if self.mixed:
            self._mixed_dense(units, rules)
            return
        kind = schema.SPARSE if self._many_zeros() else schema.DENSE
        x = self.value
        y = self._new_value(units)
        fields = self._weights(kind, x.columns, units) | self._transposed(x, units) | self._halves(x, y)
        fields["prefetch"] = weights_prefetch(int(fields["depth"] * fields["ldw"]) * self.dtype.itemsize)
        fields["gradient_prefetch"] = gradient_prefetch(self.rows * y.stride * self.dtype.itemsize)
        self._add(kind, x, y, **fields, **rules)

    def _mixed_dense(self, units: int, rules: dict[str, float]) -> None:
        """The same with factors that are rounded to bfloat16: x before the products, the delta of y behind them."""
        x = self.value
        values = self._value_pairs(x)
        self._add(schema.ROUND_VALUES, x, x, **values)
        y = self._new_value(units)
        deltas = self._delta_pairs(x, y) if self.training else {}
        fields = self._weights(schema.MIXED, x.columns, units) | self._halves(x, y)
        self._add(schema.MIXED, x, y, **fields, **values, **deltas, **self._weight_pairs(x, y), **rules)
        if self.training:
            self._add(schema.ROUND_DELTAS, y, y, **deltas)

    def _value_pairs(self, x: Value) -> dict[str, float]:
        """Memory of rounded values: in pairs of columns for y, and in training in pairs of rows for the gradient."""
        fields = self._left_pairs("xc", self.rows, x.columns)
        return fields | self._left_pairs("xt", x.columns + 1, self.rows) if self.training else fields

    def _delta_pairs(self, x: Value, y: Value) -> dict[str, float]:
        """Memory of rounded deltas: in pairs of rows for the gradient, in pairs of columns if dx is needed."""
        fields = self._right_pairs("dr", self.rows, y.columns)
        return fields | self._left_pairs("dc", self.rows, y.columns) if x.delta >= 0 else fields

    def _left_pairs(self, name: str, rows: int, columns: int) -> dict[str, float]:
        """Memory of a left factor in pairs of columns, and the distance between its rows."""
        stride = schema.pair_stride(columns)
        return {name: self._allocate(rows * stride), f"ld{name}": stride}

    def _right_pairs(self, name: str, rows: int, columns: int) -> dict[str, float]:
        """Memory of a right factor in pairs of rows, and the distance between its panels."""
        step = schema.panel_step(rows)
        return {name: self._allocate(schema.panels(columns) * step), f"ld{name}": step}

    def _weight_pairs(self, x: Value, y: Value) -> dict[str, float]:
        """Memory of the rounded weights, those for dx if it is needed, and of a row of zeros."""
        fields = self._right_pairs("wr", x.columns, y.columns)
        if x.delta >= 0:
            fields |= self._right_pairs("wt", y.columns, x.columns)
        widest = schema.panels(max(x.columns, y.columns)) * int(schema.PANEL_COLUMNS)
        return fields | {"zeros": self._allocate(widest)}

    def _weights(self, kind: int, inputs: int, columns: int) -> dict[str, float]:
        """Trained rows of `params` for an operation of this kind."""
        row = tables.KINDS[kind]
        depth = row.weight_rows(inputs)
        stride = schema.stride(columns, self.dtype)
        fields = {"weights": self._parameters(depth * stride), "ldw": stride, "depth": depth}
        fields |= {"biases": depth - row.bias_rows, "sums": self.weight_rows}
        self.weight_rows += depth
        return dict[str, float](fields) | {"outer_gradient": row.outer_gradient}

    def _transposed(self, x: Value, units: int) -> dict[str, float]:
        """Memory of the transposed weights, if the delta of x is computed from them."""
        if x.delta < 0 or self.rows <= schema.SMALL_BATCH:
            return {}
        stride = schema.stride(x.columns, self.dtype)
        rows = schema.whole_lines(units, self.dtype)
        return {"transposed": self._allocate(rows * stride), "ldt": stride}

    def _halves(self, x: Value, y: Value) -> dict[str, float]:
        """The two halves of a layer of many inputs; the operation that gathers samples learns of them too."""
        half = schema.second_half(x.columns)
        if not half:
            return {}
        shared = {"half": half, "by_inputs": self._by_inputs(x.columns, y.columns)}
        if self.operations[-1]["kind"] == schema.INPUT:
            self.operations[-1] |= shared
        return shared | {"second": self._allocate(self.rows * y.stride)}

    def _by_inputs(self, inputs: int, units: int) -> bool:
        """Whether a team exchanges less memory between cores if each rank has a half of the inputs.

        Ranks then exchange values and deltas of a batch, else the weights. Samples are not exchanged, as each rank
        gathers the columns that it needs.
        """
        exchanged = units if self.operations[-1]["kind"] == schema.INPUT else inputs + units
        return self.training and self.rows > schema.SMALL_BATCH and self.rows * exchanged < inputs * units

    def _many_zeros(self) -> bool:
        """Whether so many of the present values are zero that it pays to skip the zeros.

        This holds for sparse samples that nothing but dropout or a scaler has changed. It also holds for relu where
        few rows use each weight, as reading the weights then takes most of the time.
        """
        last = next(op for op in reversed(self.operations) if op["kind"] != schema.DROPOUT)
        if last["kind"] in {schema.INPUT, schema.SCALE}:
            return self.sparse_input
        return _activation_of(last) == "relu" and self.rows <= schema.SMALL_BATCH

    def activation(self, name: str, option: float = 0.0) -> None:
        """y = f(x), in place unless backward needs x: for this activation or for the operation before it."""
        if name == "identity":
            return
        kind = _ALONG_ROWS.get(name, schema.ACTIVATION)
        code = 0 if name in _ALONG_ROWS else tables.ACTIVATION_CODES[name]
        x = self.value
        needed = _keeps(self.operations[-1]) == "y" or tables.keeps(kind, code) == "x"
        y = self._new_value(x.columns) if self.training and needed else x
        self._add(kind, x, y, code=code, number=option)

    def scale(self, keeps_zeros: bool) -> None:
        """y = (x - center) factor, with a center and a factor for each column; first behind the input.

        INPUT subtracts the center in float64 as it gathers samples. SCALE multiplies, in place; its own center is 0.
        """
        if [op["kind"] for op in self.operations] != [schema.INPUT]:
            raise ValueError("lowering: expected scale directly behind the input")
        self.sparse_input = self.sparse_input and keeps_zeros
        self.operations[0]["centers"] = self._parameters(schema.center_rows(self.dtype) * self.value.stride)
        self._add(schema.SCALE, self.value, self.value, constants=self._constants(schema.SCALE))

    def _constants(self, kind: int) -> int:
        """Rows of `params` that no optimizer changes."""
        return self._parameters(tables.KINDS[kind].constant_rows * self.value.stride)

    def dropout(self, rate: float) -> None:
        """In training, set some values to zero and scale the others up."""
        if self.training and rate > 0:
            x = self.value
            self._add(schema.DROPOUT, x, self._new_value(x.columns), number=rate)

    def noise(self, deviation: float) -> None:
        """In training, y = x + normal noise of this standard deviation."""
        if self.training and deviation > 0:
            x = self.value
            self._add(schema.NOISE, x, self._new_value_same_delta(), number=deviation)

    def row_norm(self, epsilon: float) -> None:
        """y = (x - mean) / sqrt(variance + epsilon), with the mean and the variance of each row."""
        x = self.value
        y = self._new_value_same_delta()
        kept = self._allocate(schema.whole_lines(self.rows, self.dtype))
        self._add(schema.ROW_NORM, x, y, kept=kept, number=epsilon)

    def batch_norm(self, epsilon: float, momentum: float) -> None:
        """The same for each column: in training with the moments of the batch, else with the running statistics."""
        x = self.value
        constants = self._constants(schema.BATCH_NORM)
        if not self.training:
            self._add(schema.SCALE, x, x, constants=constants)
            return
        y = self._new_value_same_delta()
        kept = self._allocate(schema.moment_rows(self.rows) * y.stride)
        self._add(schema.BATCH_NORM, x, y, constants=constants, kept=kept, number=epsilon, momentum=momentum)

    def affine(self) -> None:
        """y = gain x + offset, with a trained gain and offset for each column."""
        x = self.value
        y = self._new_value(x.columns) if self.training else x
        self._add(schema.AFFINE, x, y, **self._weights(schema.AFFINE, x.columns, x.columns))

    def loss(self, name: str, option: float = 0.0) -> None:
        """Losses and scores of the outputs, and their deltas."""
        if name in _FUSED.get(_activation_of(self.operations[-1]), ()):
            last = self.operations.pop()
            self.value = Value(*(int(last[field]) for field in ("x", "ldx", "fan_in", "dx")))
        x = self.value
        if x.delta < 0:
            x = replace(x, delta=self._allocate(self.rows * x.stride))
        targets = replace(x, place=self._allocate(self.rows * x.stride), delta=-1)
        self._add(schema.LOSS, x, targets, code=tables.LOSS_CODES[name], number=option)

    def _allocate(self, size: int) -> int:
        """Memory in the workspace: where it starts."""
        start = self.workspace
        self.workspace += size
        return start

    def _parameters(self, size: int) -> int:
        """Memory in `params`: where it starts."""
        start = self.parameters
        self.parameters += size
        return start

    def _new_value(self, columns: int, *, with_delta: bool = True) -> Value:
        """A new matrix for the present value, and in training one for its delta."""
        stride = schema.stride(columns, self.dtype)
        place = self._allocate(self.rows * stride)
        delta = self._allocate(self.rows * stride) if self.training and with_delta else -1
        self.value = Value(place, stride, columns, delta)
        return self.value

    def _new_value_same_delta(self) -> Value:
        """A new matrix for the present value; backward changes the delta of the old one in place."""
        delta = self.value.delta
        self.value = replace(self._new_value(self.value.columns, with_delta=False), delta=delta)
        return self.value

    def _add(self, kind: int, x: Value | None, y: Value, **fields: float) -> None:
        """Add an operation from x to y; fields that are not given are unset."""
        operation: dict[str, float] = dict.fromkeys(tables.PLACES, -1)
        if x is not None:
            operation |= {"x": x.place, "ldx": x.stride, "fan_in": x.columns, "dx": x.delta}
        operation |= {"y": y.place, "ldy": y.stride, "fan_out": y.columns, "dy": y.delta}
        self.operations.append(operation | {"kind": kind, "layer": self.layer} | fields)

    def finish(self, spans: Sequence[slice]) -> Plan:
        """The verified plan."""
        names = schema.OPERATION.names or ()
        rows = [tuple(operation.get(name, 0) for name in names) for operation in self.operations]
        table = np.array(rows, schema.OPERATION)
        table["blocks_before"] = schema.blocks_before(table["depth"])
        sizes = self.parameters, self.workspace, self.weight_rows, self.rows
        return verify(Plan(table, tuple(spans), *sizes, self.dtype, tuple(as_dicts(table))))


def _keeps(operation: dict[str, float]) -> str:
    """What backward reads of an operation: see `tables.keeps`."""
    return tables.keeps(int(operation["kind"]), int(operation.get("code", 0)))


def _activation_of(operation: dict[str, float]) -> str:
    """The name of the activation that an operation is, or "" if it is something else."""
    kind = int(operation["kind"])
    if kind == schema.ACTIVATION:
        return tables.ACTIVATIONS[int(operation["code"])].name
    return _NAMES_ALONG_ROWS.get(kind, "")
