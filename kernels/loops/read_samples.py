"""Reading samples: bytes, single or double precision, converted on the way into the workspace."""

from collections.abc import Callable

from .. import simd
from ..schema import BYTES, DOUBLE, SINGLE
from ..simd import Int, Pointer, Vec, primitive, repeat


def _choose_kind(y: Pointer, data: Pointer, kind: Int, scale: Vec, copy: Callable) -> None:
    """Emit `copy(source, convert)` for data of this kind: its numbers, and what makes of them numbers of y."""

    def scaled(numbers: Vec) -> Vec:
        return numbers.converted(y.scalar) * scale.lanes_at(range(numbers.lanes))

    def as_is(numbers: Vec) -> Vec:
        return numbers.converted(y.scalar)

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
    """Have the numbers first, ..., first + count - 1 brought into the cache."""
    start = data + first
    repeat(count, data.numbers_of_a_line, [], lambda c, _: (start + c).prefetch())
    (start + (count - 1)).prefetch()


@primitive
def read_row(y: Pointer, y0: Int, data: Pointer, first: Int, columns: Int, kind: Int, scale: Vec) -> None:
    """y = the numbers first, first + 1, ... of `data`, which holds numbers of this kind; bytes times `scale`.

    Samples have no padding, so the last vector takes no more than there is; the padding of y becomes 0.
    """
    target, whole = y + y0, columns & -y.lanes

    def copy(source: Pointer, convert: Callable):
        source = source + first

        def vector(c: Int, _):
            (target + c).store(convert(source.load_at(c, y.lanes)))

        def rest(c: Int, _):
            (target + (whole + c)).store(convert(source.load_within(whole + c, y.lanes, columns)))

        repeat(whole, y.lanes, [], vector)
        repeat(columns - whole, y.lanes, [], rest)

    _choose_kind(y, data, kind, scale, copy)


@primitive
def scatter_row(
    y: Pointer,
    y0: Int,
    width: Int,
    data: Pointer,
    columns: Pointer,
    first: Int,
    count: Int,
    kind: Int,
    scale: Vec,
) -> None:
    """y = 0, but y[columns[i]] = the number i of `data` for i from `first` on, `count` of them.

    The padding of y becomes 0 too, as far as vectors reach.
    """
    target, places = y + y0, columns + first
    repeat(width, y.lanes, [], lambda c, _: (target + c).store(y.zeros()))

    def copy(source: Pointer, convert: Callable):
        source = source + first

        def number(i: Int, _):
            (target + (places + i).read_int()).store(convert(source.load_at(i, 1)))

        repeat(count, 1, [], number)

    _choose_kind(y, data, kind, scale, copy)
