"""Numbers rounded to bfloat16, two in a word of 32 bits: the operands of products in mixed precision.

A pair has the number of the even index in the low half of the word. Pairs are kept in arenas of float32: they are
never computed with as such. What is behind the last number of a matrix is 0 in the terms of a product, up to a whole
group of 32; rows of words are written exactly, columns of panels up to whole cache lines.
"""

from .. import simd
from ..compiler.jit import inlined, kernel
from ..schema import GROUP, PANEL_COLUMNS, Matrix
from ..simd import INT32, Int, Pointer, Rows, Vec, primitive, repeat, select, shuffle
from .matrices import ceil_div, submatrix
from .transpose import columns_of_square

_UPPER = -0x10000  # the half of a word that is bfloat16
_QUIET = 0x00400000  # the bit that keeps a NaN one when its lower half is cut off


def _rounded(x: Vec) -> Vec:
    """Words whose upper half is x as bfloat16, rounded to nearest even; the lower half is of no use."""
    bits = x.as_bits()
    up = bits + ((bits >> 16) & 1) + 0x7FFF
    return select(x.equals(x), up, bits | _QUIET)


def _joined(even: Vec, odd: Vec) -> Vec:
    """The pairs of two vectors of rounded numbers."""
    return (even >> 16) | (odd & _UPPER)


def _numbers(place: Pointer, column: Int, columns: Int) -> Vec:
    """The rounded numbers from this column on; 0 from `columns` on."""
    inside = place.columns(column) < place.integer(columns)
    return select(inside, _rounded((place + column).load()), 0)


def _pairs_of_columns(row: Pointer, column: Int, columns: Int) -> Vec:
    """A vector of pairs of neighbours in a row."""
    lanes = row.lanes
    low, high = (_numbers(row, column + lanes * i, columns) for i in range(2))
    return _joined(*(shuffle(low, high, range(parity, 2 * lanes, 2)) for parity in range(2)))


def _pairs_of_rows(x: Rows, row: Int, rows: Int, column: Int) -> Vec:
    """A vector of pairs of rows `row` and `row + 1`; 0 from `rows` on."""
    return _joined(*(_row_or_zeros(x, row + i, rows, column) for i in range(2)))


def _row_or_zeros(x: Rows, row: Int, rows: Int, column: Int) -> Vec:
    rounded = _rounded((x.row(simd.smaller(row, rows - 1)) + column).load())
    return simd.either(row < rows, rounded, rounded.like(0))


@primitive
def _column_pairs(words: Rows, x: Rows, rows: Int, columns: Int) -> None:
    lanes = x.start.lanes

    def row(r: Int, _):
        place, out = x.row(r), words.row(r).of(INT32)
        width = (columns + (GROUP - 1)) & -GROUP

        def step(c: Int, _):
            (out + c.half()).store(_pairs_of_columns(place, c, columns))

        repeat(width, 2 * lanes, [], step)

    repeat(rows, 1, [], row)


@kernel
def column_pairs(words, x, rows, columns):
    """words[r, c / 2] = (x[r, c], x[r, c + 1]), for whole groups of terms."""
    _column_pairs(words, x, rows, columns)


@primitive
def _row_pairs_strip(words: Rows, x: Rows, rows: Int, columns: Int) -> None:
    """words[0 .. columns, 0 .. lanes] from 2 lanes rows of x."""
    lanes = x.start.lanes

    def square(c: Int, _):
        pairs = columns_of_square([_pairs_of_rows(x, simd.zero(rows) + 2 * i, rows, c) for i in range(lanes)])
        # From the last row to the first: what is behind the last column is written to its row, and overwritten.
        for i in reversed(range(lanes)):
            words.row(simd.smaller(c + i, columns - 1)).of(INT32).store(pairs[i])

    repeat(columns, lanes, [], square)


@kernel
def row_pairs_transposed(words, x, rows, columns):
    """words[c, r / 2] = (x[r, c], x[r + 1, c]), for whole groups of terms."""
    step = 2 * simd.FLOAT32_LANES
    for r in range(0, ceil_div(rows, GROUP) * GROUP, step):
        _row_pairs_strip(submatrix(words, 0, r // 2), submatrix(x, r, 0), rows - r, columns)


@inlined
def _panel(panels, number):
    """One panel as a matrix of words."""
    return Matrix(panels.arena, panels.start + number * panels.step, PANEL_COLUMNS)


@primitive
def _row_pairs_panel(words: Rows, x: Rows, rows: Int, padded: Int, columns: Int) -> None:
    line = x.start.numbers_of_a_line

    def pair(k: Int, _):
        out = words.row(k.half()).of(INT32)

        def step(c: Int, _):
            inside = x.start.columns(c) < x.start.integer(columns)
            (out + c).store(select(inside, _pairs_of_rows(x, k, rows, c), 0))

        repeat((columns + (line - 1)) & -line, x.start.lanes, [], step)

    repeat(padded, 2, [], pair)


@kernel
def row_pairs_in_panels(panels, x, rows, columns, padded):
    """The word of row k / 2 and column n in panels is (x[k, n], x[k + 1, n]); 0 from row `rows` to row `padded`."""
    # A group of rows in all panels before the next one: many rows of one panel are as many pages of memory.
    for k in range(0, padded, GROUP):
        for n in range(0, columns, PANEL_COLUMNS):
            panel = submatrix(_panel(panels, n // PANEL_COLUMNS), k // 2, 0)
            _row_pairs_panel(
                panel, submatrix(x, k, n), rows - k, min(padded - k, GROUP), min(columns - n, PANEL_COLUMNS)
            )


@primitive
def _column_pairs_strip(words: Rows, x: Rows, rows: Int, columns: Int) -> None:
    """words[0 .. columns / 2, 0 .. lanes] from `lanes` rows of x."""
    lanes, width = x.start.lanes, (columns + (GROUP - 1)) & -GROUP

    def square(c: Int, _):
        lines = [_masked_pairs(x, i, rows, c, columns) for i in range(lanes)]
        for i, pairs in enumerate(columns_of_square(lines)):
            words.row(c.half() + i).of(INT32).store(pairs)

    repeat(width, 2 * lanes, [], square)


def _masked_pairs(x: Rows, row: int, rows: Int, column: Int, columns: Int) -> Vec:
    """Pairs of columns in a row; 0 from `rows` on."""
    number = simd.zero(rows) + row
    pairs = _pairs_of_columns(x.row(simd.smaller(number, rows - 1)), column, columns)
    return simd.either(number < rows, pairs, pairs.like(0))


@kernel
def column_pairs_in_panels(panels, x, first, rows, columns):
    """The word of row o / 2 and column `first` + i in panels is (x[i, o], x[i, o + 1]); `first` is a multiple of 16.

    For whole groups of terms o, and rows i up to whole cache lines.
    """
    lanes = simd.FLOAT32_LANES
    line = simd.FLOAT32_LINE
    for i in range(0, ceil_div(rows, line) * line, lanes):
        column = first + i
        words = submatrix(_panel(panels, column // PANEL_COLUMNS), 0, column % PANEL_COLUMNS)
        _column_pairs_strip(words, submatrix(x, i, 0), rows - i, columns)
