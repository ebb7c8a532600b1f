"""What happens to gradients before an optimizer's formula, and to weights after it: each only where it is asked for.

    gradient + penalties, scaled to a norm, cut to a range, + weight decay -> formula -> max norm -> moving average

Penalties, weight decay and the norm of a unit concern weights, not biases. The gradient of the loss itself stays as it
is: what is changed goes to scratch memory, a block at a time.
"""

import math

from ..compiler.jit import inlined, kernel
from ..schema import AVERAGE, CLIP_NORM, CLIP_VALUE, CLIPS, GLOBAL_CLIP_NORM, LINE, SUMS, WEIGHT_DECAY
from ..simd import Int, Pointer, Vec, fma, primitive, repeat, select, sqrt
from .elementwise import Block, fold_row, map_block
from .transpose import transpose

# Squares overflow and underflow long before the numbers do: in float32 from 2^64 on, and below 2^-63. Each sum of
# squares is therefore computed three times: of the numbers, of the numbers / UNIT, and of the numbers * UNIT. The norm
# comes from the first sum unless that is infinite or below 1 / UNIT, so ordinary norms have the bits of the plain sum.
UNIT, DOUBLE_UNIT = 2.0**80, 2.0**600


def _unit_of(model: Pointer) -> float:
    return DOUBLE_UNIT if model.zeros().is_double else UNIT


def _squares(x: Vec, unit: float) -> list[Vec]:
    """The squares of x, of x / unit and of x unit."""
    large, small = x * (1 / unit), x * unit
    return [x * x, large * large, small * small]


def _penalised(g: Vec, w: Vec, l1: Vec, l2: Vec) -> Vec:
    """g + l2 w + l1 sign(w)."""
    return fma(l2, w, g) + select(w > 0.0, l1, select(w < 0.0, -l1, 0.0))


@primitive
def changed_gradient(
    y: Pointer, y0: Int, ldy: Int, g: Pointer, g0: Int, ldg: Int, w: Pointer, w0: Int, ldw: Int,
    rows: Int, columns: Int, l1: Vec, l2: Vec, scale: Vec, limit: Vec, decay: Vec,
) -> None:  # fmt: skip
    """y = clip(scale (g + l2 w + l1 sign(w)), limit) + decay w on a block; y may be g. NaN stays NaN."""

    def formula(at, gradient, weight):
        x = _penalised(gradient, weight, l1, l2) * scale
        clipped = select(x > limit, limit, select(x < -limit, -limit, x))
        return [fma(decay, weight, clipped)]

    map_block(rows, columns, [Block(y + y0, ldy)], [Block(g + g0, ldg), Block(w + w0, ldw)], formula)


@primitive
def sum_of_squares(
    sums: Pointer, place: Int, g: Pointer, g0: Int, w: Pointer, w0: Int, columns: Int, l1: Vec, l2: Vec
) -> None:
    """sums[place + j] = the sums of the three squares of g + l2 w + l1 sign(w) along one row."""
    unit = _unit_of(g)

    def formula(at, gradient, weight):
        return _squares(_penalised(gradient, weight, l1, l2), unit)

    totals = fold_row(columns, [g + g0, w + w0], formula, lambda a, b: a + b, [0.0] * SUMS)
    for j, total in enumerate(totals):
        (sums + (place + j)).store_one(total)


@primitive
def limit_columns(w: Pointer, w0: Int, ldw: Int, rows: Int, columns: Int, limit: Vec) -> None:
    """Scale those columns of a block down to the norm `limit` that have a larger one; sums over r = 0, 1, 2, ..."""
    start, unit = w + w0, _unit_of(w)

    def panel(c: Int, _):
        column = start + c

        def add(r, total):
            x = (column + ldw * r).load()
            scaled = (x, x * (1 / unit), x * unit)
            return [fma(y, y, so_far) for y, so_far in zip(scaled, total, strict=True)]

        plain, large, small = repeat(rows, 1, [w.zeros()] * SUMS, add)
        overflows, underflows = plain.equals(math.inf), plain < 1 / unit
        by = select(overflows, 1 / unit, select(underflows, unit, plain.like(1.0)))
        norm = sqrt(select(overflows, large, select(underflows, small, plain)))
        longer = norm > limit * by
        by, factor = select(longer, by, 1.0), select(longer, limit / norm, 1.0)

        def scale(r, _):
            place = column + ldw * r
            place.store(place.load() * by * factor)

        repeat(rows, 1, [], scale)

    repeat(columns, w.lanes, [], panel)


@primitive
def average(a: Pointer, w: Pointer, w0: Int, ldw: Int, rows: Int, columns: Int, kept: Vec) -> None:
    """a = kept a + (1 - kept) w on a block; both stand at the same place."""

    def formula(at, mean, weight):
        return [fma(kept, mean - weight, weight)]

    map_block(rows, columns, [Block(a + w0, ldw)], [Block(a + w0, ldw), Block(w + w0, ldw)], formula)


# On the rows [begin, end) of an operation's weights, the last of which, from `biases` on, are biases.


@inlined
def is_adjusted(op, update):
    """Whether the formula sees something else than the gradient of the loss."""
    return update.optimizer[CLIPS] != 0 or op.l1 != 0 or op.l2 != 0


@kernel
def adjust(op, state, update, target, gradients, g0, begin, end, weight_scale, bias_scale):
    """What the formula sees in the place of the gradients from g0 on, into scratch memory from `target` on."""
    limit, weights = update.rules[CLIP_VALUE], min(end, op.biases) - begin
    changed_gradient(
        state.scratch, target, op.ldw, gradients, g0, op.ldw, state.params, op.weights + begin * op.ldw, op.ldw,
        weights, op.fan_out, op.l1, op.l2, weight_scale, limit, update.rules[WEIGHT_DECAY],
    )  # fmt: skip
    if end > op.biases:
        skipped = weights * op.ldw
        changed_gradient(
            state.scratch, target + skipped, op.ldw, gradients, g0 + skipped, op.ldw, state.params,
            op.weights + op.biases * op.ldw, op.ldw, end - op.biases, op.fan_out, 0.0, 0.0, bias_scale, limit, 0.0,
        )  # fmt: skip


@kernel
def measure(op, state, update, begin, end):
    """The sums of squares of these rows of the gradient with its penalties."""
    for k in range(begin, end):
        place = op.weights + k * op.ldw
        l1, l2 = (op.l1, op.l2) if k < op.biases else (0.0, 0.0)
        sum_of_squares(
            update.sums, SUMS * (op.sums + k), state.gradients, place, state.params, place, op.fan_out, l1, l2
        )  # fmt: skip


@inlined
def _totals(update, begin, end):
    """The three sums of squares of these rows together, added in the order of the rows."""
    plain, large, small = 0.0, 0.0, 0.0
    for i in range(SUMS * begin, SUMS * end, SUMS):
        plain += update.sums[i]
        large += update.sums[i + 1]
        small += update.sums[i + 2]
    return plain, large, small


@inlined
def _scale(limit, update, totals):
    """What brings a gradient with these sums of squares to the norm `limit`, if it is longer."""
    plain, large, small = totals
    unit = UNIT if update.sums.itemsize == 4 else DOUBLE_UNIT
    if plain == math.inf:
        return min(1.0, limit / math.sqrt(large) / unit)
    norm = math.sqrt(small) / unit if plain < 1 / unit else math.sqrt(plain)
    return limit / norm if norm > limit else 1.0


@kernel
def global_scale(plan, update):
    """What all gradients are multiplied by, once they are measured."""
    if update.rules[GLOBAL_CLIP_NORM] == math.inf:
        return 1.0
    plain, large, small = 0.0, 0.0, 0.0
    for i in range(plan.size):
        if plan[i].weights >= 0:
            totals = _totals(update, plan[i].sums, plan[i].sums + plan[i].depth)
            plain += totals[0]
            large += totals[1]
            small += totals[2]
    return _scale(update.rules[GLOBAL_CLIP_NORM], update, (plain, large, small))


@kernel
def own_scales(op, update):
    """What one operation's gradients of weights and of biases are multiplied by, once they are measured."""
    limit, biases = update.rules[CLIP_NORM], op.sums + op.biases
    if limit == math.inf:
        return 1.0, 1.0
    return (
        _scale(limit, update, _totals(update, op.sums, biases)),
        _scale(limit, update, _totals(update, biases, op.sums + op.depth)),
    )


@inlined
def follow(op, state, update, begin, end):
    """Move the averages of these rows, unless `constrain` has yet to look at their weights."""
    if update.averages.size > 0 and op.max_norm == 0:
        average(
            update.averages, state.params, op.weights + begin * op.ldw, op.ldw, end - begin, op.fan_out,
            update.rules[AVERAGE],
        )  # fmt: skip


@kernel
def constrain(op, state, update, rank, size):
    """Scale the weights of units down to the largest norm that is allowed, and move averages.

    This rank takes every size-th cache line of units.
    """
    line = LINE // state.params.itemsize
    for c in range(rank * line, op.fan_out, size * line):
        limit_columns(state.params, op.weights + c, op.ldw, op.fan_in, line, op.max_norm)
        if op.transposed >= 0:
            transpose(
                state.workspace, op.transposed + c * op.ldt, op.ldt, state.params, op.weights + c, op.ldw,
                op.fan_in, min(line, op.fan_out - c),
            )  # fmt: skip
        if update.averages.size > 0:
            average(
                update.averages,
                state.params,
                op.weights + c,
                op.ldw,
                op.fan_in + 1,
                line,
                update.rules[AVERAGE],
            )


@inlined
def is_constrained(plan):
    """Whether the weights of some layer have a largest norm."""
    largest = 0.0
    for i in range(plan.size):
        largest = max(largest, plan[i].max_norm)
    return largest > 0
