"""Each kind of operation: forward and backward for some rows of a micro-batch.

`first` is the row of the micro-batch at which the rows start, `position` the place of the first row in the epoch.
"""

from ..compiler.jit import inlined, kernel
from ..loops.activations import activation_backward, activation_forward
from ..loops.losses import Targets, loss_rows
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
    ONE,
    ROW_NORM,
    SCALE,
    SOFTMAX,
    SPARSE,
    ZERO,
    Matrix,
)
from .dense import dense_backward, dense_forward, put_ones
from .views import constant_rows, dx_rows, dy_rows, kept_rows, weight_rows, x_rows, y_rows


@kernel
def forward(op, state, first, rows):
    """The outputs of an operation in prediction.

    INPUT does nothing here (see `gather.input_forward`), nor does LOSS, which has no outputs.
    """
    work = state.workspace
    x, y = x_rows(op, work, first), y_rows(op, work, first)
    if op.kind in (DENSE, SPARSE):
        dense_forward(op, state, first, rows)
    elif op.kind == ACTIVATION:
        activation_forward(y, x, rows, op.fan_out, op.code, op.number)
    elif op.kind == SOFTMAX:
        softmax_forward(y, x, rows, op.fan_out)
    elif op.kind == LOG_SOFTMAX:
        log_softmax_forward(y, x, rows, op.fan_out)
    elif op.kind == SCALE:
        scale_forward(y, x, constant_rows(op, state.params), rows, op.fan_out)
    elif op.kind == ROW_NORM:
        row_norm_forward(y, x, Matrix(work, op.kept + first, ONE), rows, op.fan_out, op.number)
    elif op.kind == AFFINE:
        affine_forward(y, x, weight_rows(op, state.params, ZERO), rows, op.fan_out)
    if op.kind != LOSS:
        put_ones(op, state, first, rows)


@kernel
def training_forward(op, state, position, first, rows, seed, epoch):
    """The outputs of an operation in training, where there are also dropout, noise and the moments of a batch."""
    work, purpose = state.workspace, LAYER_PURPOSE + op.layer
    x, y = x_rows(op, work, first), y_rows(op, work, first)
    if op.kind == DROPOUT:
        dropout(y, x, rows, op.fan_out, op.number, seed, purpose, epoch, position)
    elif op.kind == NOISE:
        noise(y, x, rows, op.fan_out, op.number, seed, purpose, epoch, position)
    elif op.kind == BATCH_NORM:
        scale_forward(y, x, kept_rows(op, work), rows, op.fan_out)
    else:
        forward(op, state, first, rows)
        return
    put_ones(op, state, first, rows)


@kernel
def loss(op, state, first, rows, scale):
    """Loss and score of each row, and the deltas of the outputs, dx = scale dL/dx.

    A kernel of its own: inlined into the entries, its many loops would make each start and all other loops slower.
    """
    work = state.workspace
    targets = Targets(Matrix(state.labels, first, ONE), y_rows(op, work, first))
    loss_rows(
        op.code, dx_rows(op, work, first), Matrix(state.losses, first, ONE), Matrix(state.scores, first, ONE),
        x_rows(op, work, first), targets, rows, op.fan_in, work.dtype.type(scale), work.dtype.type(op.number),
    )  # fmt: skip


@inlined
def weight_losses(op, state, data, position, first, rows):
    """Multiply loss and deltas of each row by the weight of its sample."""
    for r in range(first, first + rows):
        weight, dx = data.weights[data.order[position + r - first]], op.dx + r * op.ldx
        state.losses[r] *= weight
        for c in range(dx, dx + op.fan_in):
            state.workspace[c] *= weight


@kernel
def backward(op, state, position, first, rows, seed, epoch):
    """The deltas of an operation's inputs, if they are needed."""
    if op.dx < 0:
        return
    work = state.workspace
    x, y = x_rows(op, work, first), y_rows(op, work, first)
    dx, dy = dx_rows(op, work, first), dy_rows(op, work, first)
    if op.kind in (DENSE, SPARSE):
        dense_backward(op, state, first, rows)
    elif op.kind == ACTIVATION:
        activation_backward(dx, dy, y, x, rows, op.fan_out, op.code, op.number)
    elif op.kind == DROPOUT:
        purpose = LAYER_PURPOSE + op.layer
        dropout(dx, dy, rows, op.fan_out, op.number, seed, purpose, epoch, position)
    elif op.kind == SOFTMAX:
        softmax_backward(dx, dy, y, rows, op.fan_out)
    elif op.kind == LOG_SOFTMAX:
        log_softmax_backward(dx, dy, y, rows, op.fan_out)
    elif op.kind in (SCALE, AFFINE):
        factors = op.weights if op.kind == AFFINE else op.constants + op.ldx
        scale_backward(dx, dy, Matrix(state.params, factors, op.ldx), rows, op.fan_out)
    elif op.kind == ROW_NORM:
        row_norm_backward(dy, y, Matrix(work, op.kept + first, ONE), rows, op.fan_out)
    elif op.kind == BATCH_NORM:
        batch_norm_backward(dy, y, kept_rows(op, work), rows, op.fan_out)
