"""Samples and their targets, brought from the data into the workspace in the order of the epoch.

`first` is the position of the first row in the batch, `position` in the epoch.
"""

import numpy as np

from ..compiler.jit import inlined
from ..loops.read_samples import prefetch, read_row, scatter_row
from ..schema import DOUBLE, SINGLE
from .dense import UNIT, put_ones
from .input_sharing import HALVES, half_of, half_rows

# Samples are asked for before they are needed. Those of few bytes pass by faster than memory answers: they are asked
# for a batch before, by the thread that will gather them.
FEW_AHEAD, FEW_BYTES = np.int64(8), np.int64(128)


@inlined
def samples_ahead(count, batch):
    """How many samples of so many bytes to be ahead."""
    return max(FEW_AHEAD, batch) if count <= FEW_BYTES else FEW_AHEAD


@inlined
def sample_at(data, position):
    """The sample at this position, maybe of the next batch; or the last one."""
    return data.order[min(position, data.order.size - 1)]


@inlined
def place_of(op, data, sample):
    """Where the numbers of a sample start in the data, and how many there are."""
    if data.starts.size > 0:
        return data.starts[sample], data.starts[sample + 1] - data.starts[sample]
    return sample * op.fan_out, op.fan_out


@inlined
def ask_for_sample(op, data, sample):
    """Have the memory of a sample brought into the cache."""
    (start, count), item = place_of(op, data, sample), (1, 4, 8)[data.kind]
    prefetch(data.inputs, start * item, count * item)
    if data.starts.size > 0:
        prefetch(data.columns, start, count)


@inlined
def gather_sample(op, state, y, data, sample):
    """Bring a sample into the workspace at y; bytes become numbers times op.number.

    The place for augmentation: only here one sample goes by, its number in the data set known, and all that follows
    sees its row of the workspace. The plan would ask for it, as for dropout, since only training does it.
    """
    start, count = place_of(op, data, sample)
    work, inputs, columns = state.workspace, data.inputs, data.columns
    if data.starts.size > 0:
        scatter_row(work, y, op.fan_out, inputs, columns, start, count, data.kind, op.number)
    else:
        read_row(work, y, inputs, start, count, data.kind, op.number)


@inlined
def input_forward(op, state, data, position, first, rows, batch):
    """Gather samples in the order of the epoch; the next ones of this thread come `batch` rows later."""
    ahead = samples_ahead(op.fan_out * (1, 4, 8)[data.kind], batch)
    for r in range(rows):
        ask_for_sample(op, data, sample_at(data, position + r + ahead))
        gather_sample(op, state, op.y + (first + r) * op.ldy, data, data.order[position + r])
    put_ones(op, state, first, rows)


@inlined
def input_half(op, state, data, position, first, rows, rank, size):
    """Gather this rank's half of the columns of the samples."""
    start, count = half_rows(first, rows, rank, size)
    begin, end = half_of(op, op.fan_out, rank % HALVES)
    columns, item = end - begin, (1, 4, 8)[data.kind]
    for r in range(start, start + count):
        sample, soon = data.order[position + r], sample_at(data, position + r + FEW_AHEAD)
        prefetch(data.inputs, (soon * op.fan_out + begin) * item, columns * item)
        y, place = op.y + r * op.ldy + begin, sample * op.fan_out + begin
        read_row(state.workspace, y, data.inputs, place, columns, data.kind, op.number)
    put_ones(op, state, start, count)


@inlined
def gather_targets(op, state, data, position, first, rows, batch):
    """The classes and the target values of these rows."""
    kind = np.int64(SINGLE) if state.workspace.itemsize == 4 else np.int64(DOUBLE)
    ahead = samples_ahead(op.fan_in * state.workspace.itemsize, batch)
    for r in range(rows):
        sample, soon = data.order[position + r], sample_at(data, position + r + ahead)
        if data.labels.size > 0:
            prefetch(data.labels, soon, UNIT)
            state.labels[first + r] = data.labels[sample]
        if data.targets.size > 0:
            prefetch(data.targets, soon * op.fan_in, op.fan_in)
            y = op.y + (first + r) * op.ldy
            read_row(state.workspace, y, data.targets, sample * op.fan_in, op.fan_in, kind, 1.0)
