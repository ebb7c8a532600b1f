"""Learning rates that change from step to step: functions of an array of steps.

An optimizer takes one as its `learning_rate`. The rates of an epoch are computed before it starts, so a schedule costs
the kernels nothing. Steps are counted from 0, over all epochs; a saved model goes on counting where it was. All
formulas use `elementary`, so that they have the same bits on every machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, NamedTuple

import numpy as np

from .elementary import cos_pi, integer_power, power
from .names import look_up


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


def _is_whole(value: object) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and bool(value < 2**53)


Test = tuple[Callable[[Any], bool], str]
_POSITIVE: Test = (lambda x: _is_number(x) and 0 < x < np.inf, "a number above 0")
_FROM_ZERO: Test = (lambda x: _is_number(x) and 0 <= x < np.inf, "a number from 0")
_FROM_ONE: Test = (lambda x: _is_number(x) and 1 <= x < np.inf, "a number from 1")
_BETWEEN: Test = (lambda x: _is_number(x) and 0 < x < 1, "a number above 0 and below 1")
_COUNT: Test = (lambda x: _is_whole(x) and x >= 1, "a whole number of at least 1")
_EPOCHS: Test = (lambda x: _is_whole(x) and x >= 0, "a whole number from 0")
_NAME: Test = (lambda x: isinstance(x, str) and x != "", "the name of a metric, such as 'val_loss'")

# What each option must be: a test, and its words.
_ACCEPTED: dict[str, Test] = {
    "rate": _POSITIVE, "factor": _POSITIVE, "power": _POSITIVE, "decay": _FROM_ZERO, "end": _FROM_ZERO,
    "start": _FROM_ZERO, "least": _FROM_ZERO, "threshold": _FROM_ZERO, "rise": _BETWEEN,
    "start_divisor": _FROM_ONE, "end_divisor": _FROM_ONE, "steps": _COUNT, "grow": _COUNT,
    "patience": _EPOCHS, "cooldown": _EPOCHS, "monitor": _NAME,
}  # fmt: skip


@dataclass(frozen=True)
class Schedule:
    """A learning rate as a function of the step."""

    kind: ClassVar[str] = ""

    def __post_init__(self) -> None:
        for option in fields(self):
            value = getattr(self, option.name)
            if isinstance(value, Schedule) and "Schedule" in option.type:
                continue
            accepts, words = _ACCEPTED[option.name]
            if not accepts(value):
                raise ValueError(f"{type(self).__name__}: {option.name} is {value!r}; expected {words}")

    def __call__(self, steps: np.ndarray) -> np.ndarray:
        """The rates of these steps.

        Parameters
        ----------
        steps : ndarray of int64
            Steps made before, from 0.

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
    """Always the same rate.

    Parameters
    ----------
    rate : float
        Above 0.
    """

    rate: float
    kind: ClassVar[str] = "constant"

    def __call__(self, steps: np.ndarray) -> np.ndarray:
        """Rate."""
        return np.full(steps.shape, float(self.rate))


@dataclass(frozen=True)
class StepDecay(Schedule):
    """rate factor^floor(step / steps): multiplied by the factor every so many steps.

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
    """rate factor^(step / steps): the same as `StepDecay`, but a little in each step.

    Parameters
    ----------
    rate : float
        Rate at the start.
    steps : int
        After so many steps, it is the factor times as large.
    factor : float
        Above 0.
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
        From 0.
    steps : int
        Unit of time; with 1 it is what `decay` of an optimizer does.
    """

    rate: float
    decay: float
    steps: int = 1
    kind: ClassVar[str] = "inverse_time"

    def __call__(self, steps: np.ndarray) -> np.ndarray:
        """Rate / (1 + decay step / steps)."""
        return self.rate / (1.0 + self.decay * (steps / self.steps))


def _share(steps: np.ndarray, length: int) -> np.ndarray:
    """How much of the length has gone by, from 0 to 1."""
    return np.minimum(steps, length) / length


@dataclass(frozen=True)
class PolynomialDecay(Schedule):
    """end + (rate - end) (1 - step / steps)^power, then `end` for ever.

    Parameters
    ----------
    rate, end : float
        First and last rate.
    steps : int
        Steps on the way.
    power : float
        Above 0; 1 is a straight line.
    """

    rate: float
    steps: int
    end: float = 0.0
    power: float = 1.0
    kind: ClassVar[str] = "polynomial"

    def __call__(self, steps: np.ndarray) -> np.ndarray:
        """End + (rate - end) (1 - step / steps)^power."""
        left = 1.0 - _share(steps, self.steps)
        if self.power != 1:
            safe = np.where(left > 0, left, 1.0)
            left = np.where(left > 0, power(safe, self.power), 0.0)
        return self.end + (self.rate - self.end) * left


@dataclass(frozen=True)
class CosineDecay(Schedule):
    """Half a cosine from `rate` to `end`, then `end` for ever (Loshchilov and Hutter, 2017).

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
        return _cosine(self.rate, self.end, _share(steps, self.steps))


def _cosine(start: float | np.ndarray, end: float, share: np.ndarray) -> np.ndarray:
    """From start to end along half a cosine."""
    return end + (start - end) * ((1.0 + cos_pi(share)) / 2.0)


@dataclass(frozen=True)
class CosineRestarts(Schedule):
    """A cosine from `rate` to `end`, again and again (Loshchilov and Hutter, 2017).

    Parameters
    ----------
    rate, end : float
        First and last rate of a cycle.
    steps : int
        Steps of the first cycle.
    grow : int
        How many times as long as the one before a cycle is.
    factor : float
        How many times as high as the one before a cycle starts.

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
    """Up along a cosine, then down to nearly nothing (Smith and Topin, 2018, in PyTorch's form).

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


@dataclass(frozen=True)
class WarmUp(Schedule):
    """A straight line from `start` to where another schedule starts, then that schedule.

    Parameters
    ----------
    rate : float or Schedule
        What comes after; a number is a constant rate.
    steps : int
        Steps of the line.
    start : float
        Its first rate.

    Examples
    --------
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
        line = self.start + (top - self.start) * _share(steps, self.steps)
        return np.where(steps < self.steps, line, after(np.maximum(steps - self.steps, 0)))


class Plateau(NamedTuple):
    """Where `ReduceOnPlateau` is."""

    scale: float = 1.0  # of the rate
    best: float | None = None  # best value of the metric so far
    waited: int = 0  # epochs without a better one
    resting: int = 0  # epochs that are not counted any more


NO_PLATEAU = Plateau()


def plateau_from_config(given: Any) -> Plateau:
    """The plateau that a file holds as a list.

    Raises
    ------
    ValueError
        If it is none.
    """
    if isinstance(given, list) and len(given) == len(NO_PLATEAU):
        scale, best, *counts = given
        counted = all(_is_whole(count) and count >= 0 for count in counts)
        if counted and _is_number(scale) and 0 < scale <= 1 and (best is None or _is_number(best)):
            return Plateau(*given)
    raise ValueError(f"expected a plateau such as {list(NO_PLATEAU)}, got {given!r}")


@dataclass(frozen=True)
class ReduceOnPlateau(Schedule):
    """Multiply the rate by a factor when a metric has not got better for some epochs.

    The rule of PyTorch's ReduceLROnPlateau: better is better by more than `threshold` times the best value so far. Of
    metrics called accuracy more is better, of all others less.

    Parameters
    ----------
    rate : float or Schedule
        What is reduced.
    factor : float
        Above 0 and below 1.
    patience : int
        Epochs without a better value that are accepted.
    monitor : str
        A metric of the history: `loss`, `val_loss`, `accuracy`, ...
    threshold : float
        Least relative change that counts.
    cooldown : int
        Epochs after a reduction that are not counted.
    least : float
        The rate never gets below this.
    """

    rate: float | Schedule
    factor: float = 0.1
    patience: int = 10
    monitor: str = "loss"
    threshold: float = 1e-4
    cooldown: int = 0
    least: float = 0.0
    kind: ClassVar[str] = "plateau"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.factor >= 1:
            raise ValueError(
                f"ReduceOnPlateau: factor is {self.factor!r}; expected a number above 0 and below 1"
            )

    def __call__(self, steps: np.ndarray) -> np.ndarray:
        """The rate before any reduction."""
        return as_schedule(self.rate)(steps)

    def check_metric(self, names: Iterable[str]) -> None:
        """Raise a ValueError if the metric is not among these."""
        look_up("metric of ReduceOnPlateau", self.monitor, dict.fromkeys(names))

    def after_epoch(self, plateau: Plateau, metrics: Mapping[str, float]) -> Plateau:
        """Where it is after an epoch with these metrics."""
        value = metrics[self.monitor]
        scale, best, waited, resting = plateau
        if best is None or self._is_better(value, best):
            best, waited = value, 0
        else:
            waited += 1
        if resting > 0:
            resting, waited = resting - 1, 0
        if waited > self.patience:
            scale, waited, resting = scale * self.factor, 0, self.cooldown
        return Plateau(scale, best, waited, resting)

    def _is_better(self, value: float, best: float) -> bool:
        if "accuracy" in self.monitor:
            return value > best * (1.0 + self.threshold)
        return value < best * (1.0 - self.threshold)


@dataclass(frozen=True)
class Function(Schedule):
    """A Python function of the step, a whole number from 0; called for each step of an epoch before it starts.

    What `learning_rate=` makes of a function. It works everywhere but in a file, which holds no code.
    """

    function: Callable[[int], float]
    kind: ClassVar[str] = "function"

    def __post_init__(self) -> None:
        if not callable(self.function):
            raise ValueError(f"Function: function is {self.function!r}; expected a function of the step")

    def __call__(self, steps: np.ndarray) -> np.ndarray:
        """What the function returns for each step."""
        return np.array([float(self.function(step)) for step in steps.tolist()], np.float64)

    def config(self) -> dict[str, Any]:
        """Nothing that a file could keep."""
        raise ValueError(
            "learning_rate is a Python function, which a file cannot hold: before saving, give the model's "
            "optimizer a number or a schedule of fastmlp.schedules"
        )


_SCHEDULES: dict[str, type[Schedule]] = {
    schedule.kind: schedule
    for schedule in (
        Constant, StepDecay, ExponentialDecay, InverseTimeDecay, PolynomialDecay, CosineDecay, CosineRestarts,
        OneCycle, WarmUp, ReduceOnPlateau,
    )
}  # fmt: skip


def as_schedule(given: float | Schedule | Callable[[int], float]) -> Schedule:
    """A schedule, a constant rate, or a function of the step, as a schedule."""
    if isinstance(given, Schedule):
        return given
    return Function(given) if callable(given) else Constant(given)


def schedule_from_config(config: dict[str, Any]) -> Schedule:
    """The schedule that `Schedule.config` described.

    Raises
    ------
    ValueError
        If a kind or an option is not known.
    """
    kind = look_up("schedule", config.get("kind"), _SCHEDULES)
    options = {name: value for name, value in config.items() if name != "kind"}
    unknown = options.keys() - {option.name for option in fields(kind)}
    if unknown:
        raise ValueError(f"{kind.__name__}: unknown options {sorted(unknown)}")
    nested = {
        name: schedule_from_config(value) if isinstance(value, dict) else value
        for name, value in options.items()
    }
    return kind(**nested)
