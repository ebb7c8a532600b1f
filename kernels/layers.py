"""Each kind of operation: forward and backward on rows of a batch, update on rows of its weights.

`first` is the position of the first row in the batch, `position` in the epoch.
"""

import numpy as np

from .activations import activation_backward, activation_forward
from .batch_norm import FACTOR, MEANS, PRODUCTS, batch_chunks, join_chunks
from .gemm import gemm
from .halves import FIRST, HALVES, half_of, half_rows, join_halves, shares_inputs
from .inputs import prefetch, read_row, scatter_row
from .jit import inlined, kernel
from .losses import loss_rows
from .norms import affine_forward, batch_norm_backward, column_sums, row_norm_backward, row_norm_forward
from .rng import DROPOUT as DROPOUT_PURPOSE
from .rng import dropout, noise
from .scaling import scale_backward, scale_forward
from .schema import (
    ACTIVATION,
    AFFINE,
    BATCH_NORM,
    DENSE,
    DOUBLE,
    DROPOUT,
    LOG_SOFTMAX,
    LOSS,
    NOISE,
    RESTS,
    ROW_NORM,
    SCALE,
    SINGLE,
    SMALL_BATCH,
    SOFTMAX,
    SPARSE,
)
from .softmax import log_softmax_backward, log_softmax_forward, softmax_backward, softmax_forward
from .sparse import BITS, sparse_forward, sparse_gradient, touched_columns
from .steps import call_outer_step, call_step
from .transpose import transpose, transposed_product
from .updates import adjust, follow, is_adjusted, measure

# Plain integers would be literals to Numba, and each one compiles a kernel once more.
UNIT = np.int64(1)  # a stride
NONE, ALL = np.int64(0), np.int64(-1)  # bits of a mask
AHEAD = 8  # samples that are asked for before they are needed
# Rows of weights whose gradient is summed and used at a time; whole cache lines when transposed.
UPDATE_ROWS = np.int64(48)
MASK_BITS = np.int64(BITS)


@inlined
def put_ones(op, state, first, rows):
    """Restore the column of ones behind the outputs."""
    for r in range(first, first + rows):
        state.workspace[op.y + r * op.ldy + op.fan_out] = 1


@inlined
def sample_ahead(data, position):
    """The sample whose memory to ask for, so that it is there when its turn comes, maybe in the next batch."""
    return data.order[min(position + AHEAD, data.order.size - 1)]


@inlined
def place_of(op, data, sample):
    """Where the numbers of a sample start in the data, and how many there are."""
    if data.starts.size > 0:
        return data.starts[sample], data.starts[sample + 1] - data.starts[sample]
    return sample * op.fan_out, op.fan_out


@inlined
def ask_for_sample(op, data, sample):
    """Have the memory of a sample brought into the cache."""
    (start, count), item = place_of(op, data, sample), (1, 4, 8)[data.kind]
    prefetch(data.inputs, start * item, count * item)
    if data.starts.size > 0:
        prefetch(data.columns, start, count)


@inlined
def gather_sample(op, state, y, data, sample):
    """Bring a sample into the workspace at y; bytes become numbers times op.number.

    The place for augmentation: only here one sample goes by, its number in the data set known, and all that follows
    sees its row of the workspace. The plan would ask for it, as for dropout, since only training does it.
    """
    start, count = place_of(op, data, sample)
    work, inputs, columns = state.workspace, data.inputs, data.columns
    if data.starts.size > 0:
        scatter_row(work, y, op.fan_out, inputs, columns, start, count, data.kind, op.number)
    else:
        read_row(work, y, inputs, start, count, data.kind, op.number)


@inlined
def input_forward(op, state, data, position, first, rows):
    """Gather samples in the order of the epoch."""
    for r in range(rows):
        ask_for_sample(op, data, sample_ahead(data, position + r))
        gather_sample(op, state, op.y + (first + r) * op.ldy, data, data.order[position + r])
    put_ones(op, state, first, rows)


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
def input_half(op, state, data, position, first, rows, rank, size):
    """Gather this rank's half of the columns of the samples."""
    start, count = half_rows(first, rows, rank, size)
    begin, end = half_of(op, op.fan_out, rank % HALVES)
    columns, item = end - begin, (1, 4, 8)[data.kind]
    for r in range(start, start + count):
        sample, soon = data.order[position + r], sample_ahead(data, position + r)
        prefetch(data.inputs, (soon * op.fan_out + begin) * item, columns * item)
        y, place = op.y + r * op.ldy + begin, sample * op.fan_out + begin
        read_row(state.workspace, y, data.inputs, place, columns, data.kind, op.number)
    put_ones(op, state, start, count)


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


@kernel
def forward(op, state, first, rows):
    """The outputs of one operation that prediction has too; those of INPUT come from `input_forward`, LOSS has none."""
    work, y, x = state.workspace, op.y + first * op.ldy, op.x + first * op.ldx
    if op.kind in (DENSE, SPARSE):
        dense_forward(op, state, first, rows)
    elif op.kind == ACTIVATION:
        activation_forward(work, y, op.ldy, work, x, op.ldx, rows, op.fan_out, op.code, op.number)
    elif op.kind == SOFTMAX:
        softmax_forward(work, y, op.ldy, work, x, op.ldx, rows, op.fan_out)
    elif op.kind == LOG_SOFTMAX:
        log_softmax_forward(work, y, op.ldy, work, x, op.ldx, rows, op.fan_out)
    elif op.kind == SCALE:
        center, factor = op.constants, op.constants + op.ldx
        scale_forward(work, y, op.ldy, work, x, op.ldx, state.params, center, factor, rows, op.fan_out)
    elif op.kind == ROW_NORM:
        kept = op.kept + first
        row_norm_forward(work, y, op.ldy, work, x, op.ldx, work, kept, rows, op.fan_out, op.number)
    elif op.kind == AFFINE:
        gain, offset = op.weights, op.weights + op.ldw
        affine_forward(work, y, op.ldy, work, x, op.ldx, state.params, gain, offset, rows, op.fan_out)
    if op.kind != LOSS:
        put_ones(op, state, first, rows)


@kernel
def training_forward(op, state, position, first, rows, seed, epoch):
    """The same for any operation: only training has dropout, noise and the moments of a batch."""
    work, y, x = state.workspace, op.y + first * op.ldy, op.x + first * op.ldx
    purpose = DROPOUT_PURPOSE + op.layer
    if op.kind == DROPOUT:
        dropout(work, y, op.ldy, work, x, op.ldx, rows, op.fan_out, op.number, seed, purpose, epoch, position)
    elif op.kind == NOISE:
        noise(work, y, op.ldy, work, x, op.ldx, rows, op.fan_out, op.number, seed, purpose, epoch, position)
    elif op.kind == BATCH_NORM:
        factor = op.kept + FACTOR * op.ldy
        scale_forward(work, y, op.ldy, work, x, op.ldx, work, op.kept, factor, rows, op.fan_out)
    else:
        forward(op, state, first, rows)
        return
    put_ones(op, state, first, rows)


@inlined
def whole_batch(op, state, rows, direction):
    """What BATCH_NORM needs to know of the batch, found by one thread."""
    batch_chunks(op, state, FIRST, rows, direction)
    join_chunks(op, state, rows, FIRST, UNIT, direction)


@inlined
def gather_targets(op, state, data, position, first, rows):
    """The classes and the target values of these rows."""
    kind = np.int64(SINGLE) if state.workspace.itemsize == 4 else np.int64(DOUBLE)
    for r in range(rows):
        sample, soon = data.order[position + r], sample_ahead(data, position + r)
        if data.labels.size > 0:
            prefetch(data.labels, soon, UNIT)
            state.labels[first + r] = data.labels[sample]
        if data.targets.size > 0:
            prefetch(data.targets, soon * op.fan_in, op.fan_in)
            y = op.y + (first + r) * op.ldy
            read_row(state.workspace, y, data.targets, sample * op.fan_in, op.fan_in, kind, 1.0)


@kernel
def loss(op, state, first, rows, scale):
    """Loss and score of each row, and the deltas of the outputs.

    A level of its own: so many loops inside the entries cost them time at every start, and speed in all other loops.
    """
    work = state.workspace
    loss_rows(
        op.code, work, op.dx + first * op.ldx, op.ldx, state.losses, state.scores, first,
        work, op.x + first * op.ldx, op.ldx, state.labels, work, op.y + first * op.ldy, op.ldy, rows, op.fan_in,
        work.dtype.type(scale), work.dtype.type(op.number),
    )  # fmt: skip


@inlined
def weigh(op, state, data, position, first, rows):
    """Loss and deltas of each row times the weight of its sample."""
    for r in range(first, first + rows):
        weight, dx = data.weights[data.order[position + r - first]], op.dx + r * op.ldx
        state.losses[r] *= weight
        for c in range(dx, dx + op.fan_in):
            state.workspace[c] *= weight


@kernel
def backward(op, state, position, first, rows, seed, epoch):
    """The deltas of one operation's inputs."""
    work, dx, dy = state.workspace, op.dx + first * op.ldx, op.dy + first * op.ldy
    if op.dx < 0:
        return
    if op.kind in (DENSE, SPARSE):
        dense_backward(op, state, first, rows)
    elif op.kind == ACTIVATION:
        activation_backward(
            work, dx, op.ldx, work, dy, op.ldy, work, op.y + first * op.ldy, op.ldy,
            work, op.x + first * op.ldx, op.ldx, rows, op.fan_out, op.code, op.number,
        )  # fmt: skip
    elif op.kind == DROPOUT:
        purpose = DROPOUT_PURPOSE + op.layer
        dropout(
            work, dx, op.ldx, work, dy, op.ldy, rows, op.fan_out, op.number, seed, purpose, epoch, position
        )
    elif op.kind == SOFTMAX:
        softmax_backward(
            work, dx, op.ldx, work, dy, op.ldy, work, op.y + first * op.ldy, op.ldy, rows, op.fan_out
        )
    elif op.kind == LOG_SOFTMAX:
        log_softmax_backward(
            work, dx, op.ldx, work, dy, op.ldy, work, op.y + first * op.ldy, op.ldy, rows, op.fan_out
        )
    elif op.kind in (SCALE, AFFINE):
        factor = op.weights if op.kind == AFFINE else op.constants + op.ldx
        scale_backward(work, dx, op.ldx, work, dy, op.ldy, state.params, factor, rows, op.fan_out)
    elif op.kind == ROW_NORM:
        y, kept = op.y + first * op.ldy, op.kept + first
        row_norm_backward(work, dy, op.ldy, work, y, op.ldy, work, kept, rows, op.fan_out)
    elif op.kind == BATCH_NORM:
        factor, products = op.kept + FACTOR * op.ldy, op.kept + PRODUCTS * op.ldy
        means, y = op.kept + MEANS * op.ldy, op.y + first * op.ldy
        batch_norm_backward(
            work, dy, op.ldy, work, y, op.ldy, work, factor, products, means, rows, op.fan_out
        )


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
def gradient(op, state, rows, turn, rank, size):
    """Write this rank's blocks of the weight gradient into the arena of gradients."""
    if op.weights >= 0:
        begin, stop, step = blocks_of(op, turn, rank, size)
        for k in range(begin, stop, step):
            end = min(k + UPDATE_ROWS, stop)
            dense_gradient(op, state, state.gradients, op.weights + k * op.ldw, op.ldw, k, end, rows)


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
    dense_gradient(op, state, state.scratch, scratch, op.ldw, k, end, rows)
    if is_adjusted(op, update):
        adjust(op, state, update, scratch, state.scratch, scratch, k, end, 1.0, 1.0)
        _rows_step(op, state, update, h0, k, end, state.scratch, scratch)
    elif op.kind == SPARSE and update.optimizer[RESTS] != 0:
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
    always = NONE if op.kind == SPARSE and update.optimizer[RESTS] != 0 else ALL
    call_outer_step(
        update.optimizer, state.params, state.slots, op.weights + first * op.ldw, op.ldw, state.params.size,
        state.workspace, op.x + first, op.ldx, state.workspace, op.dy, op.ldy, rows,
        update.hyper, h0, op.biases - first, op.depth - first, stride, always, op.fan_out,
    )  # fmt: skip
    for k in range(first, op.depth, stride):
        follow(op, state, update, k, min(k + MASK_BITS, op.depth))


@kernel
def gradient_step(op, state, update, h0, rows, turn, rank, size, scratch):
    """Gradient and update of this rank's blocks together: a few rows of the gradient at a time, while they are hot."""
    if rows <= SMALL_BATCH and op.kind != AFFINE and not is_adjusted(op, update):
        _outer_step(op, state, update, h0, turn, size, rows)
    else:
        begin, stop, stride = blocks_of(op, turn, rank, size)
        for k in range(begin, stop, stride):
            _block_step(op, state, update, h0, k, min(k + UPDATE_ROWS, stop), rows, scratch)


@inlined
def next_turn(op, turn, size):
    """Whose turn it is after this operation's blocks, if blocks are dealt out to the ranks one by one."""
    if op.weights < 0 or shares_inputs(op, size):
        return turn
    return (turn - (op.depth + UPDATE_ROWS - 1) // UPDATE_ROWS) % size
