"""Rates along a cosine: once, with restarts, and up and down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..portable_math import cos_pi, integer_power
from .schedule import Schedule, share_of


@dataclass(frozen=True)
class CosineDecay(Schedule):
    """Half a cosine from `rate` to `end`, then `end` (Loshchilov and Hutter, 2017).

    Parameters
    ----------
    rate, end : float
        First and last rate.
    steps : int
        Steps on the way.

    Examples
    --------
    >>> CosineDecay(1.0, steps=4)(np.arange(6)).round(3).tolist()
    [1.0, 0.854, 0.5, 0.146, 0.0, 0.0]
    """

    rate: float
    steps: int
    end: float = 0.0
    kind: ClassVar[str] = "cosine"

    def __call__(self, steps: np.ndarray) -> np.ndarray:
        """End + (rate - end) (1 + cos(pi step / steps)) / 2."""
        return _cosine(self.rate, self.end, share_of(steps, self.steps))


def _cosine(start: float | np.ndarray, end: float, share: np.ndarray) -> np.ndarray:
    """From start to end along half a cosine."""
    return end + (start - end) * ((1.0 + cos_pi(share)) / 2.0)


@dataclass(frozen=True)
class CosineRestarts(Schedule):
    """A cosine from `rate` to `end`, with restarts (Loshchilov and Hutter, 2017).

    Parameters
    ----------
    rate, end : float
        First and last rate of a cycle.
    steps : int
        Steps of the first cycle.
    grow : int
        Length of a cycle divided by that of the cycle before.
    factor : float
        First rate of a cycle divided by that of the cycle before.

    Examples
    --------
    >>> CosineRestarts(1.0, steps=2, grow=2)(np.arange(7)).round(3).tolist()
    [1.0, 0.5, 1.0, 0.854, 0.5, 0.146, 1.0]
    """

    rate: float
    steps: int
    end: float = 0.0
    grow: int = 1
    factor: float = 1.0
    kind: ClassVar[str] = "cosine_restarts"

    def __call__(self, steps: np.ndarray) -> np.ndarray:
        """The cosine of the cycle that each step is in."""
        cycle, begin, length = self._cycles(steps)
        top = self.end + (self.rate - self.end) * integer_power(self.factor, cycle)
        return _cosine(top, self.end, (steps - begin) / length)

    def _cycles(self, steps: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Number, first step and length of the cycle that each step is in."""
        if self.grow == 1:
            cycle = steps // self.steps
            return cycle, cycle * self.steps, np.full(steps.shape, self.steps)
        begins, last = [0], int(steps.max(initial=0))
        while begins[-1] <= last:
            begins.append(begins[-1] + self.steps * self.grow ** (len(begins) - 1))
        cycle = np.searchsorted(begins, steps, side="right") - 1
        edges = np.array(begins)
        return cycle, edges[cycle], edges[cycle + 1] - edges[cycle]


@dataclass(frozen=True)
class OneCycle(Schedule):
    """Up along a cosine, then down to nearly 0 (Smith and Topin, 2018, in PyTorch's form).

    Parameters
    ----------
    rate : float
        Highest rate.
    steps : int
        Steps of the whole training, at least 2; after them the rate stays.
    rise : float
        Share of the steps that go up.
    start_divisor, end_divisor : float
        The first rate is rate / start_divisor, the last one is the first / end_divisor.

    Examples
    --------
    >>> OneCycle(1.0, steps=10)(np.arange(10)).round(2).tolist()
    [0.04, 0.52, 1.0, 0.95, 0.81, 0.61, 0.39, 0.19, 0.05, 0.0]
    """

    rate: float
    steps: int
    rise: float = 0.3
    start_divisor: float = 25.0
    end_divisor: float = 10_000.0
    kind: ClassVar[str] = "one_cycle"

    def __call__(self, steps: np.ndarray) -> np.ndarray:
        """A cosine up to the rate, and another one down."""
        first, last = self.rate / self.start_divisor, self.rate / self.start_divisor / self.end_divisor
        end = max(self.steps - 1, 1)
        peak = max(self.rise * self.steps - 1.0, 0.0)
        at = np.minimum(steps, end)
        up = np.minimum(at, peak) / peak if peak > 0 else np.ones(steps.shape)
        down = np.maximum(at - peak, 0.0) / (end - peak)
        return np.where(at <= peak, _cosine(first, self.rate, up), _cosine(self.rate, last, down))
