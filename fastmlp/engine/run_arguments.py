"""What a run of the program is given: a plan with its arenas, the data, the update, and how many rows at a time."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from types import ModuleType

import numpy as np

from ..checks import ceil_div, look_up
from ..inputs.arrays import read_only
from ..inputs.samples import Samples
from ..inputs.targets import Targets
from ..kernels import schema
from ..kernels.schema import CHUNK, ROW_GRAIN, UPDATE_ROWS
from ..optimizers import Optimizer
from .buffers import aligned_zeros
from .network import Network
from .plan import Plan
from .team import choose_threads

CHUNK_BYTES = 2**22  # of the widest value of a chunk, so that it stays in the caches
MICRO_BATCH_ROWS = 1024  # larger batches run through the workspace in micro-batches; measured: decision 21


# The modules of the compiled program and of its NumPy reference, which have entries of the same names.
ENGINES = {"kernels": "..kernels.program.entries", "reference": "..kernels.reference.entries"}


def program_of(engine: str) -> ModuleType:
    """The module with the entries of an engine, imported when it is first used."""
    return _module(look_up("engine", engine, ENGINES))


@cache
def _module(name: str) -> ModuleType:
    return import_module(name, __package__)


def prepare(
    network: Network,
    plan_of: Callable[[], Plan],
    purpose: str,
    key: object,
    threads: int,
    *,
    engine: str = "kernels",
    sums_gradients: bool = False,
) -> tuple[Plan, schema.State]:
    """A plan and its arenas for an engine, kept for the next run of the same purpose and key.

    `sums_gradients` asks for an arena of gradients, in which those of micro-batches add up.
    """
    network.check_ready()
    kept = network.cache.get(purpose)
    if kept is None or kept[0] != (key, threads):
        plan = plan_of()
        program_of(engine).link(plan.operations, network.dtype)
        kept = (key, threads), plan, _state(network, plan, threads, sums_gradients)
        network.cache[purpose] = kept
    return kept[1], kept[2]


def _state(network: Network, plan: Plan, threads: int, sums_gradients: bool) -> schema.State:
    """The arenas of a plan: those of the network, and workspace of its own."""
    dtype = network.dtype
    widest = max(op["ldw"] for op in plan.fields)
    gradients = network.gradients
    if sums_gradients and not gradients.size:
        gradients = aligned_zeros(network.params.size, dtype)
    return schema.State(
        params=network.params,
        gradients=gradients,
        slots=network.slots,
        workspace=aligned_zeros(plan.workspace, dtype),
        scratch=aligned_zeros(threads * int(UPDATE_ROWS) * widest, dtype),
        losses=aligned_zeros(plan.rows, dtype),
        scores=aligned_zeros(plan.rows, dtype),
        labels=aligned_zeros(plan.rows, np.dtype(np.int64)),
    )


def data_of(dtype: np.dtype, samples: Samples, targets: Targets | None, order: np.ndarray) -> schema.Data:
    """Samples and targets as the program reads them, and the samples that it takes, in their order.

    `order` must be an array that may be written, as training shuffles it.
    """
    none = np.zeros(0, dtype)
    labels, values, weights, _ = targets or (np.zeros(0, np.int64), none, none, None)
    # Read-only, as what a user gives may be: to Numba, such arrays are a type of their own, compiled once more.
    arrays = (samples.bytes(), samples.starts, samples.columns, labels, values, weights)
    inputs, *others = map(read_only, arrays)
    return schema.Data(inputs, samples.kind, *others, order)


def work(network: Network, rows: int, passes: int) -> int:
    """Multiply-adds of `passes` passes of this many rows through the network."""
    return passes * rows * network.multiply_adds


def team_size(engine: str, threads: int | None, amount: float) -> int:
    """Number of threads for a run; the reference runs on one, and its BLAS on as many as it likes."""
    size = choose_threads(threads, amount)
    return size if engine == "kernels" else 1


def micro_batch_rows(network: Network, batch_size: int) -> int:
    """Rows of the workspace in training: a batch, or an even part of a large one in whole tiles or groups of terms."""
    if any(layer.needs_whole_batch for layer in network.layers):
        return batch_size
    grain, count = network.row_grain, ceil_div(batch_size, MICRO_BATCH_ROWS)
    return min(batch_size, ceil_div(batch_size, count * grain) * grain)


def team_rows(widths: list[int], dtype: np.dtype, size: int) -> int:
    """Rows of the workspace when each of `size` threads takes chunks of samples of its own."""
    row = schema.stride(max(widths), dtype) * dtype.itemsize
    tile = int(ROW_GRAIN)
    return size * max(tile, min(int(CHUNK), CHUNK_BYTES // row // tile * tile))


def update_of(network: Network, optimizer: Optimizer, engine: str, hyper: np.ndarray) -> schema.Update:
    """How gradients become steps, for an engine; `hyper` has a row of numbers for each step."""
    rules = optimizer.rules
    words = program_of(engine).prepared(optimizer.code, network.dtype)
    words[schema.NORMS] = optimizer.needs_norms
    words[schema.CLIPS] = optimizer.clips or rules[schema.WEIGHT_DECAY] != 0
    return schema.Update(words, hyper, rules, network.row_norms, network.averages)
