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
from ..inputs.subsets import Subset
from ..kernels.loops import rng
from ..kernels.program import threads as words
from ..schedules import ReduceOnPlateau
from .fit_arguments import BAR, FitArguments
from .history import SPEED, History


def train(
    network: Network, arguments: FitArguments, epochs: range, history: History, callbacks: CallbackList
) -> None:
    """Train for these epochs (counted from 0) and append to the history.

    Raises
    ------
    TrainingDiverged
        If a loss is not finite: in that step, before its update; or if a parameter is not finite after an
        epoch. The parameters are those from before the epoch, or of the best epoch where a callback restores them;
        the optimizer starts again.
    KeyboardInterrupt
        After Ctrl-C, within a step. The parameters are those after the last whole step.
    """
    network.require_parameters("fit")
    schedule = arguments.optimizer.learning_rate
    if isinstance(schedule, ReduceOnPlateau):
        schedule.check_metric(arguments.metrics)
    callbacks.on_train_begin()
    network.prepare_slots(arguments.optimizer)
    rows = arguments.training.rows
    order = rows.copy() if arguments.shuffle else rows
    before = network.params.copy()
    try:
        _compile(network, arguments)
        for epoch in epochs:
            if callbacks.stopped:
                break
            callbacks.on_epoch_begin(epoch + 1)
            with _progress(arguments, epoch, epochs.stop) as on_step:
                metrics = _train_epoch(network, arguments, epoch, order, before, on_step)
            if isinstance(schedule, ReduceOnPlateau):
                network.plateau = schedule.after_epoch(network.plateau, metrics)
            history.append(epoch + 1, metrics)
            network.epochs = epoch + 1
            if arguments.verbose:
                print(_line(epoch + 1, epochs.stop, metrics), file=sys.stderr)
            callbacks.on_epoch_end(epoch + 1, metrics)
    except KeyboardInterrupt:
        callbacks.on_train_end()
        raise
    except TrainingDiverged as error:
        callbacks.on_train_end()
        best = callbacks.restored_epoch()
        if not best:
            raise
        raise TrainingDiverged(f"{error}. EarlyStopping has restored the weights of epoch {best}") from error
    callbacks.on_train_end()


def _compile(network: Network, arguments: FitArguments) -> None:
    """Compile or load the kernels now, so that this is not counted in the first epoch's time."""
    with announced(say_compiling if arguments.verbose else None):
        _run_epoch(network, arguments, arguments.training.rows[:0], None)
        if arguments.validation is not None:
            samples, targets, rows, _ = arguments.validation
            execution.evaluate(network, samples, targets, threads=1, engine=arguments.engine, order=rows[:1])


def _run_epoch(
    network: Network, arguments: FitArguments, order: np.ndarray, on_step: Callable[[int], None] | None
) -> tuple[np.ndarray, np.ndarray]:
    """The steps of an epoch in this order; totals and shared words of `execution.train_epoch`."""
    return execution.train_epoch(
        network,
        arguments.training.samples,
        arguments.training.targets,
        order,
        optimizer=arguments.optimizer,
        batch_size=arguments.batch_size,
        threads=arguments.threads,
        engine=arguments.engine,
        on_step=on_step,
    )


def train_step(network: Network, arguments: FitArguments) -> float:
    """Train one step on all samples in their order; the mean loss before it.

    Raises
    ------
    TrainingDiverged
        If the loss is not finite; nothing has changed then.
    """
    draws = network.draws
    rows = arguments.training.rows
    totals, control = _run_epoch(network, arguments, rows, None)
    if control[words.BROKEN]:
        network.draws = draws
        raise TrainingDiverged(
            f"the loss is not finite in step {max(network.steps) + 1}; the model is as it was before. "
            f"{_advice(network, arguments)}"
        )
    return float(totals[0]) / rows.size


def _train_epoch(
    network: Network,
    arguments: FitArguments,
    epoch: int,
    order: np.ndarray,
    before: np.ndarray,
    on_step: Callable[[int], None] | None,
) -> dict[str, float]:
    """Train one epoch and measure; `order` and `before` are room for the order and for the parameters before it."""
    before[...] = network.params
    if arguments.shuffle:
        order[...] = arguments.training.rows
        rng.shuffle(order, np.uint64(network.seed), network.draws)
    start = time.perf_counter()
    totals, control = _run_epoch(network, arguments, order, on_step)
    seconds = time.perf_counter() - start
    if control[words.BROKEN] or not network.is_finite():
        network.restart(before)
        what = "loss is" if control[words.BROKEN] else "parameters are"
        step = min(int(control[words.STEP]) + 1, arguments.steps)
        raise TrainingDiverged(
            f"the {what} not finite in epoch {epoch + 1}, step {step} of {arguments.steps}; the model has the weights "
            f"from before this epoch, its optimizer starts again. {_advice(network, arguments)}"
        )
    count = order.size
    metrics = {"loss": totals[0] / count, arguments.score: totals[1] / count}
    metrics |= _measure(network, arguments, arguments.training)
    if arguments.validation is not None:
        metrics |= {f"val_{name}": value for name, value in _validate(network, arguments).items()}
    metrics |= {"seconds": seconds, "samples_per_second": count / seconds}
    return {name: float(value) for name, value in metrics.items()}


def _advice(network: Network, arguments: FitArguments) -> str:
    """What to try after a loss that is not finite."""
    rate = float(arguments.optimizer.rates(np.array(network.steps[:1]))[0])
    scalable = (
        "inputs" if arguments.score == "accuracy" else "inputs and the targets"
    )  # classes have no scale
    return f"Try a learning rate below {rate:g}, or scale the {scalable}"


def _validate(network: Network, arguments: FitArguments) -> dict[str, float]:
    """Loss, score and metrics of the validation data."""
    validation = arguments.validation
    if validation is None:
        return {}
    loss, score = execution.evaluate(
        network,
        validation.samples,
        validation.targets,
        threads=arguments.threads,
        engine=arguments.engine,
        order=validation.rows,
    )
    return {"loss": loss, arguments.score: score, **_measure(network, arguments, validation)}


def _measure(network: Network, arguments: FitArguments, subset: Subset) -> dict[str, float]:
    """The metrics that were asked for, on these samples, as the network is now."""
    if not arguments.measures.metrics:
        return {}
    outputs = execution.predict(
        network, subset.samples, threads=arguments.threads, engine=arguments.engine, order=subset.rows
    )
    return arguments.measures.of(subset.targets_of_rows, outputs)


@contextmanager
def _progress(arguments: FitArguments, epoch: int, last: int) -> Iterator[Callable[[int], None] | None]:
    """A progress bar for one epoch, on a terminal."""
    if arguments.verbose != BAR or not sys.stderr.isatty():
        yield None
        return
    from tqdm import tqdm

    samples = arguments.training.rows.size
    with tqdm(
        total=samples, desc=f"epoch {epoch + 1}/{last}", unit=" samples", unit_scale=True, leave=False
    ) as bar:
        yield lambda step: bar.update(min(step * arguments.batch_size, samples) - bar.n)


def _line(epoch: int, last: int, metrics: dict[str, float]) -> str:
    """One line about one epoch."""
    shown = [
        f"{name.replace('mean_absolute_error', 'error')} {value:.4f}"
        for name, value in metrics.items()
        if name not in SPEED
    ]
    speed = f"{metrics['seconds']:.2f} s ({metrics['samples_per_second']:,.0f} samples/s)"
    return "  ".join([f"epoch {epoch}/{last}", *shown, speed])
