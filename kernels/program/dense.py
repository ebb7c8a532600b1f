"""Dense layers: forward, deltas of the inputs, gradient of the weights.

`first` is the row of the micro-batch at which the rows start.
"""

import numpy as np

from ..compiler.jit import inlined, kernel
from ..loops.gemm import OVERWRITE, as_it_is, gemm, transposed
from ..loops.matrices import ceil_div, submatrix
from ..loops.norms import column_sums
from ..loops.sparse import sparse_forward, sparse_gradient
from ..loops.transpose import transpose, transposed_product
from ..schema import AFFINE, MIXED, NO_PREFETCH, ONE, SPARSE, ZERO, Matrix
from .input_sharing import (
    FIRST_HALF,
    HALVES,
    NO_HALF,
    NO_PART,
    half_of,
    join_halves,
    next_part,
    parts_of_halves,
)
from .mixed import MIXED_PART, mixed_deltas, mixed_gradient, mixed_sums
from .views import dx_rows, dy_rows, weight_rows, x_rows, y_rows

# Columns of a part: whole tiles, or whole panels. A part of a large matrix has up to 4 DENSE_PART, as each part reads
# all rows; but each rank has about 4 parts, so that ranks can help each other.
DENSE_PART, SPARSE_PART = np.int64(48), np.int64(128)
_MOST_TOGETHER = np.int64(4)  # DENSE_PART of a part
_PARTS_OF_A_RANK = np.int64(4)


@inlined
def put_ones(op, state, first, rows):
    """Restore the column of ones behind the outputs."""
    for r in range(first, first + rows):
        state.workspace[op.y + r * op.ldy + op.fan_out] = 1


@inlined
def _second_rows(op, workspace, first):
    """The second half sums (rows, fan_out)."""
    return Matrix(workspace, op.second + first * op.ldy, op.ldy)


@inlined
def _transposed_weights(op, workspace):
    """The transposed weights (fan_out, fan_in), without the bias."""
    return Matrix(workspace, op.transposed, op.ldt)


@kernel
def dense_sums(op, state, y, first, rows, begin, end, left, columns):
    """y[:, c] = sum over k in [begin, end) of x[:, k] W[k, c] for the `columns` columns c from `left` on.

    The bias is the last row of W, its input the column of ones.
    """
    if op.kind == MIXED:
        mixed_sums(op, state, y, first, rows, begin, end, left, columns)
        return
    target = submatrix(y, 0, left)
    x = submatrix(x_rows(op, state.workspace, first), 0, begin)
    w = submatrix(weight_rows(op, state.params, begin), 0, left)
    if op.kind == SPARSE:
        sparse_forward(target, x, w, rows, columns, end - begin)
    else:
        gemm(target, as_it_is(x), w, rows, columns, end - begin, OVERWRITE, op.prefetch)


@inlined
def join(op, state, first, rows):
    """y = the first half sums + the second half sums."""
    work = state.workspace
    join_halves(y_rows(op, work, first), _second_rows(op, work, first), rows, op.fan_out)


@inlined
def dense_forward(op, state, first, rows):
    """y = x W + b."""
    depth, y = op.fan_in + 1, y_rows(op, state.workspace, first)
    if op.half == 0:
        dense_sums(op, state, y, first, rows, ZERO, depth, ZERO, op.fan_out)
    else:
        second = _second_rows(op, state.workspace, first)
        dense_sums(op, state, y, first, rows, ZERO, op.half, ZERO, op.fan_out)
        dense_sums(op, state, second, first, rows, op.half, depth, ZERO, op.fan_out)
        join(op, state, first, rows)


@inlined
def _part_width(op, columns, size):
    """Columns of a part of a layer with this many columns in each half, on a team of this size."""
    if op.kind == MIXED:
        return MIXED_PART
    if op.kind == SPARSE:
        return SPARSE_PART
    if op.prefetch == NO_PREFETCH:
        return DENSE_PART
    together = columns * HALVES // (size * _PARTS_OF_A_RANK * DENSE_PART)
    return max(min(together, _MOST_TOGETHER), ONE) * DENSE_PART


@inlined
def forward_parts(op, state, first, rows, member):
    """This rank's parts of both half sums of an input-shared layer; a part is some columns of y."""
    width = _part_width(op, op.fan_out, member.size)
    count = ceil_div(op.fan_out, width)
    half, part = next_part(member, ZERO, NO_PART, (count, count), rows)
    while half != NO_HALF:
        begin, end = half_of(op, op.fan_in + 1, half)
        y, left = op.y if half == FIRST_HALF else op.second, part * width
        sums = Matrix(state.workspace, y + first * op.ldy, op.ldy)
        dense_sums(op, state, sums, first, rows, begin, end, left, min(width, op.fan_out - left))
        half, part = next_part(member, ZERO, part, (count, count), rows)


@inlined
def backward_parts(op, state, first, rows, member):
    """This rank's parts of the deltas of the inputs, dx = dy W', of an input-shared layer; a part: columns of dx.

    A rank mostly reads weights that it alone updates.
    """
    work = state.workspace
    dx, dy, w = dx_rows(op, work, first), dy_rows(op, work, first), _transposed_weights(op, work)
    width = _part_width(op, op.fan_in // HALVES, member.size)
    parts = parts_of_halves(op, op.fan_in, width)
    half, part = next_part(member, ZERO, NO_PART, parts, rows)
    while half != NO_HALF:
        begin, end = half_of(op, op.fan_in, half)
        begin += part * width
        columns = min(width, end - begin)
        if op.kind == MIXED:
            mixed_deltas(op, work, first, rows, begin, columns)
        else:
            gemm(
                submatrix(dx, 0, begin), as_it_is(dy), submatrix(w, 0, begin), rows, columns, op.fan_out, OVERWRITE,
                op.prefetch,
            )  # fmt: skip
        half, part = next_part(member, ZERO, part, parts, rows)


@inlined
def dense_backward(op, state, first, rows):
    """dx = dy W', with the transposed weights if the plan has them."""
    work = state.workspace
    dx, dy = dx_rows(op, work, first), dy_rows(op, work, first)
    if op.kind == MIXED:
        mixed_deltas(op, work, first, rows, ZERO, op.fan_in)
    elif op.transposed >= 0:
        weights = _transposed_weights(op, work)
        gemm(dx, as_it_is(dy), weights, rows, op.fan_in, op.fan_out, OVERWRITE, op.prefetch)
    else:
        transposed_product(dx, dy, weight_rows(op, state.params, ZERO), rows, op.fan_in, op.fan_out)


@inlined
def dense_gradient(op, state, target, begin, end, rows, accumulate):
    """Rows [begin, end) of dW = x' dy, summed over the rows of the micro-batch in their order; += if `accumulate`.

    Row 0 of `target` takes row `begin`.
    """
    x, dy = x_rows(op, state.workspace, ZERO), dy_rows(op, state.workspace, ZERO)
    if op.kind == MIXED:
        mixed_gradient(op, state, target, begin, end, rows, accumulate)
    elif op.kind == AFFINE:
        column_sums(target, x, dy, rows, op.fan_out, accumulate)
    elif op.kind == SPARSE:
        sparse_gradient(target, submatrix(x, 0, begin), dy, end - begin, op.fan_out, rows, accumulate)
    else:
        left = transposed(submatrix(x, 0, begin))
        gemm(target, left, dy, end - begin, op.fan_out, rows, accumulate, op.gradient_prefetch)


@inlined
def dense_transpose(op, state, begin, end):
    """Copy the rows [begin, end) of the weights, without the bias, to the columns of the transposed weights."""
    target = submatrix(_transposed_weights(op, state.workspace), 0, begin)
    transpose(target, weight_rows(op, state.params, begin), min(end, op.fan_in) - begin, op.fan_out)
