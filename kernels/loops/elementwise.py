"""Loops over rows of numbers: map a formula over a block, fold a formula along a row.

A block is a number of rows, each a multiple of a cache line long; its padding may be read and written. Formulas get
the place (`at.offset`, `at.column`, `at.inside`) and a vector of each input.
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import NamedTuple

from .. import simd
from ..simd import Int, Pointer, Vec, repeat, select


class Block(NamedTuple):
    """Rows of numbers: where the first one starts, and how far it is from one to the next (0: always the same)."""

    start: Pointer
    stride: Int | int


class Place:
    """Which columns the lanes of a vector stand at."""

    def __init__(self, pointer: Pointer, offset: Int, columns: Int):
        self._pointer, self.offset, self._columns = pointer, offset, columns

    @cached_property
    def column(self) -> Vec:
        """The column of each lane, 32-bit integers."""
        return self._pointer.columns(self.offset)

    @cached_property
    def inside(self) -> Vec:
        """Mask of the lanes that are no padding."""
        return self.column < self._pointer.integer(self._columns)


def map_block(rows: Int, columns: Int, outputs: Sequence[Block], inputs: Sequence[Block], formula: Callable):
    """Emit `outputs[r, c] = formula(at, *inputs[r, c])`; an output may be an input too."""
    lanes = outputs[0].start.lanes

    def row(r: Int, _):
        targets = [block.start + r * block.stride for block in outputs]
        sources = [block.start + r * block.stride for block in inputs]

        def vector(c: Int, _):
            results = formula(Place(targets[0], c, columns), *[(source + c).load() for source in sources])
            for target, result in zip(targets, results, strict=True):
                (target + c).store(result)

        repeat(columns, lanes, [], vector)

    repeat(rows, 1, [], row)


def fold_row(
    columns: Int, inputs: Sequence[Pointer], formula: Callable, combine: Callable, starts: Sequence[float]
) -> list[Vec]:
    """Emit the folds of what `formula(at, *inputs[c])` returns along a row; each one comes back in every lane.

    The order is the same for every width of vector: lane j of a cache line's worth of partial results takes the
    columns j, j + lanes of a line, ...; then the upper half of the lanes is folded onto the lower half until one is
    left.
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
    """All lanes of all vectors folded into one number, which comes back in every lane."""
    lanes = partial[0].lanes
    while len(partial) > 1:
        middle = len(partial) // 2
        partial = [combine(low, high) for low, high in zip(partial[:middle], partial[middle:], strict=True)]
    (total,) = partial
    while total.lanes > 1:
        middle = total.lanes // 2
        total = combine(total.lanes_at(range(middle)), total.lanes_at(range(middle, 2 * middle)))
    return total.lanes_at([0] * lanes)
