"""Softmax and its logarithm, row by row, and the folds along a row that losses use too.

Shapes: x, y, dx, dy (rows, columns). Output and input may be the same matrix.
"""

from ..simd import Int, Pointer, Rows, Vec, maximum, primitive, repeat, select
from .elementary import exp, log
from .elementwise import Place, fold_one, map_row, sum_row


def largest(columns: Int, x: Pointer) -> Vec:
    """The largest number of a row."""
    return fold_one(columns, [x], lambda at, value: value, maximum, float("-inf"))


def exponentials(y: Pointer, x: Pointer, columns: Int, shift: Vec) -> Vec:
    """y = exp(x - shift) along a row, 0 in the padding; returns the sum of y."""

    def formula(at: Place, value: Vec):
        numbers = select(at.inside, exp(value - shift), 0.0)
        (y + at.offset).store(numbers)
        return numbers

    return sum_row(columns, [x], formula)


@primitive
def softmax_forward(y: Rows, x: Rows, rows: Int, columns: Int) -> None:
    """y = exp(x - max x) / sum of exp(x - max x) along each row."""

    def row(r: Int, _):
        target, source = y.row(r), x.row(r)
        total = exponentials(target, source, columns, largest(columns, source))
        factor = total.like(1.0) / total
        map_row(columns, [target], [target], lambda at, value: [value * factor])

    repeat(rows, 1, [], row)


@primitive
def softmax_backward(dx: Rows, dy: Rows, y: Rows, rows: Int, columns: Int) -> None:
    """dx = y (dy - sum of dy y) along each row; 0 in the padding, where y holds the column of ones."""

    def row(r: Int, _):
        delta, value = dy.row(r), y.row(r)
        dot = sum_row(columns, [delta, value], lambda at, a, b: a * b)

        def formula(at: Place, a: Vec, b: Vec):
            return [select(at.inside, b * (a - dot), 0.0)]

        map_row(columns, [dx.row(r)], [delta, value], formula)

    repeat(rows, 1, [], row)


@primitive
def log_softmax_forward(y: Rows, x: Rows, rows: Int, columns: Int) -> None:
    """y = x - max x - log(sum of exp(x - max x)) along each row."""

    def row(r: Int, _):
        source = x.row(r)
        top = largest(columns, source)
        log_total = log(sum_row(columns, [source], lambda at, value: exp(value - top)))
        map_row(columns, [y.row(r)], [source], lambda at, value: [(value - top) - log_total])

    repeat(rows, 1, [], row)


@primitive
def log_softmax_backward(dx: Rows, dy: Rows, y: Rows, rows: Int, columns: Int) -> None:
    """dx = dy - exp(y) sum of dy along each row; 0 in the padding."""

    def row(r: Int, _):
        delta, value = dy.row(r), y.row(r)
        total = sum_row(columns, [delta], lambda at, a: a)

        def formula(at: Place, a: Vec, b: Vec):
            return [select(at.inside, a - exp(b) * total, 0.0)]

        map_row(columns, [dx.row(r)], [delta, value], formula)

    repeat(rows, 1, [], row)
