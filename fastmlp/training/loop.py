"""The training loop: epochs, validation, progress, and what happens when it ends early."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from ..callbacks import CallbackList
from ..callbacks.stop_rule import Followed
from ..engine import execution
from ..engine.compilation import announced, say_compiling
from ..engine.network import Network
from ..engine.training_run import TrainingRun
from ..errors import TrainingDiverged
from ..inputs.subsets import Subset
from ..kernels import schema
from ..schedules import ReduceOnPlateau, as_schedule
from .fit_arguments import BAR, FitArguments
from .history import SPEED, History


def train(
    network: Network,
    arguments: FitArguments,
    epochs: range,
    history: History,
    callbacks: CallbackList,
    control: np.ndarray | None = None,
) -> None:
    """Train for these epochs (counted from 0) and append to the history.

    Parameters
    ----------
    network, arguments, epochs, history, callbacks
        What to train, how, how long, and who is told.
    control : ndarray, optional
        As `TrainingRun` takes it.

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
    schedule = as_schedule(arguments.optimizer.learning_rate)
    if isinstance(schedule, ReduceOnPlateau):
        schedule.check_metric(arguments.metrics)
    callbacks.on_train_begin()
    try:
        if arguments.keep_gradients:
            network.keep_gradients()
        run = TrainingRun(
            network, arguments.training, arguments.how, validation=arguments.validation, control=control
        )
        # Compile or load the kernels now, so that this is not counted in the first epoch's time.
        with announced(say_compiling if arguments.verbose else None):
            run.compile()
        looked_at = (
            arguments.verbose
            or arguments.measures.metrics
            or callbacks.needs_each_epoch
            or schedule.follows_training
        )
        train_some = _train_one if looked_at else _train_many
        done = epochs.start
        while done < epochs.stop and not callbacks.stopped:
            train_some(run, arguments, range(done, epochs.stop), history, callbacks)
            done += run.done
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


def _train_one(
    run: TrainingRun, arguments: FitArguments, epochs: range, history: History, callbacks: CallbackList
) -> None:
    """Train one epoch and show it to everybody who wants to see it."""
    network, epoch = run.network, epochs.start
    callbacks.on_epoch_begin(epoch + 1)
    rule, progress = callbacks.rule()
    with _progress(arguments, epoch, epochs.stop) as on_step:
        run.run(epoch, 1, rule, progress, on_step)
    _require_finite(run, arguments, epoch)
    curves = _curves(run, arguments)
    metrics = {name: curve[0] for name, curve in curves.items()}
    schedule = arguments.optimizer.learning_rate
    if isinstance(schedule, ReduceOnPlateau):
        network.plateau = schedule.after_epoch(network.plateau, metrics)
    history.append(epoch + 1, metrics)
    network.epochs = epoch + 1
    if arguments.verbose:
        print(_line(epoch + 1, epochs.stop, metrics), file=sys.stderr)
    if callbacks.needs_each_epoch:
        callbacks.on_epoch_end(epoch + 1, metrics)
    else:
        callbacks.follow(_followed(run, curves, epoch + 1))


def _train_many(
    run: TrainingRun, arguments: FitArguments, epochs: range, history: History, callbacks: CallbackList
) -> None:
    """Train as many epochs as one run of the program may have: nobody looks in between."""
    rule, progress = callbacks.rule()
    try:
        run.run(epochs.start, min(len(epochs), run.most_epochs), rule, progress)
    finally:
        if run.done:
            curves, last = _curves(run, arguments), epochs.start + run.done
            history.extend(epochs.start + 1, curves)
            run.network.epochs = last
            callbacks.follow(_followed(run, curves, last))
    _require_finite(run, arguments, epochs.start)


def _followed(run: TrainingRun, curves: dict[str, list[float]], last: int) -> Followed:
    """What a callback whose rule the program follows is told after a run."""
    penalised = run.records[: run.done, schema.PENALISED_LOSS].tolist()
    return Followed(last, curves, penalised, run.progress, run.best)


def _require_finite(run: TrainingRun, arguments: FitArguments, first: int) -> None:
    """Go back to the parameters from before the epoch, and raise the error, if a loss or parameter is not finite."""
    if not run.broken:
        return
    run.network.restart(run.before)
    what = "loss is" if run.broken == schema.LOSS_IS_NOT_FINITE else "parameters are"
    step = min(run.step - run.done * arguments.steps + 1, arguments.steps)
    raise TrainingDiverged(
        f"the {what} not finite in epoch {first + run.done + 1}, step {step} of {arguments.steps}; the model has the "
        f"weights from before this epoch, its optimizer starts again. {_advice(run.network, arguments)}"
    )


def _curves(run: TrainingRun, arguments: FitArguments) -> dict[str, list[float]]:
    """The quantities of the epochs of a run by name, each a list; metrics are measured on the network as it is now."""
    columns = run.records[: run.done].T.tolist()
    loss, score = columns[schema.EPOCH_LOSS], columns[schema.EPOCH_SCORE]
    curves = {"loss": loss, arguments.score: score, **_measure(run.network, arguments, arguments.training)}
    if arguments.validation is not None:
        val_loss, val_score = columns[schema.VAL_LOSS], columns[schema.VAL_SCORE]
        validated = {"loss": val_loss, arguments.score: val_score}
        validated |= _measure(run.network, arguments, arguments.validation)
        curves |= {f"val_{name}": curve for name, curve in validated.items()}
    seconds = run.seconds / run.done
    speed = arguments.training.rows.size / seconds
    return curves | {"seconds": [seconds] * run.done, "samples_per_second": [speed] * run.done}


def _measure(network: Network, arguments: FitArguments, subset: Subset) -> dict[str, list[float]]:
    """The metrics that were asked for, on these samples, as the network is now."""
    if not arguments.measures.metrics:
        return {}
    outputs = execution.predict(
        network, subset.samples, threads=arguments.threads, engine=arguments.engine, order=subset.rows
    )
    measured = arguments.measures.of(subset.targets_of_rows, outputs)
    return {name: [float(value)] for name, value in measured.items()}


def train_step(network: Network, arguments: FitArguments) -> float:
    """Train one step on all samples in their order; the mean loss before it.

    Raises
    ------
    TrainingDiverged
        If the loss is not finite; nothing has changed then.
    """
    draws = network.draws
    with network.lock:
        run = TrainingRun(network, arguments.training, arguments.how, can_restart=False)
        run.run(network.epochs, 1)
    if run.broken:
        network.draws = draws
        raise TrainingDiverged(
            f"the loss is not finite in step {max(network.steps) + 1}; the model is as it was before. "
            f"{_advice(network, arguments)}"
        )
    return float(run.records[0, schema.EPOCH_LOSS])


def _advice(network: Network, arguments: FitArguments) -> str:
    """What to try after a loss that is not finite."""
    rate = float(arguments.optimizer.rates(np.array(network.steps[:1]))[0])
    scalable = (
        "inputs" if arguments.score == "accuracy" else "inputs and the targets"
    )  # classes have no scale
    return f"Try a learning rate below {rate:g}, or scale the {scalable}"


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
