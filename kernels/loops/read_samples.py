"""Reading samples of bytes, float32 or float64 numbers, converted to the type of the workspace."""

from collections.abc import Callable
from typing import Any

from .. import simd
from ..schema import BYTES, DOUBLE, SINGLE
from ..simd import Int, Pointer, Rows, Vec, primitive, repeat


def _choose_kind(scalar: Any, data: Pointer, kind: Int, scale: Vec, copy: Callable) -> None:
    """Emit `copy(source, convert)` for data of this kind: where its numbers are, and how they become `scalar`."""

    def scaled(numbers: Vec) -> Vec:
        return numbers.converted(scalar) * scale.lanes_at(range(numbers.lanes))

    def as_is(numbers: Vec) -> Vec:
        return numbers.converted(scalar)

    simd.choose(
        kind,
        {
            BYTES: lambda: copy(data, scaled),
            SINGLE: lambda: copy(data.of(simd.SINGLE), as_is),
            DOUBLE: lambda: copy(data.of(simd.DOUBLE), as_is),
        },
    )


@primitive
def prefetch(data: Pointer, first: Int, count: Int) -> None:
    """Start to load the numbers first, ..., first + count - 1 into the cache."""
    start = data + first
    repeat(count, data.numbers_of_a_line, [], lambda c, _: (start + c).prefetch())
    (start + (count - 1)).prefetch()


@primitive
def read_row(y: Rows, data: Pointer, first: Int, columns: Int, kind: Int, scale: Vec) -> None:
    """y[0, c] = the number first + c of `data`, which holds numbers of this kind; bytes are multiplied by `scale`.

    Samples have no padding, so the last vector reads no further than `columns`; the padding of y becomes 0.
    """
    target = y.start
    lanes = target.lanes
    whole = columns & -lanes

    def copy(source: Pointer, convert: Callable):
        source = source + first

        def vector(c: Int, _):
            (target + c).store(convert(source.load_at(c, lanes)))

        def rest(c: Int, _):
            (target + (whole + c)).store(convert(source.load_within(whole + c, lanes, columns)))

        repeat(whole, lanes, [], vector)
        repeat(columns - whole, lanes, [], rest)

    _choose_kind(target.scalar, data, kind, scale, copy)


@primitive
def scatter_row(
    y: Rows, width: Int, data: Pointer, columns: Pointer, first: Int, count: Int, kind: Int, scale: Vec
) -> None:
    """y[0, columns[i]] = the number i of `data`, for the `count` numbers from `first` on, and 0 in all other columns.

    y has `width` columns; its padding becomes 0 up to a whole vector.
    """
    target, places = y.start, columns + first
    repeat(width, target.lanes, [], lambda c, _: (target + c).store(target.zeros()))

    def copy(source: Pointer, convert: Callable):
        source = source + first

        def number(i: Int, _):
            (target + (places + i).read_int()).store(convert(source.load_at(i, 1)))

        repeat(count, 1, [], number)

    _choose_kind(target.scalar, data, kind, scale, copy)
