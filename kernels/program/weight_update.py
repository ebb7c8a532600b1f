"""Blocks of rows of the weights: who owns them, their gradient, their update while they are hot."""

import numpy as np

from ..compiler.jit import inlined, kernel
from ..loops.gemm import ANEW
from ..loops.sparse import BITS, touched_columns
from ..loops.updates import adjust, follow, is_adjusted, measure
from ..schema import AFFINE, SKIPS_ZERO_GRADIENTS, SMALL_BATCH, SPARSE, UPDATE_ROWS
from .dense import dense_gradient, dense_transpose
from .input_sharing import FIRST, HALVES, NOBODYS, deal, half_of, parts_of_halves, shares_inputs
from .optimizer_code import call_outer_step, call_step

MASK_BITS = np.int64(BITS)
NONE, ALL = np.int64(0), np.int64(-1)  # bits of a mask


@inlined
def blocks_of(op, turn, rank, size):
    """The blocks of rows of the weights that a rank updates, as a range: each block in turn, or those of its half.

    Begin, end and step.
    """
    end = op.depth
    if shares_inputs(op, size):
        begin, end = half_of(op, end, rank % HALVES)
        turn, size = rank // HALVES, size // HALVES
    else:
        begin = FIRST
    return begin + turn * UPDATE_ROWS, end, size * UPDATE_ROWS


@inlined
def refresh(op, state, rank, size):
    """Transpose this rank's blocks of the weights."""
    if op.transposed >= 0:
        begin, stop, step = blocks_of(op, rank, rank, size)
        for k in range(begin, stop, step):
            dense_transpose(op, state, k, min(k + UPDATE_ROWS, stop))


@inlined
def gradient(op, state, rows, before, turn, rank, size):
    """Bring this rank's blocks of the weight gradient into the arena of gradients.

    Of these rows of a batch, onto what those `before` have brought there.
    """
    if op.weights >= 0:
        begin, stop, step = blocks_of(op, turn, rank, size)
        for k in range(begin, stop, step):
            end = min(k + UPDATE_ROWS, stop)
            dense_gradient(op, state, state.gradients, op.weights + k * op.ldw, op.ldw, k, end, rows, before)


@inlined
def measure_blocks(op, state, update, turn, rank, size):
    """Sums of squares of the rows of this rank's blocks of the gradient."""
    if op.weights >= 0:
        begin, stop, step = blocks_of(op, turn, rank, size)
        for k in range(begin, stop, step):
            measure(op, state, update, k, min(k + UPDATE_ROWS, stop))


@inlined
def _rows_step(op, state, update, h0, begin, end, gradients, g0):
    """Update the rows [begin, end) of the weights by gradients that start at g0."""
    weights = min(end, op.biases) - begin
    call_step(
        update.optimizer, state.params, state.slots, op.weights + begin * op.ldw, op.ldw, state.params.size,
        gradients, g0, op.ldw, update.hyper, h0, weights, end - begin - weights, op.fan_out,
    )  # fmt: skip


@kernel
def step(op, state, update, h0, turn, rank, size, scratch, weight_scale, bias_scale):
    """Update this rank's blocks of the weights from the arena of gradients, scaled."""
    begin, stop, stride = blocks_of(op, turn, rank, size)
    for k in range(begin, stop, stride):
        end = min(k + UPDATE_ROWS, stop)
        gradients, g0 = state.gradients, op.weights + k * op.ldw
        if is_adjusted(op, update):
            adjust(op, state, update, scratch, gradients, g0, k, end, weight_scale, bias_scale)
            gradients, g0 = state.scratch, scratch
        _rows_step(op, state, update, h0, k, end, gradients, g0)
        if op.transposed >= 0:
            dense_transpose(op, state, k, end)
        follow(op, state, update, k, end)


@kernel
def _touched_step(op, state, update, h0, k, end, rows, scratch):
    """Update those of the rows whose input is not zero in the whole batch; the others would stay as they are."""
    bits, begin = touched_columns(state.workspace, op.x + k, op.ldx, end - k, rows), k
    while bits != 0:
        stop = begin
        while bits & 1:
            bits >>= 1
            stop += 1
        if stop > begin:
            g0 = scratch + (begin - k) * op.ldw
            _rows_step(op, state, update, h0, begin, stop, state.scratch, g0)
        bits >>= 1
        begin = stop + 1


@inlined
def _block_step(op, state, update, h0, k, end, rows, scratch):
    """Gradient and update of the rows [k, end) of the weights, while they are hot."""
    dense_gradient(op, state, state.scratch, scratch, op.ldw, k, end, rows, ANEW)
    if is_adjusted(op, update):
        adjust(op, state, update, scratch, state.scratch, scratch, k, end, 1.0, 1.0)
        _rows_step(op, state, update, h0, k, end, state.scratch, scratch)
    elif op.kind == SPARSE and update.optimizer[SKIPS_ZERO_GRADIENTS] != 0:
        _touched_step(op, state, update, h0, k, end, rows, scratch)
    else:
        _rows_step(op, state, update, h0, k, end, state.scratch, scratch)
    if op.transposed >= 0:
        dense_transpose(op, state, k, end)
    follow(op, state, update, k, end)


@inlined
def _outer_step(op, state, update, h0, turn, size, rows):
    """The same for a batch so small that a gradient is summed where it is used."""
    first, stride = turn * MASK_BITS, size * MASK_BITS
    always = NONE if op.kind == SPARSE and update.optimizer[SKIPS_ZERO_GRADIENTS] != 0 else ALL
    call_outer_step(
        update.optimizer, state.params, state.slots, op.weights + first * op.ldw, op.ldw, state.params.size,
        state.workspace, op.x + first, op.ldx, state.workspace, op.dy, op.ldy, rows,
        update.hyper, h0, op.biases - first, op.depth - first, stride, always, op.fan_out,
    )  # fmt: skip
    for k in range(first, op.depth, stride):
        follow(op, state, update, k, min(k + MASK_BITS, op.depth))


@kernel
def _next_block(op, last, rows, number, turn, control, rank, size):
    """This rank's next block after its last one: its half of the weights (NOBODYS: all are done), and its number."""
    if shares_inputs(op, size):
        return deal(control, number, last, parts_of_halves(op, op.depth, UPDATE_ROWS), rows, rank, size)
    block = turn if last == NOBODYS else last + size
    return (FIRST, block) if block * UPDATE_ROWS < op.depth else (NOBODYS, block)


@kernel
def gradient_step(op, state, update, h0, rows, number, turn, control, rank, size, scratch):
    """Gradient and update of this rank's blocks together: a few rows of the gradient at a time, while they are hot.

    Where the team shares the inputs, it deals out the blocks, under this number.
    """
    if rows <= SMALL_BATCH and op.kind != AFFINE and not is_adjusted(op, update):
        _outer_step(op, state, update, h0, turn, size, rows)
        return
    shared = shares_inputs(op, size)
    half, block = _next_block(op, NOBODYS, rows, number, turn, control, rank, size)
    while half != NOBODYS:
        begin, end = half_of(op, op.depth, half) if shared else (FIRST, op.depth)
        begin += block * UPDATE_ROWS
        _block_step(op, state, update, h0, begin, min(begin + UPDATE_ROWS, end), rows, scratch)
        half, block = _next_block(op, block, rows, number, turn, control, rank, size)


@inlined
def next_turn(op, turn, size):
    """Whose turn it is after this operation's blocks, if blocks are dealt out to the ranks one by one."""
    if op.weights < 0 or shares_inputs(op, size):
        return turn
    return (turn - (op.depth + UPDATE_ROWS - 1) // UPDATE_ROWS) % size
