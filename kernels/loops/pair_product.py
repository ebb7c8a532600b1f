"""The product of matrices of bfloat16 pairs in float32 arithmetic, with the bits of the instruction TDPBF16PS.

    for each group of 32 terms:  C = C + (even + odd)

where `even` and `odd` are the sums of the products of the even and of the odd terms, each from +0 in the order of the
terms, one fused multiply-add a term. Denormal numbers are zeros, as operands and as results.
"""

from .. import simd
from ..compiler.jit import inlined, kernel
from ..schema import GROUP, PANEL_COLUMNS, Matrix
from ..simd import INT32, Int, Pointer, Rows, Vec, fma, primitive, repeat
from .matrices import ceil_div, submatrix

# Rows of a tile. A tile is one or two cache lines wide. It keeps a sum for each of its numbers in registers: those of
# the even terms first, then those of the odd ones, so that a tile may be as large as one of `gemm`. (With 12 rows in
# AVX-512, LLVM keeps a sum of the even terms on the stack, as it reads many numbers of A ahead.)
_LANES = simd.FLOAT32_LANES
HEIGHTS = (10, 8, 4, 2, 1) if _LANES == 16 else (6, 4, 2, 1)
_WIDEST = 2 if _LANES == 16 else 1  # cache lines of a tile
PAIRS = int(GROUP) // 2
# Groups of a panel of B that are multiplied by all rows of A before the next ones: 16 KB.
BLOCK_GROUPS = 8


def _halves(words: Vec) -> tuple[Vec, Vec]:
    """The even and the odd numbers of a vector of pairs, as float32."""
    return (words << 16).as_float(), (words & -0x10000).as_float()


class _Tile:
    """The product of some rows of A and some lines of a panel of B, one group of terms at a time."""

    def __init__(self, A: Rows, B: Rows, height: int, lines: int) -> None:
        self.A, self.B, self.height = A, B, height
        self.vectors = [v * _LANES for v in range(lines * simd.FLOAT32_LINE // _LANES)]
        self.numbers = simd.on_stack(A.start, 2 * height * PAIRS)

    def expand(self, group: Int) -> None:
        """Write the numbers of this group of A to the stack: of each parity, row after row."""
        for m in range(self.height):
            words = self.A.row(m) + group * PAIRS
            for k in range(0, PAIRS, _LANES):
                for parity, numbers in enumerate(_halves((words + k).of(INT32).load())):
                    self._number(parity, m, k).store(numbers)

    def _number(self, parity: int, row: int, k: Int | int) -> Pointer:
        return self.numbers + (parity * self.height + row) * PAIRS + k

    def chain(self, parity: int, group: Int, column: Int) -> list[Vec]:
        """The sums of the even or the odd terms."""
        first = self.B.row(group * PAIRS) + column

        def add_term(k: Int, total: list[Vec]) -> list[Vec]:
            row = (first + k * int(PANEL_COLUMNS)).of(INT32)
            right = [_halves((row + v).load())[parity] for v in self.vectors]
            numbers = [self._number(parity, m, k).splat() for m in range(self.height)]
            return [
                fma(number, vector, total[m * len(right) + v])
                for m, number in enumerate(numbers)
                for v, vector in enumerate(right)
            ]

        zeros = [self.A.start.zeros()] * (self.height * len(self.vectors))
        return repeat(simd.zero(group) + PAIRS, 1, zeros, add_term)


@primitive
def _tile(C: Rows, first: Rows, A: Rows, B: Rows, groups: Int, lines: Int, shape: Int) -> None:
    """C = first + A B for a tile's rows and some lines of one panel, for these groups of terms."""

    def case(height: int, width: int):
        tile = _Tile(A, B, height, width)

        def group(g: Int, _):
            tile.expand(g)
            repeat(lines * simd.FLOAT32_LINE, width * simd.FLOAT32_LINE, [], lambda n, _: add(g, n))

        def add(g: Int, n: Int):
            even = tile.chain(0, g, n)
            sums = [a + b for a, b in zip(even, tile.chain(1, g, n), strict=True)]
            for m in range(height):
                out = C.row(m) + n
                before = simd.either_place(g < 1, first.row(m) + n, out)
                for v, column in enumerate(tile.vectors):
                    (out + column).store((before + column).load() + sums[m * len(tile.vectors) + v])

        repeat(groups, 1, [], group)

    shapes = [(height, width) for height in HEIGHTS for width in range(1, _WIDEST + 1)]
    simd.choose(shape, {_shape(*each): lambda each=each: case(*each) for each in shapes})


def _shape(height: int, width: int) -> int:
    """A tile's height and its width in cache lines, as one number."""
    return height * 4 + width


_shape_of = inlined(_shape)


@primitive
def _begin(any_array: Pointer) -> int:
    return simd.use_flushing_float_mode(any_array).value


@primitive
def _end(any_array: Pointer, mode: Int) -> None:
    simd.leave_flushing_float_mode(mode)


@inlined
def _band(C, first, A, B, rows, lines, groups, height):
    """A number of rows that is a multiple of a tile's height, for one block of groups of one panel."""
    shape = _shape_of(height, min(lines, _WIDEST))
    for m in range(0, rows, height):
        _tile(submatrix(C, m, 0), submatrix(first, m, 0), submatrix(A, m, 0), B, groups, lines, shape)


@inlined
def _block(C, first, A, B, rows, lines, groups):
    """All rows, for one block of groups of one panel."""
    done = 0
    for height in HEIGHTS:
        count = (rows - done) // height * height
        if count > 0:
            _band(
                submatrix(C, done, 0), submatrix(first, done, 0), submatrix(A, done, 0), B, count, lines, groups,
                height,
            )  # fmt: skip
        done += count


@kernel
def pair_product(C, first, A, B, rows, columns, groups):
    """C = first + A B; C and `first` (rows, columns) in float32, A (rows, 16 groups) and B in pairs.

    B is `Panels`. `first` may be C itself, or one row of stride 0. Columns are rounded up to whole cache lines.
    """
    mode = _begin(C.arena)
    for n in range(0, columns, PANEL_COLUMNS):
        lines = ceil_div(min(columns - n, PANEL_COLUMNS), simd.FLOAT32_LINE)
        panel = Matrix(B.arena, B.start + n // PANEL_COLUMNS * B.step, PANEL_COLUMNS)
        before = submatrix(first, 0, n)
        for g in range(0, groups, BLOCK_GROUPS):
            k = g * PAIRS
            _block(
                submatrix(C, 0, n), before, submatrix(A, 0, k), submatrix(panel, k, 0), rows, lines,
                min(groups - g, BLOCK_GROUPS),
            )  # fmt: skip
            before = submatrix(C, 0, n)
    _end(C.arena, mode)
