"""Reading samples: bytes, single or double precision, converted on the way into the workspace."""

from . import simd
from .schema import BYTES, DOUBLE, SINGLE
from .simd import Int, Pointer, Vec, primitive, repeat


@primitive
def prefetch_row(data: Pointer, first: Int, size: Int) -> None:
    """Have the bytes first, ..., first + size - 1 brought into the cache."""
    repeat(size, simd.LINE, [], lambda c, _: (data + (first + c)).prefetch())


@primitive
def read_row(y: Pointer, y0: Int, data: Pointer, first: Int, columns: Int, kind: Int, scale: Vec) -> None:
    """y = the numbers first, first + 1, ... of `data`, which holds numbers of this kind; bytes times `scale`.

    Samples have no padding, so the last columns, fewer than a vector, are read one at a time.
    """
    target, whole = y + y0, columns & -y.lanes

    def copy(source: Pointer, convert):
        source = source + first

        def step(lanes: int, start):
            def body(c: Int, _):
                (target + (c + start)).store(convert(source.load_at(c + start, lanes), lanes))

            return body

        repeat(whole, y.lanes, [], step(y.lanes, 0))
        repeat(columns - whole, 1, [], step(1, whole))

    def scaled(numbers: Vec, lanes: int) -> Vec:
        return numbers.converted(y.scalar) * scale.lanes_at(range(lanes))

    def as_is(numbers: Vec, lanes: int) -> Vec:
        return numbers.converted(y.scalar)

    simd.choose(
        kind,
        {
            BYTES: lambda: copy(data, scaled),
            SINGLE: lambda: copy(data.of(simd.SINGLE), as_is),
            DOUBLE: lambda: copy(data.of(simd.DOUBLE), as_is),
        },
    )
