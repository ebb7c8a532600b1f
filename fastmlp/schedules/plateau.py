"""A rate that is reduced when a metric stops improving."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from ..checks import COUNT_FROM_ZERO, SHARE, checked, look_up, refusal
from ..json_numbers import number_from_json, number_to_json
from ..metrics.direction import direction_of
from .schedule import Schedule, as_schedule


class Plateau(NamedTuple):
    """State of `ReduceOnPlateau`."""

    scale: float = 1.0  # of the rate
    best: float | None = None  # best value of the metric so far
    waited: int = 0  # epochs without a better one
    resting: int = 0  # epochs of the cooldown that remain


NO_PLATEAU = Plateau()


def plateau_to_config(plateau: Plateau) -> list[Any]:
    """The plateau as a file holds it."""
    scale, best, *counts = plateau
    return [scale, None if best is None else number_to_json(best), *counts]


def plateau_from_config(given: Any) -> Plateau:
    """The plateau that a file holds as a list.

    Raises
    ------
    ValueError
        If it is something else.
    """
    if isinstance(given, list) and len(given) == len(NO_PLATEAU):
        scale, best, *counts = given
        counted = all(COUNT_FROM_ZERO.plain(count) is not None for count in counts)
        if counted and isinstance(scale, float) and 0 <= scale <= 1 and (best is None or _is_best(best)):
            return Plateau(scale, None if best is None else number_from_json(best), *counts)
    raise refusal("plateau", f"a list such as {list(NO_PLATEAU)}", given)


def _is_best(given: Any) -> bool:
    return isinstance(given, float) or given in ("inf", "-inf")


@dataclass(frozen=True)
class ReduceOnPlateau(Schedule):
    """Multiplies the rate by a factor when a metric has not improved for some epochs.

    The rule of PyTorch's ReduceLROnPlateau: better is better by more than `threshold` times the size of the best value
    so far.

    Parameters
    ----------
    rate : float or Schedule
        The rate before any reduction.
    factor : float
        Above 0 and below 1.
    patience : int
        Epochs without a better value that are accepted.
    monitor : str
        A metric of the history: `loss`, `val_loss`, `accuracy`, ...
    mode : str
        `min` or `max`: which is better; `auto`: less of what is called loss or error, more of other metrics.
    threshold : float
        Smallest relative improvement that counts.
    cooldown : int
        Epochs after a reduction in which no epoch counts.
    least : float
        Lower limit of the rate.

    Examples
    --------
    >>> schedule = ReduceOnPlateau(0.1, factor=0.5, patience=0, monitor="val_f1")
    >>> plateau = schedule.after_epoch(NO_PLATEAU, {"val_f1": 0.8})
    >>> schedule.after_epoch(plateau, {"val_f1": 0.7}).scale
    0.5
    """

    rate: float | Schedule
    factor: float = 0.1
    patience: int = 10
    monitor: str = "loss"
    mode: str = "auto"
    threshold: float = 1e-4
    cooldown: int = 0
    least: float = 0.0
    kind: ClassVar[str] = "plateau"
    follows_training: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        checked("ReduceOnPlateau", "factor", self.factor, SHARE)
        direction_of(self.monitor, self.mode)

    def __call__(self, steps: np.ndarray) -> np.ndarray:
        """The rate before any reduction."""
        return as_schedule(self.rate)(steps)

    def check_metric(self, names: Iterable[str]) -> None:
        """Raise a ValueError if the metric is not among these."""
        look_up("ReduceOnPlateau: monitor", self.monitor, dict.fromkeys(names))

    def after_epoch(self, plateau: Plateau, metrics: Mapping[str, float]) -> Plateau:
        """The state after an epoch with these metrics."""
        value = metrics[self.monitor]
        scale, best, waited, resting = plateau
        if self._is_better(value, best):
            best, waited = value, 0
        else:
            waited += 1
        if resting > 0:
            resting, waited = resting - 1, 0
        if waited > self.patience:
            scale, waited, resting = scale * self.factor, 0, self.cooldown
        return Plateau(scale, best, waited, resting)

    def _is_better(self, value: float, best: float | None) -> bool:
        if best is None:
            return not math.isnan(value)
        sign = direction_of(self.monitor, self.mode)
        return sign * value > sign * best * (1.0 + sign * math.copysign(self.threshold, best))
