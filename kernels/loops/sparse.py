"""Matrix products with a matrix that is mostly zero: the same sums as in gemm.py, without the terms that are zero.

A sum starts from +0 and a term of zero does not change it, so the bits are those of the dense product (for finite
weights). There are no index lists: the non-zeros of 64 numbers are the set bits of a mask, which a few vector
comparisons compute.
"""

from .. import simd
from ..compiler.jit import kernel
from ..schema import MASK_BITS
from ..simd import Int, Rows, Vec, each_bit, fma, primitive, repeat
from .matrices import ceil_div, lanes_of_array, submatrix

VECTORS = 8  # accumulators: the width of a panel of the outputs


@primitive
def _row_panel(y: Rows, x: Rows, w: Rows, count: Int, vectors: Int, accumulate: Int) -> None:
    """y[0, 0 .. vectors] = accumulate * y + sum over the non-zero x[0, k], k < count, of x[0, k] w[k, 0 .. vectors]."""
    target, source = y.start, x.start
    lanes = target.lanes
    masks = [(source + part).where_not_zero() for part in range(0, MASK_BITS, lanes)]
    bits = simd.joined_bits(source, masks) & simd.low_bits(count)

    def case(size: int):
        out = [target + v * lanes for v in range(size)]
        start = repeat(accumulate, 1, [target.zeros()] * size, lambda _, __: [p.load() for p in out])

        def term(k, total):
            row, number = w.row(k), (source + k).splat()
            return [fma(number, (row + v * lanes).load(), total[v]) for v in range(size)]

        for pointer, vec in zip(out, each_bit(bits, start, term), strict=True):
            pointer.store(vec)

    simd.choose(vectors, {size: lambda size=size: case(size) for size in range(1, VECTORS + 1)})


@kernel
def sparse_forward(y, x, w, rows, columns, depth):
    """y = x w, with y (rows, columns), x (rows, depth) mostly zero, w (depth, columns)."""
    lanes = lanes_of_array(y.arena)
    width = VECTORS * lanes
    for n in range(0, columns, width):
        vectors = ceil_div(min(width, columns - n), lanes)
        for k in range(0, depth, MASK_BITS):
            for r in range(rows):
                count = min(MASK_BITS, depth - k)
                _row_panel(
                    submatrix(y, r, n), submatrix(x, r, k), submatrix(w, k, n), count, vectors, k > 0
                )  # fmt: skip


@primitive
def _column_panel(g: Rows, x: Rows, d: Rows, rows: Int, vectors: Int, count: Int, accumulate: Int) -> None:
    """g[j] = accumulate * g[j] + sum over the rows r < 64 with x[r, j] not zero of x[r, j] d[r], for a vector of j.

    g and d are `vectors` vectors wide; j goes up to `count`.
    """
    lanes = x.start.lanes

    def collect(r, masks):
        mask = x.row(r).where_not_zero()
        return [masks[0] | simd.select(mask, simd.bit(r, lanes), masks[0].like(0))]

    (masks,) = repeat(rows, 1, [simd.no_bits(x.start)], collect)
    rows_of_column = simd.spill(masks)

    def case(size: int):
        def column(j, _):
            out = [g.row(j) + v * lanes for v in range(size)]
            start = repeat(accumulate, 1, [g.start.zeros()] * size, lambda _, __: [p.load() for p in out])

            def term(r, total):
                row, number = d.row(r), (x.row(r) + j).splat()
                return [fma(number, (row + v * lanes).load(), total[v]) for v in range(size)]

            for pointer, vec in zip(out, each_bit((rows_of_column + j).read_int(), start, term), strict=True):
                pointer.store(vec)

        repeat(count, 1, [], column)

    simd.choose(vectors, {size: lambda size=size: case(size) for size in range(1, VECTORS + 1)})


@kernel
def sparse_gradient(g, x, d, columns, units, rows, accumulate):
    """g = x' d, or g += x' d if `accumulate`; g (columns, units), x (rows, columns) mostly zero, d (rows, units)."""
    lanes = lanes_of_array(g.arena)
    width = VECTORS * lanes
    for n in range(0, units, width):
        vectors = ceil_div(min(width, units - n), lanes)
        for j in range(0, columns, lanes):
            for r in range(0, rows, MASK_BITS):
                _column_panel(
                    submatrix(g, j, n), submatrix(x, r, j), submatrix(d, r, n),
                    min(MASK_BITS, rows - r), vectors, min(lanes, columns - j), accumulate or r > 0,
                )  # fmt: skip


def touched_bits(x: Rows, rows: Int) -> Int:
    """Emit: which of the next 64 columns hold a number other than 0 in one of the rows, as bits."""
    parts = range(0, MASK_BITS, x.start.lanes)

    def look(r: Int, found: list[Vec]) -> list[Vec]:
        row = x.row(r)
        return [mask | (row + part).where_not_zero() for mask, part in zip(found, parts, strict=True)]

    return simd.joined_bits(x.start, repeat(rows, 1, [simd.no_lanes(x.start)] * len(parts), look))


@primitive
def touched_columns(x: Rows, columns: Int, rows: Int) -> int:
    """Which of up to 64 columns of x hold a number other than 0 in one of the rows, as bits."""
    return (touched_bits(x, rows) & simd.low_bits(columns)).value
