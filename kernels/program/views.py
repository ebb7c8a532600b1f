"""The matrices of an operation, from row `first` of the micro-batch on.

The names are those of the plan's fields: x is the input, y the output, dx and dy are their deltas.
"""

from ..compiler.jit import inlined
from ..schema import Matrix


@inlined
def x_rows(op, workspace, first):
    """The inputs (rows, fan_in); column `fan_in` holds ones."""
    return Matrix(workspace, op.x + first * op.ldx, op.ldx)


@inlined
def y_rows(op, workspace, first):
    """The outputs (rows, fan_out); of a loss, the target values (rows, fan_in)."""
    return Matrix(workspace, op.y + first * op.ldy, op.ldy)


@inlined
def dx_rows(op, workspace, first):
    """The deltas of the inputs (rows, fan_in)."""
    return Matrix(workspace, op.dx + first * op.ldx, op.ldx)


@inlined
def dy_rows(op, workspace, first):
    """The deltas of the outputs (rows, fan_out)."""
    return Matrix(workspace, op.dy + first * op.ldy, op.ldy)


@inlined
def weight_rows(op, arena, begin):
    """The weights from row `begin` on, or what an arena like `params` holds for them: (depth - begin, fan_out)."""
    return Matrix(arena, op.weights + begin * op.ldw, op.ldw)


@inlined
def constant_rows(op, params):
    """The rows of numbers that no optimizer updates: center and factor; of BATCH_NORM mean, factor and variance."""
    return Matrix(params, op.constants, op.ldx)


@inlined
def kept_rows(op, workspace):
    """What BATCH_NORM keeps: see loops/norms.py for its rows."""
    return Matrix(workspace, op.kept, op.ldy)
