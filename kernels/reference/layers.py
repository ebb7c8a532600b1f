"""The operations in NumPy: one class for each kind, with its matrices for a number of rows."""

from collections import namedtuple
from collections.abc import Sequence

import numpy as np

from .. import schema, tables
from ..schema import AVERAGE, BYTES, CODE, ITEM_TYPES, LAYER_PURPOSE, Matrix
from .activations import ACTIVATIONS
from .arenas import matrix, width
from .losses import LOSSES
from .norms import affine_forward, column_sums, row_norm_backward, row_norm_forward
from .optimizers import optimizer_step
from .pairs import bfloat16, float32
from .rng import dropout_factors, noise
from .scaling import scale_backward, scale_forward
from .softmax import log_softmax, log_softmax_gradient, softmax, softmax_gradient

_Fields = namedtuple("_Fields", schema.OPERATION.names)


class _Operation:
    def __init__(self, op, state, rows):
        work = state.workspace
        self.op, self.state, self.rows = op, state, rows
        self.x_place, self.dx_place = (Matrix(work, start, op.ldx) for start in (op.x, op.dx))
        self.y_place, self.dy_place = (Matrix(work, start, op.ldy) for start in (op.y, op.dy))
        whole = op.kind in (schema.ACTIVATION, schema.DROPOUT)
        self.columns = width(op.fan_out, self.x_place, self.y_place) if whole else op.fan_out
        inputs = self.columns if whole else op.fan_in
        self.x, self.dx = (matrix(work, i, op.ldx, rows, inputs) if i >= 0 else None for i in (op.x, op.dx))
        self.y, self.dy = (
            matrix(work, i, op.ldy, rows, self.columns) if i >= 0 else None for i in (op.y, op.dy)
        )
        self.one = matrix(work, op.y + op.fan_out, op.ldy, rows, 1)

    def forward(self, data, position, seed, epoch):
        """The outputs."""

    def backward(self, position, seed, epoch):
        """The deltas of the inputs."""

    def remember(self):
        """What a step leaves behind besides weights."""


def _stored(starts, samples):
    """For each stored number of these samples in CSR form: the index of its sample here, and its place in the data."""
    counts = starts[samples + 1] - starts[samples]
    rows, before = np.repeat(np.arange(len(samples)), counts), np.cumsum(counts) - counts
    return rows, np.arange(len(rows)) + np.repeat(starts[samples] - before, counts)


class _Input(_Operation):
    def __init__(self, op, state, rows):
        super().__init__(op, state, rows)
        start = op.centers * state.params.itemsize // 8
        self.centers = state.params.view(np.float64)[start : start + op.fan_out] if start >= 0 else None

    def forward(self, data, position, seed, epoch):
        items = data.inputs.view(ITEM_TYPES[data.kind])
        samples = data.order[position : position + self.rows]
        if data.starts.size:
            rows, places = _stored(data.starts, samples)
            numbers = np.empty(len(places), self.y.dtype)
            columns = data.columns[places]
            self._convert(numbers, items[places], None if self.centers is None else self.centers[columns])
            self.y[...] = 0 if self.centers is None else 0 - self.centers
            self.y[rows, columns] = numbers
        else:
            self._convert(self.y, items.reshape(-1, self.op.fan_out).take(samples, axis=0), self.centers)

    def _convert(self, y, items, centers):
        """y = items - centers: the difference in float64, rounded once."""
        if items.dtype == ITEM_TYPES[BYTES]:
            items = np.multiply(items, y.dtype.type(self.op.number), dtype=y.dtype)
        if centers is None:
            np.copyto(y, items, casting="same_kind")
        else:
            np.subtract(items, centers, out=y, dtype=np.float64, casting="same_kind")


class _Trained(_Operation):
    def __init__(self, op, state, rows):
        super().__init__(op, state, rows)
        self.weights = self.of(state.params)

    def of(self, arena):
        """This layer's part of an arena like `params`."""
        op = self.op
        return matrix(arena, op.weights, op.ldw, op.depth, op.fan_out)

    def step(self, gradients, update, h0):
        op, state = self.op, self.state
        w, slots, gradient = (
            Matrix(arena, op.weights, op.ldw) for arena in (state.params, state.slots, gradients)
        )
        optimizer_step(
            w, slots, state.params.size, gradient, Matrix(update.hyper, h0, 0), op.biases, op.depth - op.biases,
            op.fan_out, int(update.optimizer[CODE]),
        )  # fmt: skip

    def follow(self, update):
        """Limit the weights of each unit, and move the averages."""
        weights, limit = self.weights[: self.op.biases], self.op.max_norm
        if limit > 0:
            largest = np.abs(weights).max(axis=0)
            unit = np.where(largest > 0, largest, 1)
            scaled = weights / unit
            norms = np.sqrt(np.einsum("ij,ij->j", scaled, scaled))
            np.copyto(weights, scaled * (limit / norms), where=norms > limit / unit)
        if update.averages.size:
            averages, kept = self.of(update.averages), update.rules[AVERAGE]
            averages[:] = self.weights + kept * (averages - self.weights)


class _Dense(_Trained):
    def __init__(self, op, state, rows):
        super().__init__(op, state, rows)
        self.x1 = matrix(state.workspace, op.x, op.ldx, rows, op.fan_in + 1)

    def forward(self, data, position, seed, epoch):
        np.matmul(self.x1, self.weights, out=self.y)

    def backward(self, position, seed, epoch):
        np.matmul(self.dy, self.weights[:-1].T, out=self.dx)

    def gradient(self, gradients):
        np.matmul(self.x1.T, self.dy, out=self.of(gradients))


def _rounded(numbers):
    """The nearest numbers of bfloat16, in float32."""
    return float32(bfloat16(numbers))


class _Mixed(_Dense):
    """Rounds its factors itself, so that the operations around it have nothing to do."""

    def forward(self, data, position, seed, epoch):
        np.matmul(_rounded(self.x), _rounded(self.weights[:-1]), out=self.y)
        self.y += self.weights[-1]

    def backward(self, position, seed, epoch):
        np.matmul(_rounded(self.dy), _rounded(self.weights[:-1]).T, out=self.dx)

    def gradient(self, gradients):
        np.matmul(_rounded(self.x1).T, _rounded(self.dy), out=self.of(gradients))


class _Activation(_Operation):
    def __init__(self, op, state, rows):
        super().__init__(op, state, rows)
        row, (self.formula, self.derivative) = ACTIVATIONS[op.code]
        self.kept = self.x if row.keeps == "x" else self.y

    def forward(self, data, position, seed, epoch):
        self.formula(self.y, self.x, self.op.number)

    def backward(self, position, seed, epoch):
        self.derivative(self.dx, self.dy, self.kept, self.op.number)


class _Dropout(_Operation):
    def _factors(self, position, seed, epoch):
        op, purpose = self.op, LAYER_PURPOSE + self.op.layer
        return dropout_factors(
            self.rows, self.columns, op.number, seed, purpose, epoch, position, self.y.dtype
        )

    def forward(self, data, position, seed, epoch):
        np.multiply(self.x, self._factors(position, seed, epoch), out=self.y)

    def backward(self, position, seed, epoch):
        np.multiply(self.dy, self._factors(position, seed, epoch), out=self.dx)


class _Softmax(_Operation):
    def forward(self, data, position, seed, epoch):
        softmax(self.y, self.x)

    def backward(self, position, seed, epoch):
        softmax_gradient(self.dx, self.dy, self.y)


class _LogSoftmax(_Operation):
    def forward(self, data, position, seed, epoch):
        log_softmax(self.y, self.x)

    def backward(self, position, seed, epoch):
        log_softmax_gradient(self.dx, self.dy, self.y)


class _Scale(_Operation):
    def __init__(self, op, state, rows):
        super().__init__(op, state, rows)
        self.constants = Matrix(state.params, op.constants, op.ldx)
        self.factor = Matrix(state.params, op.constants + op.ldx, op.ldx)

    def forward(self, data, position, seed, epoch):
        scale_forward(self.y_place, self.x_place, self.constants, self.rows, self.op.fan_out)

    def backward(self, position, seed, epoch):
        scale_backward(self.dx_place, self.dy_place, self.factor, self.rows, self.op.fan_out)


class _Noise(_Operation):
    def forward(self, data, position, seed, epoch):
        op, purpose = self.op, LAYER_PURPOSE + self.op.layer
        noise(self.y_place, self.x_place, self.rows, op.fan_out, op.number, seed, purpose, epoch, position)


class _RowNorm(_Operation):
    def __init__(self, op, state, rows):
        super().__init__(op, state, rows)
        self.kept = Matrix(state.workspace, op.kept, 1)

    def forward(self, data, position, seed, epoch):
        op = self.op
        row_norm_forward(self.y_place, self.x_place, self.kept, self.rows, op.fan_out, op.number)

    def backward(self, position, seed, epoch):
        row_norm_backward(self.dy_place, self.y_place, self.kept, self.rows, self.op.fan_out)


class _BatchNorm(_Operation):
    def __init__(self, op, state, rows):
        super().__init__(op, state, rows)
        self.mean, self.factor, self.variance = matrix(state.workspace, op.kept, op.ldy, 3, op.fan_out)

    def forward(self, data, position, seed, epoch):
        self.x.mean(axis=0, out=self.mean)
        np.subtract(self.x, self.mean, out=self.y)
        np.divide(np.einsum("ij,ij->j", self.y, self.y), self.rows, out=self.variance)
        self._factor(self.factor, self.variance)
        self.y *= self.factor

    def _factor(self, factor, variance):
        np.add(variance, self.op.number, out=factor)
        np.sqrt(factor, out=factor)
        np.reciprocal(factor, out=factor)

    def backward(self, position, seed, epoch):
        products = np.einsum("ij,ij->j", self.dy, self.y) / self.rows
        self.dy -= self.dy.mean(axis=0)
        self.dy -= self.y * products
        self.dy *= self.factor

    def remember(self):
        op = self.op
        mean, factor, variance = matrix(self.state.params, op.constants, op.ldx, 3, op.fan_out)
        for running, new in ((mean, self.mean), (variance, self.variance)):
            running *= op.momentum
            running += new * running.dtype.type(1 - op.momentum)
        self._factor(factor, variance)


class _Affine(_Trained):
    def __init__(self, op, state, rows):
        super().__init__(op, state, rows)
        self.gain_and_offset = Matrix(state.params, op.weights, op.ldw)

    def forward(self, data, position, seed, epoch):
        affine_forward(self.y_place, self.x_place, self.gain_and_offset, self.rows, self.op.fan_out)

    def backward(self, position, seed, epoch):
        scale_backward(self.dx_place, self.dy_place, self.gain_and_offset, self.rows, self.op.fan_out)

    def gradient(self, gradients):
        op = self.op
        target = Matrix(gradients, op.weights, op.ldw)
        column_sums(target, self.x_place, self.dy_place, self.rows, op.fan_out, False)


class _Loss(_Operation):
    def __init__(self, op, state, rows):
        super().__init__(op, state, rows)
        _, self.formula = LOSSES[op.code]
        self.losses, self.scores, self.labels = (
            array[:rows] for array in (state.losses, state.scores, state.labels)
        )

    def loss(self, data, position, scale):
        """Losses, scores and deltas; whether all are finite."""
        samples = data.order[position : position + self.rows]
        if data.labels.size:
            self.labels[:] = data.labels[samples]
        if data.targets.size:
            self.y[:] = data.targets.reshape(-1, self.op.fan_in)[samples]
        self.formula(
            self.dx, self.losses, self.scores, self.x, self.labels, self.y, self.dx.dtype.type(scale),
            self.op.number,
        )  # fmt: skip
        if data.weights.size:
            weights = data.weights[samples]
            self.losses *= weights
            self.dx *= weights[:, None]
        return np.isfinite(self.losses.sum(dtype=np.float64))


# BLAS does not skip zeros, so a sparse layer is a dense one.
_KINDS = tables.with_formulas(
    tables.KINDS,
    {
        "input": _Input,
        "dense": _Dense,
        "sparse": _Dense,
        "activation": _Activation,
        "dropout": _Dropout,
        "softmax": _Softmax,
        "loss": _Loss,
        "scale": _Scale,
        "log_softmax": _LogSoftmax,
        "noise": _Noise,
        "row_norm": _RowNorm,
        "batch_norm": _BatchNorm,
        "affine": _Affine,
        "round_values": _Operation,
        "mixed": _Mixed,
        "round_deltas": _Operation,
    },
)


def bind(plan, state, rows) -> Sequence[_Operation]:
    """The operations of a plan, for this many rows."""
    operations = [_Fields(*row) for row in plan.tolist()]
    return [_KINDS[op.kind][1](op, state, rows) for op in operations]
