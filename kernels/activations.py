"""Activations, one row of a table each: name, formula, derivative, what it keeps, largest error.

The derivative is a formula of the output, so the input need not be kept and an activation works in place. Padding
columns are computed like others (and ignored); their deltas stay zero, as the derivative is finite.
"""

from collections.abc import Callable
from typing import NamedTuple

from . import simd
from .blocks import Block, map_block
from .elementary import MAX_ULP, sigmoid, tanh
from .simd import Int, Pointer, Vec, maximum, primitive, select


class Activation(NamedTuple):
    """One row of the table."""

    name: str
    formula: Callable[..., Vec]  # (x, slope) -> y
    derivative: Callable[..., Vec]  # (y, slope) -> dy/dx
    max_ulp: float  # largest error of the formula in float32


ACTIVATIONS = (
    Activation("identity", lambda x, slope: x, lambda y, slope: y.like(1.0), 0.0),
    Activation(
        "relu",
        lambda x, slope: maximum(x.like(0.0), x),
        lambda y, slope: select(y > 0.0, 1.0, y.like(0.0)),
        0.0,
    ),
    Activation(
        "leaky_relu",
        lambda x, slope: select(x > 0.0, x, x * slope),
        lambda y, slope: select(y > 0.0, 1.0, slope),
        0.5,
    ),
    Activation("tanh", lambda x, slope: tanh(x), lambda y, slope: 1.0 - y * y, MAX_ULP["tanh"]),
    Activation("sigmoid", lambda x, slope: sigmoid(x), lambda y, slope: y * (1.0 - y), MAX_ULP["sigmoid"]),
)
CODES = {activation.name: code for code, activation in enumerate(ACTIVATIONS)}


@primitive
def activation_forward(
    y: Pointer,
    y0: Int,
    ldy: Int,
    x: Pointer,
    x0: Int,
    ldx: Int,
    rows: Int,
    columns: Int,
    code: Int,
    slope: Vec,
) -> None:
    """y = f(x) on a block."""

    def case(activation: Activation):
        map_block(
            rows, columns, [Block(y + y0, ldy)], [Block(x + x0, ldx)],
            lambda at, value: [activation.formula(value, slope)],
        )  # fmt: skip

    simd.choose(code, {i: lambda a=a: case(a) for i, a in enumerate(ACTIVATIONS)})


@primitive
def activation_backward(
    dx: Pointer, dx0: Int, lddx: Int, dy: Pointer, dy0: Int, lddy: Int, y: Pointer, y0: Int, ldy: Int,
    rows: Int, columns: Int, code: Int, slope: Vec,
) -> None:  # fmt: skip
    """dx = dy f'(x) on a block, f' from y = f(x)."""

    def case(activation: Activation):
        map_block(
            rows, columns, [Block(dx + dx0, lddx)], [Block(dy + dy0, lddy), Block(y + y0, ldy)],
            lambda at, delta, value: [delta * activation.derivative(value, slope)],
        )  # fmt: skip

    simd.choose(code, {i: lambda a=a: case(a) for i, a in enumerate(ACTIVATIONS)})
