"""Loops over rows of numbers: map a formula over all rows, fold a formula along a row.

Rows are a multiple of a cache line long; their padding may be read and written. A formula gets the place of the numbers
(`at.offset`, `at.column`, `at.inside`) and a vector of each input.
"""

from collections.abc import Callable, Sequence
from functools import cached_property

from .. import simd
from ..simd import Int, Pointer, Rows, Vec, repeat, select


class Place:
    """Which columns the lanes of a vector are."""

    def __init__(self, pointer: Pointer, offset: Int, columns: Int):
        self._pointer, self.offset, self._columns = pointer, offset, columns

    @cached_property
    def column(self) -> Vec:
        """The column of each lane, 32-bit integers."""
        return self._pointer.columns(self.offset)

    @cached_property
    def inside(self) -> Vec:
        """Mask of the lanes that are not padding (a comparison of unsigned 32-bit integers)."""
        return self.column < self._pointer.integer(self._columns)


def map_rows(rows: Int, columns: Int, outputs: Sequence[Rows], inputs: Sequence[Rows], formula: Callable):
    """Emit `outputs[r, c] = formula(at, *inputs[r, c])`; an output may be an input too."""

    def row(r: Int, _):
        map_row(columns, [rows.row(r) for rows in outputs], [rows.row(r) for rows in inputs], formula)

    repeat(rows, 1, [], row)


def map_row(columns: Int, outputs: Sequence[Pointer], inputs: Sequence[Pointer], formula: Callable):
    """Emit `outputs[c] = formula(at, *inputs[c])` along one row; an output may be an input too."""

    def vector(c: Int, _):
        results = formula(Place(outputs[0], c, columns), *[(source + c).load() for source in inputs])
        for target, result in zip(outputs, results, strict=True):
            (target + c).store(result)

    repeat(columns, outputs[0].lanes, [], vector)


def add(a: Vec, b: Vec) -> Vec:
    """The sum, as a fold combines two numbers."""
    return a + b


def sum_row(columns: Int, inputs: Sequence[Pointer], formula: Callable) -> Vec:
    """Emit the sum of `formula(at, *inputs[c])` along a row, in every lane."""
    return fold_one(columns, inputs, formula, add, 0.0)


def fold_one(
    columns: Int, inputs: Sequence[Pointer], formula: Callable, combine: Callable, start: float
) -> Vec:
    """The same as `fold_row` for a formula that returns one vector: its fold, in every lane."""
    (result,) = fold_row(columns, inputs, lambda at, *vectors: [formula(at, *vectors)], combine, [start])
    return result


def fold_row(
    columns: Int, inputs: Sequence[Pointer], formula: Callable, combine: Callable, starts: Sequence[float]
) -> list[Vec]:
    """Emit the folds along a row of all vectors that `formula(at, *inputs[c])` returns; each result is in every lane.

    The order of the terms is the same for every width of vectors. There are as many partial results as a cache line has
    numbers: number j combines the columns j, j + numbers of a line, j + 2 numbers of a line, ... Then the upper half of
    the partial results is combined with the lower half, until one is left.
    """
    lanes = inputs[0].lanes
    parts = simd.FLOAT32_LINE // simd.FLOAT32_LANES
    neutral = [inputs[0].zeros() + start for start in starts]

    def line(c: Int, partial: list[Vec]) -> list[Vec]:
        results = []
        for part in range(parts):
            at = Place(inputs[0], c + part * lanes, columns)
            values = formula(at, *[(source + at.offset).load() for source in inputs])
            totals = partial[part * len(starts) : (part + 1) * len(starts)]
            results += [
                combine(total, select(at.inside, value, none))
                for total, value, none in zip(totals, values, neutral, strict=True)
            ]
        return results

    partial = repeat(columns, parts * lanes, neutral * parts, line)
    return [_folded(partial[i :: len(starts)], combine) for i in range(len(starts))]


def _folded(partial: list[Vec], combine: Callable) -> Vec:
    """The fold of all lanes of all vectors, in every lane."""
    lanes = partial[0].lanes
    while len(partial) > 1:
        middle = len(partial) // 2
        partial = [combine(low, high) for low, high in zip(partial[:middle], partial[middle:], strict=True)]
    (total,) = partial
    while total.lanes > 1:
        middle = total.lanes // 2
        total = combine(total.lanes_at(range(middle)), total.lanes_at(range(middle, 2 * middle)))
    return total.lanes_at([0] * lanes)
