"""Matrix products: a tile of accumulators in registers, and the loops around it.

    C[m, n] (+)= sum over k = 0, 1, 2, ... of A[m, k] B[k, n], one fused multiply-add a term

One product serves forward (X W), input gradient (D W') and weight gradient (X' D): A is read number by number
through two strides, so that it may be transposed; B and C are read and written by whole vectors.
"""

import numpy as np

from .. import simd
from ..compiler.jit import inlined, kernel
from ..simd import Int, Pointer, fma, primitive

# Tile: `rows` numbers of A times `vectors` vectors of B. A tile of r rows and v vectors keeps r v accumulators, v
# vectors of B and one number of A in registers: r v + v + 1 of the 32 registers of AVX-512 and NEON, or of the 16 of
# AVX2. A fused multiply-add takes 4 cycles and up to two start in one, so 8 accumulators or more keep the units busy;
# and the larger the tile, the fewer loads there are for each operation: (r + v) / (r v).
_WIDE = {8: 3, 4: 6, 2: 8, 1: 8}
_NARROW = {4: 3, 2: 4, 1: 6}
TILES = _NARROW if simd.FLOAT32_LANES == 8 else _WIDE
TILE_ROWS = max(TILES)
_HEIGHTS = tuple(TILES)
_VECTORS = tuple(TILES.get(rows, 0) for rows in range(TILE_ROWS + 1))

# A block of B of BLOCK_DEPTH rows and one tile's width stays in the first-level caches while the rows of A pass by it:
# 256 rows of 192 bytes are 48 KB. With half as many, C is read and written twice as often: 1 to 2 % slower.
BLOCK_DEPTH = 256

ANEW = np.int64(0)  # a sum of which no terms have been added before


@primitive
def _tile(
    c: Pointer, c0: Int, ldc: Int, a: Pointer, a0: Int, a_m: Int, a_k: Int,
    b: Pointer, b0: Int, ldb: Int, depth: Int, shape: Int, accumulate: Int,
) -> None:  # fmt: skip
    """C[rows, vectors] = accumulate * C + A B, for the tile of this shape."""
    c, a, b = c + c0, a + a0, b + b0

    def case(rows: int, vectors: int):
        out = [[c + (ldc * m + v * c.lanes) for v in range(vectors)] for m in range(rows)]
        left = [a + a_m * m for m in range(rows)]

        def add_term(k, total):
            row = b + ldb * k
            right = [(row + v * b.lanes).load() for v in range(vectors)]
            numbers = [(left[m] + a_k * k).splat() for m in range(rows)]
            return [
                fma(numbers[m], right[v], total[m * vectors + v]) for m in range(rows) for v in range(vectors)
            ]

        zeros = [c.zeros()] * (rows * vectors)
        start = simd.repeat(accumulate, 1, zeros, lambda _, __: [p.load() for line in out for p in line])
        total = simd.repeat(depth, 1, start, add_term)
        for m in range(rows):
            for v in range(vectors):
                out[m][v].store(total[m * vectors + v])

    simd.choose(
        shape,
        {
            rows * 16 + vectors: lambda rows=rows, vectors=vectors: case(rows, vectors)
            for rows, widest in TILES.items()
            for vectors in range(1, widest + 1)
        },
    )


@inlined
def _band(C, c0, ldc, A, a0, a_m, a_k, B, b0, ldb, rows, columns, depth, before, height):
    """The product for a number of rows that is a multiple of the height of one tile."""
    if rows == 0:
        return
    lanes = simd.FLOAT32_LANES * 4 // C.itemsize
    width = _VECTORS[height] * lanes
    for n in range(0, columns, width):
        vectors = (min(width, columns - n) + lanes - 1) // lanes
        shape = height * 16 + vectors
        for k in range(0, max(depth, 1), BLOCK_DEPTH):
            block = min(BLOCK_DEPTH, depth - k)
            for m in range(0, rows, height):
                _tile(
                    C, c0 + m * ldc + n, ldc, A, a0 + m * a_m + k * a_k, a_m, a_k,
                    B, b0 + k * ldb + n, ldb, block, shape, min(before + k, 1),
                )  # fmt: skip


@kernel
def gemm(C, c0, ldc, A, a0, a_m, a_k, B, b0, ldb, rows, columns, depth, before):
    """C = A B, with C (rows, columns), A (rows, depth), B (depth, columns).

    Where C holds the sums of terms `before` these, they go on from there: C += A B, term by term.

    C[c0 + m ldc + n], A[a0 + m a_m + k a_k], B[b0 + k ldb + n]. Columns are rounded up to whole vectors, in B and
    in C alike: padding of B must be zero, then that of C becomes zero.
    """
    done = 0
    for height in _HEIGHTS:
        count = (rows - done) // height * height
        _band(
            C, c0 + done * ldc, ldc, A, a0 + done * a_m, a_m, a_k, B, b0, ldb, count, columns, depth, before,
            height,
        )  # fmt: skip
        done += count
