"""An epoch of `fit` beside the program alone: its steps and, with validation, the evaluation.

The program alone is the compiled entry with everything prepared, called once for all epochs: no shuffling, no
parameters to go back to, no record to compare. With validation, what the entry `evaluate` takes for these samples,
beyond what it takes for none, is added.
"""

import time
from collections.abc import Callable, Iterator
from functools import partial
from statistics import median
from typing import Any, NamedTuple

import numpy as np

from fastmlp import Dense, EarlyStopping, Sequential
from fastmlp.engine import team
from fastmlp.engine.execution import NO_EVALUATION, evaluation_of
from fastmlp.engine.training_run import How, TrainingRun
from fastmlp.inputs.subsets import Subset, read_subset
from fastmlp.kernels.program import entries

from ..settings import Settings
from .sets import NAMES, Small, small
from .turns import check, table

EPOCHS, UNITS, BATCHES = 1000, 100, (None, 32)
CALLS = 100  # of `evaluate` in a measurement
FLOAT32 = np.dtype(np.float32)
MOST, MOST_VALIDATED = 20.0, 40.0  # microseconds of a full-batch epoch beside the program


class Task(NamedTuple):
    """A data set, a batch size, and whether a part is validated."""

    name: str
    batch: int | None
    validates: bool


def _model(data: Small) -> Sequential:
    last = Dense(data.classes, "softmax") if data.classes else Dense(1)
    return Sequential([Dense(UNITS, "relu"), last])


def _fit(model: Sequential, data: Small, task: Task, count: int) -> None:
    options: dict[str, Any] = {}
    if task.validates:
        never = EarlyStopping(patience=10 * count, restore_best_weights=True)
        options = {"validation_split": 0.2, "callbacks": [never]}
    # On one thread, as the program alone is here: what is more is then not hidden by the second core.
    model.fit(data.X, data.y, epochs=count, batch_size=task.batch, threads=1, verbose=0, **options)


def _program(model: Sequential, data: Small, task: Task) -> Callable[[], float]:
    """The program alone for `EPOCHS` epochs of the same size: a function that returns its seconds."""
    training, validation = _subsets(model, data, task)
    size = training.rows.size
    # In some random order, as `fit` has it: samples in their order come faster from memory.
    training = training._replace(rows=np.random.default_rng(0).permutation(training.rows))
    how = How(
        optimizer=model.optimizer, batch_size=task.batch or size, shuffle=False, threads=1, engine="kernels"
    )
    run = TrainingRun(model.network, training, how, can_restart=False)
    count = min(EPOCHS, run.most_epochs)
    call = run.prepared(count)
    evaluations = []
    if validation is not None:
        data_set = evaluation_of(model.network, "validate", validation, 1, "kernels")
        evaluations = [
            partial(entries.evaluate, np.zeros(2), each) for each in (data_set, NO_EVALUATION[FLOAT32])
        ]

    def seconds() -> float:
        start = time.perf_counter()
        # On a thread of the team, as long runs are: another core may be faster or slower.
        team.run(partial(call, count * run.steps_of_epoch), 1, team.new_control(), amount=team.BRIEF)
        trained = (time.perf_counter() - start) / count
        evaluated = [_mean_seconds(partial(each, team.new_control(), 0, 1)) for each in evaluations]
        return trained + (evaluated[0] - evaluated[1] if evaluated else 0.0)  # less the call of the entry

    return seconds


def _mean_seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    for _ in range(CALLS):
        call()
    return (time.perf_counter() - start) / CALLS


def _subsets(model: Sequential, data: Small, task: Task) -> tuple[Subset, Subset | None]:
    subset = read_subset(model.data_spec, data.X, data.y)
    if not task.validates:
        return subset, None
    cut = subset.rows.size * 4 // 5
    return subset._replace(rows=subset.rows[:cut].copy()), subset._replace(rows=subset.rows[cut:].copy())


def _measure(task: Task, rounds: int) -> dict[str, float]:
    """Microseconds of an epoch, of the program alone, and the median difference of the rounds."""
    data = small(task.name)
    model = _model(data)
    _fit(model, data, task, 2)
    program = _program(model, data, task)
    program()
    whole, alone = [], []
    for _ in range(rounds):
        start = time.perf_counter()
        _fit(model, data, task, EPOCHS)
        whole.append(1e6 * (time.perf_counter() - start) / EPOCHS)
        alone.append(1e6 * program())
    more = [a - b for a, b in zip(whole, alone, strict=True)]
    return {"epoch": median(whole), "program": median(alone), "more": median(more)}


def _tasks() -> list[Task]:
    return [
        Task(name, batch, validates) for validates in (False, True) for batch in BATCHES for name in NAMES
    ]


def steps(settings: Settings) -> int:
    """Steps of progress."""
    return len(_tasks())


def run(settings: Settings, part: dict[str, Any]) -> Iterator[str]:
    """All data sets and batch sizes, plain and with validation and early stopping."""
    found = {}
    for task in _tasks():
        found[task] = _measure(task, settings.rounds)
        yield f"epochs of {task.name}"
    rows = [
        [f"{task.name}, {'full batch' if task.batch is None else f'batch {task.batch}'}"
         + (", validation and early stopping" if task.validates else ""),
         *(f"{times[column]:.1f}" for column in ("program", "epoch", "more"))]
        for task, times in found.items()
    ]  # fmt: skip
    head = ["microseconds of an epoch", "program alone", "fit, verbose=0", "more"]
    table(part, f"Epochs of small data ({UNITS} hidden units, Adam, {EPOCHS} epochs)", head, rows)
    for validates, most in ((False, MOST), (True, MOST_VALIDATED)):
        full = {
            task.name: found[task]["more"]
            for task in found
            if task.batch is None and task.validates == validates
        }
        words = "with validation and early stopping" if validates else "without validation"
        check(
            part, f"full-batch epochs {words}, beside the program", f"at most {most:g} us more",
            ", ".join(f"{name} {more:.1f}" for name, more in full.items()), max(full.values()) <= most,
        )  # fmt: skip
