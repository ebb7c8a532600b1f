"""Training: a run of the program over some epochs, on as many threads as help."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from ..callbacks.stop_rule import NO_PROGRESS, Progress, StopRule, progress_words, rule_words
from ..checks import ceil_div
from ..inputs.subsets import Subset
from ..kernels import schema
from ..kernels.program import threads as words
from ..optimizers import Optimizer
from . import team
from .execution import NO_EVALUATION, evaluation_of
from .network import Network
from .plan import Plan
from .run_arguments import data_of, micro_batch_rows, prepare, program_of, team_size, update_of, work
from .thread_tuner import ThreadTuner

LEAST_WORK = 20_000  # multiply-adds that a step counts for, as it has other work too
MOST_STEPS = 2**16  # of a run, so that the table of their numbers stays small

_compiled: set[tuple[str, np.dtype[Any], int]] = (
    set()
)  # engine, type, optimizer: what this process has compiled


@dataclass(frozen=True, kw_only=True)
class How:
    """How a network is trained.

    Attributes
    ----------
    optimizer : Optimizer
    batch_size : int
        Rows of a step.
    shuffle : bool
        Whether each epoch has an order of its own.
    threads : int, optional
        Number of threads; None: as many as help.
    engine : str
        `kernels` or `reference`.
    """

    optimizer: Optimizer
    batch_size: int
    shuffle: bool
    threads: int | None
    engine: str


class TrainingRun:
    """Training of a network on some samples, a few epochs at a time, and how it ended.

    Parameters
    ----------
    network : Network
        The network; who runs it holds its lock.
    training : Subset
        Samples, targets, and the rows to train on.
    how : How
        How it is trained.
    validation : Subset, optional
        Evaluated after each epoch.
    can_restart : bool
        Whether the parameters from before each epoch are kept in `before`.
    control : ndarray, optional
        Shared words: the program then runs on the calling thread alone, until somebody sets STOP, and raises
        KeyboardInterrupt then. None: on a team of its own.

    Attributes
    ----------
    records : ndarray of float64, shape (epochs, `schema.RECORD`)
        What the program recorded of the epochs of the last run, those that are `done`.
    before : ndarray
        The parameters from before the last epoch.
    best : ndarray
        The parameters of the best epoch, if the rule asks for them.
    progress : Progress
        How far the rule has come.
    broken : int
        Why training cannot go on; 0 if it can.
    seconds : float
        How long the last run took.
    """

    def __init__(
        self,
        network: Network,
        training: Subset,
        how: How,
        *,
        validation: Subset | None = None,
        can_restart: bool = True,
        control: np.ndarray | None = None,
    ) -> None:
        self.network = network
        self._control = control
        self.training = training
        self.validation = validation
        self.how = how
        rows = training.rows
        self.steps_of_epoch = ceil_div(rows.size, how.batch_size)
        self._rows = rows if how.shuffle else rows[:0]
        self._order = rows.copy()
        none = network.params[:0]
        self.before = np.empty_like(network.params) if can_restart else none
        self.best = none
        self.broken = 0
        self.seconds = 0.0
        self._step = 0
        self._start(0, 0, None, NO_PROGRESS)

    def _start(self, done: int, epochs: int, rule: StopRule | None, progress: Progress) -> None:
        """Make room for the results of this many epochs, after those that are done."""
        keeps = rule is not None and rule.keeps_weights
        if keeps and not self.best.size:
            self.best = np.empty_like(self.network.params)
        self.records = np.zeros((epochs, schema.RECORD))
        self._words = progress_words(progress)
        self._earlier_epochs = done
        self._epochs = schema.Epochs(
            self._rows,
            self.before,
            self.best if keeps else self.best[:0],
            self.records.reshape(-1),
            rule_words(rule, done),
            self._words,
        )

    @property
    def most_epochs(self) -> int:
        """Epochs that one run may have."""
        return max(1, MOST_STEPS // max(self.steps_of_epoch, 1))

    @property
    def done(self) -> int:
        """Epochs of the last run that are recorded."""
        return int(self._words[schema.DONE])

    @property
    def step(self) -> int:
        """Steps of the last run."""
        return self._step

    @property
    def progress(self) -> Progress:
        """How far the rule has come; its epochs are counted from the first one ever."""
        best_epoch = int(self._words[schema.BEST_EPOCH])
        return Progress(
            best=float(self._words[schema.BEST]),
            best_epoch=best_epoch and self._earlier_epochs + best_epoch,
            waited=int(self._words[schema.WAITED]),
            has_stopped=bool(self._words[schema.STOPPED]),
        )

    def compile(self) -> None:
        """Compile or load the program by a run of no steps, unless this process has done so.

        On this thread: one of a team would go on compiling after Ctrl-C.
        """
        kind = self.how.engine, self.network.dtype, self.how.optimizer.code
        threads = self._tuner().largest
        if kind in _compiled:
            self._plan(threads)  # compiles what its operations need
        else:
            self._start(0, 0, None, NO_PROGRESS)
            self._call(self.network.draws, threads)(0, team.new_control(), 0, 1)
            _compiled.add(kind)

    def prepared(self, epochs: int, threads: int = 1) -> Callable[[int, np.ndarray, int, int], None]:
        """The program for these epochs: a function of the last step, the shared words, the rank and `threads`."""
        self._start(0, epochs, None, NO_PROGRESS)
        return self._call(self.network.draws, threads)

    def run(
        self,
        done: int,
        epochs: int,
        rule: StopRule | None = None,
        progress: Progress = NO_PROGRESS,
        on_step: Callable[[int], None] | None = None,
    ) -> None:
        """Train some epochs after those that are done: at most `most_epochs`, and fewer if the rule or a loss ends it.

        An exception, such as KeyboardInterrupt, leaves all attributes as they are after the last whole step.
        """
        network = self.network
        draws, earlier_steps = network.draws, max(network.steps)
        self._start(done, epochs, rule, progress)
        tuner = self._tuner()
        count, self._step = epochs * self.steps_of_epoch, 0
        call = self._call(draws, tuner.largest)
        started = time.perf_counter()
        try:
            while self._step < count and not self.broken and not self._words[schema.STOPPED]:
                size, steps = tuner.next(count - self._step)
                self._segment(partial(call, self._step + steps), size, steps, tuner, on_step)
        finally:
            self.seconds = time.perf_counter() - started
            network.steps = [earlier_steps + self._step] * len(network.layers)
            network.draws = draws + int(self._words[schema.BEGUN])

    def _segment(
        self,
        call: Callable[[np.ndarray, int, int], None],
        size: int,
        steps: int,
        tuner: ThreadTuner,
        on_step: Callable[[int], None] | None,
    ) -> None:
        """Some steps on one number of threads."""
        start, epochs = self._step, self.done
        control = team.new_control() if self._control is None else self._control
        for word in (words.ARRIVED, words.HALT, words.BROKEN):
            control[word] = 0
        control[words.STEP] = start
        began = time.perf_counter()
        try:
            if self._control is None:
                amount = steps * max(self._work_of_step, LEAST_WORK)
                team.run(call, size, control, amount=amount, on_wait=on_step)
            else:
                call(control, 0, 1)
        finally:
            self._step = int(control[words.STEP])
            self.broken = int(control[words.BROKEN])
        if control[words.HALT]:
            raise KeyboardInterrupt
        # The validation counts as the steps that would take as long.
        validated = (self.done - epochs) * self._work_of_validation / max(self._work_of_step, 1)
        tuner.note(size, self._step - start + round(validated), time.perf_counter() - began)
        if on_step is not None:
            on_step(self._step)

    @property
    def _work_of_step(self) -> int:
        return work(self.network, self.how.batch_size, 3)

    @property
    def _work_of_validation(self) -> int:
        return 0 if self.validation is None else work(self.network, self.validation.rows.size, 1)

    def _tuner(self) -> ThreadTuner:
        """The thread tuner of such a training, with what it knows from the last one; a given number is kept."""
        network, amount = self.network, self._work_of_step
        threads = self.how.threads if self._control is None else 1
        size = team_size(self.how.engine, threads, amount)
        key = (size, threads is None, self.how.batch_size)
        if network.tuner is None or network.tuner[0] != key:
            network.tuner = key, ThreadTuner(size, amount, fixed=threads is not None)
        return network.tuner[1]

    def _call(self, draw: int, threads: int) -> Callable[[int, np.ndarray, int, int], None]:
        """The program, for all steps of the run: a function of the last step, the shared words, rank and size."""
        network, how = self.network, self.how
        plan, state = self._plan(threads)
        data = data_of(network.dtype, self.training.samples, self.training.targets, self._order)
        first, count = max(network.steps) + 1, len(self.records) * self.steps_of_epoch
        hyper = how.optimizer.hyper(first, count, network.dtype, network.plateau)
        update = update_of(network, how.optimizer, how.engine, hyper)
        evaluation = NO_EVALUATION[network.dtype]
        if self.validation is not None:
            evaluation = evaluation_of(network, "validate", self.validation, threads, how.engine)
        return partial(
            program_of(how.engine).train,
            plan.operations, state, data, how.batch_size, update, self._epochs, evaluation,
            np.uint64(network.seed), draw,
        )  # fmt: skip

    def _plan(self, threads: int) -> tuple[Plan, schema.State]:
        """The plan and the arenas of steps of this size."""
        network, batch_size, engine = self.network, self.how.batch_size, self.how.engine
        network.prepare_slots(self.how.optimizer)
        if self.how.optimizer.needs_norms:
            network.keep_gradients()
        formula, sparse = self.training.targets.formula, self.training.samples.sparse
        rows = micro_batch_rows(network, batch_size) if engine == "kernels" else batch_size
        return prepare(
            network,
            lambda: network.lowered(rows, loss=formula, training=True, sparse_input=sparse),
            "train",
            (formula, batch_size, sparse, engine),
            threads,
            engine=engine,
            sums_gradients=rows < batch_size,
        )  # fmt: skip
