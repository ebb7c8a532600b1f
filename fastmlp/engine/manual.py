"""One pass at a time, by hand: forward, backward and a step of some of the layers, on the calling thread."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from ..inputs.samples import Samples, as_numbers
from ..kernels import schema
from ..kernels.program import entries
from .buffers import matrix
from .lowering import lower
from .network import Network, in_turn
from .plan import Plan

if TYPE_CHECKING:
    from ..optimizers import Optimizer


def _prepare(network: Network, rows: int) -> tuple[Plan, schema.State]:
    network.keep_gradients()
    return network.prepare(
        lambda: lower(network.layers, network.features, rows, network.dtype, training=True, input_delta=True),
        "by hand",
        rows,
        1,
    )


@in_turn
def forward(network: Network, span: slice, samples: Samples) -> np.ndarray:
    """Run some of the layers forward, as in training."""
    rows, width = samples.count, network.widths[span.start]
    if math.prod(samples.shape) != width:
        raise ValueError(f"X: expected {width} columns, got samples of shape {samples.shape}")
    plan, state = _prepare(network, rows)
    data = network.data(samples, None, np.arange(rows))
    # The values come in where the operation before these would put them.
    operations = _operations(plan, span)
    entry, before = plan.operations[:1].copy(), plan.operations[plan.spans[span.start].start - 1]
    for field in ("y", "ldy", "fan_out"):
        entry[field] = before[field]
    walked = np.concatenate([entry, operations])
    entries.forward(walked, state, data, rows, np.uint64(network.seed), 0)
    network.by_hand = rows
    last = walked[-1]
    return matrix(state.workspace, int(last["y"]), int(last["ldy"]), rows, int(last["fan_out"])).copy()


def backward(network: Network, span: slice, d_y: ArrayLike) -> np.ndarray:
    """Run some of the layers backward, after `forward` of the same rows or of one; fill their gradients."""
    given = as_numbers(d_y, "d_y")
    d_x = _backward(network, span, np.atleast_2d(given))
    return d_x[0] if given.ndim == 1 else d_x


@in_turn
def _backward(network: Network, span: slice, d_y: np.ndarray) -> np.ndarray:
    rows, columns = network.by_hand, network.widths[span.stop]
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
    entries.backward(operations, state, rows, np.uint64(network.seed), 0)
    return matrix(state.workspace, int(first["dx"]), int(first["ldx"]), rows, int(first["fan_in"])).copy()


@in_turn
def step(network: Network, optimizer: Optimizer, span: slice) -> None:
    """Update some of the layers from the gradients of the last `backward`."""
    network.require_parameters("step")
    optimizer.check_dtype(network.dtype)
    network.kept_gradients()
    network.prepare_slots(optimizer)
    plan, state = _prepare(network, max(network.by_hand, 1))
    for position in range(*span.indices(len(network.layers))):
        network.steps[position] += 1
    operations = _operations(plan, span)
    if len(operations):
        rows = [
            optimizer.hyper(network.steps[layer], 1, network.dtype, network.plateau)
            for layer in operations["layer"].tolist()
        ]
        entries.step(operations, state, network.update(optimizer, "kernels", np.concatenate(rows)))


def _operations(plan: Plan, span: slice) -> np.ndarray:
    spans = plan.spans[span]
    return plan.operations[spans[0].start : spans[-1].stop]
