"""Tiles in memory that do what those of the matrix unit do, so that its kernel runs on any processor.

Rows that a tile does not have are neither read nor written. TDPBF16PS is made of the operations of `pair_product`, to
be run with denormal numbers as zeros.
"""

from collections.abc import Callable

from llvmlite import ir

from fastmlp.kernels import simd
from fastmlp.kernels.simd import INT32, TILE_ROWS, TILES, Int, Pointer, Vec, fma, repeat

COLUMNS = 16  # words of a row
INT = ir.IntType(64)


class SoftwareTiles:
    """Eight tiles of 16 rows, each row a cache line of the stack."""

    def __init__(self, like: Pointer) -> None:
        self._like = like
        self._memory = simd.on_stack(like, TILES * TILE_ROWS * COLUMNS)
        self._rows: list[Int] = []

    def _row(self, tile: int, r: Int) -> Pointer:
        return self._memory + (r + tile * TILE_ROWS) * COLUMNS

    def _each_row(self, tile: int, body: Callable[[Int], None]) -> None:
        repeat(self._rows[tile], 1, [], lambda r, _: body(r))

    def _vectors(self) -> range:
        return range(0, COLUMNS, self._like.lanes)

    def configure(self, rows: list[Int | int]) -> None:
        """Keep the rows of all tiles, and set their memory to zero."""
        zero = Int(self._like.builder, ir.Constant(INT, 0))
        self._rows = [zero + count for count in rows]
        repeat(
            zero + TILES * TILE_ROWS * COLUMNS, self._like.lanes, [],
            lambda i, _: (self._memory + i).store(self._like.zeros()),
        )  # fmt: skip

    def load(self, tile: int, place: Pointer, stride: Int | int) -> None:
        """Copy rows to a tile."""

        def row(r: Int) -> None:
            for c in self._vectors():
                (self._row(tile, r) + c).store((place + r * stride + c).load())

        self._each_row(tile, row)

    def store(self, tile: int, place: Pointer, stride: Int | int) -> None:
        """Copy the rows of a tile."""

        def row(r: Int) -> None:
            for c in self._vectors():
                (place + r * stride + c).store((self._row(tile, r) + c).load())

        self._each_row(tile, row)

    def multiply(self, total: int, left: int, right: int) -> None:
        """Two chains of fused multiply-adds, and the sum of them."""
        self._each_row(total, lambda r: self._multiply_row(r, total, left, right))

    def _multiply_row(self, r: Int, total: int, left: int, right: int) -> None:
        for c in self._vectors():

            def add_term(k: Int, sums: list[Vec], c: int = c) -> list[Vec]:
                a = (self._row(left, r) + k).of(INT32)
                words = a.integer(a.read_int())
                pairs = (self._row(right, k) + c).of(INT32).load()
                return [fma(x, y, s) for x, y, s in zip(_halves(words), _halves(pairs), sums, strict=True)]

            even, odd = repeat(self._rows[right], 1, [self._like.zeros()] * 2, add_term)
            place = self._row(total, r) + c
            place.store(place.load() + (even + odd))

    def release(self) -> None:
        """Nothing to do."""


def _halves(words: Vec) -> tuple[Vec, Vec]:
    return (words << 16).as_float(), (words & -0x10000).as_float()
