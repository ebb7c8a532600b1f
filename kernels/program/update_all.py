"""The update of all weights of a plan: who owns which blocks, and what must be complete before what."""

from ..compiler.jit import inlined
from ..loops import updates
from ..schema import BATCH_NORM, NORMS
from . import weight_update
from .batch_norm import remember_batch
from .input_sharing import FIRST
from .threads import barrier


@inlined
def sum_gradients(plan, state, rows, before, rank, size):
    """This rank's blocks of all gradients, over the rows in the workspace and those of the batch `before` them."""
    turn = rank
    for i in range(plan.size - 1, -1, -1):
        weight_update.gradient(plan[i], state, rows, before, turn, rank, size)
        turn = weight_update.next_turn(plan[i], turn, size)


@inlined
def measure_all(plan, state, update, rank, size):
    """Sums of squares of the rows of the gradients in this rank's blocks."""
    turn = rank
    for i in range(plan.size - 1, -1, -1):
        weight_update.measure_blocks(plan[i], state, update, turn, rank, size)
        turn = weight_update.next_turn(plan[i], turn, size)


@inlined
def step_all(plan, state, update, h0, stride, rank, size, scratch):
    """This rank's blocks of all layers from the arena of gradients; operation i's numbers are at h0 + i stride."""
    turn, scale = rank, updates.global_scale(plan, update)
    for i in range(plan.size - 1, -1, -1):
        if plan[i].weights >= 0:
            weight_scale, bias_scale = updates.own_scales(plan[i], update)
            weight_update.step(
                plan[i], state, update, h0 + i * stride, turn, rank, size, scratch, scale * weight_scale,
                scale * bias_scale,
            )  # fmt: skip
        turn = weight_update.next_turn(plan[i], turn, size)


@inlined
def constrain_all(plan, state, update, rank, size):
    """This rank's lines of units of all layers, once all weights are there."""
    for i in range(plan.size):
        if plan[i].max_norm > 0:
            updates.constrain(plan[i], state, update, rank, size)


@inlined
def gradient_steps(plan, state, update, h0, rows, control, rank, size, scratch):
    """This rank's blocks of all layers, each as soon as its gradient is summed, while that is hot."""
    turn = rank
    for i in range(plan.size - 1, -1, -1):
        if plan[i].weights >= 0:
            weight_update.gradient_step(
                plan[i], state, update, h0, rows, plan.size - 1 - i, turn, control, rank, size, scratch
            )  # fmt: skip
        turn = weight_update.next_turn(plan[i], turn, size)


@inlined
def update_all(plan, state, update, h0, rows, control, rank, size):
    """Blocks of rows of the weights are dealt out to the ranks, through all layers, so that each gets as many: from
    the last layer, as backward has just read its weights, to the first, with which the next step begins.

    Two things need all ranks first, and a barrier of their own: the norm of gradients, and that of a unit's weights.
    """
    scratch = state.scratch.size // size * rank
    if state.gradients.size > 0:
        if update.optimizer[NORMS] != 0:
            measure_all(plan, state, update, rank, size)
            barrier(control, size)
        step_all(plan, state, update, h0, FIRST, rank, size, scratch)
    else:
        gradient_steps(plan, state, update, h0, rows, control, rank, size, scratch)
    if rank == 0:
        for i in range(plan.size):
            if plan[i].kind == BATCH_NORM:
                remember_batch(plan[i], state)
    if updates.is_constrained(plan):
        barrier(control, size)
        constrain_all(plan, state, update, rank, size)
