"""The training loop: epochs, validation, progress, and what happens when it ends early."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from .errors import TrainingDiverged
from .history import History
from .kernels import rng
from .kernels import threads as words
from .measures import Measures
from .network import Network
from .optimizers import Optimizer
from .samples import Samples
from .schedules import ReduceOnPlateau
from .targets import Targets


@dataclass(frozen=True)
class Task:
    """What to learn, and how; as `Sequential.fit` describes it."""

    samples: Samples
    targets: Targets
    validation: tuple[Samples, Targets] | None
    measures: Measures
    optimizer: Optimizer
    batch_size: int
    shuffle: bool
    threads: int | None
    engine: str
    verbose: int

    @property
    def score(self) -> str:
        """What the score of the loss is called."""
        return self.targets.formula.score

    @property
    def metrics(self) -> list[str]:
        """What is known of each epoch."""
        names = ["loss", self.score]
        return names if self.validation is None else [*names, *(f"val_{name}" for name in names)]

    @property
    def steps(self) -> int:
        """Steps of an epoch; the last batch may be smaller."""
        return -(-self.samples.count // self.batch_size)


def train(network: Network, task: Task, first: int, last: int, history: History) -> None:
    """Train for the epochs first, ..., last - 1 (counted from 0) and append to the history.

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
    order = np.arange(task.samples.count)
    network.prepare_slots(task.optimizer)
    for epoch in range(first, last):
        if task.shuffle:
            rng.shuffle(order, np.uint64(network.seed), epoch)
        with _progress(task, epoch, last) as on_step:
            metrics = _train_epoch(network, task, order, epoch, on_step)
        if isinstance(task.optimizer.learning_rate, ReduceOnPlateau):
            network.plateau = task.optimizer.learning_rate.after_epoch(network.plateau, metrics)
        history.append(epoch + 1, metrics)
        if task.verbose:
            print(_line(epoch + 1, last, metrics), file=sys.stderr)


def _train_epoch(
    network: Network, task: Task, order: np.ndarray, epoch: int, on_step: Callable[[int], None] | None
) -> dict[str, float]:
    before = network.params.copy()
    start = time.perf_counter()
    totals, control = network.train_epoch(
        task.samples, task.targets, order, optimizer=task.optimizer, batch_size=task.batch_size, epoch=epoch,
        threads=task.threads, engine=task.engine, on_step=on_step,
    )  # fmt: skip
    seconds = time.perf_counter() - start
    if control[words.BROKEN] or not network.is_finite():
        network.start_again(before)
        what = "loss is" if control[words.BROKEN] else "parameters are"
        step = min(int(control[words.STEP]) + 1, task.steps)
        raise TrainingDiverged(
            f"the {what} not finite in epoch {epoch + 1}, step {step} of {task.steps}; the model has the weights "
            f"from before this epoch, its optimizer starts afresh. Try a learning rate below "
            f"{task.optimizer.rates(np.array(network.steps[:1]))[0]:g}, or scale the inputs"
        )
    count = task.samples.count
    metrics = {"loss": totals[0] / count, task.score: totals[1] / count}
    metrics |= _measure(network, task, task.samples, task.targets)
    if task.validation is not None:
        loss, score = network.evaluate(*task.validation, threads=task.threads, engine=task.engine)
        validation = {"loss": loss, task.score: score, **_measure(network, task, *task.validation)}
        metrics |= {f"val_{name}": value for name, value in validation.items()}
    metrics |= {"seconds": seconds, "samples_per_second": count / seconds}
    return {name: float(value) for name, value in metrics.items()}


def _measure(network: Network, task: Task, samples: Samples, targets: Targets) -> dict[str, float]:
    """The metrics that were asked for, as the network is now."""
    if not task.measures.metrics:
        return {}
    return task.measures.of(targets, network.predict(samples, threads=task.threads, engine=task.engine))


@contextmanager
def _progress(task: Task, epoch: int, last: int) -> Iterator[Callable[[int], None] | None]:
    """A progress bar for one epoch, on a terminal."""
    if not task.verbose or not sys.stderr.isatty():
        yield None
        return
    from tqdm import tqdm

    samples = task.samples.count
    with tqdm(
        total=samples, desc=f"epoch {epoch + 1}/{last}", unit=" samples", unit_scale=True, leave=False
    ) as bar:
        yield lambda step: bar.update(min(step * task.batch_size, samples) - bar.n)


def _line(epoch: int, last: int, metrics: dict[str, float]) -> str:
    """One line about one epoch."""
    shown = [
        f"{name.replace('mean_absolute_error', 'error')} {value:.4f}"
        for name, value in metrics.items()
        if name not in {"seconds", "samples_per_second"}
    ]
    speed = f"{metrics['seconds']:.2f} s ({metrics['samples_per_second']:,.0f} samples/s)"
    return "  ".join([f"epoch {epoch}/{last}", *shown, speed])
