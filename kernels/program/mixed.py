"""Dense layers in mixed precision: products of factors that are rounded to bfloat16, summed in float32.

`schema` says where the matrices of pairs are. The operation before a layer rounds its inputs, the operation behind it
the deltas of its outputs, and whoever has changed weights rounds them.
"""

import numpy as np

from ..compiler.jit import inlined
from ..loops.matrices import ceil_div, submatrix
from ..schema import GROUP, MIXED, PANEL_COLUMNS, ROW_GRAIN, ZERO, Matrix, Panels
from .mixed_code import call_copy, call_product
from .views import dx_rows

MIXED_PART = np.int64(64)  # columns of a part: whole panels


@inlined
def _zeros(op, workspace):
    """Rows of zeros: all of them are the same one."""
    return Matrix(workspace, op.zeros, ZERO)


@inlined
def mixed_sums(op, state, y, first, rows, begin, end, left, columns):
    """`dense_sums` in mixed precision; the sum that has the bias starts at it, in float32, the other one at 0."""
    work, terms = state.workspace, min(end, op.fan_in) - begin
    start = _zeros(op, work)
    if end > op.fan_in:
        start = Matrix(state.params, op.weights + op.fan_in * op.ldw + left, ZERO)
    x = Matrix(work, op.xc + first * op.ldxc + begin // 2, op.ldxc)
    w = Panels(work, op.wr + left // PANEL_COLUMNS * op.ldwr + begin // 2 * PANEL_COLUMNS, op.ldwr)
    call_product(op, submatrix(y, 0, left), start, x, w, rows, columns, ceil_div(terms, GROUP))


@inlined
def mixed_deltas(op, workspace, first, rows, left, columns):
    """dx[:, c] = (dy W')[:, c] for the `columns` columns c from `left` on, in mixed precision."""
    dx = submatrix(dx_rows(op, workspace, first), 0, left)
    dy = Matrix(workspace, op.dc + first * op.lddc, op.lddc)
    w = Panels(workspace, op.wt + left // PANEL_COLUMNS * op.ldwt, op.ldwt)
    call_product(op, dx, _zeros(op, workspace), dy, w, rows, columns, ceil_div(op.fan_out, GROUP))


@inlined
def mixed_gradient(op, state, target, begin, end, rows, accumulate):
    """`dense_gradient` in mixed precision."""
    work = state.workspace
    start = target if accumulate else _zeros(op, work)
    x = Matrix(work, op.xt + begin * op.ldxt, op.ldxt)
    dy = Panels(work, op.dr, op.lddr)
    call_product(op, target, start, x, dy, end - begin, op.fan_out, ceil_div(rows, GROUP))


@inlined
def copy_weights(op, state, begin, end):
    """Round the rows [begin, end) of the weights, without the bias, to both copies; `begin` is a multiple of 16."""
    call_copy(op, state.params, state.workspace, begin, min(end, op.fan_in))


@inlined
def is_mixed(plan):
    """Whether a plan has layers in mixed precision."""
    for op in plan:  # noqa: SIM110 (kernels have no generators)
        if op.kind == MIXED:
            return True
    return False


@inlined
def row_grain(plan):
    """Rows are divided between ranks in multiples of this: in mixed precision, each rank pads its last group."""
    return GROUP if is_mixed(plan) else ROW_GRAIN
