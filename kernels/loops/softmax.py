"""Activations along a row: softmax and its logarithm; and the folds of a row that losses use too."""

from ..simd import Int, Pointer, Vec, maximum, one, primitive, repeat, select
from .elementary import exp, log
from .elementwise import Block, Place, fold_row, map_block


def add(a: Vec, b: Vec) -> Vec:
    """The sum, as a fold wants it."""
    return a + b


def first(vectors: list[Vec]) -> Vec:
    """The only fold of a row."""
    (vector,) = vectors
    return vector


def largest(columns: Int, x: Pointer) -> Vec:
    """Largest number of a row."""
    return first(fold_row(columns, [x], lambda at, value: [value], maximum, [float("-inf")]))


def exponentials(y: Pointer, x: Pointer, columns: Int, shift: Vec) -> Vec:
    """y = exp(x - shift) along a row, 0 in the padding; their sum."""

    def formula(at: Place, value: Vec):
        numbers = select(at.inside, exp(value - shift), 0.0)
        (y + at.offset).store(numbers)
        return [numbers]

    return first(fold_row(columns, [x], formula, add, [0.0]))


@primitive
def softmax_forward(
    y: Pointer, y0: Int, ldy: Int, x: Pointer, x0: Int, ldx: Int, rows: Int, columns: Int
) -> None:
    """y = exp(x - max x) / sum of exp(x - max x), row by row; may be done in place."""

    def row(r: Int, _):
        target, source = y + (y0 + ldy * r), x + (x0 + ldx * r)
        total = exponentials(target, source, columns, largest(columns, source))
        factor, block = total.like(1.0) / total, [Block(target, 0)]
        map_block(one(columns), columns, block, block, lambda at, value: [value * factor])

    repeat(rows, 1, [], row)


@primitive
def softmax_backward(
    dx: Pointer, dx0: Int, lddx: Int, dy: Pointer, dy0: Int, lddy: Int,
    y: Pointer, y0: Int, ldy: Int, rows: Int, columns: Int,
) -> None:  # fmt: skip
    """dx = y (dy - sum of dy y), row by row; may be done in place. 0 in the padding, where y is 1."""

    def row(r: Int, _):
        target, delta, value = dx + (dx0 + lddx * r), dy + (dy0 + lddy * r), y + (y0 + ldy * r)
        dot = first(fold_row(columns, [delta, value], lambda at, a, b: [a * b], add, [0.0]))
        formula = lambda at, a, b: [select(at.inside, b * (a - dot), 0.0)]  # noqa: E731
        map_block(one(columns), columns, [Block(target, 0)], [Block(delta, 0), Block(value, 0)], formula)

    repeat(rows, 1, [], row)


@primitive
def log_softmax_forward(
    y: Pointer, y0: Int, ldy: Int, x: Pointer, x0: Int, ldx: Int, rows: Int, columns: Int
) -> None:
    """y = x - max x - log(sum of exp(x - max x)), row by row; may be done in place."""

    def row(r: Int, _):
        target, source = y + (y0 + ldy * r), x + (x0 + ldx * r)
        top = largest(columns, source)
        terms = lambda at, value: [exp(value - top)]  # noqa: E731
        rest = log(first(fold_row(columns, [source], terms, add, [0.0])))
        formula = lambda at, value: [(value - top) - rest]  # noqa: E731
        map_block(one(columns), columns, [Block(target, 0)], [Block(source, 0)], formula)

    repeat(rows, 1, [], row)


@primitive
def log_softmax_backward(
    dx: Pointer, dx0: Int, lddx: Int, dy: Pointer, dy0: Int, lddy: Int,
    y: Pointer, y0: Int, ldy: Int, rows: Int, columns: Int,
) -> None:  # fmt: skip
    """dx = dy - exp(y) sum of dy, row by row; may be done in place. 0 in the padding."""

    def row(r: Int, _):
        target, delta, value = dx + (dx0 + lddx * r), dy + (dy0 + lddy * r), y + (y0 + ldy * r)
        total = first(fold_row(columns, [delta], lambda at, a: [a], add, [0.0]))
        formula = lambda at, a, b: [select(at.inside, a - exp(b) * total, 0.0)]  # noqa: E731
        map_block(one(columns), columns, [Block(target, 0)], [Block(delta, 0), Block(value, 0)], formula)

    repeat(rows, 1, [], row)
