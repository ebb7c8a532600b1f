"""The update of all weights of a plan, and the order in which its steps must be complete.

Operations are visited from the last one, whose weights backward has just read, to the first, with which the next step
begins.
"""

from ..compiler.jit import inlined
from ..loops import updates
from ..schema import BATCH_NORM, NORMS, ZERO
from . import weight_update
from .batch_norm import update_running_statistics
from .mixed import is_mixed
from .phases import GRADIENT, UPDATE, enter
from .threads import barrier


@inlined
def sum_gradients(plan, state, rows, accumulate, rank, size):
    """This rank's blocks of all gradients, summed over the rows in the workspace; += if `accumulate`."""
    for i in range(plan.size - 1, -1, -1):
        weight_update.sum_gradient(plan[i], state, rows, accumulate, rank, size)


@inlined
def measure_all(plan, state, update, rank, size):
    """Sums of squares of the rows of the gradients in this rank's blocks."""
    for i in range(plan.size - 1, -1, -1):
        weight_update.measure_blocks(plan[i], state, update, rank, size)


@inlined
def step_all(plan, state, update, h0, stride, scratch, rank, size):
    """Update this rank's blocks of all weights from `state.gradients`.

    The numbers of operation i are in `update.hyper` from `h0 + i * stride` on.
    """
    scale = updates.global_scale(plan, update)
    for i in range(plan.size - 1, -1, -1):
        if plan[i].weights >= 0:
            weight_scale, bias_scale = updates.own_scales(plan[i], update)
            weight_update.step(
                plan[i], state, update, h0 + i * stride, scratch, scale * weight_scale, scale * bias_scale, rank, size
            )  # fmt: skip


@inlined
def limit_all(plan, state, update, rank, size):
    """Limit the norms of this rank's units of all layers, after all weights are updated."""
    for i in range(plan.size):
        if plan[i].max_norm > 0:
            updates.limit_norms(plan[i], state, update, rank, size)


@inlined
def _gradient_steps(plan, state, update, h0, rows, scratch, member):
    """Gradient and update of this rank's blocks of all weights, block by block."""
    for i in range(plan.size - 1, -1, -1):
        if plan[i].weights >= 0:
            series = plan.size - 1 - i
            enter(member, i, GRADIENT)
            weight_update.gradient_step(plan[i], state, update, h0, rows, series, scratch, member)


@inlined
def update_running(plan, state):
    """Update the running statistics of all BATCH_NORM operations."""
    for i in range(plan.size):
        if plan[i].kind == BATCH_NORM:
            update_running_statistics(plan[i], state)


@inlined
def update_all(plan, state, update, h0, rows, member):
    """Update all weights: from `state.gradients` if they are kept, else from the `rows` rows in the workspace.

    Some things need the work of all ranks before they start, and so a barrier: scaling by the norm of the gradients,
    limiting the norms of weights, and rounding weights whose norms are limited.
    """
    rank, size = member.rank, member.size
    scratch = state.scratch.size // size * rank
    if state.gradients.size > 0:
        enter(member, ZERO, UPDATE)
        if update.optimizer[NORMS] != 0:
            measure_all(plan, state, update, rank, size)
            barrier(member)
        step_all(plan, state, update, h0, ZERO, scratch, rank, size)
    else:
        _gradient_steps(plan, state, update, h0, rows, scratch, member)
    enter(member, ZERO, UPDATE)
    if rank == 0:
        update_running(plan, state)
    if updates.limits_any_norm(plan):
        barrier(member)
        limit_all(plan, state, update, rank, size)
        if is_mixed(plan):
            barrier(member)
            weight_update.refresh_all(plan, state, rank, size)
