"""A step of an optimizer for a block of parameters: compiled once for each optimizer, called by its address.

The program is compiled once and contains no optimizer's formula. What it calls is in `Update.optimizer`, which
`prepared` fills when an optimizer is first used.
"""

from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numba import from_dtype, types

from .. import simd
from ..compiler.jit import address, entry
from ..loops.elementwise import map_rows
from ..loops.optimizers import OPTIMIZERS, Formula
from ..loops.sparse import touched_bits
from ..schema import (
    CODE,
    MASK_BITS,
    OUTER_CODE,
    SKIPS_ZERO_GRADIENTS,
    SMALL_BATCH,
    STEP_CODE,
    UPDATE_WORDS,
    WIDTH,
    ZERO,
    Matrix,
)
from ..simd import Case, Int, Pointer, Rows, Vec, absolute, each_bit, fma, primitive, repeat, select
from ..tables import Optimizer

PANEL = 4  # vectors of a row whose gradients are summed side by side


def _without_denormals(x: Vec) -> Vec:
    """0 for numbers below the smallest normal one: arithmetic on a fading state would slow every step down."""
    return select(absolute(x) < (2.0**-1022 if x.is_double else 2.0**-126), 0.0, x)


def _stepped(formula: Formula, numbers: Any, weight: Vec, gradient: Vec, *state: Vec) -> list[Vec]:
    """The parameter and its state after a step."""
    stepped, *state = formula(weight, gradient, *state, numbers)
    return [stepped, *(_without_denormals(slot) for slot in state)]


def _numbers(row: Optimizer, hyper: Pointer) -> Any:
    """The numbers of a step by name, each in every lane."""
    return row.named((hyper + j).splat() for j in range(len(row.columns)))


def _for_bias(row: Optimizer, numbers: Any) -> Any:
    """The same numbers with a decay of 0, which biases have."""
    return numbers._replace(decay=numbers.decay.like(0.0)) if row.decoupled_decay else numbers


def _state(row: Optimizer, slots: Rows, slot_size: Int) -> list[Rows]:
    """The rows of each array of state."""
    return [Rows(slots.start + slot_size * j, slots.stride) for j in range(len(row.slots))]


@primitive
def optimizer_step(
    w: Rows, slots: Rows, slot_size: Int, g: Rows, hyper: Rows, rows: Int, biases: Int, columns: Int, code: Case
) -> None:  # fmt: skip
    """One step for a block of parameters w (rows + biases, columns) with gradient g of this shape.

    After `rows` rows of weights there are `biases` rows (0 or 1) of biases. `slots` are the rows of the first array of
    state; the rows of array j start j slot_size numbers later. `hyper` holds the numbers of the step.
    """

    def case(row: Optimizer, formula: Formula):
        numbers, state = _numbers(row, hyper.start), _state(row, slots, slot_size)

        def range_of_rows(first: Int | int, count: Int, numbers: Any):
            outputs = [arena.from_row(first) for arena in (w, *state)]
            weights, *states = outputs

            def stepped(at, *vectors):
                return _stepped(formula, numbers, *vectors)

            map_rows(count, columns, outputs, [weights, g.from_row(first), *states], stepped)

        if row.decoupled_decay:
            range_of_rows(0, rows, numbers)
            range_of_rows(rows, biases, _for_bias(row, numbers))
        else:
            range_of_rows(0, rows + biases, numbers)

    simd.choose(code, {i: lambda o=o: case(*o) for i, o in enumerate(OPTIMIZERS)})


class Selection(NamedTuple):
    """Which rows of the weights an outer step updates, counted from the first row that it is given."""

    biases: int  # rows from here on are biases
    depth: int  # the end of the rows
    stride: int  # 64 rows from every stride-th row on are selected
    always: int  # of 64 rows, those to update also if their input is zero in the whole batch, as bits


class _OuterProduct(NamedTuple):
    """The gradient x' d of a small batch, not computed yet."""

    x: Rows
    d: Rows
    samples: int

    def gradients(self, r: Int, columns: list[Int]) -> list[Vec]:
        """Row r of the gradient, one vector at each of these columns; the sum goes over the samples in their order."""
        inputs = [(self.x.row(b) + r).splat() for b in range(self.samples)]
        return [self._sum(inputs, column) for column in columns]

    def _sum(self, inputs: list[Vec], column: Int) -> Vec:
        total = self.d.start.zeros()
        for b, number in enumerate(inputs):
            total = fma(number, (self.d.row(b) + column).load(), total)
        return total


@primitive
def optimizer_outer_step(
    w: Rows, slots: Rows, slot_size: Int, x: Rows, d: Rows, batch: Int, hyper: Rows, selection: Selection,
    columns: Int, code: Case,
) -> None:  # fmt: skip
    """`optimizer_step` for the gradient x' d of a small batch, each number of which is summed where it is used.

    x (batch, depth) are the inputs, d (batch, columns) the deltas. Only selected rows of w (depth, columns) change,
    and only if their input is not zero in the whole batch or their bit in `always` is set.
    """

    def case(row: Optimizer, formula: Formula, samples: int):
        arenas, numbers = [w, *_state(row, slots, slot_size)], _numbers(row, hyper.start)
        product = _OuterProduct(x, d, samples)

        def panel(r: Int, c: Int, vectors: int, numbers: Any):
            places = [c + v * w.start.lanes for v in range(vectors)]
            for column, gradient in zip(places, product.gradients(r, places), strict=True):
                targets = [arena.row(r) + column for arena in arenas]
                weight, *state = [target.load() for target in targets]
                stepped = _stepped(formula, numbers, weight, gradient, *state)
                for target, vec in zip(targets, stepped, strict=True):
                    target.store(vec)

        def weight_row(r: Int):
            in_row = row.named(
                simd.either(r < selection.biases, number, bias) if bias is not number else number
                for number, bias in zip(numbers, _for_bias(row, numbers), strict=True)
            )
            width = PANEL * w.start.lanes
            whole = columns & -width
            repeat(whole, width, [], lambda c, _: panel(r, c, PANEL, in_row))
            repeat(columns - whole, w.start.lanes, [], lambda c, _: panel(r, whole + c, 1, in_row))

        def block(first: Int, _):
            touched = touched_bits(Rows(x.start + first, x.stride), batch) | selection.always
            inside = simd.low_bits(simd.smaller(selection.depth - first, MASK_BITS))
            each_bit(touched & inside, [], lambda r, _: weight_row(first + r))

        repeat(selection.depth, selection.stride, [], block)

    def cases(row: Optimizer, formula: Formula):
        sizes = range(1, SMALL_BATCH + 1)
        simd.choose(batch, {size: lambda size=size: case(row, formula, size) for size in sizes})

    simd.choose(code, {i: lambda o=o: cases(*o) for i, o in enumerate(OPTIMIZERS)})


# The entries: `code` is a literal, so each is compiled for one optimizer.


@entry
def step_entry(w, slots, g, hyper, ldw, slot_size, ldg, rows, biases, columns, code):
    """`optimizer_step` on pointers."""
    optimizer_step(
        Matrix(w, ZERO, ldw), Matrix(slots, ZERO, ldw), slot_size, Matrix(g, ZERO, ldg), Matrix(hyper, ZERO, ZERO),
        rows, biases, columns, code,
    )  # fmt: skip


@entry
def outer_entry(
    w, slots, x, d, hyper, ldw, slot_size, ldx, ldd, batch, biases, depth, stride, always, columns, code
):  # fmt: skip
    """`optimizer_outer_step` on pointers."""
    optimizer_outer_step(
        Matrix(w, ZERO, ldw), Matrix(slots, ZERO, ldw), slot_size, Matrix(x, ZERO, ldx), Matrix(d, ZERO, ldd), batch,
        Matrix(hyper, ZERO, ZERO), Selection(biases, depth, stride, always), columns, code,
    )  # fmt: skip


def entries_of(code: int, dtype: np.dtype) -> tuple[tuple[Any, tuple], tuple[Any, tuple]]:
    """The entries of an optimizer's two kinds of step, each with the types of its arguments."""
    pointer, integer, which = types.CPointer(from_dtype(dtype)), types.int64, types.literal(code)
    return (
        (step_entry, (*[pointer] * 4, *[integer] * 6, which)),
        (outer_entry, (*[pointer] * 5, *[integer] * 10, which)),
    )


@cache
def _addresses(code: int, dtype: np.dtype) -> list[int]:
    """The addresses of the machine code of an optimizer's two kinds of step, which is compiled or loaded."""
    return [address(*each) for each in entries_of(code, dtype)]


def prepared(code: int, dtype: np.dtype) -> np.ndarray:
    """The words of `Update.optimizer` for an optimizer; the caller fills in what depends on its rules."""
    words = np.zeros(UPDATE_WORDS, np.int64)
    row, _ = OPTIMIZERS[code]
    words[CODE] = code
    words[WIDTH] = len(row.columns)
    words[SKIPS_ZERO_GRADIENTS] = row.skips_zero_gradients
    words[STEP_CODE], words[OUTER_CODE] = _addresses(code, dtype)
    return words


# What the program calls. `words` is `Update.optimizer`.


@primitive
def call_step(
    words: Pointer, w: Rows, slots: Rows, slot_size: Int, g: Rows, hyper: Rows, rows: Int, biases: Int, columns: Int
) -> None:  # fmt: skip
    """`optimizer_step` of the optimizer that these words describe."""
    (words + STEP_CODE).call(
        w.start, slots.start, g.start, hyper.start, w.stride, slot_size, g.stride, rows, biases, columns,
        (words + CODE).read_int(),
    )  # fmt: skip


@primitive
def call_outer_step(
    words: Pointer, w: Rows, slots: Rows, slot_size: Int, x: Rows, d: Rows, batch: Int, hyper: Rows,
    selection: Selection, columns: Int,
) -> None:  # fmt: skip
    """`optimizer_outer_step` of the optimizer that these words describe."""
    (words + OUTER_CODE).call(
        w.start, slots.start, x.start, d.start, hyper.start, w.stride, slot_size, x.stride, d.stride, batch,
        *selection, columns, (words + CODE).read_int(),
    )  # fmt: skip
