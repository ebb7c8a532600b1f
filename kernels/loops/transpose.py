"""The transpose of a matrix, and a product with one, in squares of one vector's width that are turned in registers."""

from .. import simd
from ..compiler.jit import kernel
from ..schema import SMALL_BATCH
from ..simd import Int, Pointer, Vec, fma, primitive, repeat, select


def _turned(rows: list[Vec]) -> list[Vec]:
    """The columns of a square of vectors.

    Swap the off-diagonal quarters of ever larger squares: a stage for each power of two, a shuffle for each vector.
    """
    lanes, step = len(rows), 1
    while step < lanes:
        for i in (i for i in range(lanes) if not i & step):
            a, b = rows[i], rows[i + step]
            rows[i] = simd.shuffle(a, b, [lanes + j - step if j & step else j for j in range(lanes)])
            rows[i + step] = simd.shuffle(a, b, [lanes + j if j & step else j + step for j in range(lanes)])
        step *= 2
    return rows


@primitive
def _transpose_strip(t: Pointer, t0: Int, ldt: Int, w: Pointer, w0: Int, ldw: Int, columns: Int) -> None:
    """t[c, 0 .. lanes] = w[0 .. lanes, c]' for all columns, rounded up to whole vectors."""
    t, w = t + t0, w + w0

    def square(c: Int, _):
        rows = _turned([(w + (ldw * i + c)).load() for i in range(w.lanes)])
        for i, row in enumerate(rows):
            (t + ldt * (c + i)).store(row)

    repeat(columns, w.lanes, [], square)


@kernel
def transpose(t, t0, ldt, w, w0, ldw, rows, columns):
    """t[t0 + c ldt + r] = w[w0 + r ldw + c]. Columns are rounded up to whole vectors: `t` has room for those rows."""
    lanes = simd.FLOAT32_LANES * 4 // t.itemsize
    whole = rows // lanes * lanes
    for r in range(0, whole, lanes):
        _transpose_strip(t, t0 + r, ldt, w, w0 + r * ldw, ldw, columns)
    for r in range(whole, rows):
        for c in range(columns):
            t[t0 + c * ldt + r] = w[w0 + r * ldw + c]


@primitive
def _product_strip(
    y: Pointer, y0: Int, ldy: Int, x: Pointer, x0: Int, ldx: Int, w: Pointer, w0: Int, ldw: Int,
    rows: Int, count: Int, depth: Int,
) -> None:  # fmt: skip
    """y[m, 0 .. lanes] = sum over n of x[m, n] w[0 .. count, n]', for up to SMALL_BATCH rows m."""
    y, x, w = y + y0, x + x0, w + w0
    last = count - 1

    def case(batch: int):
        def square(n: Int, totals: list[Vec]) -> list[Vec]:
            columns = _turned([(w + (ldw * simd.smaller(last, i) + n)).load() for i in range(w.lanes)])
            for j, column in enumerate(columns):
                inside = w.integer(n + j) < w.integer(depth)
                numbers = [(x + (ldx * m + n + j)).splat() for m in range(batch)]
                terms = [fma(number, column, total) for number, total in zip(numbers, totals, strict=True)]
                totals = [select(inside, term, total) for term, total in zip(terms, totals, strict=True)]
            return totals

        inside = w.columns(count - count) < w.integer(count)
        for m, total in enumerate(repeat(depth, w.lanes, [w.zeros()] * batch, square)):
            (y + ldy * m).store(select(inside, total, 0.0))

    simd.choose(rows, {batch: lambda batch=batch: case(batch) for batch in range(1, SMALL_BATCH + 1)})


@kernel
def transposed_product(y, y0, ldy, x, x0, ldx, w, w0, ldw, rows, columns, depth):
    """y (rows, columns) = x (rows, depth) w', w (columns, depth), for up to SMALL_BATCH rows: as `gemm` of a transpose.

    For so few rows it is not worth to keep a transpose up to date.
    """
    lanes = simd.FLOAT32_LANES * 4 // y.itemsize
    for c in range(0, columns, lanes):
        _product_strip(y, y0 + c, ldy, x, x0, ldx, w, w0 + c * ldw, ldw, rows, min(lanes, columns - c), depth)
