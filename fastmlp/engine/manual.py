"""Forward, backward and a step of some layers by hand, one call each, on the calling thread."""

from __future__ import annotations

import math
from itertools import groupby

import numpy as np
from numpy.typing import ArrayLike

from ..inputs.arrays import as_numbers
from ..inputs.samples import Samples
from ..kernels import schema
from ..kernels.program import entries
from ..optimizers import Optimizer
from .buffers import matrix
from .network import Network, one_at_a_time
from .plan import Plan
from .run_arguments import data_of, prepare, update_of

PURPOSE = "by hand"


def _prepare(network: Network, rows: int) -> tuple[Plan, schema.State]:
    network.keep_gradients()
    return prepare(
        network,
        lambda: network.lowered(rows, training=True, input_delta=True),
        PURPOSE,
        rows,
        1,
    )


@one_at_a_time
def forward(network: Network, span: slice, samples: Samples) -> np.ndarray:
    """Run some of the layers forward, as in training: dropout and noise draw new numbers at each call."""
    rows = samples.count
    width = network.widths[span.start]
    if math.prod(samples.shape) != width:
        raise ValueError(f"X: expected {width} columns, got samples of shape {samples.shape}")
    plan, state = _prepare(network, rows)
    # The samples are written where the operation before these would write its output.
    entry = plan.operations[:1].copy()
    before = plan.operations[plan.spans[span.start].start - 1]
    for field in ("y", "ldy", "fan_out"):
        entry[field] = before[field]
    entry["number"] = schema.byte_scale(samples.shape)
    layers = _operations(plan, span)
    if not len(layers) or plan.spans[span.start].start > 1:
        entry["centers"] = -1  # these layers do not begin with the scaler whose centers the input subtracts
    operations = np.concatenate([entry, layers])
    data = data_of(network.dtype, samples, None, np.arange(rows))
    entries.forward(operations, state, data, rows, np.uint64(network.seed), network.draws)
    for position in range(span.start, span.stop):
        network.manual_draws[position] = network.draws
    network.draws += 1
    network.manual_rows = rows
    last = operations[-1]
    return matrix(state.workspace, int(last["y"]), int(last["ldy"]), rows, int(last["fan_out"])).copy()


def backward(network: Network, span: slice, d_y: ArrayLike) -> np.ndarray:
    """Run some of the layers backward, after `forward` of the same rows or of one; fill their gradients."""
    given = as_numbers(d_y, "d_y")
    d_x = _backward(network, span, np.atleast_2d(given))
    return d_x[0] if given.ndim == 1 else d_x


@one_at_a_time
def _backward(network: Network, span: slice, d_y: np.ndarray) -> np.ndarray:
    rows = network.manual_rows
    columns = network.widths[span.stop]
    if rows == 0:
        raise RuntimeError("backward: call forward first")
    if d_y.shape != (rows, columns):
        raise ValueError(
            f"d_y: expected shape {(rows, columns)}, that of the last forward output, got {d_y.shape}"
        )
    plan, state = _prepare(network, rows)
    operations = _operations(plan, span)
    if len(operations) == 0:
        return d_y.astype(network.dtype)
    first, last = operations[0], operations[-1]
    matrix(state.workspace, int(last["dy"]), int(last["ldy"]), rows, columns)[...] = d_y
    # Each layer needs the dropout mask of its own last forward pass; layers that ran together go back together.
    for draws, some in groupby(reversed(range(span.start, span.stop)), network.manual_draws.__getitem__):
        positions = sorted(some)
        part = _operations(plan, slice(positions[0], positions[-1] + 1))
        if len(part):
            entries.backward(part, state, rows, np.uint64(network.seed), draws)
    return matrix(state.workspace, int(first["dx"]), int(first["ldx"]), rows, int(first["fan_in"])).copy()


@one_at_a_time
def step(network: Network, optimizer: Optimizer, span: slice) -> None:
    """Update some of the layers from the gradients of the last `backward`."""
    network.require_parameters("step")
    optimizer.check_dtype(network.dtype)
    network.kept_gradients()
    network.prepare_slots(optimizer)
    plan, state = _prepare(network, max(network.manual_rows, 1))
    for position in range(span.start, span.stop):
        network.steps[position] += 1
    operations = _operations(plan, span)
    if len(operations):
        rows = [
            optimizer.hyper(network.steps[layer], 1, network.dtype, network.plateau)
            for layer in operations["layer"].tolist()
        ]
        entries.step(operations, state, update_of(network, optimizer, "kernels", np.concatenate(rows)))


def _operations(plan: Plan, span: slice) -> np.ndarray:
    spans = plan.spans[span]
    return plan.operations[spans[0].start : spans[-1].stop]
