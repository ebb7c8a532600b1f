"""Matrix products with a matrix that is mostly zero: the same sums as in gemm.py, without the terms that are zero.

A sum starts from +0 and a term of zero leaves it as it is, so the bits are those of the dense product (for finite
weights). No index lists: the non-zeros of 64 numbers are the set bits of a mask that a few vector comparisons give.
"""

from .. import simd
from ..compiler.jit import kernel
from ..schema import MASK_BITS as BITS
from ..simd import Int, Pointer, Vec, fma, primitive, repeat, walk_bits

VECTORS = 8  # accumulators: a panel of the outputs


@primitive
def _row_panel(
    y: Pointer, y0: Int, x: Pointer, x0: Int, w: Pointer, w0: Int, ldw: Int, count: Int, vectors: Int, accumulate: Int
) -> None:  # fmt: skip
    """y[0 .. vectors] = accumulate * y + sum over the non-zero x[k], k < count, of x[k] w[k, 0 .. vectors]."""
    y, x, w = y + y0, x + x0, w + w0
    masks = [(x + part).where_not_zero() for part in range(0, BITS, x.lanes)]
    bits = simd.joined_bits(x, masks) & simd.low_bits(count)

    def case(size: int):
        out = [y + v * y.lanes for v in range(size)]
        start = repeat(accumulate, 1, [y.zeros()] * size, lambda _, __: [p.load() for p in out])

        def term(k, total):
            row, number = w + ldw * k, (x + k).splat()
            return [fma(number, (row + v * w.lanes).load(), total[v]) for v in range(size)]

        for pointer, vec in zip(out, walk_bits(bits, start, term), strict=True):
            pointer.store(vec)

    simd.choose(vectors, {size: lambda size=size: case(size) for size in range(1, VECTORS + 1)})


@kernel
def sparse_forward(y, y0, ldy, x, x0, ldx, w, w0, ldw, rows, columns, depth):
    """y (rows, columns) = x (rows, depth) w (depth, columns), x mostly zero."""
    lanes = simd.FLOAT32_LANES * 4 // y.itemsize
    width = VECTORS * lanes
    for n in range(0, columns, width):
        vectors = (min(width, columns - n) + lanes - 1) // lanes
        for k in range(0, depth, BITS):
            for r in range(rows):
                _row_panel(
                    y, y0 + r * ldy + n, x, x0 + r * ldx + k, w, w0 + k * ldw + n, ldw,
                    min(BITS, depth - k), vectors, min(k, 1),
                )  # fmt: skip


@primitive
def _column_panel(
    g: Pointer, g0: Int, ldg: Int, x: Pointer, x0: Int, ldx: Int, d: Pointer, d0: Int, ldd: Int,
    rows: Int, vectors: Int, count: Int, accumulate: Int,
) -> None:  # fmt: skip
    """g[j] = accumulate * g[j] + sum over the rows r < 64 with x[r, j] not zero of x[r, j] d[r], for a vector of j."""
    g, x, d = g + g0, x + x0, d + d0
    lanes = x.lanes

    def gather(r, masks):
        mask = (x + ldx * r).where_not_zero()
        return [masks[0] | simd.select(mask, simd.bit(r, lanes), masks[0].like(0))]

    (masks,) = repeat(rows, 1, [simd.no_bits(x)], gather)
    kept = simd.spill(masks)

    def case(size: int):
        def column(j, _):
            out = [g + (ldg * j + v * g.lanes) for v in range(size)]
            start = repeat(accumulate, 1, [g.zeros()] * size, lambda _, __: [p.load() for p in out])

            def term(r, total):
                row, number = d + ldd * r, (x + (ldx * r + j)).splat()
                return [fma(number, (row + v * d.lanes).load(), total[v]) for v in range(size)]

            for pointer, vec in zip(out, walk_bits((kept + j).read_int(), start, term), strict=True):
                pointer.store(vec)

        repeat(count, 1, [], column)

    simd.choose(vectors, {size: lambda size=size: case(size) for size in range(1, VECTORS + 1)})


@kernel
def sparse_gradient(g, g0, ldg, x, x0, ldx, d, d0, ldd, columns, units, rows, before):
    """g (columns, units) = x' d, with x (rows, columns) mostly zero and d (rows, units).

    Where g holds the sums over rows `before` these, they go on from there.
    """
    lanes = simd.FLOAT32_LANES * 4 // g.itemsize
    width = VECTORS * lanes
    for n in range(0, units, width):
        vectors = (min(width, units - n) + lanes - 1) // lanes
        for j in range(0, columns, lanes):
            for r in range(0, rows, BITS):
                _column_panel(
                    g, g0 + j * ldg + n, ldg, x, x0 + r * ldx + j, ldx, d, d0 + r * ldd + n, ldd,
                    min(BITS, rows - r), vectors, min(lanes, columns - j), min(before + r, 1),
                )  # fmt: skip


def touched_bits(x: Pointer, ldx: Int, rows: Int) -> Int:
    """Emit: which of the next 64 columns hold something else than 0 in one of the rows, as bits."""
    parts = range(0, BITS, x.lanes)

    def look(r: Int, found: list[Vec]) -> list[Vec]:
        row = x + ldx * r
        return [mask | (row + part).where_not_zero() for mask, part in zip(found, parts, strict=True)]

    return simd.joined_bits(x, repeat(rows, 1, [simd.no_lanes(x)] * len(parts), look))


@primitive
def touched_columns(x: Pointer, x0: Int, ldx: Int, columns: Int, rows: Int) -> int:
    """The same for up to 64 columns."""
    return (touched_bits(x + x0, ldx, rows) & simd.low_bits(columns)).value
