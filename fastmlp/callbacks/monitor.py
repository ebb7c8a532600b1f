"""Which epoch is the best one."""

from __future__ import annotations

import math

from ..checks import NOT_NEGATIVE, checked, look_up
from ..metrics.direction import direction_of
from .callback import Callback, Logs
from .memory import Memory, Watched


class Monitor(Callback):
    """What callbacks share that look for the best epoch.

    Parameters
    ----------
    monitor : str
        Which quantity: one of those in the history.
    mode : str
        `min` or `max`: which is better; `auto`: less of what is called loss or error, more of other metrics.
    min_delta : float
        By how much more than this an epoch has to be better than the best one so far, at least 0.

    Attributes
    ----------
    best : float or None
        The best value so far.
    best_epoch : int
        Its epoch; 0 if there is none.
    """

    kind = ""  # the name of its memory in model files; empty: they do not keep it
    start_from_epoch = 0
    keeps_weights = False
    restored_epoch = 0  # the epoch whose weights it put back at the end of the run

    def __init__(self, monitor: str, mode: str, min_delta: float = 0.0) -> None:
        self.monitor = monitor
        self._sign = direction_of(monitor, mode)
        self.min_delta: float = checked(type(self).__name__, "min_delta", min_delta, NOT_NEGATIVE)
        self._memory = Memory()

    @property
    def best(self) -> float | None:
        """The best value so far."""
        return self._memory.best

    @property
    def best_epoch(self) -> int:
        """The epoch of the best value; 0 if there is none."""
        return self._memory.best_epoch

    @property
    def watched(self) -> Watched:
        """What it looks for."""
        mode = "max" if self._sign > 0 else "min"
        return Watched(
            self.kind, self.monitor, mode, self.min_delta, self.start_from_epoch, self.keeps_weights
        )

    def check_monitor(self) -> None:
        """Raise a ValueError if there is no such quantity in this run."""
        hint = "give validation_data or validation_split" if self.monitor.startswith("val_") else ""
        look_up(f"{type(self).__name__}: monitor", self.monitor, dict.fromkeys(self.metrics), way_out=hint)

    def on_train_begin(self) -> None:
        """Go on with what the model remembers of this run, or begin again."""
        done = self.model.epochs
        memory = self.earlier_memory()
        history = self.model.history
        missed = (
            self.resumes and memory is not None and memory.seen == done - 1 and history.epochs[-1:] == [done]
        )
        self.remember((memory or Memory())._replace(seen=done))
        if missed:  # the file was written before this callback saw the last epoch
            self.on_epoch_end(done, {name: history[name][-1] for name in history})

    def earlier_memory(self) -> Memory | None:
        """What the model remembers for this callback, if this run goes on with it."""
        return None

    def remember(self, memory: Memory) -> None:
        """Remember this, here and in the model."""
        self._memory = memory
        if self.kind:
            self.model.memories[self.watched] = memory

    def is_better(self, epoch: int, logs: Logs) -> bool:
        """Whether this epoch is the best so far; it is remembered then."""
        value = logs[self.monitor]
        best = self._memory.best
        least = -math.inf if best is None else self._sign * best + self.min_delta
        if not self._sign * value > least:
            return False
        self._memory = self._memory._replace(best=value, best_epoch=epoch)
        return True
