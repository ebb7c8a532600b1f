"""A step of an optimizer on a block of parameters: machine code of its own for each optimizer, called by address.

The program is compiled once and knows no formula. What it calls stands in `Update.optimizer`, put there by `prepared`
when an optimizer is first used.
"""

from functools import cache

import numpy as np
from numba import from_dtype, types

from .. import simd
from ..compiler.jit import address, entry
from ..loops.elementwise import Block, map_block
from ..loops.optimizers import OPTIMIZERS, Formula
from ..loops.sparse import BITS, touched_bits
from ..schema import CODE, OUTER_CODE, SKIPS_ZERO_GRADIENTS, SMALL_BATCH, STEP_CODE, UPDATE_WORDS, WIDTH
from ..simd import Case, Int, Pointer, Vec, absolute, fma, primitive, repeat, select, walk_bits
from ..tables import Optimizer

PANEL = 4  # vectors of a row whose gradients are summed side by side


def _without_denormals(x: Vec) -> Vec:
    """Zero for what is below the smallest normal number: a state that fades away would slow every step down."""
    return select(absolute(x) < (2.0**-1022 if x.is_double else 2.0**-126), 0.0, x)


def _stepped(formula: Formula, numbers: list[Vec], weight: Vec, gradient: Vec, *state: Vec) -> list[Vec]:
    """The parameter and its state after a step."""
    stepped, *state = formula(weight, gradient, *state, *numbers)
    return [stepped, *(_without_denormals(slot) for slot in state)]


def _numbers(row: Optimizer, hyper: Pointer) -> list[Vec]:
    """The numbers of a step, each in every lane."""
    return [(hyper + j).splat() for j in range(len(row.columns))]


def _for_bias(row: Optimizer, numbers: list[Vec]) -> list[Vec]:
    """The same numbers with a decay of 0, which biases have."""
    return [*numbers[:-1], numbers[-1].like(0.0)] if row.decoupled_decay else numbers


@primitive
def optimizer_step(
    w: Pointer, slots: Pointer, w0: Int, ldw: Int, slot_size: Int, g: Pointer, g0: Int, ldg: Int,
    hyper: Pointer, h0: Int, rows: Int, biases: Int, columns: Int, code: Case,
) -> None:  # fmt: skip
    """One step for a block of parameters w[w0 + r ldw + c] with gradient g[g0 + r ldg + c].

    After `rows` rows of weights there are `biases` rows (0 or 1) of biases. State j of a parameter stands at the same
    place in slots, j slot_size further on.
    """

    def case(row: Optimizer, formula: Formula):
        numbers = _numbers(row, hyper + h0)

        def part(first: Int | int, count: Int, numbers: list[Vec]):
            weights = Block(w + w0 + ldw * first, ldw)
            state = [Block(slots + (w0 + slot_size * j) + ldw * first, ldw) for j in range(len(row.slots))]
            gradient = Block(g + g0 + ldg * first, ldg)

            def stepped(at, *vectors):
                return _stepped(formula, numbers, *vectors)

            map_block(count, columns, [weights, *state], [weights, gradient, *state], stepped)

        if row.decoupled_decay:
            part(0, rows, numbers)
            part(rows, biases, _for_bias(row, numbers))
        else:
            part(0, rows + biases, numbers)

    simd.choose(code, {i: lambda o=o: case(*o) for i, o in enumerate(OPTIMIZERS)})


@primitive
def optimizer_outer_step(
    w: Pointer, slots: Pointer, w0: Int, ldw: Int, slot_size: Int,
    x: Pointer, x0: Int, ldx: Int, d: Pointer, d0: Int, ldd: Int, batch: Int,
    hyper: Pointer, h0: Int, rows: Int, depth: Int, stride: Int, always: Int, columns: Int, code: Case,
) -> None:  # fmt: skip
    """`optimizer_step` for the gradient x' d of a small batch, each number of which is summed where it is used.

    x[x0 + b ldx + r] are the inputs, d[d0 + b ldd + c] the deltas; the sum goes over b = 0, 1, 2, ... Of the rows of w
    up to `depth`, those from `rows` on are biases; 64 from every stride-th on take part, and of these those whose
    input is not zero and those whose bit is set in `always`.
    """

    def case(table_row: Optimizer, formula: Formula, samples: int):
        arenas = [w + w0, *(slots + (w0 + slot_size * j) for j in range(len(table_row.slots)))]
        numbers = _numbers(table_row, hyper + h0)

        def panel(r: Int, c: Int, vectors: int, numbers: list[Vec]):
            inputs = [(x + (x0 + ldx * b + r)).splat() for b in range(samples)]
            for offset in (c + v * w.lanes for v in range(vectors)):
                gradient = w.zeros()
                for b, number in enumerate(inputs):
                    gradient = fma(number, (d + (d0 + ldd * b + offset)).load(), gradient)
                places = [arena + (r * ldw + offset) for arena in arenas]
                weight, *state = [place.load() for place in places]
                stepped = _stepped(formula, numbers, weight, gradient, *state)
                for place, vec in zip(places, stepped, strict=True):
                    place.store(vec)

        def row(r: Int):
            in_row = [
                simd.either(r < rows, number, bias) if bias is not number else number
                for number, bias in zip(numbers, _for_bias(table_row, numbers), strict=True)
            ]
            width = PANEL * w.lanes
            whole = columns & -width
            repeat(whole, width, [], lambda c, _: panel(r, c, PANEL, in_row))
            repeat(columns - whole, w.lanes, [], lambda c, _: panel(r, whole + c, 1, in_row))

        def block(first: Int, _):
            touched = touched_bits(x + (x0 + first), ldx, batch) | always
            inside = simd.low_bits(simd.smaller(depth - first, BITS))
            walk_bits(touched & inside, [], lambda r, _: row(first + r) or [])

        repeat(depth, stride, [], block)

    def cases(table_row: Optimizer, formula: Formula):
        sizes = range(1, SMALL_BATCH + 1)
        simd.choose(batch, {size: lambda size=size: case(table_row, formula, size) for size in sizes})

    simd.choose(code, {i: lambda o=o: cases(*o) for i, o in enumerate(OPTIMIZERS)})


# The entries: `code` is a literal, so each is compiled for one optimizer.


@entry
def step_entry(w, slots, g, hyper, ldw, slot_size, ldg, rows, biases, columns, code):
    """`optimizer_step` on pointers."""
    optimizer_step(w, slots, 0, ldw, slot_size, g, 0, ldg, hyper, 0, rows, biases, columns, code)


@entry
def outer_entry(
    w, slots, x, d, hyper, ldw, slot_size, ldx, ldd, batch, rows, depth, stride, always, columns, code
):  # fmt: skip
    """`optimizer_outer_step` on pointers."""
    optimizer_outer_step(
        w, slots, 0, ldw, slot_size, x, 0, ldx, d, 0, ldd, batch,
        hyper, 0, rows, depth, stride, always, columns, code,
    )  # fmt: skip


@cache
def _addresses(code: int, dtype: np.dtype) -> tuple[int, int]:
    """Where the machine code of an optimizer's two kinds of step stands; it is compiled or loaded."""
    pointer, integer, which = types.CPointer(from_dtype(dtype)), types.int64, types.literal(code)
    return (
        address(step_entry, [*[pointer] * 4, *[integer] * 6, which]),
        address(outer_entry, [*[pointer] * 5, *[integer] * 10, which]),
    )


def prepared(code: int, dtype: np.dtype) -> np.ndarray:
    """The words of `Update.optimizer` for an optimizer; the caller fills in what depends on its rules."""
    words = np.zeros(UPDATE_WORDS, np.int64)
    row, _ = OPTIMIZERS[code]
    words[CODE] = code
    words[WIDTH] = len(row.columns)
    words[SKIPS_ZERO_GRADIENTS] = row.skips_zero_gradients
    words[STEP_CODE], words[OUTER_CODE] = _addresses(code, dtype)
    return words


# What the program calls.


@primitive
def call_step(
    words: Pointer, w: Pointer, slots: Pointer, w0: Int, ldw: Int, slot_size: Int, g: Pointer, g0: Int, ldg: Int,
    hyper: Pointer, h0: Int, rows: Int, biases: Int, columns: Int,
) -> None:  # fmt: skip
    """`optimizer_step` of the optimizer that these words describe."""
    (words + STEP_CODE).call(
        w + w0, slots + w0, g + g0, hyper + h0, ldw, slot_size, ldg, rows, biases, columns,
        (words + CODE).read_int(),
    )  # fmt: skip


@primitive
def call_outer_step(
    words: Pointer, w: Pointer, slots: Pointer, w0: Int, ldw: Int, slot_size: Int,
    x: Pointer, x0: Int, ldx: Int, d: Pointer, d0: Int, ldd: Int, batch: Int,
    hyper: Pointer, h0: Int, rows: Int, depth: Int, stride: Int, always: Int, columns: Int,
) -> None:  # fmt: skip
    """`optimizer_outer_step` of the optimizer that these words describe."""
    (words + OUTER_CODE).call(
        w + w0, slots + w0, x + x0, d + d0, hyper + h0, ldw, slot_size, ldx, ldd, batch,
        rows, depth, stride, always, columns, (words + CODE).read_int(),
    )  # fmt: skip
