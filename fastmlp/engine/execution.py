"""Runs of the program over a data set, by a team of threads: an epoch of training, evaluation, prediction."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import partial

import numpy as np

from ..inputs.samples import Samples
from ..inputs.targets import Targets
from ..kernels import schema
from ..kernels.program import threads as words
from ..optimizers import Optimizer
from . import team
from .buffers import read_only
from .engines import choose_size, entries_of
from .lowering import lower
from .network import Network, in_turn
from .thread_tuner import Pace


@in_turn
def train_epoch(
    network: Network,
    samples: Samples,
    targets: Targets,
    order: np.ndarray,
    *,
    optimizer: Optimizer,
    batch_size: int,
    epoch: int,
    threads: int | None,
    engine: str,
    on_step: Callable[[int], None] | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Train once on the samples whose numbers are in `order`; on none, only have the machine code ready.

    Returns
    -------
    totals : ndarray, float64
        Sum of the losses, sum of the scores, number of samples.
    control : ndarray
        The shared words, which tell how it ended.
    """
    pace = _pace_of(network, engine, threads, batch_size)
    network.prepare_slots(optimizer)
    if optimizer.needs_norms:
        network.keep_gradients()
    rows = network.piece_rows(batch_size) if engine == "kernels" else batch_size
    plan, state = network.prepare(
        lambda: lower(
            network.layers,
            network.features,
            rows,
            network.dtype,
            loss=targets.formula,
            training=True,
            sparse_input=samples.sparse,
        ),
        "train",
        (targets.formula, batch_size, samples.sparse, engine),
        pace.largest,
        pieces=-(-batch_size // rows),
    )
    data = network.data(samples, targets, order)
    first, count = max(network.steps) + 1, -(-order.size // batch_size)
    update = network.update(optimizer, engine, optimizer.hyper(first, count, network.dtype, network.plateau))
    totals, seed = np.zeros(3), np.uint64(network.seed)
    run = entries_of(engine).train_epoch
    control = team.new_control()

    def work(part: schema.Data, control: np.ndarray, rank: int, size: int) -> None:
        run(
            totals, plan.operations, state, part, batch_size, update, seed, epoch, control, rank, size,
        )  # fmt: skip

    if count == 0:
        work(data, control, 0, 1)  # by the caller's own thread, as one of a team compiles on after Ctrl-C
    while (
        (done := int(control[words.STEP])) < count and not control[words.HALT] and not control[words.BROKEN]
    ):
        size, steps = pace.next(count - done)
        part = data._replace(order=read_only(order[: (done + steps) * batch_size]))
        control = team.new_control()
        control[words.STEP] = done
        amount = steps * network.work(batch_size, 3)
        start = time.perf_counter()
        try:
            team.run(partial(work, part), size, control, amount=amount, on_wait=on_step)
        finally:
            network.steps = [first - 1 + int(control[words.STEP])] * len(network.layers)
        pace.note(size, steps, time.perf_counter() - start)
        if on_step is not None:
            on_step(int(control[words.STEP]))
    return totals, control


@in_turn
def evaluate(
    network: Network,
    samples: Samples,
    targets: Targets,
    *,
    threads: int | None,
    engine: str,
    order: np.ndarray | None = None,
) -> tuple[float, float]:
    """Mean loss and mean score of the samples whose numbers are in `order`; without one, of all."""
    order = np.arange(samples.count) if order is None else order
    count, work_of_all = order.size, network.work(order.size, 1)
    size = choose_size(engine, threads, work_of_all)
    rows = network.team_rows(size) if engine == "kernels" else count
    plan, state = network.prepare(
        lambda: lower(
            network.layers,
            network.features,
            rows,
            network.dtype,
            loss=targets.formula,
            sparse_input=samples.sparse,
        ),
        "evaluate",
        (targets.formula, rows, samples.sparse),
        size,
    )
    data = network.data(samples, targets, order)
    losses, scores = np.zeros(count, network.dtype), np.zeros(count, network.dtype)
    run = entries_of(engine).evaluate

    def work(control: np.ndarray, rank: int, size: int) -> None:
        run(losses, scores, plan.operations, state, data, control, rank, size)

    team.run(work, size, team.new_control(), amount=work_of_all)
    # fsum is exact, so the order of the rows does not matter.
    return math.fsum(losses) / count, math.fsum(scores) / count


@in_turn
def predict(
    network: Network, samples: Samples, *, threads: int | None, engine: str, order: np.ndarray | None = None
) -> np.ndarray:
    """The outputs for the samples whose numbers are in `order`, shape (samples, outputs); without one, for all."""
    order = np.arange(samples.count) if order is None else order
    count, work_of_all = order.size, network.work(order.size, 1)
    size = choose_size(engine, threads, work_of_all)
    rows = network.team_rows(size) if engine == "kernels" else count
    plan, state = network.prepare(
        lambda: lower(network.layers, network.features, rows, network.dtype, sparse_input=samples.sparse),
        "predict",
        (rows, samples.sparse),
        size,
    )
    data = network.data(samples, None, order)
    outputs = np.empty((count, network.outputs), network.dtype)
    run = entries_of(engine).predict

    def work(control: np.ndarray, rank: int, size: int) -> None:
        run(outputs, plan.operations, state, data, control, rank, size)

    team.run(work, size, team.new_control(), amount=work_of_all)
    return outputs


def _pace_of(network: Network, engine: str, threads: int | None, batch_size: int) -> Pace:
    """The pace of such a training, with what it knows from the last one; a given number of threads is kept."""
    work = network.work(batch_size, 3)
    size = choose_size(engine, threads, work)
    key = (size, threads is None, batch_size)
    if network.pace[0] != key:
        network.pace = key, Pace(size, work, fixed=threads is not None)
    return network.pace[1]
