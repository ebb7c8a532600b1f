"""Losses, one row of a table each: loss, score and gradient of a row together, all from the last layer's outputs.

    loss(d, d0, ldd, losses, scores, first, z, z0, ldz, labels, t, t0, ldt, rows, columns, scale)

writes the deltas d = scale * dL/dz (rows, columns; zero in the padding), and for each row its loss and its score into
losses[first + r], scores[first + r]. `labels[first + r]` is the class of a row, `t` (rows, columns) its target
values; a loss looks at one of the two.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from .blocks import Block, fold_row, map_block
from .elementary import exp, log, log1p, sigmoid
from .jit import kernel
from .jit import select as select_kernel
from .simd import Int, Pointer, Vec, absolute, maximum, minimum, one, primitive, select


@primitive
def row_max(x: Pointer, x0: Int, columns: Int) -> float:
    """Largest number of a row."""
    return fold_row(columns, [x + x0], lambda at, value: value, maximum, float("-inf"))


@primitive
def row_sum(x: Pointer, x0: Int, columns: Int) -> float:
    """Sum of a row, in the order of `fold_row`."""
    return fold_row(columns, [x + x0], lambda at, value: value, lambda a, b: a + b, 0.0)


@primitive
def row_position(x: Pointer, x0: Int, columns: Int, number: Vec) -> float:
    """First column that holds the number."""
    formula = lambda at, value: select(value.equals(number), at.column.to_float(value), float("inf"))  # noqa: E731
    return fold_row(columns, [x + x0], formula, minimum, float("inf"))


@primitive
def row_exp(y: Pointer, y0: Int, x: Pointer, x0: Int, columns: Int, shift: Vec) -> None:
    """y = exp(x - shift) along a row, 0 in the padding."""
    formula = lambda at, value: [select(at.inside, exp(value - shift), 0.0)]  # noqa: E731
    map_block(one(columns), columns, [Block(y + y0, 0)], [Block(x + x0, 0)], formula)


@primitive
def row_scale(y: Pointer, y0: Int, columns: Int, factor: Vec) -> None:
    """y = y * factor along a row."""
    map_block(
        one(columns), columns, [Block(y + y0, 0)], [Block(y + y0, 0)], lambda at, value: [value * factor]
    )


@primitive
def log_of(like: Pointer, number: Vec) -> float:
    """Natural logarithm of one number of the array's type."""
    return log(number).lane(0)


@kernel
def softmax_forward(y, y0, ldy, x, x0, ldx, rows, columns):
    """y = exp(x - max x) / sum of exp(x - max x), row by row; may be done in place."""
    for r in range(rows):
        row_exp(y, y0 + r * ldy, x, x0 + r * ldx, columns, row_max(x, x0 + r * ldx, columns))
        row_scale(y, y0 + r * ldy, columns, 1.0 / row_sum(y, y0 + r * ldy, columns))


@primitive
def _row_dot(x: Pointer, x0: Int, y: Pointer, y0: Int, columns: Int) -> float:
    """Sum of x y along a row, in the order of `fold_row`."""
    return fold_row(columns, [x + x0, y + y0], lambda at, a, b: a * b, lambda a, b: a + b, 0.0)


@primitive
def _row_softmax_delta(d: Pointer, d0: Int, y: Pointer, y0: Int, columns: Int, dot: Vec) -> None:
    """d = y (d - dot) along a row; 0 in the padding, where y is 1."""
    formula = lambda at, delta, value: [select(at.inside, value * (delta - dot), 0.0)]  # noqa: E731
    map_block(one(columns), columns, [Block(d + d0, 0)], [Block(d + d0, 0), Block(y + y0, 0)], formula)


@kernel
def softmax_backward(d, d0, ldd, y, y0, ldy, rows, columns):
    """d = y (d - sum of d y), row by row, in place."""
    for r in range(rows):
        dot = _row_dot(d, d0 + r * ldd, y, y0 + r * ldy, columns)
        _row_softmax_delta(d, d0 + r * ldd, y, y0 + r * ldy, columns, dot)


@kernel
def cross_entropy(d, d0, ldd, losses, scores, first, z, z0, ldz, labels, t, t0, ldt, rows, columns, scale):
    """Softmax cross-entropy of integer labels: L = log(sum of exp z) - z[label], d = scale (softmax(z) - onehot)."""
    for r in range(rows):
        row, label = z0 + r * ldz, labels[first + r]
        top = row_max(z, row, columns)
        row_exp(d, d0 + r * ldd, z, row, columns, top)
        total = row_sum(d, d0 + r * ldd, columns)
        row_scale(d, d0 + r * ldd, columns, scale / total)
        losses[first + r] = log_of(z, total) - (z[row + label] - top)
        scores[first + r] = row_position(z, row, columns, top) == label
        d[d0 + r * ldd + label] -= scale


@primitive
def _row_squares(z: Pointer, z0: Int, t: Pointer, t0: Int, columns: Int) -> float:
    formula = lambda at, value, target: (value - target) * (value - target)  # noqa: E731
    return fold_row(columns, [z + z0, t + t0], formula, lambda a, b: a + b, 0.0)


@primitive
def _row_absolutes(z: Pointer, z0: Int, t: Pointer, t0: Int, columns: Int) -> float:
    formula = lambda at, value, target: absolute(value - target)  # noqa: E731
    return fold_row(columns, [z + z0, t + t0], formula, lambda a, b: a + b, 0.0)


@primitive
def _row_difference(
    d: Pointer, d0: Int, z: Pointer, z0: Int, t: Pointer, t0: Int, columns: Int, scale: Vec
) -> None:
    formula = lambda at, value, target: [select(at.inside, (value - target) * scale, 0.0)]  # noqa: E731
    map_block(one(columns), columns, [Block(d + d0, 0)], [Block(z + z0, 0), Block(t + t0, 0)], formula)


@kernel
def mean_squared_error(
    d, d0, ldd, losses, scores, first, z, z0, ldz, labels, t, t0, ldt, rows, columns, scale
):
    """L = mean over the outputs of (z - t)^2, d = scale 2 (z - t) / columns; the score is the mean of |z - t|."""
    for r in range(rows):
        row, target = z0 + r * ldz, t0 + r * ldt
        losses[first + r] = _row_squares(z, row, t, target, columns) / columns
        scores[first + r] = _row_absolutes(z, row, t, target, columns) / columns
        _row_difference(d, d0 + r * ldd, z, row, t, target, columns, 2.0 * scale / columns)


@primitive
def _row_logistic(z: Pointer, z0: Int, t: Pointer, t0: Int, columns: Int) -> float:
    """Sum of max(z, 0) - z t + log(1 + exp(-|z|)): -t log(s) - (1 - t) log(1 - s) for s = sigmoid(z)."""

    def formula(at, value, target):
        return maximum(value, value.like(0.0)) - value * target + log1p(exp(-absolute(value)))

    return fold_row(columns, [z + z0, t + t0], formula, lambda a, b: a + b, 0.0)


@primitive
def _row_agreements(z: Pointer, z0: Int, t: Pointer, t0: Int, columns: Int) -> float:
    """Number of outputs on the same side as their targets."""
    formula = lambda at, value, target: select((value > 0.0) ^ (target > 0.5), 0.0, value.like(1.0))  # noqa: E731
    return fold_row(columns, [z + z0, t + t0], formula, lambda a, b: a + b, 0.0)


@primitive
def _row_logistic_delta(
    d: Pointer, d0: Int, z: Pointer, z0: Int, t: Pointer, t0: Int, columns: Int, scale: Vec
) -> None:
    formula = lambda at, value, target: [select(at.inside, (sigmoid(value) - target) * scale, 0.0)]  # noqa: E731
    map_block(one(columns), columns, [Block(d + d0, 0)], [Block(z + z0, 0), Block(t + t0, 0)], formula)


@kernel
def binary_cross_entropy(
    d, d0, ldd, losses, scores, first, z, z0, ldz, labels, t, t0, ldt, rows, columns, scale
):
    """Mean over the outputs of the cross-entropy of sigmoid(z), from logits; d = scale (sigmoid(z) - t) / columns."""
    for r in range(rows):
        row, target = z0 + r * ldz, t0 + r * ldt
        losses[first + r] = _row_logistic(z, row, t, target, columns) / columns
        scores[first + r] = _row_agreements(z, row, t, target, columns) / columns
        _row_logistic_delta(d, d0 + r * ldd, z, row, t, target, columns, scale / columns)


class Loss(NamedTuple):
    """One row of the table."""

    name: str
    rows: Callable[..., Any]  # the kernel
    takes_labels: bool  # integer classes, else target values
    score: str  # what `scores` holds, averaged over the rows


LOSSES = (
    Loss("cross_entropy", cross_entropy, True, "accuracy"),
    Loss("mean_squared_error", mean_squared_error, False, "mean_absolute_error"),
    Loss("binary_cross_entropy", binary_cross_entropy, False, "accuracy"),
)
CODES = {loss.name: code for code, loss in enumerate(LOSSES)}

loss_rows = select_kernel("loss", [loss.rows for loss in LOSSES])
