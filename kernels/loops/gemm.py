"""Matrix products: a tile of accumulators in registers, and the loops around it.

    C[m, n] (+)= sum over k = 0, 1, 2, ... of A[m, k] B[k, n], one fused multiply-add a term

One product serves forward (X W), the deltas of the inputs (D W') and the gradient of the weights (X' D): A is read
number by number, with a stride for rows and one for columns, so it may be a transpose; B and C are read and written by
whole vectors.
"""

import numpy as np

from .. import simd
from ..compiler.jit import inlined, kernel
from ..schema import ONE, Strided
from ..simd import Int, Rows, fma, primitive
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
_VECTORS = tuple(TILES.get(rows, 0) for rows in range(TILE_ROWS + 1))

# A panel of B of BLOCK_DEPTH rows and one tile's width stays in the first-level caches while it is multiplied by all
# rows of A: 256 rows of 192 bytes are 48 KB. With half as many rows, C is read and written twice as often: 1 to 2 %
# slower.
BLOCK_DEPTH = 256

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


def _shape(height, vectors):
    """A tile's height and its width in vectors, as one number."""
    return height * 16 + vectors


_shape_of = inlined(_shape)


@primitive
def _tile(C: Rows, A: Strided, B: Rows, depth: Int, shape: Int, accumulate: Int) -> None:
    """C[rows, vectors] = accumulate * C + A B, for the tile of this shape.

    A is read number by number, B and C by whole vectors; the terms are added in the order of k = 0, 1, ..., depth - 1.
    """
    lanes = C.start.lanes

    def case(rows: int, vectors: int):
        out = [[C.row(m) + v * lanes for v in range(vectors)] for m in range(rows)]
        left = [A.arena + (A.start + A.row_step * m) for m in range(rows)]

        def add_term(k, total):
            row = B.row(k)
            right = [(row + v * lanes).load() for v in range(vectors)]
            numbers = [(left[m] + A.column_step * k).splat() for m in range(rows)]
            return [
                fma(numbers[m], right[v], total[m * vectors + v]) for m in range(rows) for v in range(vectors)
            ]

        zeros = [C.start.zeros()] * (rows * vectors)
        start = simd.repeat(accumulate, 1, zeros, lambda _, __: [p.load() for line in out for p in line])
        total = simd.repeat(depth, 1, start, add_term)
        for m in range(rows):
            for v in range(vectors):
                out[m][v].store(total[m * vectors + v])

    shapes = [(rows, vectors) for rows, widest in TILES.items() for vectors in range(1, widest + 1)]
    simd.choose(shape, {_shape(*tile): lambda tile=tile: case(*tile) for tile in shapes})


@inlined
def _band(C, A, B, rows, columns, depth, accumulate, height):
    """The product for a number of rows that is a multiple of the height of one tile."""
    if rows == 0:
        return
    lanes = lanes_of_array(C.arena)
    width = _VECTORS[height] * lanes
    for n in range(0, columns, width):
        shape = _shape_of(height, ceil_div(min(width, columns - n), lanes))
        for k in range(0, max(depth, 1), BLOCK_DEPTH):
            block = min(BLOCK_DEPTH, depth - k)
            for m in range(0, rows, height):
                _tile(
                    submatrix(C, m, n), _left_factor(A, m, k), submatrix(B, k, n), block, shape, accumulate or k > 0
                )  # fmt: skip


@kernel
def gemm(C, A, B, rows, columns, depth, accumulate):
    """C = A B, or C += A B term by term if `accumulate`; C (rows, columns), A (rows, depth), B (depth, columns).

    `A` is `Strided`; see `as_it_is` and `transposed`. Columns are rounded up to whole vectors, in B and in C alike: the
    padding of B must be zero, then that of C becomes zero.
    """
    done = 0
    for height in _HEIGHTS:
        count = (rows - done) // height * height
        _band(
            submatrix(C, done, 0), _left_factor(A, done, 0), B, count, columns, depth, accumulate, height
        )  # fmt: skip
        done += count
