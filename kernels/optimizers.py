"""Optimizers, one row of a table each: name, state, numbers a step, formula.

The numbers that change from step to step (a learning rate that decays, Adam's corrections) are computed for a whole
epoch before it starts, a row of `hyper` each; the formula is elementwise. A gradient of 0 leaves a parameter and a
state of 0 as they are, so padding stays zero.
"""

from collections.abc import Callable
from typing import NamedTuple

from . import simd
from .blocks import Block, map_block
from .simd import Int, Pointer, Vec, absolute, fma, primitive, select, sqrt


class Optimizer(NamedTuple):
    """One row of the table."""

    name: str
    slots: tuple[str, ...]  # state, each as large as the parameters
    hyper: tuple[str, ...]  # numbers a step
    formula: Callable[..., tuple[Vec, ...]]  # (w, g, *slots, *hyper) -> (w, *slots)


def _sgd(w, g, rate):
    """w - rate g."""
    return (fma(g, -rate, w),)


def _momentum(w, g, v, rate, momentum):
    """Classical momentum, as in PyTorch: v = momentum v + g, w - rate v."""
    v = fma(momentum, v, g)
    return fma(v, -rate, w), v


def _rmsprop(w, g, v, rate, rho, rest, epsilon):
    """v = rho v + (1 - rho) g^2, w - rate g / (sqrt(v) + epsilon) (Hinton, lecture 6e, 2012)."""
    v = fma(rho, v, rest * (g * g))
    return w - rate * g / (sqrt(v) + epsilon), v


def _adam(w, g, m, v, rate, beta1, rest1, beta2, rest2, correction, epsilon):
    """m = beta1 m + (1 - beta1) g, v = beta2 v + (1 - beta2) g^2, w - rate' m / (sqrt(v) correction + epsilon).

    rate' = rate / (1 - beta1^t) and correction = 1 / sqrt(1 - beta2^t) (Kingma and Ba, 2015, algorithm 1).
    """
    m = fma(beta1, m, rest1 * g)
    v = fma(beta2, v, rest2 * (g * g))
    return w - rate * m / fma(sqrt(v), correction, epsilon), m, v


OPTIMIZERS = (
    Optimizer("sgd", (), ("rate",), _sgd),
    Optimizer("momentum", ("velocity",), ("rate", "momentum"), _momentum),
    Optimizer("rmsprop", ("square",), ("rate", "rho", "rest", "epsilon"), _rmsprop),
    Optimizer(
        "adam",
        ("mean", "square"),
        ("rate", "beta1", "rest1", "beta2", "rest2", "correction", "epsilon"),
        _adam,
    ),
)
CODES = {optimizer.name: code for code, optimizer in enumerate(OPTIMIZERS)}


def _without_denormals(x: Vec) -> Vec:
    """Zero for what is below the smallest normal number: a state that fades away would slow every step down."""
    return select(absolute(x) < (2.0**-1022 if x.is_double else 2.0**-126), 0.0, x)


@primitive
def optimizer_step(
    w: Pointer, slots: Pointer, w0: Int, ldw: Int, slot_size: Int, g: Pointer, g0: Int, ldg: Int,
    hyper: Pointer, h0: Int, rows: Int, columns: Int, code: Int,
) -> None:  # fmt: skip
    """One step for a block of parameters w[w0 + r ldw + c] with gradient g[g0 + r ldg + c].

    State j of a parameter stands at the same place in slots, j slot_size further on.
    """

    def case(optimizer: Optimizer):
        weights = Block(w + w0, ldw)
        state = [Block(slots + (w0 + slot_size * j), ldw) for j in range(len(optimizer.slots))]
        numbers = [(hyper + (h0 + j)).splat() for j in range(len(optimizer.hyper))]

        def formula(at, *vectors):
            stepped, *state = optimizer.formula(*vectors, *numbers)
            return [stepped, *(_without_denormals(slot) for slot in state)]

        map_block(rows, columns, [weights, *state], [weights, Block(g + g0, ldg), *state], formula)

    simd.choose(code, {i: lambda o=o: case(o) for i, o in enumerate(OPTIMIZERS)})
