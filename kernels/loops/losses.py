"""The formulas of the losses in `tables.LOSSES`: loss, score and deltas of a row, from the last layer's outputs.

A loss is a function that emits code for one row of the batch: it writes the deltas d = scale * dL/dz, zero in the
padding, and returns the row's loss and score. Losses that are a mean or a sum over the outputs need only a formula of
one output: see `mean_of` and `sum_of`.
"""

from collections.abc import Callable
from typing import NamedTuple

from .. import simd, tables
from ..schema import Matrix
from ..simd import (
    Case,
    Int,
    Pointer,
    Rows,
    Vec,
    absolute,
    fma,
    maximum,
    minimum,
    primitive,
    repeat,
    select,
    with_sign_of,
)
from .elementary import exp, expm1, log, log1p, sigmoid
from .elementwise import Place, add, fold_one, fold_row, sum_row
from .softmax import exponentials, largest


class Row(NamedTuple):
    """One row of the outputs, with its class or its target values."""

    d: Pointer  # deltas, to be written
    z: Pointer  # outputs
    t: Pointer  # target values
    label: Int  # class
    columns: Int
    scale: Vec
    option: Vec  # the argument that some losses take


Emit = Callable[[Row], tuple[Vec, Vec]]  # writes the deltas; returns the loss and the score, in every lane


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
        return select(value.equals(top), at.column.to_float(value), float("inf"))

    position = fold_one(row.columns, [row.z, row.d], formula, minimum, float("inf"))
    right = position.equals(row.d.integer(row.label).to_float(position))
    return log(total) - ((row.z + row.label).splat() - top), select(right, position.like(1.0), 0.0)


def _position(columns: Int, x: Pointer, top: Vec) -> Vec:
    """The first column that holds this number, as a floating-point number."""

    def formula(at: Place, value: Vec):
        return select(value.equals(top), at.column.to_float(value), float("inf"))

    return fold_one(columns, [x], formula, minimum, float("inf"))


def _soft_cross_entropy(
    row: Row, target: Callable[[Place, Vec], Vec], mass: Vec, best: Vec
) -> tuple[Vec, Vec]:
    """L = sum of t (log(sum of exp z) - z), d = scale (mass softmax(z) - t), for targets t whose sum is `mass`.

    The score is 1 if the first of the largest outputs is in column `best`.
    """
    top = largest(row.columns, row.z)
    total = exponentials(row.d, row.z, row.columns, top)
    log_total = log(total)
    factor = row.scale * mass / total

    def formula(at: Place, value: Vec, delta: Vec, given: Vec):
        wanted = target(at, given)
        (row.d + at.offset).store(select(at.inside, fma(delta, factor, -(wanted * row.scale)), 0.0))
        return wanted * (log_total - (value - top))

    loss = sum_row(row.columns, [row.z, row.d, row.t], formula)
    right = _position(row.columns, row.z, top).equals(best)
    return loss, select(right, loss.like(1.0), 0.0)


def _smoothed_cross_entropy(row: Row) -> tuple[Vec, Vec]:
    """Label smoothing: the target of each column is option / columns; the class has 1 - option more."""
    shared = row.option / row.d.count(row.columns)
    own = 1.0 - row.option + shared
    label = row.d.integer(row.label)

    def target(at: Place, _: Vec):
        return select(at.column.equals(label), own, shared)

    return _soft_cross_entropy(row, target, row.scale.like(1.0), label.to_float(row.scale))


def _cross_entropy_of_shares(row: Row) -> tuple[Vec, Vec]:
    """Softmax cross-entropy of target values, which add up to 1."""
    mass = sum_row(row.columns, [row.t], lambda at, value: value)
    best = _position(row.columns, row.t, largest(row.columns, row.t))
    return _soft_cross_entropy(row, lambda at, value: value, mass, best)


# (z, t, option) -> loss, score and derivative of one output
Formula = Callable[[Vec, Vec, Vec], tuple[Vec, Vec, Vec]]


def mean_of(formula: Formula) -> Emit:
    """A loss that is the mean of a formula over the outputs; the score is a mean too."""

    def emit(row: Row) -> tuple[Vec, Vec]:
        count = row.d.count(row.columns)
        loss, score = _fold(row, formula, row.scale / count)
        return loss / count, score / count

    return emit


def sum_of(formula: Formula) -> Emit:
    """A loss that is the sum of a formula over the outputs; the score is a mean."""

    def emit(row: Row) -> tuple[Vec, Vec]:
        loss, score = _fold(row, formula, row.scale)
        return loss, score / row.d.count(row.columns)

    return emit


def _fold(row: Row, formula: Formula, factor: Vec) -> list[Vec]:
    """Write the deltas, factor times the derivatives; return the sums of the losses and of the scores."""

    def visit(at: Place, value: Vec, target: Vec):
        loss, score, derivative = formula(value, target, row.option)
        (row.d + at.offset).store(select(at.inside, derivative * factor, 0.0))
        return [loss, score]

    return fold_row(row.columns, [row.z, row.t], visit, add, [0.0, 0.0])


def _squared_error(z: Vec, t: Vec, _: Vec) -> tuple[Vec, Vec, Vec]:
    """(z - t)^2; the score is |z - t|."""
    difference = z - t
    return difference * difference, absolute(difference), difference + difference


def _binary_cross_entropy(z: Vec, t: Vec, _: Vec) -> tuple[Vec, Vec, Vec]:
    """-t log(s) - (1 - t) log(1 - s) for s = sigmoid(z), as max(z, 0) - z t + log(1 + exp(-|z|)).

    The score is 1 if z > 0 and t > 0.5, or neither.
    """
    loss = maximum(z, z.like(0.0)) - z * t + log1p(exp(-absolute(z)))
    return loss, select((z > 0.0) ^ (t > 0.5), 0.0, z.like(1.0)), sigmoid(z) - t


def _absolute_error(z: Vec, t: Vec, _: Vec) -> tuple[Vec, Vec, Vec]:
    """|z - t|, with the derivative 0 at z = t."""
    difference = z - t
    size = absolute(difference)
    return size, size, select(size > 0.0, with_sign_of(z.like(1.0), difference), 0.0)


def _huber(z: Vec, t: Vec, delta: Vec) -> tuple[Vec, Vec, Vec]:
    """(z - t)^2 / 2 for |z - t| up to delta, beyond that its tangent (Huber, 1964)."""
    difference = z - t
    size = absolute(difference)
    inner = minimum(size, delta)
    return inner * fma(inner, -0.5, size), size, with_sign_of(inner, difference)


_LOG_2 = 0.6931471805599453
_STRAIGHT = 20.0  # from here on, log cosh x is x - log 2 to all digits of float64


def _log_cosh(z: Vec, t: Vec, _: Vec) -> tuple[Vec, Vec, Vec]:
    """log cosh(z - t), computed as log(1 + m^2 / (2 (m + 1))) with m = exp(|z - t|) - 1, which is accurate near 0.

    The derivative is tanh(z - t), with the absolute value n / (n + 2) for n = m (m + 2).
    """
    difference = z - t
    size = absolute(difference)
    m = expm1(minimum(size, _STRAIGHT))
    curved, n = log1p(m * m / ((m + 1.0) * 2.0)), m * (m + 2.0)
    loss = select(size < _STRAIGHT, curved, size - _LOG_2)
    return loss, size, with_sign_of(n / (n + 2.0), difference)


def _quantile(z: Vec, t: Vec, tau: Vec) -> tuple[Vec, Vec, Vec]:
    """tau (t - z) if t > z, else (tau - 1) (t - z) (Koenker and Bassett, 1978)."""
    difference = z - t
    slope = select(difference > 0.0, 1.0 - tau, -tau)
    size = absolute(difference)
    return difference * slope, size, select(size > 0.0, slope, 0.0)


def _poisson(z: Vec, t: Vec, _: Vec) -> tuple[Vec, Vec, Vec]:
    """e^z - t z, where z is the logarithm of a rate; the score is |e^z - t|."""
    rate = exp(z)
    return rate - t * z, absolute(rate - t), rate - t


LOSSES = tables.with_formulas(
    tables.LOSSES,
    {
        "cross_entropy": _cross_entropy,
        "mean_squared_error": mean_of(_squared_error),
        "binary_cross_entropy": mean_of(_binary_cross_entropy),
        "smoothed_cross_entropy": _smoothed_cross_entropy,
        "cross_entropy_of_shares": _cross_entropy_of_shares,
        "sum_squared_error": sum_of(_squared_error),
        "mean_absolute_error": mean_of(_absolute_error),
        "huber": mean_of(_huber),
        "log_cosh": mean_of(_log_cosh),
        "quantile": mean_of(_quantile),
        "poisson": mean_of(_poisson),
    },
)


class Targets(NamedTuple):
    """What the outputs of the rows should be; a loss reads one of the two."""

    labels: Matrix  # the class of each row: one int64 number a row
    values: Matrix  # target values (rows, columns)


@primitive
def loss_rows(
    code: Case, d: Rows, losses: Rows, scores: Rows, z: Rows, targets: Targets, rows: Int, columns: Int,
    scale: Vec, option: Vec,
) -> None:  # fmt: skip
    """Loss and score of each row of the outputs z, and their deltas d = scale * dL/dz.

    z and d are (rows, columns); `losses` and `scores` take one number a row.
    """

    def case(emit: Emit):
        def row(r: Int, _):
            label = targets.labels.row(r).read_int()
            results = emit(Row(d.row(r), z.row(r), targets.values.row(r), label, columns, scale, option))
            for place, result in zip((losses, scores), results, strict=True):
                place.row(r).store_one(result)

        repeat(rows, 1, [], row)

    simd.choose(code, {i: lambda emit=emit: case(emit) for i, (_, emit) in enumerate(LOSSES)})
