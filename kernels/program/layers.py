"""Each kind of operation: forward and backward for some rows of a micro-batch.

`first` is the row of the micro-batch at which the rows start, `position` the place of the first row in the epoch; seed
and draw key the random numbers of training.
"""

from ..compiler.jit import inlined, kernel
from ..schema import DENSE, LOSS, MIXED, SPARSE
from .dense import dense_backward, dense_forward, put_ones
from .operation_code import call_backward, call_forward, call_loss


@kernel
def forward(op, state, position, first, rows, seed, draw):
    """The outputs of an operation.

    INPUT is not for here (see `gather.input_forward`); LOSS has no outputs.
    """
    if op.kind in (DENSE, SPARSE, MIXED):
        dense_forward(op, state, first, rows)
    elif op.kind != LOSS and op.forward_code != 0:
        call_forward(op, state.params, state.workspace, position, first, rows, seed, draw)
    if op.kind != LOSS:
        put_ones(op, state, first, rows)


@inlined
def loss(op, state, first, rows, scale):
    """Loss and score of each row, and the deltas of the outputs, dx = scale dL/dx."""
    call_loss(op, state.workspace, state.losses, state.scores, state.labels, first, rows, scale)


@inlined
def weight_losses(op, state, data, position, first, rows):
    """Multiply loss and deltas of each row by the weight of its sample."""
    for r in range(first, first + rows):
        weight, dx = data.weights[data.order[position + r - first]], op.dx + r * op.ldx
        state.losses[r] *= weight
        for c in range(dx, dx + op.fan_in):
            state.workspace[c] *= weight


@kernel
def backward(op, state, position, first, rows, seed, draw):
    """The deltas of an operation's inputs, if they are needed."""
    if op.dx < 0:
        return
    if op.kind in (DENSE, SPARSE, MIXED):
        dense_backward(op, state, first, rows)
    elif op.backward_code != 0:
        call_backward(op, state.params, state.workspace, position, first, rows, seed, draw)
