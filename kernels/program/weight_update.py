"""The blocks of one operation's weights: their ranks, their gradient, and their update while they are in the cache.

A block is up to UPDATE_ROWS rows of weights. `begin` and `end` are rows of the weights.
"""

import numpy as np

from ..compiler.jit import inlined, kernel
from ..loops.gemm import OVERWRITE
from ..loops.matrices import submatrix
from ..loops.sparse import touched_columns
from ..loops.updates import adjust_gradient, is_adjusted, measure_gradient, update_average
from ..schema import (
    MASK_BITS,
    MIXED,
    SKIPS_ZERO_GRADIENTS,
    SMALL_BATCH,
    SPARSE,
    UPDATE_ROWS,
    ZERO,
    Matrix,
    Values,
)
from .dense import dense_gradient, dense_transpose
from .input_sharing import (
    FIRST_HALF,
    HALVES,
    NO_HALF,
    NO_PART,
    half_of,
    next_part,
    parts_of_halves,
    shares_inputs,
)
from .mixed import copy_weights, is_mixed
from .optimizer_code import Selection, call_outer_step, call_step
from .phases import GRADIENT, TRANSPOSE, UPDATE, switch
from .threads import barrier
from .views import dy_rows, weight_rows, x_rows

NONE, ALL = np.int64(0), np.int64(-1)  # bits of a mask


@inlined
def _first_block(op, rank, size):
    """The first block of a rank, which takes every size-th one.

    The blocks of all operations are numbered through, from the last operation to the first, so that each rank gets as
    many as the others.
    """
    return (rank - op.blocks_before) % size


@inlined
def _blocks_of(op, rank, size):
    """The rows at which this rank's blocks begin, as a range: begin, end, step.

    In an input-shared layer these are blocks of the half that the rank owns, else of all rows.
    """
    if shares_inputs(op, size):
        begin, end = half_of(op, op.depth, rank % HALVES)
        return begin + rank // HALVES * UPDATE_ROWS, end, size // HALVES * UPDATE_ROWS
    return _first_block(op, rank, size) * UPDATE_ROWS, op.depth, size * UPDATE_ROWS


@inlined
def _has_copies(op):
    """Whether the plan has copies of the weights, which must be written whenever weights change."""
    return op.transposed >= 0 or op.kind == MIXED


@inlined
def _copy_rows(op, state, begin, end):
    """Write the rows [begin, end) of the weights to their copies."""
    if op.kind == MIXED:
        copy_weights(op, state, begin, end)
    else:
        dense_transpose(op, state, begin, end)


@kernel
def refresh(op, state, rank, size):
    """Write this rank's blocks of the weights to their copies, transposed or rounded."""
    if _has_copies(op):
        begin, stop, step = _blocks_of(op, rank, size)
        for k in range(begin, stop, step):
            _copy_rows(op, state, k, min(k + UPDATE_ROWS, stop))


@inlined
def refresh_all(plan, state, rank, size):
    """The same for all weights of a plan."""
    for i in range(plan.size):
        refresh(plan[i], Values(state.params, state.workspace), rank, size)


@inlined
def refresh_before_use(plan, state, member):
    """The same for a plan that does not train, whose copies are as old as its last run; all ranks wait for it."""
    if is_mixed(plan):
        refresh_all(plan, state, member.rank, member.size)
        barrier(member)


@inlined
def sum_gradient(op, state, rows, accumulate, rank, size):
    """Write this rank's blocks of the gradient to `state.gradients`, summed over the rows; += if `accumulate`."""
    if op.weights >= 0:
        begin, stop, step = _blocks_of(op, rank, size)
        for k in range(begin, stop, step):
            target = weight_rows(op, state.gradients, k)
            dense_gradient(op, state, target, k, min(k + UPDATE_ROWS, stop), rows, accumulate)


@inlined
def measure_blocks(op, state, update, rank, size):
    """Sums of squares of the rows of this rank's blocks of the gradient."""
    if op.weights >= 0:
        begin, stop, step = _blocks_of(op, rank, size)
        for k in range(begin, stop, step):
            measure_gradient(op, state, update, k, min(k + UPDATE_ROWS, stop))


@inlined
def _rows_step(op, state, update, h0, begin, end, gradient):
    """Update the rows [begin, end) of the weights; row 0 of the gradient belongs to row `begin`."""
    weights = min(end, op.biases) - begin
    call_step(
        update.optimizer, weight_rows(op, state.params, begin), weight_rows(op, state.slots, begin), state.params.size,
        gradient, Matrix(update.hyper, h0, ZERO), weights, end - begin - weights, op.fan_out,
    )  # fmt: skip


@inlined
def _after_step(op, state, update, begin, end):
    """What follows the update of the rows [begin, end): their copies and their moving averages."""
    if _has_copies(op):
        _copy_rows(op, state, begin, end)
    update_average(op, state, update, begin, end)


@kernel
def step(op, state, update, h0, scratch, weight_scale, bias_scale, rank, size):
    """Update this rank's blocks of the weights from `state.gradients`, times these scales.

    The numbers of the step are in `update.hyper` from `h0` on; this rank's scratch memory starts at `scratch`.
    """
    begin, stop, stride = _blocks_of(op, rank, size)
    target = Matrix(state.scratch, scratch, op.ldw)
    for k in range(begin, stop, stride):
        end = min(k + UPDATE_ROWS, stop)
        gradient = weight_rows(op, state.gradients, k)
        if is_adjusted(op, update):
            adjust_gradient(op, state, update, target, gradient, k, end, weight_scale, bias_scale)
            gradient = target
        _rows_step(op, state, update, h0, k, end, gradient)
        _after_step(op, state, update, k, end)


@kernel
def _touched_step(op, state, update, h0, begin, end, rows, gradient):
    """Update those of the rows [begin, end) whose input is not zero in the whole batch; the others would not change."""
    x = submatrix(x_rows(op, state.workspace, ZERO), 0, begin)
    bits, start = touched_columns(x, end - begin, rows), begin
    while bits != 0:
        stop = start
        while bits & 1:
            bits >>= 1
            stop += 1
        if stop > start:
            _rows_step(op, state, update, h0, start, stop, submatrix(gradient, start - begin, 0))
        bits >>= 1
        start = stop + 1


@inlined
def _block_step(op, state, update, h0, begin, end, rows, gradient, member):
    """Gradient and update of the block [begin, end), with `gradient` as scratch memory."""
    switch(member, GRADIENT)
    dense_gradient(op, state, gradient, begin, end, rows, OVERWRITE)
    switch(member, UPDATE)
    if is_adjusted(op, update):
        adjust_gradient(op, state, update, gradient, gradient, begin, end, 1.0, 1.0)
        _rows_step(op, state, update, h0, begin, end, gradient)
    elif op.kind == SPARSE and update.optimizer[SKIPS_ZERO_GRADIENTS] != 0:
        _touched_step(op, state, update, h0, begin, end, rows, gradient)
    else:
        _rows_step(op, state, update, h0, begin, end, gradient)
    switch(member, TRANSPOSE)
    _after_step(op, state, update, begin, end)


@inlined
def _outer_step(op, state, update, h0, rows, rank, size):
    """Gradient and update for a batch of at most SMALL_BATCH rows, whose gradient is summed where it is used.

    It does not update the transposed weights. A plan has them only if its batches are larger than SMALL_BATCH, and then
    only the last batch of an epoch may be so small; the next epoch starts with `refresh`. An entry that
    takes several small batches with such a plan would have to call `refresh` after each.
    """
    first = _first_block(op, rank, size) * MASK_BITS
    always = NONE if op.kind == SPARSE and update.optimizer[SKIPS_ZERO_GRADIENTS] != 0 else ALL
    stride = size * MASK_BITS
    call_outer_step(
        update.optimizer, weight_rows(op, state.params, first), weight_rows(op, state.slots, first), state.params.size,
        submatrix(x_rows(op, state.workspace, ZERO), 0, first), dy_rows(op, state.workspace, ZERO), rows,
        Matrix(update.hyper, h0, ZERO), Selection(op.biases - first, op.depth - first, stride, always), op.fan_out,
    )  # fmt: skip
    for k in range(first, op.depth, stride):
        update_average(op, state, update, k, min(k + MASK_BITS, op.depth))


@kernel
def _next_block(op, last, rows, series, member):
    """This rank's next block after the block `last` (NO_PART: its first): its half (NO_HALF: none is left) and number.

    If the layer is not input-shared, the half of all blocks is FIRST_HALF.
    """
    if shares_inputs(op, member.size):
        return next_part(member, series, last, parts_of_halves(op, op.depth, UPDATE_ROWS), rows)
    block = _first_block(op, member.rank, member.size) if last == NO_PART else last + member.size
    return (FIRST_HALF, block) if block * UPDATE_ROWS < op.depth else (NO_HALF, block)


@kernel
def gradient_step(op, state, update, h0, rows, series, scratch, member):
    """Gradient and update of this rank's blocks, block by block while the gradient is in the cache.

    In an input-shared layer, ranks take blocks as parts of this `series`: see `input_sharing.next_part`.
    """
    if rows <= SMALL_BATCH and op.outer_gradient != 0 and not is_adjusted(op, update):
        switch(member, UPDATE)
        _outer_step(op, state, update, h0, rows, member.rank, member.size)
        return
    shared, gradient = shares_inputs(op, member.size), Matrix(state.scratch, scratch, op.ldw)
    half, block = _next_block(op, NO_PART, rows, series, member)
    while half != NO_HALF:
        begin, end = half_of(op, op.depth, half) if shared else (ZERO, op.depth)
        begin += block * UPDATE_ROWS
        _block_step(op, state, update, h0, begin, min(begin + UPDATE_ROWS, end), rows, gradient, member)
        half, block = _next_block(op, block, rows, series, member)
