"""The pure NumPy twin: what the kernels and the program compute, within rounding; random numbers bit for bit.

Same names, same arguments. It is also the fastest training in plain NumPy that we know how to write: whole
batches at a time, BLAS on views of the arenas, everything else in place and, where strides agree, on whole
rows with their padding, which is one contiguous block. The tables are in the order of the kernels' tables.
It runs as the only rank.
"""

from collections import namedtuple
from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np

from . import schema
from .reference_activations import (
    ACTIVATIONS,
    KEEP_INPUT,
    log_softmax,
    log_softmax_gradient,
    softmax,
    softmax_gradient,
)
from .reference_losses import LOSSES
from .schema import (
    AVERAGE,
    BROKEN,
    BYTES,
    CLIP_NORM,
    CLIP_VALUE,
    CLIPS,
    CODE,
    GLOBAL_CLIP_NORM,
    HALT,
    ITEM_TYPES,
    LOSS,
    STEP,
    STOP,
    WEIGHT_DECAY,
    WIDTH,
)  # fmt: skip

_SHUFFLE, _DROPOUT = 1, 1000  # purposes of random numbers


def matrix(arena, start, stride, rows, columns, step=1):
    """A view of an arena: number [r, c] stands at start + r stride + c step."""
    item = arena.itemsize
    return np.ndarray((rows, columns), arena.dtype, arena, int(start) * item, (stride * item, step * item))


def _width(columns, *strides):
    """Columns that an elementwise operation takes: whole rows where they are one contiguous block."""
    return strides[0] if len(set(strides)) == 1 else columns


def _row(table: dict, code: int):
    return tuple(table.values())[code]


def gemm(C, c0, ldc, A, a0, a_m, a_k, B, b0, ldb, rows, columns, depth):
    """C = A B."""
    left, right = matrix(A, a0, a_m, rows, depth, a_k), matrix(B, b0, ldb, depth, columns)
    np.matmul(left, right, out=matrix(C, c0, ldc, rows, columns))


@np.errstate(over="ignore", invalid="ignore")
def activation_forward(y, y0, ldy, x, x0, ldx, rows, columns, code, option):
    """y = f(x)."""
    formula, _ = _row(ACTIVATIONS, code)
    columns = _width(columns, ldy, ldx)
    formula(matrix(y, y0, ldy, rows, columns), matrix(x, x0, ldx, rows, columns), option)


@np.errstate(over="ignore", invalid="ignore")
def activation_backward(dx, dx0, lddx, dy, dy0, lddy, y, y0, ldy, x, x0, ldx, rows, columns, code, option):
    """dx = dy f'(x), from y or x."""
    _, formula = _row(ACTIVATIONS, code)
    kept = (x, x0, ldx) if tuple(ACTIVATIONS)[code] in KEEP_INPUT else (y, y0, ldy)
    columns = _width(columns, lddx, lddy, kept[2])
    at = ((dx, dx0, lddx), (dy, dy0, lddy), kept)
    formula(*(matrix(*place, rows, columns) for place in at), option)


def softmax_forward(y, y0, ldy, x, x0, ldx, rows, columns):
    """y = exp(x - max x) / sum of exp(x - max x), row by row."""
    softmax(matrix(y, y0, ldy, rows, columns), matrix(x, x0, ldx, rows, columns))


def softmax_backward(dx, dx0, lddx, dy, dy0, lddy, y, y0, ldy, rows, columns):
    """dx = y (dy - sum of dy y), row by row, maybe in place."""
    at = ((dx, dx0, lddx), (dy, dy0, lddy), (y, y0, ldy))
    softmax_gradient(*(matrix(*place, rows, columns) for place in at))


def log_softmax_forward(y, y0, ldy, x, x0, ldx, rows, columns):
    """y = x - max x - log(sum of exp(x - max x)), row by row."""
    log_softmax(matrix(y, y0, ldy, rows, columns), matrix(x, x0, ldx, rows, columns))


def log_softmax_backward(dx, dx0, lddx, dy, dy0, lddy, y, y0, ldy, rows, columns):
    """dx = dy - exp(y) sum of dy, row by row, maybe in place."""
    at = ((dx, dx0, lddx), (dy, dy0, lddy), (y, y0, ldy))
    log_softmax_gradient(*(matrix(*place, rows, columns) for place in at))


def loss_rows(
    code, d, d0, ldd, losses, scores, first, z, z0, ldz, labels, t, t0, ldt, rows, columns, scale, option
):  # fmt: skip
    """Loss, score and deltas of each row."""
    here = slice(first, first + rows)
    _row(LOSSES, code)(
        matrix(d, d0, ldd, rows, columns), losses[here], scores[here], matrix(z, z0, ldz, rows, columns),
        labels[here], matrix(t, t0, ldt, rows, columns), scale, option,
    )  # fmt: skip


# Optimizers: one step of w, with gradient g, in place. (Fading states may become denormal numbers here.)


def _sgd(w, g, slots, rate):
    w -= rate * g


def _momentum(w, g, slots, rate, momentum):
    (v,) = slots
    v *= momentum
    v += g
    w -= rate * v


def _rmsprop(w, g, slots, rate, rho, rest, epsilon):
    (v,) = slots
    change = g * g
    change *= rest
    v *= rho
    v += change
    np.sqrt(v, out=change)
    change += epsilon
    np.divide(g, change, out=change)
    change *= rate
    w -= change


def _adam(w, g, slots, rate, beta1, rest1, beta2, rest2, correction, epsilon):
    m, v = slots
    change = g * rest1
    m *= beta1
    m += change
    np.multiply(g, g, out=change)
    change *= rest2
    v *= beta2
    v += change
    np.sqrt(v, out=change)
    change *= correction
    change += epsilon
    np.divide(m, change, out=change)
    change *= rate
    w -= change


def _dampened(w, g, slots, rate, momentum, rest):
    (v,) = slots
    v *= momentum
    v += rest * g
    w -= rate * v


def _nesterov(w, g, slots, rate, momentum):
    (v,) = slots
    v *= momentum
    v += g
    w -= rate * (g + momentum * v)


def _adagrad(w, g, slots, rate, epsilon):
    (s,) = slots
    s += g * g
    w -= rate * g / (np.sqrt(s) + epsilon)


def _adadelta(w, g, slots, rate, rho, rest, epsilon):
    v, d = slots
    v *= rho
    v += rest * (g * g)
    u = np.sqrt(d + epsilon) / np.sqrt(v + epsilon) * g
    d *= rho
    d += rest * (u * u)
    w -= rate * u


def _rmsprop_momentum(w, g, slots, rate, rho, rest, momentum, epsilon):
    v, u = slots
    v *= rho
    v += rest * (g * g)
    u *= momentum
    u += g / (np.sqrt(v) + epsilon)
    w -= rate * u


def _rmsprop_centered(w, g, slots, rate, rho, rest, momentum, epsilon):
    v, m, u = slots
    v *= rho
    v += rest * (g * g)
    m *= rho
    m += rest * g
    u *= momentum
    u += g / (np.sqrt(np.maximum(v - m * m, 0)) + epsilon)
    w -= rate * u


def _adamw(w, g, slots, *numbers):
    *numbers, shrink = numbers
    w -= shrink * w
    _adam(w, g, slots, *numbers)


def _nadam(w, g, slots, rate, rate_g, beta1, rest1, beta2, rest2, correction, epsilon, shrink):
    m, v = slots
    m *= beta1
    m += rest1 * g
    v *= beta2
    v += rest2 * (g * g)
    w -= shrink * w
    w -= (rate * m + rate_g * g) / (np.sqrt(v) * correction + epsilon)


def _amsgrad(w, g, slots, rate, beta1, rest1, beta2, rest2, correction, epsilon, shrink):
    m, v, top = slots
    m *= beta1
    m += rest1 * g
    v *= beta2
    v += rest2 * (g * g)
    np.maximum(top, v, out=top)
    w -= shrink * w
    w -= rate * m / (np.sqrt(top) * correction + epsilon)


def _lion(w, g, slots, rate, beta1, rest1, beta2, rest2, shrink):
    (m,) = slots
    step = rate * np.sign(beta1 * m + rest1 * g)
    m *= beta2
    m += rest2 * g
    w -= shrink * w
    w -= step


# Formula, states, numbers of a row of `hyper`, whether its last number is a decay, which biases do not have.
OPTIMIZERS: dict[str, tuple[Callable, int, int, bool]] = {
    "sgd": (_sgd, 0, 1, False),
    "momentum": (_momentum, 1, 2, False),
    "rmsprop": (_rmsprop, 1, 4, False),
    "adam": (_adam, 2, 7, False),
    "dampened": (_dampened, 1, 3, False),
    "nesterov": (_nesterov, 1, 2, False),
    "adagrad": (_adagrad, 1, 2, False),
    "adadelta": (_adadelta, 2, 4, False),
    "rmsprop_momentum": (_rmsprop_momentum, 2, 5, False),
    "rmsprop_centered": (_rmsprop_centered, 3, 5, False),
    "adamw": (_adamw, 2, 8, True),
    "nadam": (_nadam, 2, 9, True),
    "amsgrad": (_amsgrad, 3, 8, True),
    "lion": (_lion, 1, 6, True),
}


def prepared(code, dtype):
    """The words of `Update.optimizer` for an optimizer."""
    words = np.zeros(schema.UPDATE_WORDS, np.int64)
    words[CODE], words[WIDTH] = code, _row(OPTIMIZERS, code)[2]
    return words


def optimizer_step(w, slots, w0, ldw, slot_size, g, g0, ldg, hyper, h0, rows, biases, columns, code):
    """One step for a block of parameters, the last rows of which are biases."""
    formula, states, numbers, decays = _row(OPTIMIZERS, code)
    columns, hyper = _width(columns, ldw, ldg), hyper[h0 : h0 + numbers].tolist()
    parts = [(0, rows, hyper), (rows, biases, [*hyper[:-1], 0.0])] if decays else [(0, rows + biases, hyper)]
    for first, count, values in parts:
        place = w0 + first * ldw
        state = [matrix(slots, place + j * slot_size, ldw, count, columns) for j in range(states)]
        weights = matrix(w, place, ldw, count, columns)
        formula(weights, matrix(g, g0 + first * ldg, ldg, count, columns), state, *values)


# Before and after an optimizer's formula: see `updates.py`. On dense operations, all at once.


def _scale(limit, squares):
    norm = np.sqrt(squares)
    return limit / norm if norm > limit else 1.0


def _squares(array):
    return np.square(array, dtype=np.float64).sum()


def _changed(operations, gradients, rules):
    """What the formula sees in the place of these gradients."""
    changed = gradients.copy()
    parts = [operation.of(changed) for operation in operations]
    for operation, part in zip(operations, parts, strict=True):
        biases = operation.op.biases
        weights = operation.weights[:biases]
        part[:biases] += operation.op.l2 * weights + operation.op.l1 * np.sign(weights)
    whole = _scale(rules[GLOBAL_CLIP_NORM], sum(map(_squares, parts)))
    for operation, part in zip(operations, parts, strict=True):
        biases = operation.op.biases
        for own in (part[:biases], part[biases:]):
            own *= whole * _scale(rules[CLIP_NORM], _squares(own))
        np.clip(part, -rules[CLIP_VALUE], rules[CLIP_VALUE], out=part)
        part[:biases] += rules[WEIGHT_DECAY] * operation.weights[:biases]
    return changed


def _steps(operations, gradients, update, places):
    """One step of all these operations, whose numbers stand at these places of `hyper`."""
    if update.optimizer[CLIPS] or any(operation.op.l1 or operation.op.l2 for operation in operations):
        gradients = _changed(operations, gradients, update.rules)
    for operation, h0 in zip(operations, places, strict=True):
        operation.step(gradients, update, h0)
        operation.follow(update)


# Normalisation.


def row_norm_forward(y, y0, ldy, x, x0, ldx, kept, kept0, rows, columns, epsilon):
    """y = (x - mean) factor along each row, with factor = 1 / sqrt(variance + epsilon), which is kept."""
    y, x = matrix(y, y0, ldy, rows, columns), matrix(x, x0, ldx, rows, columns)
    factor = matrix(kept, kept0, 1, rows, 1)
    np.subtract(x, x.mean(axis=1, keepdims=True), out=y)
    np.divide(np.einsum("ij,ij->i", y, y)[:, None], columns, out=factor)
    factor += epsilon
    np.sqrt(factor, out=factor)
    np.reciprocal(factor, out=factor)
    y *= factor


def row_norm_backward(d, d0, ldd, y, y0, ldy, kept, kept0, rows, columns):
    """d = factor (d - mean of d - y mean of d y) along each row, in place."""
    d, y = matrix(d, d0, ldd, rows, columns), matrix(y, y0, ldy, rows, columns)
    products = np.einsum("ij,ij->i", d, y)[:, None] / columns
    d -= d.mean(axis=1, keepdims=True)
    d -= y * products
    d *= matrix(kept, kept0, 1, rows, 1)


def affine_forward(y, y0, ldy, x, x0, ldx, w, gain, offset, rows, columns):
    """y = gain x + offset."""
    y = matrix(y, y0, ldy, rows, columns)
    np.multiply(matrix(x, x0, ldx, rows, columns), w[gain : gain + columns], out=y)
    y += w[offset : offset + columns]


def column_sums(s, s0, lds, x, x0, ldx, d, d0, ldd, rows, columns):
    """Two rows of sums over the rows, for each column: of x d, and of d."""
    d, s = matrix(d, d0, ldd, rows, columns), matrix(s, s0, lds, 2, columns)
    np.einsum("ij,ij->j", matrix(x, x0, ldx, rows, columns), d, out=s[0])
    d.sum(axis=0, out=s[1])


# Scaling of features.


def scale_forward(y, y0, ldy, x, x0, ldx, c, center, factor, rows, columns):
    """y = (x - center) factor."""
    columns = _width(columns, ldy, ldx)
    y, x = matrix(y, y0, ldy, rows, columns), matrix(x, x0, ldx, rows, columns)
    np.subtract(x, c[center : center + columns], out=y)
    y *= c[factor : factor + columns]


def scale_backward(dx, dx0, lddx, dy, dy0, lddy, c, factor, rows, columns):
    """dx = dy factor."""
    columns = _width(columns, lddx, lddy)
    factors = c[factor : factor + columns]
    np.multiply(matrix(dy, dy0, lddy, rows, columns), factors, out=matrix(dx, dx0, lddx, rows, columns))


# Random numbers from a counter.


@np.errstate(over="ignore")
def mix(number):
    """A 64-bit hash: a bijection that looks random."""
    z = np.asarray(number, np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def key(seed, purpose, epoch, row):
    """The 64 random bits of these counters, for one row or an array of rows."""
    return mix(mix(mix(mix(seed) ^ np.uint64(purpose)) ^ np.uint64(epoch)) ^ np.asarray(row, np.uint64))


def _high_product(a, b):
    """The upper 64 bits of a b, for b below 2^32."""
    half = np.uint64(32)
    return ((a >> half) * b + ((a & np.uint64(0xFFFFFFFF)) * b >> half)) >> half


def shuffle(order, seed, epoch):
    """Fill `order` with 0, 1, ..., n - 1 in the random order of this epoch (Fisher-Yates)."""
    steps = np.arange(order.size - 1, 0, -1, dtype=np.uint64)
    others = _high_product(key(seed, _SHUFFLE, epoch, steps), steps + np.uint64(1))
    numbers = list(range(order.size))
    for i, j in zip(steps.tolist(), others.tolist(), strict=True):
        numbers[i], numbers[j] = numbers[j], numbers[i]
    order[:] = numbers


def _random_bits(rows, columns, seed, purpose, epoch, first_row):
    """32 random bits for each unit of these rows."""
    keys = key(seed, purpose, epoch, np.arange(first_row, first_row + rows))[:, None]
    bits = keys.astype(np.uint32) + np.arange(columns, dtype=np.uint32)
    _hash32(bits)
    bits ^= (keys >> np.uint64(32)).astype(np.uint32)
    _hash32(bits)
    return bits


def noise(y, y0, ldy, x, x0, ldx, rows, columns, deviation, seed, purpose, epoch, first_row):
    """y = x + noise of the normal distribution with mean 0 and this standard deviation."""
    bits = _random_bits(rows, columns, seed, purpose, epoch, first_row)
    first, second = (bits >> np.uint32(8)).astype(np.float64), bits
    _hash32(second)
    turns = (second >> np.uint32(8)).astype(np.float64) * 2.0**-24
    normal = np.sqrt(-2.0 * np.log((first + 1.0) * 2.0**-24)) * np.cos(2.0 * np.pi * turns)
    normal *= deviation
    np.add(matrix(x, x0, ldx, rows, columns), normal.astype(y.dtype), out=matrix(y, y0, ldy, rows, columns))


def _hash32(number):
    number ^= number >> np.uint32(16)
    number *= np.uint32(0x7FEB352D)
    number ^= number >> np.uint32(15)
    number *= np.uint32(0x846CA68B)
    number ^= number >> np.uint32(16)


@lru_cache(maxsize=8)  # the backward pass finds the factors of the forward pass here
def _factors(rows, columns, rate, seed, purpose, epoch, first_row, dtype):
    """0 for a unit that drops out, else 1 / (1 - rate)."""
    bits = _random_bits(rows, columns, seed, purpose, epoch, first_row)
    return (bits >= np.uint32(rate * 4294967296.0)) * dtype.type(1.0 / (1.0 - rate))


def dropout(y, y0, ldy, x, x0, ldx, rows, columns, rate, seed, purpose, epoch, first_row):
    """y = x / (1 - rate) with probability 1 - rate, else 0."""
    columns = _width(columns, ldy, ldx)
    factors = _factors(rows, columns, rate, seed, purpose, epoch, first_row, y.dtype)
    np.multiply(matrix(x, x0, ldx, rows, columns), factors, out=matrix(y, y0, ldy, rows, columns))


# Operations: a row of the plan each, with its matrices for a number of rows of the batch.

_Fields = namedtuple("_Fields", schema.OPERATION.names)


class _Operation:
    def __init__(self, op, state, rows):
        work = state.workspace
        self.op, self.state, self.rows = op, state, rows
        whole = op.kind in (schema.ACTIVATION, schema.DROPOUT)
        self.columns = _width(op.fan_out, op.ldx, op.ldy) if whole else op.fan_out
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
    """For all stored numbers of these samples in CSR form: which of the samples, and the place in the data."""
    counts = starts[samples + 1] - starts[samples]
    rows, before = np.repeat(np.arange(len(samples)), counts), np.cumsum(counts) - counts
    return rows, np.arange(len(rows)) + np.repeat(starts[samples] - before, counts)


class _Input(_Operation):
    def forward(self, data, position, seed, epoch):
        items = data.inputs.view(ITEM_TYPES[data.kind])
        samples = data.order[position : position + self.rows]
        if data.starts.size:
            rows, places = _stored(data.starts, samples)
            numbers = np.empty(len(places), self.y.dtype)
            self._convert(numbers, items[places])
            self.y.fill(0)
            self.y[rows, data.columns[places]] = numbers
        else:
            self._convert(self.y, items.reshape(-1, self.op.fan_out).take(samples, axis=0))

    def _convert(self, y, items):
        if items.dtype == ITEM_TYPES[BYTES]:
            np.multiply(items, y.dtype.type(self.op.number), out=y)
        else:
            np.copyto(y, items, casting="same_kind")


class _Trained(_Operation):
    def __init__(self, op, state, rows):
        super().__init__(op, state, rows)
        self.weights = self.of(state.params)

    def of(self, arena):
        """This layer's part of an arena like `params`."""
        op = self.op
        return matrix(arena, op.weights, op.ldw, op.depth, op.fan_out)

    def step(self, gradients, update, h0):
        op, params = self.op, self.state.params
        optimizer_step(
            params, self.state.slots, op.weights, op.ldw, params.size, gradients, op.weights, op.ldw,
            update.hyper, h0, op.biases, op.depth - op.biases, op.fan_out, int(update.optimizer[CODE]),
        )  # fmt: skip

    def follow(self, update):
        """Limit the weights of each unit, and move the averages."""
        weights, limit = self.weights[: self.op.biases], self.op.max_norm
        if limit > 0:
            norms = np.sqrt(np.einsum("ij,ij->j", weights, weights))
            weights *= limit / np.maximum(norms, limit)
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


class _Activation(_Operation):
    def __init__(self, op, state, rows):
        super().__init__(op, state, rows)
        self.formula, self.derivative = _row(ACTIVATIONS, op.code)
        self.kept = self.x if tuple(ACTIVATIONS)[op.code] in KEEP_INPUT else self.y

    def forward(self, data, position, seed, epoch):
        self.formula(self.y, self.x, self.op.number)

    def backward(self, position, seed, epoch):
        self.derivative(self.dx, self.dy, self.kept, self.op.number)


class _Dropout(_Operation):
    def _factors(self, position, seed, epoch):
        op, purpose = self.op, _DROPOUT + self.op.layer
        return _factors(self.rows, self.columns, op.number, seed, purpose, epoch, position, self.y.dtype)

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
    def forward(self, data, position, seed, epoch):
        op, work = self.op, self.state.workspace
        scale_forward(
            work, op.y, op.ldy, work, op.x, op.ldx, self.state.params, op.constants, op.constants + op.ldx,
            self.rows, op.fan_out,
        )  # fmt: skip

    def backward(self, position, seed, epoch):
        op, work = self.op, self.state.workspace
        scale_backward(
            work, op.dx, op.ldx, work, op.dy, op.ldy, self.state.params, op.constants + op.ldx,
            self.rows, op.fan_out,
        )  # fmt: skip


class _Noise(_Operation):
    def forward(self, data, position, seed, epoch):
        op, work = self.op, self.state.workspace
        noise(
            work, op.y, op.ldy, work, op.x, op.ldx, self.rows, op.fan_out, op.number, seed, _DROPOUT + op.layer,
            epoch, position,
        )  # fmt: skip


class _RowNorm(_Operation):
    def forward(self, data, position, seed, epoch):
        op, work = self.op, self.state.workspace
        row_norm_forward(
            work, op.y, op.ldy, work, op.x, op.ldx, work, op.kept, self.rows, op.fan_out, op.number
        )

    def backward(self, position, seed, epoch):
        op, work = self.op, self.state.workspace
        row_norm_backward(work, op.dy, op.ldy, work, op.y, op.ldy, work, op.kept, self.rows, op.fan_out)


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
    def forward(self, data, position, seed, epoch):
        op, work, w = self.op, self.state.workspace, self.state.params
        affine_forward(
            work, op.y, op.ldy, work, op.x, op.ldx, w, op.weights, op.weights + op.ldw, self.rows, op.fan_out
        )

    def backward(self, position, seed, epoch):
        op, work, w = self.op, self.state.workspace, self.state.params
        scale_backward(work, op.dx, op.ldx, work, op.dy, op.ldy, w, op.weights, self.rows, op.fan_out)

    def gradient(self, gradients):
        op, work = self.op, self.state.workspace
        column_sums(
            gradients, op.weights, op.ldw, work, op.x, op.ldx, work, op.dy, op.ldy, self.rows, op.fan_out
        )


class _Loss(_Operation):
    def __init__(self, op, state, rows):
        super().__init__(op, state, rows)
        self.formula = _row(LOSSES, op.code)
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


# BLAS has no use for zeros, so a sparse layer is a dense one.
_KINDS = (
    _Input, _Dense, _Dense, _Activation, _Dropout, _Softmax, _Loss, _Scale, _LogSoftmax, _Noise, _RowNorm, _BatchNorm,
    _Affine,
)  # fmt: skip


def _bind(plan, state, rows) -> Sequence[_Operation]:
    """The operations of a plan, for this many rows."""
    operations = [_Fields(*row) for row in plan.tolist()]
    return [_KINDS[op.kind](op, state, rows) for op in operations]


def _forward(operations, data, position, seed, epoch):
    for operation in operations:
        operation.forward(data, position, seed, epoch)
        if operation.op.kind != LOSS:
            operation.one.fill(1)


def _backward(operations, position, seed, epoch):
    for operation in reversed(operations):
        if operation.op.dx >= 0:
            operation.backward(position, seed, epoch)


def _dense(operations):
    return [operation for operation in operations if operation.op.weights >= 0]


# The program.


@np.errstate(all="ignore")
def train_epoch(totals, plan, state, data, batch_size, update, seed, epoch, control, rank, size):
    """Train on all samples once, in the order of `data.order`, from step `control[STEP]` on."""
    samples = data.order.size
    gradients = state.gradients if state.gradients.size else np.zeros_like(state.params)
    bound = {
        rows: _bind(plan, state, rows) for rows in {min(batch_size, samples), samples % batch_size} - {0}
    }
    for number in range(int(control[STEP]), -(-samples // batch_size)):
        begin = number * batch_size
        batch = min(batch_size, samples - begin)
        operations = bound[batch]
        head = operations[-1]
        _forward(operations, data, begin, seed, epoch)
        if not head.loss(data, begin, 1.0 / batch):
            control[BROKEN] = 1
        _backward(operations, begin, seed, epoch)
        if control[STOP]:
            control[HALT] = 1
        if control[HALT] or control[BROKEN]:
            break
        dense = _dense(operations)
        for operation in dense:
            operation.gradient(gradients)
        _steps(dense, gradients, update, [number * update.optimizer[WIDTH]] * len(dense))
        for operation in operations:
            operation.remember()
        totals[:3] += head.losses.sum(dtype=np.float64), head.scores.sum(dtype=np.float64), batch
        control[STEP] = number + 1


def _batches(plan, state, data, control):
    """Run forward on all samples, as many at a time as the workspace holds, until STOP."""
    for position in range(0, data.order.size, state.losses.size):
        if control[STOP]:
            break
        operations = _bind(plan, state, min(state.losses.size, data.order.size - position))
        _forward(operations, data, position, 0, 0)
        yield position, operations[-1]


@np.errstate(all="ignore")
def evaluate(losses, scores, plan, state, data, control, rank, size):
    """Loss and score of every sample."""
    for position, head in _batches(plan, state, data, control):
        head.loss(data, position, 1.0)
        here = slice(position, position + head.rows)
        losses[here], scores[here] = head.losses, head.scores


@np.errstate(all="ignore")
def predict(outputs, plan, state, data, control, rank, size):
    """The last operation's outputs for every sample."""
    for position, last in _batches(plan, state, data, control):
        outputs[position : position + last.rows] = last.y[:, : last.op.fan_out]


@np.errstate(all="ignore")
def forward(plan, state, data, rows, seed, epoch):
    """Run operations forward for the first rows of the batch."""
    _forward(_bind(plan, state, rows), data, 0, seed, epoch)


@np.errstate(all="ignore")
def loss(plan, state, data, rows):
    """Losses, scores and deltas of the outputs for the first rows of the batch."""
    (head,) = _bind(plan[-1:], state, rows)
    head.loss(data, 0, 1.0 / rows)


@np.errstate(all="ignore")
def backward(plan, state, rows, seed, epoch):
    """Run operations backward and write the weight gradients, for the first rows of the batch."""
    operations = _bind(plan, state, rows)
    _backward(operations, 0, seed, epoch)
    for operation in _dense(operations):
        operation.gradient(state.gradients)


def step(plan, state, update):
    """Update the weights of these operations from the arena of gradients."""
    operations = _bind(plan, state, state.losses.size)
    places = {id(operation): i * update.optimizer[WIDTH] for i, operation in enumerate(operations)}
    dense = _dense(operations)
    _steps(dense, state.gradients, update, [places[id(operation)] for operation in dense])
    for operation in operations:
        operation.remember()
