"""A rate that rises to the start of another schedule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .schedule import Schedule, as_schedule, share_of


@dataclass(frozen=True)
class WarmUp(Schedule):
    """A straight line from `start` to the first rate of another schedule, then that schedule.

    Parameters
    ----------
    rate : float or Schedule
        The schedule that follows; a number is a constant rate.
    steps : int
        Steps of the line.
    start : float
        Its first rate.

    Examples
    --------
    >>> from fastmlp.schedules import CosineDecay
    >>> WarmUp(CosineDecay(1.0, steps=2), steps=2)(np.arange(5)).round(3).tolist()
    [0.0, 0.5, 1.0, 0.5, 0.0]
    """

    rate: float | Schedule
    steps: int
    start: float = 0.0
    kind: ClassVar[str] = "warm_up"

    def __call__(self, steps: np.ndarray) -> np.ndarray:
        """The line, then the other schedule."""
        after = as_schedule(self.rate)
        top = float(after(np.zeros(1, np.int64))[0])
        line = self.start + (top - self.start) * share_of(steps, self.steps)
        return np.where(steps < self.steps, line, after(np.maximum(steps - self.steps, 0)))
