"""Matrix products: a tile of accumulators in registers, and the loops around it.

    C[m, n] (+)= sum over k = 0, 1, 2, ... of A[m, k] B[k, n], one fused multiply-add a term

One product serves forward (X W), the deltas of the inputs (D W') and the gradient of the weights (X' D): A is read
number by number, with a stride for rows and one for columns, so it may be a transpose; B and C are read and written by
whole vectors.
"""

import numpy as np

from .. import simd
from ..compiler.jit import inlined, kernel
from ..schema import NEXT_PANEL, ONE, ROWS_AHEAD, Strided
from ..simd import Int, Pointer, Rows, fma, primitive
from .matrices import ceil_div, lanes_of_array, submatrix

# Rows of a tile: most vectors in each row. A tile of r rows and v vectors keeps r v accumulators, v vectors of B and
# one number of A in registers: r v + v + 1 of the 32 registers of AVX-512 and NEON, or of the 16 of AVX2. A fused
# multiply-add takes 4 cycles and up to two start in one cycle, so 8 or more accumulators keep the units busy. Larger
# tiles need fewer loads for each operation: (r + v) / (r v).
_WIDE = {8: 3, 4: 6, 2: 8, 1: 8}
_NARROW = {4: 3, 2: 4, 1: 6}
TILES = _NARROW if simd.FLOAT32_LANES == 8 else _WIDE
TILE_ROWS = max(TILES)
_HEIGHTS = tuple(TILES)
_WIDEST = TILES[TILE_ROWS]  # vectors of a panel of the highest tiles
_ASKING = (TILE_ROWS, _WIDEST, True)  # the one tile that comes in two kinds
_VECTORS = tuple(TILES.get(rows, 0) for rows in range(TILE_ROWS + 1))

# A panel of B of BLOCK_DEPTH rows and one tile's width is multiplied by all rows of A while it is in the first-level
# cache, or close to it. 128 rows of 24 numbers take 16 KB, as half of their cache lines are shared with the next panel;
# twice as many would take all of a cache of 32 KB. 16 lanes compute so much with each number of B that the second level
# is fast enough: there, half as many rows are 1 to 2 % slower, as C is read and written twice as often.
BLOCK_DEPTH = 128 if simd.FLOAT32_LANES == 8 else 256
# A block of A stays in the second-level cache while it is multiplied by all panels of B: at most 256 KB of float32, and
# at most so many rows that it has several times BLOCK_DEPTH columns.
BLOCK_NUMBERS, BLOCK_ROWS = 2**16, 192
_ROWS_AHEAD = 8  # of B, of which a tile asks for: see `schema.ROWS_AHEAD`

# Whether a product is added to what C holds: the values of `accumulate`.
OVERWRITE = np.bool_(False)


@inlined
def as_it_is(matrix):
    """A matrix as the left factor of a product."""
    return Strided(matrix.arena, matrix.start, matrix.stride, ONE)


@inlined
def transposed(matrix):
    """The transpose of a matrix as the left factor of a product."""
    return Strided(matrix.arena, matrix.start, ONE, matrix.stride)


@inlined
def _left_factor(A, m, k):
    """A from row m and column k on."""
    return Strided(A.arena, A.start + m * A.row_step + k * A.column_step, A.row_step, A.column_step)


def _shape(height, vectors, asks):
    """A tile's height, its width in vectors and whether it asks for rows ahead, as one number."""
    return height * 16 + vectors + asks * 256


_shape_of = inlined(_shape)


def _prefetch_columns(start: Pointer, vectors: int, level: int = 1) -> None:
    """Ask for the cache lines of some vectors from here on."""
    columns = vectors * start.lanes
    for c in range(0, columns, start.numbers_of_a_line):
        (start + c).prefetch(level)
    (start + (columns - 1)).prefetch(level)


@primitive
def _tile(C: Rows, A: Strided, B: Rows, depth: Int, shape: Int, accumulate: Int) -> None:
    """C[rows, vectors] = accumulate * C + A B, for the tile of this shape.

    A is read number by number, B and C by whole vectors; the terms are added in the order of k = 0, 1, ..., depth - 1.
    A shape of `_ASKING` asks in each term for the rows of A and B that are read `_ROWS_AHEAD` terms later.
    """
    lanes = C.start.lanes

    def case(rows: int, vectors: int, asks: bool):
        out = [[C.row(m) + v * lanes for v in range(vectors)] for m in range(rows)]
        left = [A.arena + (A.start + A.row_step * m) for m in range(rows)]

        def add_term(k, total):
            row = B.row(k)
            right = [(row + v * lanes).load() for v in range(vectors)]
            numbers = [(left[m] + A.column_step * k).splat() for m in range(rows)]
            if asks:
                _prefetch_columns(B.row(k + _ROWS_AHEAD), vectors)
                (left[0] + A.column_step * (k + _ROWS_AHEAD)).prefetch()
            return [
                fma(numbers[m], right[v], total[m * vectors + v]) for m in range(rows) for v in range(vectors)
            ]

        zeros = [C.start.zeros()] * (rows * vectors)
        start = simd.repeat(accumulate, 1, zeros, lambda _, __: [p.load() for line in out for p in line])
        total = simd.repeat(depth, 1, start, add_term)
        for m in range(rows):
            for v in range(vectors):
                out[m][v].store(total[m * vectors + v])

    shapes = [(rows, vectors, False) for rows, widest in TILES.items() for vectors in range(1, widest + 1)]
    simd.choose(shape, {_shape(*tile): lambda tile=tile: case(*tile) for tile in [*shapes, _ASKING]})


@primitive
def _prefetch_ahead(C: Rows, B: Rows, count: Int) -> None:
    """Ask for the rows of C of the next tile, and for `count` rows of the next panel of B."""
    for m in range(TILE_ROWS):
        _prefetch_columns(C.row(m), _WIDEST)
    simd.repeat(count, 1, [], lambda k, _: _prefetch_columns(B.row(k), _WIDEST, level=2))


@inlined
def _panel(C, A, B, following, rows, depth, shape, height, accumulate, prefetch):
    """The product with one panel of B, for a number of rows that is a multiple of the height of one tile.

    With NEXT_PANEL, each tile asks for as many rows of the `following` panel as it takes for the last tile to have
    asked for all.
    """
    some = ceil_div(depth * height, rows)
    for m in range(0, rows, height):
        if prefetch == NEXT_PANEL:
            first = m // height * some
            _prefetch_ahead(
                submatrix(C, m + height, 0), submatrix(following, first, 0), min(some, depth - first)
            )
        _tile(submatrix(C, m, 0), _left_factor(A, m, 0), B, depth, shape, accumulate)


@inlined
def _band(C, A, B, rows, columns, depth, accumulate, height, prefetch):
    """The product for a number of rows that is a multiple of the height of one tile."""
    if rows == 0:
        return
    lanes = lanes_of_array(C.arena)
    width, step = _VECTORS[height] * lanes, _even_part(depth, BLOCK_DEPTH)
    for n in range(0, columns, width):
        vectors = ceil_div(min(width, columns - n), lanes)
        asks = prefetch == ROWS_AHEAD and height == TILE_ROWS and vectors == _WIDEST
        shape = _shape_of(height, vectors, asks)
        for k in range(0, max(depth, 1), step):
            following = submatrix(B, k + step, n) if k + step < depth else submatrix(B, 0, n + width)
            _panel(
                submatrix(C, 0, n), _left_factor(A, 0, k), submatrix(B, k, n), following, rows, min(step, depth - k),
                shape, height, accumulate or k > 0, prefetch,
            )  # fmt: skip


@inlined
def _block(C, A, B, rows, columns, depth, accumulate, prefetch):
    """The product with a block of A that stays in the second-level cache."""
    done = 0
    for height in _HEIGHTS:
        count = (rows - done) // height * height
        _band(
            submatrix(C, done, 0), _left_factor(A, done, 0), B, count, columns, depth, accumulate, height, prefetch
        )  # fmt: skip
        done += count


@inlined
def _even_part(count, most):
    """About `most` of `count` things, so that the parts are equal and none is left with only a few."""
    parts = max(ceil_div(count - most // 8, most), 1)
    return max(ceil_div(count, parts), 1)


@kernel
def gemm(C, A, B, rows, columns, depth, accumulate, prefetch):
    """C = A B, or C += A B term by term if `accumulate`; C (rows, columns), A (rows, depth), B (depth, columns).

    `A` is `Strided`; see `as_it_is` and `transposed`. Columns are rounded up to whole vectors, in B and in C alike: the
    padding of B must be zero, then that of C becomes zero. `prefetch` is NO_PREFETCH, NEXT_PANEL or ROWS_AHEAD.
    """
    height = min(rows, BLOCK_ROWS)
    step = _even_part(depth, max(BLOCK_NUMBERS // max(height, 1), BLOCK_DEPTH))
    for k in range(0, max(depth, 1), step):
        for m in range(0, rows, BLOCK_ROWS):
            _block(
                submatrix(C, m, 0), _left_factor(A, m, k), submatrix(B, k, 0), min(BLOCK_ROWS, rows - m), columns,
                min(step, depth - k), accumulate or k > 0, prefetch,
            )  # fmt: skip
