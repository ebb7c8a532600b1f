"""What happens to gradients before an optimizer's formula, and to weights after it; each only where it is asked for.

    gradient + penalties, scaled to a norm, clipped to a range, + weight decay -> formula -> max norm -> moving average

Penalties, weight decay and the norm of a unit concern weights, not biases. The gradient of the loss itself is not
changed: the result goes to scratch memory, one block of rows at a time.
"""

import math

from ..compiler.jit import inlined, kernel
from ..schema import (
    AVERAGE,
    CLIP_NORM,
    CLIP_VALUE,
    CLIPS,
    GLOBAL_CLIP_NORM,
    LINE,
    ONE,
    SUMS,
    WEIGHT_DECAY,
    Matrix,
)
from ..simd import Int, Pointer, Rows, Vec, fma, primitive, repeat, select, sqrt
from .elementwise import add, fold_row, map_rows
from .matrices import submatrix
from .transpose import transpose

# Squares overflow and underflow long before the numbers do: in float32 from 2^64 on, and below 2^-63. Each sum of
# squares is therefore computed three times: of the numbers, of the numbers / UNIT, and of the numbers * UNIT. The norm
# comes from the first sum unless that is infinite or below 1 / UNIT, so ordinary norms have the bits of the plain sum.
UNIT, DOUBLE_UNIT = 2.0**80, 2.0**600


def _unit_of(model: Pointer) -> float:
    return DOUBLE_UNIT if model.zeros().is_double else UNIT


def _scaled(x: Vec, unit: float) -> list[Vec]:
    """x, x / unit and x unit."""
    return [x, x * (1 / unit), x * unit]


def _penalised(g: Vec, w: Vec, l1: Vec, l2: Vec) -> Vec:
    """g + l2 w + l1 sign(w)."""
    return fma(l2, w, g) + select(w > 0.0, l1, select(w < 0.0, -l1, 0.0))


@primitive
def changed_gradient(
    y: Rows, g: Rows, w: Rows, rows: Int, columns: Int, l1: Vec, l2: Vec, scale: Vec, limit: Vec, decay: Vec
) -> None:
    """y = clip(scale (g + l2 w + l1 sign(w)), limit) + decay w; all (rows, columns). y may be g. NaN stays NaN."""

    def formula(at, gradient, weight):
        x = _penalised(gradient, weight, l1, l2) * scale
        clipped = select(x > limit, limit, select(x < -limit, -limit, x))
        return [fma(decay, weight, clipped)]

    map_rows(rows, columns, [y], [g, w], formula)


@primitive
def sum_of_squares(sums: Rows, g: Rows, w: Rows, columns: Int, l1: Vec, l2: Vec) -> None:
    """The SUMS numbers of `sums` = the sums of the three squares of g + l2 w + l1 sign(w) along one row."""
    unit = _unit_of(g.start)

    def formula(at, gradient, weight):
        return [x * x for x in _scaled(_penalised(gradient, weight, l1, l2), unit)]

    totals = fold_row(columns, [g.start, w.start], formula, add, [0.0] * SUMS)
    for j, total in enumerate(totals):
        sums.row(j).store_one(total)


@primitive
def limit_columns(w: Rows, rows: Int, columns: Int, limit: Vec) -> None:
    """Scale each column of w whose norm is larger than `limit` to that norm; the sum goes over r = 0, 1, 2, ..."""
    unit = _unit_of(w.start)

    def panel(c: Int, _):
        def add_squares(r, totals):
            scaled = _scaled((w.row(r) + c).load(), unit)
            return [fma(x, x, total) for x, total in zip(scaled, totals, strict=True)]

        plain, large, small = repeat(rows, 1, [w.start.zeros()] * SUMS, add_squares)
        overflows, underflows = plain.equals(math.inf), plain < 1 / unit
        by = select(overflows, 1 / unit, select(underflows, unit, plain.like(1.0)))
        norm = sqrt(select(overflows, large, select(underflows, small, plain)))
        longer = norm > limit * by
        by, factor = select(longer, by, 1.0), select(longer, limit / norm, 1.0)

        def scale(r, _):
            place = w.row(r) + c
            place.store(place.load() * by * factor)

        repeat(rows, 1, [], scale)

    repeat(columns, w.start.lanes, [], panel)


@primitive
def average(a: Rows, w: Rows, rows: Int, columns: Int, kept: Vec) -> None:
    """a = kept a + (1 - kept) w; both (rows, columns)."""
    map_rows(rows, columns, [a], [a, w], lambda at, mean, weight: [fma(kept, mean - weight, weight)])


# On the rows [begin, end) of an operation's weights; those from `op.biases` on are biases.


@inlined
def is_adjusted(op, update):
    """Whether the formula gets something else than the gradient of the loss."""
    return update.optimizer[CLIPS] != 0 or op.l1 != 0 or op.l2 != 0


@kernel
def adjust_gradient(op, state, update, target, gradient, begin, end, weight_scale, bias_scale):
    """Write what the formula gets in place of `gradient` to `target`; row 0 of both belongs to row `begin`."""
    limit, weights = update.rules[CLIP_VALUE], min(end, op.biases) - begin
    w = Matrix(state.params, op.weights + begin * op.ldw, op.ldw)
    changed_gradient(
        target, gradient, w, weights, op.fan_out, op.l1, op.l2, weight_scale, limit, update.rules[WEIGHT_DECAY]
    )  # fmt: skip
    if end > op.biases:
        changed_gradient(
            submatrix(target, weights, 0), submatrix(gradient, weights, 0), submatrix(w, weights, 0), end - op.biases,
            op.fan_out, 0.0, 0.0, bias_scale, limit, 0.0,
        )  # fmt: skip


@kernel
def measure_gradient(op, state, update, begin, end):
    """Sums of squares of these rows of the gradient, penalties included."""
    for k in range(begin, end):
        place = op.weights + k * op.ldw
        l1, l2 = (op.l1, op.l2) if k < op.biases else (0.0, 0.0)
        sum_of_squares(
            Matrix(update.sums, SUMS * (op.sums + k), ONE), Matrix(state.gradients, place, op.ldw),
            Matrix(state.params, place, op.ldw), op.fan_out, l1, l2,
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
    """The factor that brings a gradient with these sums of squares to the norm `limit`; 1 if its norm is not larger."""
    plain, large, small = totals
    unit = UNIT if update.sums.itemsize == 4 else DOUBLE_UNIT
    if plain == math.inf:
        return min(1.0, limit / math.sqrt(large) / unit)
    norm = math.sqrt(small) / unit if plain < 1 / unit else math.sqrt(plain)
    return limit / norm if norm > limit else 1.0


@kernel
def global_scale(plan, update):
    """The factor of all gradients, after they are measured."""
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
    """The factors of one operation's gradients of weights and of biases, after they are measured."""
    limit, biases = update.rules[CLIP_NORM], op.sums + op.biases
    if limit == math.inf:
        return 1.0, 1.0
    return (
        _scale(limit, update, _totals(update, op.sums, biases)),
        _scale(limit, update, _totals(update, biases, op.sums + op.depth)),
    )


@inlined
def update_average(op, state, update, begin, end):
    """Update the moving average of these rows, unless `limit_norms` has yet to scale them (then it does this too)."""
    if update.averages.size > 0 and op.max_norm == 0:
        place = op.weights + begin * op.ldw
        average(
            Matrix(update.averages, place, op.ldw), Matrix(state.params, place, op.ldw), end - begin, op.fan_out,
            update.rules[AVERAGE],
        )  # fmt: skip


@kernel
def limit_norms(op, state, update, rank, size):
    """Scale the weights of each unit down to `op.max_norm`; update their transpose and their moving averages.

    This rank takes every size-th cache line of units.
    """
    line = LINE // state.params.itemsize
    for c in range(rank * line, op.fan_out, size * line):
        w = Matrix(state.params, op.weights + c, op.ldw)
        limit_columns(w, op.fan_in, line, op.max_norm)
        if op.transposed >= 0:
            t = Matrix(state.workspace, op.transposed + c * op.ldt, op.ldt)
            transpose(t, w, op.fan_in, min(line, op.fan_out - c))
        if update.averages.size > 0:
            a = Matrix(update.averages, op.weights + c, op.ldw)
            average(a, w, op.fan_in + 1, line, update.rules[AVERAGE])


@inlined
def limits_any_norm(plan):
    """Whether the weights of a layer have a largest norm."""
    largest = 0.0
    for i in range(plan.size):
        largest = max(largest, plan[i].max_norm)
    return largest > 0
