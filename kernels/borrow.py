"""Arrays without an owner: what the program's entries make of their arguments.

Numba counts the references to an array by atomic operations, at many a call and field access. All threads of a team
share the arrays, so every count would fight for one cache line. A borrowed array has no count; its owner, the
caller, waits until the program has ended.
"""

from numba.core import cgutils
from numba.extending import intrinsic

from .jit import inlined
from .schema import Data, State, Update


@intrinsic
def borrowed(typing_context, array):
    """The same array, not counted."""

    def codegen(context, builder, signature, arguments):
        struct = context.make_array(signature.args[0])(context, builder, arguments[0])
        struct.meminfo = cgutils.get_null_value(struct.meminfo.type)
        return struct._getvalue()

    return array(array), codegen


@inlined
def borrowed_state(state):
    """All arrays of a State."""
    return State(
        borrowed(state.params),
        borrowed(state.gradients),
        borrowed(state.slots),
        borrowed(state.workspace),
        borrowed(state.scratch),
        borrowed(state.losses),
        borrowed(state.scores),
        borrowed(state.labels),
    )


@inlined
def borrowed_update(update):
    """All arrays of an Update."""
    return Update(
        borrowed(update.optimizer),
        borrowed(update.hyper),
        borrowed(update.rules),
        borrowed(update.sums),
        borrowed(update.averages),
    )


@inlined
def borrowed_data(data):
    """All arrays of a Data."""
    return Data(
        borrowed(data.inputs),
        data.kind,
        borrowed(data.starts),
        borrowed(data.columns),
        borrowed(data.labels),
        borrowed(data.targets),
        borrowed(data.weights),
        borrowed(data.order),
    )
