"""Runs of the program over a data set, by a team of threads: an epoch of training, evaluation, prediction."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import numpy as np

from ..checks import ceil_div
from ..inputs.arrays import read_only
from ..inputs.samples import Samples
from ..inputs.targets import Targets
from ..kernels import schema
from ..kernels.program import threads as words
from ..losses import Formula
from ..optimizers import Optimizer
from . import team
from .layer_lowering import lower
from .network import Network, one_at_a_time
from .plan import Plan
from .run_arguments import data_of, micro_batch_rows, prepare, program_of, team_rows, update_of, work
from .thread_tuner import ThreadTuner


@one_at_a_time
def train_epoch(
    network: Network,
    samples: Samples,
    targets: Targets,
    order: np.ndarray,
    *,
    optimizer: Optimizer,
    batch_size: int,
    threads: int | None,
    engine: str,
    on_step: Callable[[int], None] | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Train once on the samples whose numbers are in `order`; on none, only compile or load the kernels.

    Returns
    -------
    totals : ndarray, float64
        Sum of the losses, sum of the scores, number of samples.
    control : ndarray
        The shared words, which tell how it ended.
    """
    tuner = _tuner_of(network, engine, threads, batch_size)
    network.prepare_slots(optimizer)
    if optimizer.needs_norms:
        network.keep_gradients()
    plan, state = _plan_of_training(network, samples, targets, batch_size, engine, tuner.largest)
    data = data_of(network, samples, targets, order)
    done = max(network.steps)
    count = ceil_div(order.size, batch_size)
    hyper = optimizer.hyper(done + 1, count, network.dtype, network.plateau)
    update = update_of(network, optimizer, engine, hyper)
    totals = np.zeros(3)
    run = partial(program_of(engine).train_epoch, totals, plan.operations, state)
    key = np.uint64(network.seed), network.draws

    def train_until(stop: int, control: np.ndarray, rank: int, size: int) -> None:
        part = data._replace(order=read_only(order[: stop * batch_size]))
        run(part, batch_size, update, *key, control, rank, size)

    if count == 0:
        # On the caller's own thread: one of a team would go on compiling after Ctrl-C.
        train_until(0, team.new_control(), 0, 1)
        return totals, team.new_control()
    network.draws += 1
    control = team.new_control()
    while not _has_ended(control, count):
        start = int(control[words.STEP])
        size, steps = tuner.next(count - start)
        control = team.new_control()
        control[words.STEP] = start
        amount = steps * work(network, batch_size, 3)
        began = time.perf_counter()
        try:
            team.run(partial(train_until, start + steps), size, control, amount=amount, on_wait=on_step)
        finally:
            network.steps = [done + int(control[words.STEP])] * len(network.layers)
        tuner.note(size, int(control[words.STEP]) - start, time.perf_counter() - began)
        if on_step is not None:
            on_step(int(control[words.STEP]))
    return totals, control


def _has_ended(control: np.ndarray, steps: int) -> bool:
    """Whether all steps of an epoch are done, or a step was not finished."""
    return bool(control[words.STEP] >= steps or control[words.HALT] or control[words.BROKEN])


def _plan_of_training(
    network: Network, samples: Samples, targets: Targets, batch_size: int, engine: str, threads: int
) -> tuple[Plan, schema.State]:
    """The plan and the arenas of steps of this size."""
    rows = micro_batch_rows(network, batch_size) if engine == "kernels" else batch_size
    return prepare(
        network,
        lambda: lower(
            network.layers,
            network.input_shape,
            rows,
            network.dtype,
            loss=targets.formula,
            training=True,
            sparse_input=samples.sparse,
        ),
        "train",
        (targets.formula, batch_size, samples.sparse, engine),
        threads,
        sums_gradients=rows < batch_size,
    )


def _tuner_of(network: Network, engine: str, threads: int | None, batch_size: int) -> ThreadTuner:
    """The thread tuner of such a training, with what it knows from the last one; a given number is kept."""
    amount = work(network, batch_size, 3)
    size = team_size(engine, threads, amount)
    key = (size, threads is None, batch_size)
    if network.tuner is None or network.tuner[0] != key:
        network.tuner = key, ThreadTuner(size, amount, fixed=threads is not None)
    return network.tuner[1]


def team_size(engine: str, threads: int | None, amount: float) -> int:
    """Number of threads for a run; the reference runs on one, and its BLAS on as many as it likes."""
    size = team.choose_threads(threads, amount)
    return size if engine == "kernels" else 1


@one_at_a_time
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
    losses = np.zeros(order.size, network.dtype)
    scores = np.zeros(order.size, network.dtype)
    run = partial(program_of(engine).evaluate, losses, scores)
    _run_over(network, run, "evaluate", samples, targets, order, threads=threads, engine=engine)
    return _mean(losses), _mean(scores)


def _mean(values: np.ndarray) -> float:
    """Their mean, from a sum in their order: the same bits on every machine."""
    return float(np.add.accumulate(values, dtype=np.float64)[-1]) / values.size


@one_at_a_time
def predict(
    network: Network, samples: Samples, *, threads: int | None, engine: str, order: np.ndarray | None = None
) -> np.ndarray:
    """The outputs for the samples whose numbers are in `order`, shape (samples, outputs); without one, for all."""
    order = np.arange(samples.count) if order is None else order
    outputs = np.empty((order.size, network.outputs), network.dtype)
    run = partial(program_of(engine).predict, outputs)
    _run_over(network, run, "predict", samples, None, order, threads=threads, engine=engine)
    return outputs


def _run_over(
    network: Network,
    run: Callable[..., None],
    purpose: str,
    samples: Samples,
    targets: Targets | None,
    order: np.ndarray,
    *,
    threads: int | None,
    engine: str,
) -> None:
    """Run an entry that goes over a data set without training, by a team."""
    amount = work(network, order.size, 1)
    size = team_size(engine, threads, amount)
    rows = team_rows(network.widths, network.dtype, size) if engine == "kernels" else order.size
    loss: Formula | None = None if targets is None else targets.formula
    plan, state = prepare(
        network,
        lambda: lower(
            network.layers, network.input_shape, rows, network.dtype, loss=loss, sparse_input=samples.sparse
        ),
        purpose,
        (loss, rows, samples.sparse),
        size,
    )
    data = data_of(network, samples, targets, order)
    team.run(partial(run, plan.operations, state, data), size, team.new_control(), amount=amount)
