"""The kernels of mixed precision, compiled when a plan first uses them and called by address.

The product is in product_code.py.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

from numba import from_dtype, types

from ..compiler.jit import address, entry
from ..loops.matrices import ceil_div
from ..loops.pairs import column_pairs, column_pairs_in_panels, row_pairs_in_panels, row_pairs_transposed
from ..schema import GROUP, OPERATION, PANEL_COLUMNS, Matrix, Panels
from ..simd import Int, Pointer, Rows, primitive
from . import product_code
from .views import dy_rows, weight_rows, x_rows

# The entries. The first two take the arguments of all operations: see operation_code.py. `first` is a multiple of GROUP
# in a plan that trains.


@entry
def round_values(op, params, work, position, first, rows, seed, draw, code):
    """Round these rows of x to pairs of columns and, in training, with the ones to pairs of rows in whole groups."""
    x = x_rows(op, work, first)
    column_pairs(Matrix(work, op.xc + first * op.ldxc, op.ldxc), x, rows, op.fan_in)
    if op.xt >= 0:
        row_pairs_transposed(Matrix(work, op.xt + first // 2, op.ldxt), x, rows, op.fan_in + 1)


@entry
def round_deltas(op, params, work, position, first, rows, seed, draw, code):
    """Round these rows of dy to pairs of rows in whole groups and, if dx is needed, to pairs of columns."""
    dy, padded = dy_rows(op, work, first), ceil_div(rows, GROUP) * GROUP
    row_pairs_in_panels(
        Panels(work, op.dr + first // 2 * PANEL_COLUMNS, op.lddr), dy, rows, op.fan_out, padded
    )
    if op.dc >= 0:
        column_pairs(Matrix(work, op.dc + first * op.lddc, op.lddc), dy, rows, op.fan_out)


@entry
def round_weights(op, params, work, begin, end):
    """Round the weights of the inputs [begin, end) to both copies, the second one only if dx is needed.

    `begin` is a multiple of 16. Whoever rounds the inputs from `end` on writes behind these rows: only to them.
    """
    w, rows = weight_rows(op, params, begin), end - begin
    copy = Panels(work, op.wr + begin // 2 * PANEL_COLUMNS, op.ldwr)
    row_pairs_in_panels(copy, w, rows, op.fan_out, ceil_div(rows, 2) * 2)
    if op.wt >= 0:
        column_pairs_in_panels(Panels(work, op.wt, op.ldwt), w, begin, rows, op.fan_out)


_OP, _ARENA, _INTEGER = from_dtype(OPERATION), types.CPointer(types.float32), types.int64
_COPY_TYPES = _OP, _ARENA, _ARENA, _INTEGER, _INTEGER


def entries_of() -> Iterator[tuple[Any, tuple[types.Type, ...]]]:
    """The entries that are not called as operations, each with the types of its arguments."""
    yield round_weights, _COPY_TYPES
    yield from product_code.entries_of()


@cache
def copy_address() -> int:
    """The address of the machine code that rounds weights, which is compiled or loaded."""
    return address(round_weights, _COPY_TYPES)


# What the program calls.

_PLACES = {name: OPERATION.fields[name][1] // 8 for name in ("product_code", "copy_code")}


@primitive
def call_product(
    op: Pointer, C: Rows, start: Rows, A: Rows, B: Panels, rows: Int, columns: Int, groups: Int
) -> None:
    """C = start + A B, a group of terms after the other."""
    product_code.emit_call(op + _PLACES["product_code"], C, start, A, B, rows, columns, groups)


@primitive
def call_copy(op: Pointer, params: Pointer, work: Pointer, begin: Int, end: Int) -> None:
    """`round_weights` of an operation."""
    (op + _PLACES["copy_code"]).call(op, params, work, begin, end)
