"""Reading samples minus the center of each column: the difference is computed in float64 and rounded once.

For float32 samples and centers that float32 holds, this gives the bits of a difference in float32. Centers are float64
numbers in an arena of any type: `centers` starts at the first of them.
"""

from collections.abc import Callable
from typing import Any

from .. import simd
from ..schema import BYTES, DOUBLE, SINGLE
from ..simd import Int, Pointer, Rows, Vec, primitive, repeat


def _choose_kind(scalar: Any, data: Pointer, kind: Int, scale: Vec, copy: Callable) -> None:
    """Emit `copy(source, difference)` for data of this kind: where its numbers are, and how they become `scalar`."""

    def difference(numbers: Vec, centers: Vec) -> Vec:
        return (numbers.converted(simd.DOUBLE) - centers).converted(scalar)

    def scaled_difference(numbers: Vec, centers: Vec) -> Vec:
        return difference(numbers.converted(scalar) * scale.lanes_at(range(numbers.lanes)), centers)

    simd.choose(
        kind,
        {
            BYTES: lambda: copy(data, scaled_difference),
            SINGLE: lambda: copy(data.of(simd.SINGLE), difference),
            DOUBLE: lambda: copy(data.of(simd.DOUBLE), difference),
        },
    )


@primitive
def read_row_centered(
    y: Rows, centers: Rows, data: Pointer, first: Int, columns: Int, kind: Int, scale: Vec
) -> None:
    """`read_row`, minus the center of each column."""
    target, middle = y.start, centers.start.of(simd.DOUBLE)
    lanes = target.lanes
    whole = columns & -lanes

    def copy(source: Pointer, difference: Callable):
        source = source + first

        def vector(c: Int, _):
            (target + c).store(difference(source.load_at(c, lanes), middle.load_at(c, lanes)))

        def rest(c: Int, _):
            at = whole + c
            (target + at).store(difference(source.load_within(at, lanes, columns), middle.load_at(at, lanes)))

        repeat(whole, lanes, [], vector)
        repeat(columns - whole, lanes, [], rest)

    _choose_kind(target.scalar, data, kind, scale, copy)


@primitive
def fill_centered(y: Rows, centers: Rows, columns: Int) -> None:
    """y[0, c] = 0 minus the center of column c; the padding of y becomes 0 up to a whole vector."""
    target, middle = y.start, centers.start.of(simd.DOUBLE)

    def vector(c: Int, _):
        own = middle.load_at(c, target.lanes)
        (target + c).store((own.like(0.0) - own).converted(target.scalar))

    repeat(columns, target.lanes, [], vector)


@primitive
def scatter_centered(
    y: Rows, centers: Rows, data: Pointer, columns: Pointer, first: Int, count: Int, kind: Int, scale: Vec
) -> None:
    """y[0, columns[i]] = the number i of `data` minus its center, for the `count` numbers from `first` on."""
    target, middle, places = y.start, centers.start.of(simd.DOUBLE), columns + first

    def copy(source: Pointer, difference: Callable):
        source = source + first

        def number(i: Int, _):
            column = (places + i).read_int()
            (target + column).store(difference(source.load_at(i, 1), middle.load_at(column, 1)))

        repeat(count, 1, [], number)

    _choose_kind(target.scalar, data, kind, scale, copy)
