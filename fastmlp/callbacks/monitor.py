"""Which epoch is the best one."""

from __future__ import annotations

import numpy as np

from ..checks import NOT_NEGATIVE, checked
from ..metrics.direction import direction_of
from .callback import Callback, Logs


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

    def __init__(self, monitor: str, mode: str, min_delta: float = 0.0) -> None:
        self.monitor = monitor
        self._sign = direction_of(monitor, mode)
        self.min_delta: float = checked(type(self).__name__, "min_delta", min_delta, NOT_NEGATIVE)
        self.best: float | None = None
        self.best_epoch = 0

    def on_train_begin(self) -> None:
        """Forget earlier runs."""
        if self.monitor not in self.metrics:
            hint = "; give validation_data or validation_split" if self.monitor.startswith("val_") else ""
            raise ValueError(
                f"monitor: expected one of {', '.join(self.metrics)}, got {self.monitor!r}{hint}"
            )
        self.best, self.best_epoch = None, 0

    def is_better(self, epoch: int, logs: Logs) -> bool:
        """Whether this epoch is the best so far; it is remembered then."""
        value = logs[self.monitor]
        least = -np.inf if self.best is None else self._sign * self.best + self.min_delta
        if not self._sign * value > least:
            return False
        self.best, self.best_epoch = value, epoch
        return True
