"""Training of many models at once: each thread trains whole models, one after another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count, pairwise
from typing import Any, NamedTuple

import numpy as np

from ..callbacks import CallbackList
from ..engine import team
from ..engine.training_run import TrainingRun
from ..errors import TrainingDiverged
from ..kernels.compiler.collector import collector_paused
from ..kernels.program import threads as words
from .fit_arguments import FitArguments


class Job(NamedTuple):
    """A model to train, with checked arguments."""

    model: Any  # a Sequential
    arguments: FitArguments
    epochs: range
    callbacks: CallbackList

    @property
    def work(self) -> int:
        """How long it takes, compared with others: rows through the network times numbers of a row."""
        shape = self.arguments.training.samples.shape
        widths = [int(np.prod(shape))]
        for layer in self.model.layers:
            shape = layer.output_shape(shape)
            widths.append(int(np.prod(shape)))
        weights = sum(before * after for before, after in pairwise(widths))
        return len(self.epochs) * self.arguments.training.rows.size * weights


def train_many(
    jobs: Sequence[Job], threads: int | None, on_wait: Callable[[int], None] | None = None
) -> dict[int, TrainingDiverged]:
    """Train each model on one thread, the longest first.

    Parameters
    ----------
    jobs : sequence of Job
        Models that share no layer.
    threads : int, optional
        How many models are trained at once; None: as many as the machine has cores.
    on_wait : callable, optional
        Called about ten times a second with the number of models that are done.

    Returns
    -------
    dict of int to TrainingDiverged
        The errors of models that diverged, by their place in `jobs`.

    Raises
    ------
    KeyboardInterrupt
        After Ctrl-C, when all threads have stopped: each model is as after its last whole step.
    """
    if not jobs:
        return {}
    size = min(team.choose_threads(threads, len(jobs) * team.WORK_PER_THREAD), len(jobs))
    _compile(jobs)
    order = sorted(range(len(jobs)), key=lambda place: -jobs[place].work)
    tickets = count()
    done: list[int] = []
    diverged: dict[int, TrainingDiverged] = {}
    control = team.new_control(size)

    def work(control: np.ndarray, rank: int, size: int) -> None:
        own = control[rank * words.CONTROL_WORDS : (rank + 1) * words.CONTROL_WORDS]
        while (ticket := next(tickets)) < len(order) and not own[words.STOP]:
            place = order[ticket]
            try:
                _train(jobs[place], own)
            except TrainingDiverged as error:
                diverged[place] = error
            except KeyboardInterrupt:
                return  # the caller raises it
            done.append(place)

    shown = None if on_wait is None else lambda step: on_wait(len(done))
    with collector_paused():  # it would go over all models, while all threads wait
        team.run(work, size, control, amount=team.BRIEF, on_wait=shown)
    return dict(sorted(diverged.items()))


def _train(job: Job, control: np.ndarray) -> None:
    job.model.fit_checked(job.arguments, job.epochs, job.callbacks, control)
    job.model.network.forget_plans()  # the arenas of all models together may not fit into memory


def _compile(jobs: Sequence[Job]) -> None:
    """Compile or load the program on this thread, which hears Ctrl-C, for each kind of optimizer."""
    kinds = {(job.arguments.optimizer.code, job.model.dtype): job for job in reversed(jobs)}
    for job in kinds.values():
        job.model.prepare_for(job.arguments)
        TrainingRun(
            job.model.network, job.arguments.training, job.arguments.how, validation=job.arguments.validation
        ).compile()
