"""Operations whose kernels are machine code of their own: compiled when a plan first uses them, called by address.

A network uses two or three of the activations and losses, and few of the other kinds. The program is compiled without
them; `link` writes the addresses of those that a plan uses to its operations. INPUT and dense layers are part of the
program.
"""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numba import from_dtype, types

from ..compiler.jit import address, entry
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
    DROPOUT,
    LAYER_PURPOSE,
    LOG_SOFTMAX,
    LOSS,
    MIXED,
    NOISE,
    ONE,
    OPERATION,
    ROUND_DELTAS,
    ROUND_VALUES,
    ROW_NORM,
    SCALE,
    SOFTMAX,
    ZERO,
    Matrix,
)
from ..simd import Int, Pointer, Vec, primitive, require_instructions
from ..tables import KINDS
from . import mixed_code, product_code
from .views import constant_rows, dx_rows, dy_rows, kept_rows, weight_rows, x_rows, y_rows

# The entries. All of forward and backward take the same arguments: `first` is the row of the micro-batch at which the
# rows start, `position` the place of the first row in the epoch; seed and draw key random numbers. `code` is a literal,
# so each is compiled for one activation or loss. The arenas are pointers.


@entry
def activation_outputs(op, params, work, position, first, rows, seed, draw, code):
    """y = f(x)."""
    activation_forward(y_rows(op, work, first), x_rows(op, work, first), rows, op.fan_out, code, op.number)


@entry
def activation_deltas(op, params, work, position, first, rows, seed, draw, code):
    """dx = dy f'(x)."""
    y, x = y_rows(op, work, first), x_rows(op, work, first)
    activation_backward(
        dx_rows(op, work, first), dy_rows(op, work, first), y, x, rows, op.fan_out, code, op.number
    )


@entry
def dropout_outputs(op, params, work, position, first, rows, seed, draw, code):
    """y = x / (1 - rate), or 0."""
    y, x, purpose = y_rows(op, work, first), x_rows(op, work, first), LAYER_PURPOSE + op.layer
    dropout(y, x, rows, op.fan_out, op.number, seed, purpose, draw, position)


@entry
def dropout_deltas(op, params, work, position, first, rows, seed, draw, code):
    """dx = dy / (1 - rate), or 0 where y is."""
    dx, dy, purpose = dx_rows(op, work, first), dy_rows(op, work, first), LAYER_PURPOSE + op.layer
    dropout(dx, dy, rows, op.fan_out, op.number, seed, purpose, draw, position)


@entry
def noise_outputs(op, params, work, position, first, rows, seed, draw, code):
    """y = x + noise; dx is dy."""
    y, x, purpose = y_rows(op, work, first), x_rows(op, work, first), LAYER_PURPOSE + op.layer
    noise(y, x, rows, op.fan_out, op.number, seed, purpose, draw, position)


@entry
def softmax_outputs(op, params, work, position, first, rows, seed, draw, code):
    """y = softmax of each row of x."""
    softmax_forward(y_rows(op, work, first), x_rows(op, work, first), rows, op.fan_out)


@entry
def softmax_deltas(op, params, work, position, first, rows, seed, draw, code):
    """dx from dy and y."""
    y = y_rows(op, work, first)
    softmax_backward(dx_rows(op, work, first), dy_rows(op, work, first), y, rows, op.fan_out)


@entry
def log_softmax_outputs(op, params, work, position, first, rows, seed, draw, code):
    """y = the logarithm of the softmax of each row of x."""
    log_softmax_forward(y_rows(op, work, first), x_rows(op, work, first), rows, op.fan_out)


@entry
def log_softmax_deltas(op, params, work, position, first, rows, seed, draw, code):
    """dx from dy and y."""
    y = y_rows(op, work, first)
    log_softmax_backward(dx_rows(op, work, first), dy_rows(op, work, first), y, rows, op.fan_out)


@entry
def scale_outputs(op, params, work, position, first, rows, seed, draw, code):
    """y = (x - center) factor, with the constants of the operation."""
    x = x_rows(op, work, first)
    scale_forward(y_rows(op, work, first), x, constant_rows(op, params), rows, op.fan_out)


@entry
def scale_deltas(op, params, work, position, first, rows, seed, draw, code):
    """dx = dy factor."""
    factors = Matrix(params, op.constants + op.ldx, op.ldx)
    scale_backward(dx_rows(op, work, first), dy_rows(op, work, first), factors, rows, op.fan_out)


@entry
def row_norm_outputs(op, params, work, position, first, rows, seed, draw, code):
    """y = (x - mean) factor along each row, whose factor is kept."""
    y, x, kept = y_rows(op, work, first), x_rows(op, work, first), Matrix(work, op.kept + first, ONE)
    row_norm_forward(y, x, kept, rows, op.fan_out, op.number)


@entry
def row_norm_deltas(op, params, work, position, first, rows, seed, draw, code):
    """Change dy, which is dx."""
    dy, y, kept = dy_rows(op, work, first), y_rows(op, work, first), Matrix(work, op.kept + first, ONE)
    row_norm_backward(dy, y, kept, rows, op.fan_out)


@entry
def batch_norm_outputs(op, params, work, position, first, rows, seed, draw, code):
    """y = (x - mean) factor with the moments of the batch, which `batch_norm.py` computes before."""
    scale_forward(y_rows(op, work, first), x_rows(op, work, first), kept_rows(op, work), rows, op.fan_out)


@entry
def batch_norm_deltas(op, params, work, position, first, rows, seed, draw, code):
    """Change dy, which is dx, with the sums of the batch."""
    dy, y = dy_rows(op, work, first), y_rows(op, work, first)
    batch_norm_backward(dy, y, kept_rows(op, work), rows, op.fan_out)


@entry
def affine_outputs(op, params, work, position, first, rows, seed, draw, code):
    """y = gain x + offset."""
    x, weights = x_rows(op, work, first), weight_rows(op, params, ZERO)
    affine_forward(y_rows(op, work, first), x, weights, rows, op.fan_out)


@entry
def affine_deltas(op, params, work, position, first, rows, seed, draw, code):
    """dx = dy gain."""
    gain = Matrix(params, op.weights, op.ldx)
    scale_backward(dx_rows(op, work, first), dy_rows(op, work, first), gain, rows, op.fan_out)


@entry
def losses_of_rows(op, work, losses, scores, labels, first, rows, scale, code):
    """Loss and score of each row, and the deltas of the outputs, dx = scale dL/dx."""
    targets = Targets(Matrix(labels, first, ONE), y_rows(op, work, first))
    loss_rows(
        code, dx_rows(op, work, first), Matrix(losses, first, ONE), Matrix(scores, first, ONE),
        x_rows(op, work, first), targets, rows, op.fan_in, scale, op.number,
    )  # fmt: skip


class _Code(NamedTuple):
    """The entries of a kind of operation."""

    forward: Any = None  # None: nothing to do
    backward: Any = None


_CODE = {
    ACTIVATION: _Code(activation_outputs, activation_deltas),
    DROPOUT: _Code(dropout_outputs, dropout_deltas),
    SOFTMAX: _Code(softmax_outputs, softmax_deltas),
    LOG_SOFTMAX: _Code(log_softmax_outputs, log_softmax_deltas),
    SCALE: _Code(scale_outputs, scale_deltas),
    NOISE: _Code(noise_outputs),
    ROW_NORM: _Code(row_norm_outputs, row_norm_deltas),
    BATCH_NORM: _Code(batch_norm_outputs, batch_norm_deltas),
    AFFINE: _Code(affine_outputs, affine_deltas),
    LOSS: _Code(losses_of_rows),
}
_MIXED_CODE = {
    ROUND_VALUES: _Code(forward=mixed_code.round_values),
    ROUND_DELTAS: _Code(backward=mixed_code.round_deltas),
}


def _types(kind: int, code: int, dtype: np.dtype) -> tuple[types.Type, ...]:
    """The types of the arguments of an entry."""
    number = from_dtype(dtype)
    arena, integer, op, which = (
        types.CPointer(number),
        types.int64,
        from_dtype(OPERATION),
        types.literal(code),
    )
    if kind == LOSS:
        return op, arena, arena, arena, types.CPointer(integer), integer, integer, number, which
    return op, arena, arena, integer, integer, integer, types.uint64, integer, which


def mixed_entries() -> Iterator[tuple[Any, tuple[types.Type, ...]]]:
    """All entries that only networks in mixed precision use, each with the types of its arguments."""
    for kind, entries in _MIXED_CODE.items():
        for each in filter(None, entries):
            yield each, _types(kind, 0, np.dtype(np.float32))
    yield from mixed_code.entries_of()


def entries_of(dtype: np.dtype) -> Iterator[tuple[Any, tuple[types.Type, ...]]]:
    """All other entries, each with the types of its arguments for each activation or loss."""
    for kind, entries in _CODE.items():
        for code in range(max(len(KINDS[kind].codes), 1)):
            for each in filter(None, entries):
                yield each, _types(kind, code, dtype)


@cache
def _address(which: Callable[[_Code], Any], kind: int, code: int, dtype: np.dtype) -> int:
    """The address of the machine code of an operation, which is compiled or loaded; 0 if there is none."""
    found = which((_CODE | _MIXED_CODE).get(kind, _Code()))
    return 0 if found is None else address(found, _types(kind, code, dtype))


def _forward(code: _Code) -> Any:
    return code.forward


def _backward(code: _Code) -> Any:
    return code.backward


def link(operations: np.ndarray, dtype: np.dtype) -> None:
    """Write the addresses of their machine code to operations; those for backward where the plan goes backward.

    Raises
    ------
    ImportError
        If the processor lacks instructions that all kernels need.
    """
    require_instructions()
    # By columns: reading and writing the fields of one operation takes longer.
    kinds, codes, deltas = (operations[name].tolist() for name in ("kind", "code", "dx"))
    operations["forward_code"] = [
        _address(_forward, kind, code, dtype) for kind, code in zip(kinds, codes, strict=True)
    ]
    operations["backward_code"] = [
        _address(_backward, kind, code, dtype) if dx >= 0 else 0
        for kind, code, dx in zip(kinds, codes, deltas, strict=True)
    ]
    mixed = operations["kind"] == MIXED
    if mixed.any():
        operations["product_code"][mixed] = product_code.product_address()
        operations["copy_code"][mixed] = mixed_code.copy_address()


# What the program calls.

_PLACES = {name: OPERATION.fields[name][1] // 8 for name in ("forward_code", "backward_code", "code")}


def _call(op: Pointer, name: str, *arguments: Pointer | Int | Vec) -> None:
    """Emit: call the machine code whose address is in this field."""
    (op + _PLACES[name]).call(op, *arguments, (op + _PLACES["code"]).read_int())


@primitive
def call_forward(
    op: Pointer, params: Pointer, work: Pointer, position: Int, first: Int, rows: Int, seed: Int, draw: Int
) -> None:  # fmt: skip
    """The outputs of an operation."""
    _call(op, "forward_code", params, work, position, first, rows, seed, draw)


@primitive
def call_backward(
    op: Pointer, params: Pointer, work: Pointer, position: Int, first: Int, rows: Int, seed: Int, draw: Int
) -> None:  # fmt: skip
    """The deltas of an operation's inputs."""
    _call(op, "backward_code", params, work, position, first, rows, seed, draw)


@primitive
def call_loss(
    op: Pointer, work: Pointer, losses: Pointer, scores: Pointer, labels: Pointer, first: Int, rows: Int, scale: Vec
) -> None:  # fmt: skip
    """Losses, scores and deltas of LOSS."""
    _call(op, "forward_code", work, losses, scores, labels, first, rows, scale)
