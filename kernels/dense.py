"""Dense layers: the sums of a batch, their deltas, the gradients of their weights.

`first` is the position of the first row in the batch.
"""

import numpy as np

from .gemm import gemm
from .halves import FIRST, HALVES, half_of, half_rows, join_halves
from .jit import inlined, kernel
from .norms import column_sums
from .schema import AFFINE, SPARSE
from .sparse import sparse_forward, sparse_gradient
from .transpose import transpose, transposed_product

# Plain integers would be literals to Numba, and each one compiles a kernel once more.
UNIT = np.int64(1)  # a stride


@inlined
def put_ones(op, state, first, rows):
    """Restore the column of ones behind the outputs."""
    for r in range(first, first + rows):
        state.workspace[op.y + r * op.ldy + op.fan_out] = 1


@kernel
def dense_sums(op, state, y, first, rows, begin, end):
    """The sums over the inputs [begin, end) of x W + b: the bias is the last row of W, its input the column of ones."""
    work, x, w = state.workspace, op.x + first * op.ldx + begin, op.weights + begin * op.ldw
    if op.kind == SPARSE:
        sparse_forward(
            work, y, op.ldy, work, x, op.ldx, state.params, w, op.ldw, rows, op.fan_out, end - begin
        )
    else:
        gemm(work, y, op.ldy, work, x, op.ldx, UNIT, state.params, w, op.ldw, rows, op.fan_out, end - begin)


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
        dense_sums(op, state, op.y + at, first, rows, FIRST, depth)
    else:
        dense_sums(op, state, op.y + at, first, rows, FIRST, op.half)
        dense_sums(op, state, op.second + at, first, rows, op.half, depth)
        join(op, state, first, rows)


@inlined
def forward_half(op, state, first, rows, rank, size):
    """This rank's half of the sums of a layer whose inputs the team shares."""
    start, count = half_rows(first, rows, rank, size)
    begin, end = half_of(op, op.fan_in + 1, rank % HALVES)
    y = op.y if begin == 0 else op.second
    dense_sums(op, state, y + start * op.ldy, start, count, begin, end)


@inlined
def backward_half(op, state, first, rows, rank, size):
    """The deltas of this rank's half of the inputs: dx = dy W', from weights that nobody else writes."""
    start, count = half_rows(first, rows, rank, size)
    begin, end = half_of(op, op.fan_in, rank % HALVES)
    work, dx, dy = state.workspace, op.dx + start * op.ldx, op.dy + start * op.ldy
    gemm(
        work, dx + begin, op.ldx, work, dy, op.ldy, UNIT, work, op.transposed + begin, op.ldt, count,
        end - begin, op.fan_out,
    )  # fmt: skip


@inlined
def dense_backward(op, state, first, rows):
    """dx = dy W', through the transposed weights where there are such."""
    work, dx, dy = state.workspace, op.dx + first * op.ldx, op.dy + first * op.ldy
    if op.transposed >= 0:
        gemm(
            work, dx, op.ldx, work, dy, op.ldy, UNIT, work, op.transposed, op.ldt, rows, op.fan_in, op.fan_out
        )
    else:
        transposed_product(
            work, dx, op.ldx, work, dy, op.ldy, state.params, op.weights, op.ldw, rows, op.fan_in, op.fan_out
        )


@inlined
def dense_gradient(op, state, target, target0, ldt, begin, end, rows):
    """dW = x' dy for the rows [begin, end) of the weights, summed over the rows of the batch in their order."""
    work, x = state.workspace, op.x + begin
    if op.kind == AFFINE:
        column_sums(target, target0, ldt, work, op.x, op.ldx, work, op.dy, op.ldy, rows, op.fan_out)
    elif op.kind == SPARSE:
        sparse_gradient(
            target, target0, ldt, work, x, op.ldx, work, op.dy, op.ldy, end - begin, op.fan_out, rows
        )
    else:
        gemm(target, target0, ldt, work, x, UNIT, op.ldx, work, op.dy, op.ldy, end - begin, op.fan_out, rows)


@inlined
def dense_transpose(op, state, begin, end):
    """Bring the rows [begin, end) of the weights into the columns of their transpose; the bias is not part of it."""
    transpose(
        state.workspace, op.transposed + begin, op.ldt, state.params, op.weights + begin * op.ldw, op.ldw,
        min(end, op.fan_in) - begin, op.fan_out,
    )  # fmt: skip
