"""Optimizers, one row of a table each: name, state, numbers a step, formula.

The numbers that change from step to step (a learning rate that decays, Adam's corrections) are computed for a whole
epoch before it starts, a row of `hyper` each; the formula is elementwise. A gradient of 0 leaves a parameter and a
state of 0 as they are, so padding stays zero.
"""

from collections.abc import Callable
from typing import NamedTuple

from . import simd
from .blocks import Block, map_block
from .simd import Int, Pointer, Vec, absolute, fma, primitive, repeat, select, sqrt, walk_bits


class Optimizer(NamedTuple):
    """One row of the table."""

    name: str
    slots: tuple[str, ...]  # state, each as large as the parameters
    hyper: tuple[str, ...]  # numbers a step
    formula: Callable[..., tuple[Vec, ...]]  # (w, g, *slots, *hyper) -> (w, *slots)
    rests: bool = False  # a gradient of 0 leaves a parameter as it is, to the bit, whatever happened before


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
    Optimizer("sgd", (), ("rate",), _sgd, rests=True),
    Optimizer("momentum", ("velocity",), ("rate", "momentum"), _momentum),
    Optimizer("rmsprop", ("square",), ("rate", "rho", "rest", "epsilon"), _rmsprop),
    Optimizer(
        "adam",
        ("mean", "square"),
        ("rate", "beta1", "rest1", "beta2", "rest2", "correction", "epsilon"),
        _adam,
    ),
)
RESTS = tuple(optimizer.rests for optimizer in OPTIMIZERS)
CODES = {optimizer.name: code for code, optimizer in enumerate(OPTIMIZERS)}


PANEL = 4  # vectors of a row whose gradients are summed side by side


def _without_denormals(x: Vec) -> Vec:
    """Zero for what is below the smallest normal number: a state that fades away would slow every step down."""
    return select(absolute(x) < (2.0**-1022 if x.is_double else 2.0**-126), 0.0, x)


def _stepped(optimizer: Optimizer, numbers: list[Vec], weight: Vec, gradient: Vec, *state: Vec) -> list[Vec]:
    """The parameter and its state after a step."""
    stepped, *state = optimizer.formula(weight, gradient, *state, *numbers)
    return [stepped, *(_without_denormals(slot) for slot in state)]


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
            return _stepped(optimizer, numbers, *vectors)

        map_block(rows, columns, [weights, *state], [weights, Block(g + g0, ldg), *state], formula)

    simd.choose(code, {i: lambda o=o: case(o) for i, o in enumerate(OPTIMIZERS)})


@primitive
def optimizer_outer_step(
    w: Pointer, slots: Pointer, w0: Int, ldw: Int, slot_size: Int,
    x: Pointer, x0: Int, ldx: Int, d: Pointer, d0: Int, ldd: Int, batch: Int,
    hyper: Pointer, h0: Int, rows: Int, columns: Int, code: Int,
) -> None:  # fmt: skip
    """`optimizer_step` for the gradient x' d of a small batch, each number of which is summed where it is used.

    The bits of `rows` tell which of 64 rows of w take part. x[x0 + b ldx + r] are the inputs, d[d0 + b ldd + c] the
    deltas; the sum goes over b = 0, 1, 2, ...
    """

    def case(optimizer: Optimizer):
        arenas = [w + w0, *(slots + (w0 + slot_size * j) for j in range(len(optimizer.slots)))]
        numbers = [(hyper + (h0 + j)).splat() for j in range(len(optimizer.hyper))]

        def panel(r: Int, c: Int, vectors: int):
            offsets = [c + v * w.lanes for v in range(vectors)]

            def term(b, totals):
                number, deltas = (x + (x0 + b * ldx + r)).splat(), d + (d0 + b * ldd)
                return [fma(number, (deltas + o).load(), g) for o, g in zip(offsets, totals, strict=True)]

            gradients = repeat(batch, 1, [w.zeros()] * vectors, term)
            for offset, g in zip(offsets, gradients, strict=True):
                places = [arena + (r * ldw + offset) for arena in arenas]
                weight, *state = [place.load() for place in places]
                for place, vec in zip(places, _stepped(optimizer, numbers, weight, g, *state), strict=True):
                    place.store(vec)

        def row(r: Int, _):
            width = PANEL * w.lanes
            whole = columns & -width
            repeat(whole, width, [], lambda c, _: panel(r, c, PANEL))
            repeat(columns - whole, w.lanes, [], lambda c, _: panel(r, whole + c, 1))
            return []

        walk_bits(rows, [], row)

    simd.choose(code, {i: lambda o=o: case(o) for i, o in enumerate(OPTIMIZERS)})
