"""The training loop: epochs, validation, progress, and what happens when it ends early."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from ..callbacks import CallbackList
from ..engine import execution
from ..engine.compilation import announced, say_compiling
from ..engine.network import Network
from ..errors import TrainingDiverged
from ..inputs.samples import Samples
from ..inputs.targets import Targets
from ..kernels.loops import rng
from ..kernels.program import threads as words
from ..schedules import ReduceOnPlateau
from .fit_arguments import BAR, SPEED, Task
from .history import History


def train(network: Network, task: Task, epochs: range, history: History, callbacks: CallbackList) -> None:
    """Train for these epochs (counted from 0) and append to the history.

    Raises
    ------
    TrainingDiverged
        If a loss is not finite: in that step, before its update; or if a parameter is not finite after an
        epoch. The parameters are those from before the epoch; the optimizer starts afresh.
    KeyboardInterrupt
        After Ctrl-C, within a step. The parameters are those after the last whole step.
    """
    network.require_parameters("fit")
    if isinstance(task.optimizer.learning_rate, ReduceOnPlateau):
        task.optimizer.learning_rate.check_metric(task.metrics)
    callbacks.on_train_begin()
    network.prepare_slots(task.optimizer)
    order, before = task.rows.copy() if task.shuffle else task.rows, network.params.copy()
    try:
        _have_machine_code(network, task)
        for epoch in epochs:
            callbacks.on_epoch_begin(epoch + 1)
            with _progress(task, epoch, epochs.stop) as on_step:
                metrics = _train_epoch(network, task, epoch, order, before, on_step)
            if isinstance(task.optimizer.learning_rate, ReduceOnPlateau):
                network.plateau = task.optimizer.learning_rate.after_epoch(network.plateau, metrics)
            history.append(epoch + 1, metrics)
            network.epochs = epoch + 1
            if task.verbose:
                print(_line(epoch + 1, epochs.stop, metrics), file=sys.stderr)
            callbacks.on_epoch_end(epoch + 1, metrics)
            if callbacks.stopped:
                break
    except KeyboardInterrupt:
        callbacks.on_train_end()
        raise
    callbacks.on_train_end()


def _have_machine_code(network: Network, task: Task) -> None:
    """Load or compile what epochs need before the first of them, whose time it is not."""
    with announced(say_compiling if task.verbose else None):
        execution.train_epoch(
            network, task.samples, task.targets, task.rows[:0], optimizer=task.optimizer,
            batch_size=task.batch_size, threads=task.threads, engine=task.engine, on_step=None,
        )  # fmt: skip
        if task.validation is not None:
            samples, targets, rows = task.validation
            execution.evaluate(network, samples, targets, threads=1, engine=task.engine, order=rows[:1])


def train_step(network: Network, task: Task) -> float:
    """Train one step on all samples of the task in their order; the mean loss before it.

    Raises
    ------
    TrainingDiverged
        If the loss is not finite; nothing has changed then.
    """
    draws = network.draws
    totals, control = execution.train_epoch(
        network, task.samples, task.targets, task.rows, optimizer=task.optimizer,
        batch_size=task.batch_size, threads=task.threads, engine=task.engine, on_step=None,
    )  # fmt: skip
    if control[words.BROKEN]:
        network.draws = draws
        raise TrainingDiverged(
            f"the loss is not finite in step {max(network.steps) + 1}; the model is as it was before. Try a learning "
            f"rate below {_rate(network, task):g}, or scale the {_scalable(task)}"
        )
    return float(totals[0]) / task.rows.size


def _rate(network: Network, task: Task) -> float:
    """The learning rate of the next step."""
    return float(task.optimizer.rates(np.array(network.steps[:1]))[0])


def _scalable(task: Task) -> str:
    """What may be too large: all but classes."""
    return "inputs" if task.score == "accuracy" else "inputs and the targets"


def _train_epoch(
    network: Network,
    task: Task,
    epoch: int,
    order: np.ndarray,
    before: np.ndarray,
    on_step: Callable[[int], None] | None,
) -> dict[str, float]:
    """Train once on all samples; their order, and the parameters from before, lie in memory that all epochs share."""
    before[...] = network.params
    if task.shuffle:
        order[...] = task.rows
        rng.shuffle(order, np.uint64(network.seed), network.draws)
    start = time.perf_counter()
    totals, control = execution.train_epoch(
        network, task.samples, task.targets, order, optimizer=task.optimizer, batch_size=task.batch_size,
        threads=task.threads, engine=task.engine, on_step=on_step,
    )  # fmt: skip
    seconds = time.perf_counter() - start
    if control[words.BROKEN] or not network.is_finite():
        network.restart(before)
        what = "loss is" if control[words.BROKEN] else "parameters are"
        step = min(int(control[words.STEP]) + 1, task.steps)
        raise TrainingDiverged(
            f"the {what} not finite in epoch {epoch + 1}, step {step} of {task.steps}; the model has the weights "
            f"from before this epoch, its optimizer starts afresh. Try a learning rate below "
            f"{_rate(network, task):g}, or scale the {_scalable(task)}"
        )
    count = order.size
    metrics = {"loss": totals[0] / count, task.score: totals[1] / count}
    metrics |= _measure(network, task, task.samples, task.targets, task.rows)
    if task.validation is not None:
        samples, targets, rows = task.validation
        loss, score = execution.evaluate(
            network, samples, targets, threads=task.threads, engine=task.engine, order=rows
        )
        validation = {"loss": loss, task.score: score, **_measure(network, task, samples, targets, rows)}
        metrics |= {f"val_{name}": value for name, value in validation.items()}
    metrics |= {"seconds": seconds, "samples_per_second": count / seconds}
    return {name: float(value) for name, value in metrics.items()}


def _measure(
    network: Network, task: Task, samples: Samples, targets: Targets, rows: np.ndarray
) -> dict[str, float]:
    """The metrics that were asked for, of these samples, as the network is now."""
    if not task.measures.metrics:
        return {}
    outputs = execution.predict(network, samples, threads=task.threads, engine=task.engine, order=rows)
    return task.measures.of(targets.of(rows, samples.count), outputs)


@contextmanager
def _progress(task: Task, epoch: int, last: int) -> Iterator[Callable[[int], None] | None]:
    """A progress bar for one epoch, on a terminal."""
    if task.verbose != BAR or not sys.stderr.isatty():
        yield None
        return
    from tqdm import tqdm

    samples = task.rows.size
    with tqdm(
        total=samples, desc=f"epoch {epoch + 1}/{last}", unit=" samples", unit_scale=True, leave=False
    ) as bar:
        yield lambda step: bar.update(min(step * task.batch_size, samples) - bar.n)


def _line(epoch: int, last: int, metrics: dict[str, float]) -> str:
    """One line about one epoch."""
    shown = [
        f"{name.replace('mean_absolute_error', 'error')} {value:.4f}"
        for name, value in metrics.items()
        if name not in SPEED
    ]
    speed = f"{metrics['seconds']:.2f} s ({metrics['samples_per_second']:,.0f} samples/s)"
    return "  ".join([f"epoch {epoch}/{last}", *shown, speed])
