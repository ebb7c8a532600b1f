"""The formulas of the losses in `tables.LOSSES`: loss, score and deltas of a row, from the last layer's outputs.

A loss is a function that emits code for one row of the batch: it writes the deltas d = scale * dL/dz, zero in the
padding, and returns the row's loss and score. Losses that are a mean or a sum over the outputs need only a formula of
one output: see `mean_of` and `sum_of`.
"""

from collections.abc import Callable
from typing import NamedTuple

from .. import simd, tables
from ..simd import Int, Pointer, Vec, absolute, fma, maximum, minimum, primitive, repeat, select, with_sign_of
from .elementary import exp, expm1, log, log1p, sigmoid
from .elementwise import Place, fold_row
from .softmax import add, exponentials, first, largest


class Row(NamedTuple):
    """What a loss looks at: one row of the outputs, and the class or the target values that belong to it."""

    d: Pointer  # deltas, to be written
    z: Pointer  # outputs
    t: Pointer  # target values
    label: Int  # class
    columns: Int
    scale: Vec
    option: Vec  # the number of those losses that have one


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
        return [select(value.equals(top), at.column.to_float(value), float("inf"))]

    position = first(fold_row(row.columns, [row.z, row.d], formula, minimum, [float("inf")]))
    right = position.equals(row.d.integer(row.label).to_float(position))
    return log(total) - ((row.z + row.label).splat() - top), select(right, position.like(1.0), 0.0)


def _position(columns: Int, x: Pointer, top: Vec) -> Vec:
    """The first column that holds this number, as a number."""
    formula = lambda at, value: [select(value.equals(top), at.column.to_float(value), float("inf"))]  # noqa: E731
    return first(fold_row(columns, [x], formula, minimum, [float("inf")]))


def _soft_cross_entropy(
    row: Row, target: Callable[[Place, Vec], Vec], mass: Vec, best: Vec
) -> tuple[Vec, Vec]:
    """L = sum of t (log(sum of exp z) - z) for targets of this sum, d = scale (mass softmax(z) - t).

    The score is 1 if the first of the largest outputs is that of the column `best`.
    """
    top = largest(row.columns, row.z)
    total = exponentials(row.d, row.z, row.columns, top)
    rest, factor = log(total), row.scale * mass / total

    def formula(at: Place, value: Vec, delta: Vec, given: Vec):
        wanted = target(at, given)
        (row.d + at.offset).store(select(at.inside, fma(delta, factor, -(wanted * row.scale)), 0.0))
        return [wanted * (rest - (value - top))]

    loss = first(fold_row(row.columns, [row.z, row.d, row.t], formula, add, [0.0]))
    right = _position(row.columns, row.z, top).equals(best)
    return loss, select(right, loss.like(1.0), 0.0)


def _smoothed_cross_entropy(row: Row) -> tuple[Vec, Vec]:
    """Of a class, the target 1 is shared out: the option over all columns alike, the rest to the class."""
    shared = row.option / row.d.integer(row.columns).to_float(row.scale)
    own = 1.0 - row.option + shared
    label = row.d.integer(row.label)
    target = lambda at, _: select(at.column.equals(label), own, shared)  # noqa: E731
    return _soft_cross_entropy(row, target, row.scale.like(1.0), label.to_float(row.scale))


def _cross_entropy_of_shares(row: Row) -> tuple[Vec, Vec]:
    """Of target values, which add up to 1."""
    mass = first(fold_row(row.columns, [row.t], lambda at, value: [value], add, [0.0]))
    best = _position(row.columns, row.t, largest(row.columns, row.t))
    return _soft_cross_entropy(row, lambda at, value: value, mass, best)


Formula = Callable[
    [Vec, Vec, Vec], tuple[Vec, Vec, Vec]
]  # (z, t, option) -> loss, score, derivative of one output


def mean_of(formula: Formula) -> Emit:
    """A loss that is the mean of a formula over the outputs, as is its score."""

    def emit(row: Row) -> tuple[Vec, Vec]:
        count = row.d.integer(row.columns).to_float(row.scale)
        loss, score = _fold(row, formula, row.scale / count)
        return loss / count, score / count

    return emit


def sum_of(formula: Formula) -> Emit:
    """A loss that is the sum of a formula over the outputs; the score is a mean all the same."""

    def emit(row: Row) -> tuple[Vec, Vec]:
        loss, score = _fold(row, formula, row.scale)
        return loss, score / row.d.integer(row.columns).to_float(row.scale)

    return emit


def _fold(row: Row, formula: Formula, factor: Vec) -> list[Vec]:
    """Write the deltas, factor times the derivatives; the sums of the losses and of the scores."""

    def visit(at: Place, value: Vec, target: Vec):
        loss, score, derivative = formula(value, target, row.option)
        (row.d + at.offset).store(select(at.inside, derivative * factor, 0.0))
        return [loss, score]

    return fold_row(row.columns, [row.z, row.t], visit, add, [0.0, 0.0])


def _squared_error(z: Vec, t: Vec, _: Vec) -> tuple[Vec, Vec, Vec]:
    """(z - t)^2; the score is |z - t|, as of all that follow but one."""
    difference = z - t
    return difference * difference, absolute(difference), difference + difference


def _logistic(z: Vec, t: Vec, _: Vec) -> tuple[Vec, Vec, Vec]:
    """-t log(s) - (1 - t) log(1 - s) for s = sigmoid(z), as max(z, 0) - z t + log(1 + exp(-|z|)).

    The score is 1 if the output is on the same side as its target.
    """
    loss = maximum(z, z.like(0.0)) - z * t + log1p(exp(-absolute(z)))
    return loss, select((z > 0.0) ^ (t > 0.5), 0.0, z.like(1.0)), sigmoid(z) - t


def _absolute_error(z: Vec, t: Vec, _: Vec) -> tuple[Vec, Vec, Vec]:
    """|z - t|, whose derivative at 0 is taken for 0."""
    difference = z - t
    size = absolute(difference)
    return size, size, select(size > 0.0, with_sign_of(z.like(1.0), difference), 0.0)


def _huber(z: Vec, t: Vec, delta: Vec) -> tuple[Vec, Vec, Vec]:
    """(z - t)^2 / 2 up to |z - t| = delta, from there on its tangent (Huber, 1964)."""
    difference = z - t
    size = absolute(difference)
    inner = minimum(size, delta)
    return inner * fma(inner, -0.5, size), size, with_sign_of(inner, difference)


_LOG_2 = 0.6931471805599453
_STRAIGHT = 20.0  # from here on, log cosh x is x - log 2 to all digits


def _log_cosh(z: Vec, t: Vec, _: Vec) -> tuple[Vec, Vec, Vec]:
    """log cosh(z - t), with m = exp(|z - t|) - 1 as log(1 + m^2 / (2 (m + 1))), which is accurate near 0.

    Its derivative is tanh(z - t), of 2 |z - t| the formula n / (n + 2) with n = m (m + 2).
    """
    difference = z - t
    size = absolute(difference)
    m = expm1(minimum(size, _STRAIGHT))
    curved, n = log1p(m * m / ((m + 1.0) * 2.0)), m * (m + 2.0)
    loss = select(size < _STRAIGHT, curved, size - _LOG_2)
    return loss, size, with_sign_of(n / (n + 2.0), difference)


def _quantile(z: Vec, t: Vec, tau: Vec) -> tuple[Vec, Vec, Vec]:
    """tau (t - z) where that is positive, else (tau - 1) (t - z) (Koenker and Bassett, 1978)."""
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
        "binary_cross_entropy": mean_of(_logistic),
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


@primitive
def loss_rows(
    code: Int, d: Pointer, d0: Int, ldd: Int, losses: Pointer, scores: Pointer, first: Int,
    z: Pointer, z0: Int, ldz: Int, labels: Pointer, t: Pointer, t0: Int, ldt: Int, rows: Int, columns: Int,
    scale: Vec, option: Vec,
) -> None:  # fmt: skip
    """Deltas d = scale * dL/dz (rows, columns); the loss and the score of row r, at first + r.

    `labels[first + r]` is the class of a row, `t` (rows, columns) its target values; a loss looks at one of the two.
    """

    def case(emit: Emit):
        def row(r: Int, _):
            label = (labels + (first + r)).read_int()
            deltas, outputs, targets = d + (d0 + ldd * r), z + (z0 + ldz * r), t + (t0 + ldt * r)
            numbers = emit(Row(deltas, outputs, targets, label, columns, scale, option))
            for place, number in zip((losses, scores), numbers, strict=True):
                (place + (first + r)).store_one(number)

        repeat(rows, 1, [], row)

    simd.choose(code, {i: lambda emit=emit: case(emit) for i, (_, emit) in enumerate(LOSSES)})
