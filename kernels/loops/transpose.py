"""The transpose of a matrix, and a product with one: squares of lanes x lanes numbers are transposed in registers."""

from .. import simd
from ..compiler.jit import kernel
from ..schema import SMALL_BATCH
from ..simd import Int, Rows, Vec, fma, primitive, repeat, select
from .matrices import lanes_of_array, submatrix


def columns_of_square(rows: list[Vec]) -> list[Vec]:
    """The columns of a square of numbers that is given as vectors, one for each row.

    Swap the off-diagonal quarters of ever larger squares: one stage for each power of two, one shuffle for each vector.
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
def _transpose_strip(t: Rows, w: Rows, columns: Int) -> None:
    """t[c, 0 .. lanes] = w[0 .. lanes, c] for all columns, rounded up to whole vectors."""
    lanes = w.start.lanes

    def square(c: Int, _):
        for i, row in enumerate(columns_of_square([(w.row(i) + c).load() for i in range(lanes)])):
            t.row(c + i).store(row)

    repeat(columns, lanes, [], square)


@kernel
def transpose(t, w, rows, columns):
    """t[c, r] = w[r, c]; w has this many rows and columns.

    Columns are rounded up to whole vectors: t has room for as many rows.
    """
    lanes = lanes_of_array(t.arena)
    whole = rows // lanes * lanes
    for r in range(0, whole, lanes):
        _transpose_strip(submatrix(t, 0, r), submatrix(w, r, 0), columns)
    for r in range(whole, rows):
        for c in range(columns):
            t.arena[t.start + c * t.stride + r] = w.arena[w.start + r * w.stride + c]


@primitive
def _product_strip(y: Rows, x: Rows, w: Rows, rows: Int, count: Int, depth: Int) -> None:
    """y[m, 0 .. lanes] = sum over n of x[m, n] w[0 .. count, n]', for up to SMALL_BATCH rows m."""
    place, last = w.start, count - 1

    def case(batch: int):
        def square(n: Int, totals: list[Vec]) -> list[Vec]:
            rows = [(w.row(simd.smaller(last, i)) + n).load() for i in range(place.lanes)]
            for j, column in enumerate(columns_of_square(rows)):
                inside = place.integer(n + j) < place.integer(depth)
                numbers = [(x.row(m) + (n + j)).splat() for m in range(batch)]
                terms = [fma(number, column, total) for number, total in zip(numbers, totals, strict=True)]
                totals = [select(inside, term, total) for term, total in zip(terms, totals, strict=True)]
            return totals

        inside = place.columns(simd.zero(count)) < place.integer(count)
        for m, total in enumerate(repeat(depth, place.lanes, [place.zeros()] * batch, square)):
            y.row(m).store(select(inside, total, 0.0))

    simd.choose(rows, {batch: lambda batch=batch: case(batch) for batch in range(1, SMALL_BATCH + 1)})


@kernel
def transposed_product(y, x, w, rows, columns, depth):
    """y = x w', with y (rows, columns), x (rows, depth), w (columns, depth), for up to SMALL_BATCH rows.

    The same bits as `gemm` with a transpose of w: for so few rows, keeping a transpose up to date costs more than it
    saves.
    """
    if rows == 0:
        return
    lanes = lanes_of_array(y.arena)
    for c in range(0, columns, lanes):
        _product_strip(submatrix(y, 0, c), x, submatrix(w, c, 0), rows, min(lanes, columns - c), depth)
