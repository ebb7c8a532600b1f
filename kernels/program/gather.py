"""Samples and their targets, copied from the data into the workspace in the order of the epoch.

`first` is the row of the micro-batch at which the rows start, `position` the place of the first row in the epoch.
"""

import numpy as np

from ..compiler.jit import inlined, kernel
from ..loops.read_centered import fill_centered, read_row_centered, scatter_centered
from ..loops.read_samples import prefetch, read_row, scatter_row
from ..schema import DOUBLE, ITEM_TYPES, ONE, SINGLE, ZERO, Matrix
from .dense import put_ones
from .input_sharing import HALVES, half_of, half_rows
from .views import y_rows

# Prefetch distance, in samples. Samples of few bytes are consumed faster than memory answers, so they are prefetched a
# batch ahead, by the thread that will read them.
AHEAD, FEW_BYTES = np.int64(8), np.int64(128)
_ITEM_SIZES = tuple(item.itemsize for item in ITEM_TYPES)


@inlined
def _samples_ahead(size, batch):
    """The prefetch distance for samples of this many bytes; this thread's next rows come `batch` rows later."""
    return max(AHEAD, batch) if size <= FEW_BYTES else AHEAD


@inlined
def _sample_at(data, position):
    """The sample at this place of the epoch; the last one for a place behind the end."""
    return data.order[min(position, data.order.size - 1)]


@inlined
def _numbers_of(op, data, sample):
    """Where the numbers of a sample start in the data, and how many there are."""
    if data.starts.size > 0:
        return data.starts[sample], data.starts[sample + 1] - data.starts[sample]
    return sample * op.fan_out, op.fan_out


@inlined
def _prefetch_numbers(data, start, count):
    """Start to load these numbers of the data into the cache."""
    item = _ITEM_SIZES[data.kind]
    prefetch(data.inputs, start * item, count * item)


@inlined
def _prefetch_sample(op, data, sample):
    """Start to load a sample into the cache."""
    start, count = _numbers_of(op, data, sample)
    _prefetch_numbers(data, start, count)
    if data.starts.size > 0:
        prefetch(data.columns, start, count)


@kernel
def read_centered(op, y, params, inputs, kind, start, count, begin):
    """Copy numbers of a dense sample minus the centers from column `begin` on.

    This and the next are kernels, as few networks need them: inlined, they would be compiled into each entry.
    """
    centers = Matrix(params, op.centers + begin * (8 // params.itemsize), ONE)
    read_row_centered(y, centers, inputs, start, count, kind, op.number)


@kernel
def read_sparse_centered(op, y, params, inputs, columns, kind, start, count):
    """Copy a sample in CSR form minus the centers."""
    centers = Matrix(params, op.centers, ONE)
    fill_centered(y, centers, op.fan_out)
    scatter_centered(y, centers, inputs, columns, start, count, kind, op.number)


@inlined
def _gather_sample(op, y, params, data, sample):
    """Copy a sample to the first row of y; bytes are multiplied by op.number.

    This is the place for data augmentation: only here a single sample is read, and its number in the data set is known;
    all later kernels see its row of the workspace. The plan would ask for it, as for dropout, since only training does
    it.
    """
    start, count = _numbers_of(op, data, sample)
    if data.starts.size > 0 and op.centers >= 0:
        read_sparse_centered(op, y, params, data.inputs, data.columns, data.kind, start, count)
    elif data.starts.size > 0:
        scatter_row(y, op.fan_out, data.inputs, data.columns, start, count, data.kind, op.number)
    elif op.centers >= 0:
        read_centered(op, y, params, data.inputs, data.kind, start, count, ZERO)
    else:
        read_row(y, data.inputs, start, count, data.kind, op.number)


@kernel
def input_forward(op, state, data, position, first, rows, batch):
    """Gather these rows of samples; this thread's next rows come `batch` rows later."""
    ahead = _samples_ahead(op.fan_out * _ITEM_SIZES[data.kind], batch)
    for r in range(rows):
        _prefetch_sample(op, data, _sample_at(data, position + r + ahead))
        _gather_sample(
            op, y_rows(op, state.workspace, first + r), state.params, data, data.order[position + r]
        )
    put_ones(op, state, first, rows)


@inlined
def input_half(op, state, data, position, first, rows, rank, size):
    """Gather this rank's half of the columns of dense samples; `position` is the place of row 0 of the micro-batch."""
    start, count = half_rows(first, rows, rank, size)
    begin, end = half_of(op, op.fan_out, rank % HALVES)
    for r in range(start, start + count):
        sample, soon = data.order[position + r], _sample_at(data, position + r + AHEAD)
        _prefetch_numbers(data, soon * op.fan_out + begin, end - begin)
        y = Matrix(state.workspace, op.y + r * op.ldy + begin, op.ldy)
        place = sample * op.fan_out + begin
        if op.centers >= 0:
            read_centered(op, y, state.params, data.inputs, data.kind, place, end - begin, begin)
        else:
            read_row(y, data.inputs, place, end - begin, data.kind, op.number)
    put_ones(op, state, start, count)


@inlined
def gather_targets(op, state, data, position, first, rows, batch):
    """Copy the classes or the target values of these rows; this thread's next rows come `batch` rows later."""
    kind = np.int64(SINGLE) if state.workspace.itemsize == 4 else np.int64(DOUBLE)
    ahead = _samples_ahead(op.fan_in * state.workspace.itemsize, batch)
    for r in range(rows):
        sample, soon = data.order[position + r], _sample_at(data, position + r + ahead)
        if data.labels.size > 0:
            prefetch(data.labels, soon, ONE)
            state.labels[first + r] = data.labels[sample]
        if data.targets.size > 0:
            prefetch(data.targets, soon * op.fan_in, op.fan_in)
            y = y_rows(op, state.workspace, first + r)
            read_row(y, data.targets, sample * op.fan_in, op.fan_in, kind, 1.0)
