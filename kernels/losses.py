"""Losses, one row of a table each: loss, score and gradient of a row together, all from the last layer's outputs.

A loss is a function that emits code for one row of the batch: it writes the deltas d = scale * dL/dz, zero in the
padding, and returns the row's loss and score. Losses that are a mean over the outputs need only a formula of one
output: see `mean_of`.
"""

from collections.abc import Callable
from typing import NamedTuple

from . import simd
from .blocks import Place, fold_row
from .elementary import exp, log, log1p, sigmoid
from .simd import Int, Pointer, Vec, absolute, maximum, minimum, primitive, repeat, select
from .softmax import add, exponentials, first, largest


class Row(NamedTuple):
    """What a loss looks at: one row of the outputs, and the class or the target values that belong to it."""

    d: Pointer  # deltas, to be written
    z: Pointer  # outputs
    t: Pointer  # target values
    label: Int  # class
    columns: Int
    scale: Vec


class Loss(NamedTuple):
    """One row of the table."""

    name: str
    emit: Callable[[Row], tuple[Vec, Vec]]  # writes the deltas; the loss and the score, in every lane
    takes_labels: bool  # integer classes, else target values
    score: str  # what `scores` holds, averaged over the rows


def _cross_entropy(row: Row) -> tuple[Vec, Vec]:
    """Softmax cross-entropy of integer labels: L = log(sum of exp z) - z[label], d = scale (softmax(z) - onehot).

    The score is 1 if the first of the largest outputs is that of the class.
    """
    top = largest(row.columns, row.z)
    total = exponentials(row.d, row.z, row.columns, top)
    factor = row.scale / total

    def formula(at: Place, value: Vec, delta: Vec):
        own = at.column.equals(row.d.integer(row.label))
        (row.d + at.offset).store(delta * factor - select(own, row.scale, 0.0))
        return [select(value.equals(top), at.column.to_float(value), float("inf"))]

    position = first(fold_row(row.columns, [row.z, row.d], formula, minimum, [float("inf")]))
    right = position.equals(row.d.integer(row.label).to_float(position))
    return log(total) - ((row.z + row.label).splat() - top), select(right, position.like(1.0), 0.0)


def mean_of(formula: Callable[[Vec, Vec], tuple[Vec, Vec, Vec]]) -> Callable[[Row], tuple[Vec, Vec]]:
    """A loss that is the mean over the outputs of `formula(z, t)`: loss, score and derivative of one output."""

    def emit(row: Row) -> tuple[Vec, Vec]:
        count = row.d.integer(row.columns).to_float(row.scale)
        factor = row.scale / count

        def visit(at: Place, value: Vec, target: Vec):
            loss, score, derivative = formula(value, target)
            (row.d + at.offset).store(select(at.inside, derivative * factor, 0.0))
            return [loss, score]

        loss, score = fold_row(row.columns, [row.z, row.t], visit, add, [0.0, 0.0])
        return loss / count, score / count

    return emit


def _squared_error(z: Vec, t: Vec) -> tuple[Vec, Vec, Vec]:
    """(z - t)^2; the score is |z - t|."""
    difference = z - t
    return difference * difference, absolute(difference), difference + difference


def _logistic(z: Vec, t: Vec) -> tuple[Vec, Vec, Vec]:
    """-t log(s) - (1 - t) log(1 - s) for s = sigmoid(z), as max(z, 0) - z t + log(1 + exp(-|z|)).

    The score is 1 if the output is on the same side as its target.
    """
    loss = maximum(z, z.like(0.0)) - z * t + log1p(exp(-absolute(z)))
    return loss, select((z > 0.0) ^ (t > 0.5), 0.0, z.like(1.0)), sigmoid(z) - t


LOSSES = (
    Loss("cross_entropy", _cross_entropy, True, "accuracy"),
    Loss("mean_squared_error", mean_of(_squared_error), False, "mean_absolute_error"),
    Loss("binary_cross_entropy", mean_of(_logistic), False, "accuracy"),
)
CODES = {loss.name: code for code, loss in enumerate(LOSSES)}


@primitive
def loss_rows(
    code: Int, d: Pointer, d0: Int, ldd: Int, losses: Pointer, scores: Pointer, first: Int,
    z: Pointer, z0: Int, ldz: Int, labels: Pointer, t: Pointer, t0: Int, ldt: Int, rows: Int, columns: Int, scale: Vec,
) -> None:  # fmt: skip
    """Deltas d = scale * dL/dz (rows, columns); the loss and the score of row r, at first + r.

    `labels[first + r]` is the class of a row, `t` (rows, columns) its target values; a loss looks at one of the two.
    """

    def case(loss: Loss):
        def row(r: Int, _):
            label = (labels + (first + r)).read_int()
            deltas, outputs, targets = d + (d0 + ldd * r), z + (z0 + ldz * r), t + (t0 + ldt * r)
            numbers = loss.emit(Row(deltas, outputs, targets, label, columns, scale))
            for place, number in zip((losses, scores), numbers, strict=True):
                (place + (first + r)).store_one(number)

        repeat(rows, 1, [], row)

    simd.choose(code, {i: lambda o=o: case(o) for i, o in enumerate(LOSSES)})
