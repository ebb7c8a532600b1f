"""The table of cases that tests and benchmarks share. It follows the tiles of this machine's vector width."""

from typing import NamedTuple

import numpy as np

from fastmlp.kernels import simd
from fastmlp.kernels.loops import gemm

DTYPES = (np.float32, np.float64)


class Case(NamedTuple):
    """A matrix product: (rows, depth) times (depth, columns)."""

    rows: int
    columns: int
    depth: int


def whole_vectors(columns: int, dtype) -> int:
    """Columns rounded up to whole vectors: as far as kernels may write."""
    lanes = simd.FLOAT32_LANES * 4 // np.dtype(dtype).itemsize
    return -(-columns // lanes) * lanes


def _around(*edges: int) -> list[int]:
    """One, an odd number, a prime; and each edge of a tile with its neighbours."""
    return sorted({1, 9, 13} | {edge + step for edge in edges for step in (-1, 0, 1) if edge + step > 0})


_LARGE = 1025  # more than any tile or block, and a multiple of none
_WIDEST = max(gemm.TILES.values()) * simd.FLOAT32_LANES
_TALLEST = gemm.TILES[gemm.TILE_ROWS] * simd.FLOAT32_LANES

ROWS = _around(gemm.TILE_ROWS)
COLUMNS = _around(simd.FLOAT32_LANES, _TALLEST, _WIDEST)
DEPTHS = _around(gemm.BLOCK_DEPTH)

# Every number of rows with every number of columns and with every depth.
CASES = (
    *(
        Case(rows, columns, DEPTHS[(i + j) % len(DEPTHS)])
        for i, rows in enumerate(ROWS)
        for j, columns in enumerate(COLUMNS)
    ),
    Case(_LARGE, 13, 9),
    Case(9, _LARGE, 13),
    Case(13, 9, _LARGE),
)
