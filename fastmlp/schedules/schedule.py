"""Base of all schedules; constant rates and functions as schedules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np

from ..checks import check_options, refusal, require_kind
from .options import ACCEPTED


@dataclass(frozen=True)
class Schedule:
    """A learning rate as a function of the step."""

    kind: ClassVar[str] = ""

    def __post_init__(self) -> None:
        schedules = {
            option.name
            for option in fields(self)
            if "Schedule" in option.type and isinstance(getattr(self, option.name), Schedule)
        }
        for name in schedules:
            require_schedule(f"{type(self).__name__}: {name}", getattr(self, name))
        check_options(self, {name: kind for name, kind in ACCEPTED.items() if name not in schedules})

    @property
    def follows_training(self) -> bool:
        """Whether rates may depend on what has come of earlier epochs, so that they are asked for epoch by epoch."""
        parts = (getattr(self, option.name) for option in fields(self))
        return any(isinstance(part, Schedule) and part.follows_training for part in parts)

    def __call__(self, steps: np.ndarray) -> np.ndarray:
        """The rates of these steps.

        Parameters
        ----------
        steps : ndarray of int64
            Numbers of earlier steps, from 0.

        Returns
        -------
        ndarray of float64
        """
        raise NotImplementedError

    def config(self) -> dict[str, Any]:
        """Kind and options, as a model file keeps them."""
        options = {option.name: getattr(self, option.name) for option in fields(self)}
        configs = {
            name: value.config() if isinstance(value, Schedule) else value for name, value in options.items()
        }
        return {"kind": self.kind, **configs}


@dataclass(frozen=True)
class Constant(Schedule):
    """A constant rate.

    Parameters
    ----------
    rate : float
        Above 0.

    Examples
    --------
    >>> Constant(0.1)(np.arange(3)).tolist()
    [0.1, 0.1, 0.1]
    """

    rate: float
    kind: ClassVar[str] = "constant"

    def __call__(self, steps: np.ndarray) -> np.ndarray:
        """Rate."""
        return np.full(steps.shape, float(self.rate))


@dataclass(frozen=True)
class Function(Schedule):
    """A Python function of the number of earlier steps; called for all steps of an epoch before the epoch starts.

    `learning_rate=` makes one of any function. It cannot be saved, as files hold no code.
    """

    function: Callable[[int], float]
    kind: ClassVar[str] = "function"
    follows_training: ClassVar[bool] = True  # a function may look at anything

    def __post_init__(self) -> None:
        if not callable(self.function):
            raise refusal("Function: function", "a function of the step", self.function)

    def __call__(self, steps: np.ndarray) -> np.ndarray:
        """What the function returns for each step."""
        return np.array([float(self.function(step)) for step in steps.tolist()], np.float64)

    def config(self) -> dict[str, Any]:
        """Raise a ValueError: files hold no code."""
        raise ValueError(
            "learning_rate is a Python function, which a file cannot hold: before saving, give the model's "
            "optimizer a number or a schedule of fastmlp.schedules"
        )


def require_schedule(name: str, given: Schedule) -> None:
    """Refuse a schedule of a class that is derived from one of fastmlp's: its file would describe another one."""
    kinds = [kind for kind in Schedule.__subclasses__() if kind.__module__.startswith(__package__)]
    require_kind(name, given, kinds, "give a rate of your own as a function of the step")


def as_schedule(given: float | Schedule | Callable[[int], float]) -> Schedule:
    """A schedule, a constant rate, or a function of the step, as a schedule."""
    if isinstance(given, Schedule):
        return given
    return Function(given) if callable(given) else _constant(given)


@lru_cache(maxsize=256)
def _constant(rate: float) -> Constant:
    return Constant(rate)


def share_of(steps: np.ndarray, length: int) -> np.ndarray:
    """The part of the length that has passed, from 0 to 1."""
    return np.minimum(steps, length) / length
