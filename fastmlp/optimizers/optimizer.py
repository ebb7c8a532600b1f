"""What all optimizers share: options, rates, what a step is told. The formulas are in `kernels/loops/optimizers.py`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Protocol

import numpy as np

from ..checks import is_number, make_plain
from ..kernels import schema, tables
from ..schedules import NO_PLATEAU, Plateau, ReduceOnPlateau, Schedule, as_schedule

Rate = float | Schedule | Callable[[int], float]

# Range of each option, [low, high), and those for which `low` itself is not accepted. Epsilon is not zero, as a
# parameter whose gradient was always zero would become 0 / 0.
_RANGES = {
    "learning_rate": (0.0, np.inf),
    "decay": (0.0, np.inf),
    "weight_decay": (0.0, np.inf),
    "clip_value": (0.0, np.inf),
    "clip_norm": (0.0, np.inf),
    "global_clip_norm": (0.0, np.inf),
    "ema_momentum": (0.0, 1.0),
    "momentum": (0.0, 1.0),
    "dampening": (0.0, 1.0),
    "rho": (0.0, 1.0),
    "beta1": (0.0, 1.0),
    "beta2": (0.0, 1.0),
    "epsilon": (0.0, np.inf),
}
_CLIPS = ("clip_value", "clip_norm", "global_clip_norm")
_OPTIONAL = {*_CLIPS, "ema_momentum"}
_POSITIVE = {"learning_rate", "epsilon", *_CLIPS}
_SWITCHES = {"nesterov", "centered"}


class Handle(Protocol):
    """What does a step by hand."""

    def step(self, optimizer: Optimizer) -> None:
        """Update the parameters from their gradients."""


class Steppable(Protocol):
    """A model or a layer, whose handle can make a step."""

    @property
    def handle(self) -> Handle:
        """What the engine does for it."""


@dataclass(repr=False)
class Optimizer:
    """What all optimizers share.

    Parameters
    ----------
    learning_rate : float, Schedule or callable
        Size of a step, above 0: a number, a schedule of `fastmlp.schedules`, or a function of the number of steps made
        before.
    decay : float
        Step t, from 0, has the rate learning_rate / (1 + decay t).
    weight_decay : float
        Pulls weights, not biases, towards 0: weight_decay times the weight is added to its gradient after clipping
        (L2, as in PyTorch), but in AdamW, Nadam, AMSGrad and Lion each weight loses the share learning_rate times
        weight_decay of itself instead (decoupled; Loshchilov and Hutter, 2019).
    clip_value : float, optional
        Numbers of a gradient beyond it are cut to it.
    clip_norm : float, optional
        The gradient of a layer's weights, and that of its biases, are scaled down to this norm if theirs is larger.
    global_clip_norm : float, optional
        All gradients together are scaled down to this norm if theirs is larger (Pascanu et al., 2013). At most one of
        these three. Penalties of layers are part of a gradient, weight decay is not.
    ema_momentum : float, optional
        What is kept of a moving average of all parameters, from 0 and below 1, which starts at the initial parameters:
        see `Sequential.averaged`. None: no average.
    """

    learning_rate: Rate = 0.01
    decay: float = field(default=0.0, kw_only=True)
    weight_decay: float = field(default=0.0, kw_only=True)
    clip_value: float | None = field(default=None, kw_only=True)
    clip_norm: float | None = field(default=None, kw_only=True)
    global_clip_norm: float | None = field(default=None, kw_only=True)
    ema_momentum: float | None = field(default=None, kw_only=True)
    name: ClassVar[str] = ""

    def __post_init__(self) -> None:
        make_plain(self)
        if callable(self.learning_rate):
            self.learning_rate = as_schedule(self.learning_rate)
        for option in fields(self):
            self._check(option.name, getattr(self, option.name))
        clips = [name for name in _CLIPS if getattr(self, name) is not None]
        if len(clips) > 1:
            raise ValueError(
                f"{type(self).__name__}: got {' and '.join(clips)}; expected at most one of them"
            )

    def _check(self, name: str, value: object) -> None:
        """Refuse an option outside its range."""
        if name in _SWITCHES:
            if not isinstance(value, bool):
                raise ValueError(f"{type(self).__name__}: {name} is {value!r}; expected True or False")
            return
        if (isinstance(value, Schedule) and name == "learning_rate") or (value is None and name in _OPTIONAL):
            return
        if not is_number(value) or not np.isfinite(value):
            raise ValueError(f"{type(self).__name__}: {name} is {value!r}; expected a number")
        low, high = _RANGES[name]
        if not low <= value < high or (name in _POSITIVE and value == 0):
            accepted = f"above {low:g}" if name in _POSITIVE else f"from {low:g}"
            limit = f" and below {high:g}" if np.isfinite(high) else ""
            raise ValueError(f"{type(self).__name__}: {name} is {value!r}; expected {accepted}{limit}")

    def check_dtype(self, dtype: np.dtype) -> None:
        """Refuse what has to be above 0 but would be 0 as a number of this type, where parameters become NaN.

        Raises
        ------
        ValueError
            If there is such an option; the message names the smallest number that is accepted.
        """
        # Below it numbers lose digits, or are taken for 0 by some processors.
        least = float(np.finfo(dtype).tiny)
        for name in (option.name for option in fields(self) if option.name in _POSITIVE):
            value = getattr(self, name)
            if is_number(value) and value < least:
                raise ValueError(
                    f"{type(self).__name__}: {name} is {value!r}; expected at least {least!r} in a network of {dtype}"
                )

    def __repr__(self) -> str:
        own = {option.name for option in fields(self)} - {option.name for option in fields(Optimizer)}
        shown = [
            f"{option.name}={getattr(self, option.name)!r}"
            for option in fields(self)
            if option.name in own | {"learning_rate"} or getattr(self, option.name) != option.default
        ]
        return f"{type(self).__name__}({', '.join(shown)})"

    @property
    def code(self) -> int:
        """Row of this optimizer in the table of the kernels."""
        return tables.OPTIMIZER_CODES[self.name]

    @property
    def slots(self) -> int:
        """Numbers of state a parameter."""
        return len(tables.OPTIMIZERS[self.code].slots)

    @property
    def rules(self) -> np.ndarray:
        """`Update.rules` of the kernels: what is done before and after the formula."""
        rules = np.zeros(schema.UPDATE_RULES)
        decoupled = tables.OPTIMIZERS[self.code].decoupled_decay
        rules[schema.WEIGHT_DECAY] = 0.0 if decoupled else self.weight_decay
        for place, limit in (
            (schema.CLIP_VALUE, self.clip_value),
            (schema.CLIP_NORM, self.clip_norm),
            (schema.GLOBAL_CLIP_NORM, self.global_clip_norm),
        ):
            rules[place] = np.inf if limit is None else limit
        rules[schema.AVERAGE] = self.ema_momentum or 0.0
        return rules

    @property
    def needs_norms(self) -> bool:
        """Whether a norm of the gradients is needed, which takes all of them."""
        return self.clip_norm is not None or self.global_clip_norm is not None

    def rates(self, steps: np.ndarray, plateau: Plateau = NO_PLATEAU) -> np.ndarray:
        """The learning rates of these steps, counted from 0.

        Parameters
        ----------
        steps : ndarray of int64
            Steps made before.
        plateau : Plateau
            Where `ReduceOnPlateau` is.

        Raises
        ------
        ValueError
            If the schedule gives something else than numbers from 0.

        Examples
        --------
        >>> SGD(0.1, decay=1.0).rates(np.arange(3)).tolist()
        [0.1, 0.05, 0.03333333333333333]
        """
        schedule = as_schedule(self.learning_rate)
        rates = schedule(steps)
        wrong = ~(np.isfinite(rates) & (rates >= 0))
        if wrong.any():
            step = int(np.argmax(wrong))
            raise ValueError(
                f"learning_rate: {schedule!r} gives {rates[step]!r} for step {steps[step]}; expected numbers from 0"
            )
        if isinstance(schedule, ReduceOnPlateau):
            rates = np.maximum(rates * plateau.scale, schedule.least)
        return rates / (1.0 + self.decay * steps) if self.decay else rates

    def hyper(self, first: int, count: int, dtype: np.dtype, plateau: Plateau = NO_PLATEAU) -> np.ndarray:
        """The numbers of the steps first, ..., first + count - 1 (the first step ever is 1).

        Returns
        -------
        ndarray, flat
            A row of numbers a step, in the order of the kernel's table.
        """
        steps = np.arange(first, first + count)
        rates = self.rates(steps - 1, plateau)
        columns = {"decay": rates * self.weight_decay} | self._columns(steps, rates)
        names = tables.OPTIMIZERS[self.code].columns
        table = np.empty((count, len(names)), dtype)
        for number, name in enumerate(names):
            table[:, number] = columns[name]
        return table.reshape(-1)

    def _columns(self, steps: np.ndarray, rates: np.ndarray) -> dict[str, Any]:
        """The numbers of the kernel's table, by name, for these steps and their learning rates."""
        raise NotImplementedError

    def step(self, target: Steppable) -> None:
        """Update the parameters of a model, or of one layer, from the gradients of its last `backward`.

        Parameters
        ----------
        target : Sequential or Layer
            What to update. Each layer counts its own steps.
        """
        target.handle.step(self)

    def config(self) -> dict[str, Any]:
        """Name and options, as a model file keeps them.

        Raises
        ------
        ValueError
            If the learning rate is a Python function, which a file cannot hold.
        """
        options = {option.name: getattr(self, option.name) for option in fields(self)}
        if isinstance(self.learning_rate, Schedule):
            options["learning_rate"] = self.learning_rate.config()
        return {"name": self.name, **options}
