"""Rates that decrease: in steps, exponentially, like 1 / t, along a power."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..portable_math import integer_power, power
from .schedule import Schedule, share_of


@dataclass(frozen=True)
class StepDecay(Schedule):
    """rate factor^floor(step / steps): multiplied by the factor every `steps` steps.

    Parameters
    ----------
    rate : float
        Rate at the start.
    steps : int
        Steps between two changes.
    factor : float
        Above 0.

    Examples
    --------
    >>> StepDecay(0.1, steps=2, factor=0.5)(np.arange(5)).tolist()
    [0.1, 0.1, 0.05, 0.05, 0.025]
    """

    rate: float
    steps: int
    factor: float = 0.1
    kind: ClassVar[str] = "step"

    def __call__(self, steps: np.ndarray) -> np.ndarray:
        """Rate factor^floor(step / steps)."""
        return self.rate * integer_power(self.factor, steps // self.steps)


@dataclass(frozen=True)
class ExponentialDecay(Schedule):
    """rate factor^(step / steps): as `StepDecay`, but gradually.

    Parameters
    ----------
    rate : float
        Rate at the start.
    steps : int
        Number of steps in which the rate is multiplied by the factor.
    factor : float
        Above 0.

    Examples
    --------
    >>> ExponentialDecay(1.0, steps=2, factor=0.25)(np.arange(4)).tolist()
    [1.0, 0.5, 0.25, 0.125]
    """

    rate: float
    steps: int
    factor: float = 0.1
    kind: ClassVar[str] = "exponential"

    def __call__(self, steps: np.ndarray) -> np.ndarray:
        """Rate factor^(step / steps)."""
        whole, rest = steps // self.steps, steps % self.steps
        return self.rate * integer_power(self.factor, whole) * power(self.factor, rest / self.steps)


@dataclass(frozen=True)
class InverseTimeDecay(Schedule):
    """rate / (1 + decay step / steps).

    Parameters
    ----------
    rate : float
        Rate at the start.
    decay : float
        At least 0.
    steps : int
        Unit of time; with 1 it is what `decay` of an optimizer does.

    Examples
    --------
    >>> InverseTimeDecay(1.0, decay=1.0)(np.arange(4)).round(3).tolist()
    [1.0, 0.5, 0.333, 0.25]
    """

    rate: float
    decay: float
    steps: int = 1
    kind: ClassVar[str] = "inverse_time"

    def __call__(self, steps: np.ndarray) -> np.ndarray:
        """Rate / (1 + decay step / steps)."""
        return self.rate / (1.0 + self.decay * (steps / self.steps))


@dataclass(frozen=True)
class PolynomialDecay(Schedule):
    """end + (rate - end) (1 - step / steps)^power, then `end`.

    Parameters
    ----------
    rate, end : float
        First and last rate.
    steps : int
        Steps on the way.
    power : float
        Above 0; 1 is a straight line.

    Examples
    --------
    >>> PolynomialDecay(1.0, steps=4, end=0.2)(np.arange(6)).round(3).tolist()
    [1.0, 0.8, 0.6, 0.4, 0.2, 0.2]
    """

    rate: float
    steps: int
    end: float = 0.0
    power: float = 1.0
    kind: ClassVar[str] = "polynomial"

    def __call__(self, steps: np.ndarray) -> np.ndarray:
        """End + (rate - end) (1 - step / steps)^power."""
        left = 1.0 - share_of(steps, self.steps)
        if self.power != 1:
            safe = np.where(left > 0, left, 1.0)
            left = np.where(left > 0, power(safe, self.power), 0.0)
        return self.end + (self.rate - self.end) * left
