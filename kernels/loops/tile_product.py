"""The product of matrices of bfloat16 pairs on the matrix unit, four tiles of the result at a time.

Two tiles of A and two of B are read for four products: 32 rows and 32 columns of C, or what is left of them. Rows are
exact, by tiles with fewer rows; columns are whole tiles of 16.
"""

from collections.abc import Callable

from .. import simd
from ..schema import PANEL_COLUMNS, Panels
from ..simd import TILE_ROWS, Int, Pointer, Rows, Tiles, primitive, repeat
from .pair_product import BLOCK_GROUPS, PAIRS

_SIDE = 2  # tiles of C side by side, and one above the other
_LEFT = _SIDE * _SIDE  # the first tile of A, behind those of C
_RIGHT = _LEFT + _SIDE  # the first tile of B
_BAND = _SIDE * TILE_ROWS  # rows of C that are computed together


def emit_tile_product(
    tiles: Tiles, C: Rows, first: Rows, A: Rows, B: Panels, rows: Int, columns: Int, groups: Int
) -> None:  # fmt: skip
    """Emit `pair_product` with these tiles."""
    product = _TileProduct(tiles, B, columns, groups)
    whole = rows & -TILE_ROWS
    rest = rows - whole
    tiles.configure(_rows_of_tiles(TILE_ROWS))
    product.band(C, first, A, whole, _SIDE)

    def tail() -> None:
        tiles.configure(_rows_of_tiles(rest))
        product.band(C.from_row(whole), first.from_row(whole), A.from_row(whole), rest, 1)

    simd.when(rest, tail)
    tiles.release()


def _rows_of_tiles(rows: Int | int) -> list[Int | int]:
    """The rows of all tiles: those of C and A have the rows of C, those of B a group of terms."""
    return [rows] * _RIGHT + [TILE_ROWS] * _SIDE


class _TileProduct:
    """The loops of a product, and what stays the same in all of them."""

    def __init__(self, tiles: Tiles, B: Panels, columns: Int, groups: Int) -> None:
        self.tiles, self.B, self.columns, self.groups = tiles, B, columns, groups

    def band(self, C: Rows, first: Rows, A: Rows, rows: Int, height: int) -> None:
        """All products of these rows, with up to `height` tiles one above the other."""

        def panel(n: Int, _) -> None:
            lines = simd.smaller(self.columns - n, int(PANEL_COLUMNS))
            start = self.B.arena + (self.B.start + n.shifted_right(5) * self.B.step)
            out, before = Rows(C.start + n, C.stride), Rows(first.start + n, first.stride)

            def case(width: int) -> Callable[[], None]:
                return lambda: self._blocks(out, before, A, start, rows, (height, width))

            cases = {TILE_ROWS * width: case(width) for width in range(1, _SIDE + 1)}
            simd.choose((lines + (TILE_ROWS - 1)) & -TILE_ROWS, cases)

        repeat(self.columns, int(PANEL_COLUMNS), [], panel)

    def _blocks(
        self, C: Rows, first: Rows, A: Rows, panel: Pointer, rows: Int, shape: tuple[int, int]
    ) -> None:
        """All rows with a block of a panel, then with the next block."""
        height, width = shape

        def block(g: Int, _) -> None:
            count = simd.smaller(self.groups - g, BLOCK_GROUPS)
            right = panel + g * (PAIRS * int(PANEL_COLUMNS))

            def step(m: Int, height: int) -> None:
                out, before = C.from_row(m), first.from_row(m)
                start = simd.either_place(g < 1, before.start, out.start)
                stride = simd.either_int(g < 1, before.stride, out.stride)
                left = Rows(A.row(m) + g * PAIRS, A.stride)
                self._tiles(out, Rows(start, stride), left, right, count, (height, width))

            # What is left for one tile comes at once too, while the block is in the first-level cache.
            whole = rows & -_BAND if height == _SIDE else simd.zero(rows)
            if height == _SIDE:
                repeat(whole, _BAND, [], lambda m, _: step(m, _SIDE))
            repeat(rows - whole, TILE_ROWS, [], lambda m, _: step(whole + m, 1))

        repeat(self.groups, BLOCK_GROUPS, [], block)

    def _tiles(
        self, C: Rows, first: Rows, A: Rows, panel: Pointer, groups: Int, shape: tuple[int, int]
    ) -> None:
        """The tiles of C for one block of groups."""
        height, width = shape
        places = [(m, n) for m in range(height) for n in range(width)]

        def each(move: Callable, matrix: Rows) -> None:
            for m, n in places:
                move(m * _SIDE + n, matrix.row(m * TILE_ROWS) + n * TILE_ROWS, matrix.stride)

        def group(g: Int, _) -> None:
            for m in range(height):
                self.tiles.load(_LEFT + m, A.row(m * TILE_ROWS) + g * PAIRS, A.stride)
            for n in range(width):
                right = panel + g * (PAIRS * int(PANEL_COLUMNS)) + n * TILE_ROWS
                self.tiles.load(_RIGHT + n, right, int(PANEL_COLUMNS))
            for m, n in places:
                self.tiles.multiply(m * _SIDE + n, _LEFT + m, _RIGHT + n)

        each(self.tiles.load, first)
        repeat(groups, 1, [], group)
        each(self.tiles.store, C)


@primitive
def tile_product(C: Rows, first: Rows, A: Rows, B: Panels, rows: Int, columns: Int, groups: Int) -> None:
    """C = first + A B, as `pair_product`, on the matrix unit."""
    emit_tile_product(simd.HardwareTiles(C.start), C, first, A, B, rows, columns, groups)
