"""Dense layers: the sums of a batch, their deltas, the gradients of their weights.

`first` is the position of the first row in the batch.
"""

import numpy as np

from ..compiler.jit import inlined, kernel
from ..loops.gemm import ANEW, gemm
from ..loops.norms import column_sums
from ..loops.sparse import sparse_forward, sparse_gradient
from ..loops.transpose import transpose, transposed_product
from ..schema import AFFINE, SPARSE
from .input_sharing import FIRST, NOBODYS, deal, half_of, join_halves, parts_of_halves

# Plain integers would be literals to Numba, and each one compiles a kernel once more.
UNIT = np.int64(1)  # a stride
# Columns that are dealt out together: whole tiles, or whole panels.
DENSE_PART, SPARSE_PART = np.int64(48), np.int64(128)


@inlined
def put_ones(op, state, first, rows):
    """Restore the column of ones behind the outputs."""
    for r in range(first, first + rows):
        state.workspace[op.y + r * op.ldy + op.fan_out] = 1


@kernel
def dense_sums(op, state, y, first, rows, begin, end, left, columns):
    """The sums over the inputs [begin, end) of x W + b, for so many columns from `left` on.

    The bias is the last row of W, its input the column of ones.
    """
    work, x, w = state.workspace, op.x + first * op.ldx + begin, op.weights + begin * op.ldw + left
    if op.kind == SPARSE:
        sparse_forward(
            work, y + left, op.ldy, work, x, op.ldx, state.params, w, op.ldw, rows, columns, end - begin
        )
    else:
        gemm(
            work, y + left, op.ldy, work, x, op.ldx, UNIT, state.params, w, op.ldw, rows, columns, end - begin, ANEW,
        )  # fmt: skip


@inlined
def join(op, state, first, rows):
    """y = both halves of the sums."""
    work, y, second = state.workspace, op.y + first * op.ldy, op.second + first * op.ldy
    join_halves(work, y, work, second, op.ldy, rows, op.fan_out)


@inlined
def dense_forward(op, state, first, rows):
    """y = x W + b."""
    depth, at = op.fan_in + 1, first * op.ldy
    if op.half == 0:
        dense_sums(op, state, op.y + at, first, rows, FIRST, depth, FIRST, op.fan_out)
    else:
        dense_sums(op, state, op.y + at, first, rows, FIRST, op.half, FIRST, op.fan_out)
        dense_sums(op, state, op.second + at, first, rows, op.half, depth, FIRST, op.fan_out)
        join(op, state, first, rows)


@inlined
def forward_parts(op, state, first, rows, control, rank, size):
    """This rank's parts of both halves of the sums of a layer whose inputs the team shares: a part is some columns."""
    width = SPARSE_PART if op.kind == SPARSE else DENSE_PART
    count = (op.fan_out + width - 1) // width
    parts = count, count
    half, part = deal(control, FIRST, NOBODYS, parts, rows, rank, size)
    while half != NOBODYS:
        begin, end = half_of(op, op.fan_in + 1, half)
        y, left = op.y if half == FIRST else op.second, part * width
        columns = min(width, op.fan_out - left)
        dense_sums(op, state, y + first * op.ldy, first, rows, begin, end, left, columns)
        half, part = deal(control, FIRST, part, parts, rows, rank, size)


@inlined
def backward_parts(op, state, first, rows, control, rank, size):
    """This rank's parts of the deltas of the inputs, dx = dy W', mostly from weights that nobody else writes."""
    work, dx, dy = state.workspace, op.dx + first * op.ldx, op.dy + first * op.ldy
    parts = parts_of_halves(op, op.fan_in, DENSE_PART)
    half, part = deal(control, FIRST, NOBODYS, parts, rows, rank, size)
    while half != NOBODYS:
        begin, end = half_of(op, op.fan_in, half)
        begin += part * DENSE_PART
        gemm(
            work, dx + begin, op.ldx, work, dy, op.ldy, UNIT, work, op.transposed + begin, op.ldt, rows,
            min(DENSE_PART, end - begin), op.fan_out, ANEW,
        )  # fmt: skip
        half, part = deal(control, FIRST, part, parts, rows, rank, size)


@inlined
def dense_backward(op, state, first, rows):
    """dx = dy W', through the transposed weights where there are such."""
    work, dx, dy = state.workspace, op.dx + first * op.ldx, op.dy + first * op.ldy
    if op.transposed >= 0:
        gemm(
            work, dx, op.ldx, work, dy, op.ldy, UNIT, work, op.transposed, op.ldt, rows, op.fan_in, op.fan_out, ANEW,
        )  # fmt: skip
    else:
        transposed_product(
            work, dx, op.ldx, work, dy, op.ldy, state.params, op.weights, op.ldw, rows, op.fan_in, op.fan_out
        )


@inlined
def dense_gradient(op, state, target, target0, ldt, begin, end, rows, before):
    """dW = x' dy for the rows [begin, end) of the weights, summed over the rows of the batch in their order.

    Onto the sums over those `before`, if there are any.
    """
    work, x, columns = state.workspace, op.x + begin, op.fan_out
    if op.kind == AFFINE:
        column_sums(target, target0, ldt, work, op.x, op.ldx, work, op.dy, op.ldy, rows, columns, before)
    elif op.kind == SPARSE:
        sparse_gradient(
            target, target0, ldt, work, x, op.ldx, work, op.dy, op.ldy, end - begin, columns, rows, before
        )
    else:
        gemm(
            target, target0, ldt, work, x, UNIT, op.ldx, work, op.dy, op.ldy, end - begin, columns, rows, before,
        )  # fmt: skip


@inlined
def dense_transpose(op, state, begin, end):
    """Bring the rows [begin, end) of the weights into the columns of their transpose; the bias is not part of it."""
    transpose(
        state.workspace, op.transposed + begin, op.ldt, state.params, op.weights + begin * op.ldw, op.ldw,
        min(end, op.fan_in) - begin, op.fan_out,
    )  # fmt: skip
