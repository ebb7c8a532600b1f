"""Each kind of operation: forward and backward on rows of a batch.

`first` is the position of the first row in the batch, `position` in the epoch.
"""

from ..compiler.jit import inlined, kernel
from ..loops.activations import activation_backward, activation_forward
from ..loops.losses import loss_rows
from ..loops.norms import affine_forward, batch_norm_backward, row_norm_backward, row_norm_forward
from ..loops.rng import dropout, noise
from ..loops.scaling import scale_backward, scale_forward
from ..loops.softmax import log_softmax_backward, log_softmax_forward, softmax_backward, softmax_forward
from ..schema import (
    ACTIVATION,
    AFFINE,
    BATCH_NORM,
    DENSE,
    DROPOUT,
    LAYER_PURPOSE,
    LOG_SOFTMAX,
    LOSS,
    NOISE,
    ROW_NORM,
    SCALE,
    SOFTMAX,
    SPARSE,
)
from .batch_norm import FACTOR, MEANS, PRODUCTS, batch_chunks, join_chunks
from .dense import UNIT, dense_backward, dense_forward, put_ones
from .input_sharing import FIRST


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
    purpose = LAYER_PURPOSE + op.layer
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
        purpose = LAYER_PURPOSE + op.layer
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
