"""Base of all optimizers: options, learning rates, numbers of a step. Formulas: `kernels/loops/optimizers.py`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Protocol

import numpy as np

from ..checks import FRACTION, NOT_NEGATIVE, POSITIVE, Accepted, Switch, checked, is_number, refusal
from ..kernels import schema, tables
from ..schedules import NO_PLATEAU, Plateau, ReduceOnPlateau, Schedule, as_schedule, require_schedule

Rate = float | Schedule | Callable[[int], float]

# Tables of steps at a constant rate that are kept: of `_BLOCK` steps each, by optimizer, options, block and type.
_BLOCK, _MOST_BLOCKS = 64, 256
_blocks: dict[tuple[Any, ...], np.ndarray] = {}

_CLIPS = ("clip_value", "clip_norm", "global_clip_norm")
_OPTIONAL = {*_CLIPS, "ema_momentum"}

# Epsilon is not 0: a parameter whose gradient was always 0 would become 0 / 0.
_ACCEPTED: dict[str, Accepted] = {
    "learning_rate": POSITIVE, "epsilon": POSITIVE, **dict.fromkeys(_CLIPS, POSITIVE),
    "decay": NOT_NEGATIVE, "weight_decay": NOT_NEGATIVE,
    "ema_momentum": FRACTION, "momentum": FRACTION, "dampening": FRACTION, "rho": FRACTION, "beta1": FRACTION,
    "beta2": FRACTION,
    "nesterov": Switch(), "centered": Switch(),
}  # fmt: skip

_NAMES: dict[type, tuple[str, ...]] = {}  # of the options of each class


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
    """Base of all optimizers. Options can be assigned between calls of `fit`; each is checked.

    Parameters
    ----------
    learning_rate : float, Schedule or callable
        Size of a step, above 0: a number, a schedule of `fastmlp.schedules`, or a function of the number of earlier
        steps.
    decay : float
        Step t, from 0, has the rate learning_rate / (1 + decay t).
    weight_decay : float
        Pulls weights, not biases, towards 0: weight_decay times the weight is added to its gradient after clipping
        (L2, as in PyTorch). In AdamW, Nadam, AMSGrad and Lion each weight is instead multiplied by 1 - learning_rate
        weight_decay (decoupled; Loshchilov and Hutter, 2019).
    clip_value : float, optional
        Each number of a gradient is limited to this size.
    clip_norm : float, optional
        The gradient of a layer's weights, and that of its biases, is scaled down to this norm if its norm is larger.
    global_clip_norm : float, optional
        All gradients together are scaled down to this norm if their norm is larger (Pascanu et al., 2013). Only one of
        these three can be given. Penalties of layers are part of a gradient, weight decay is not.
    ema_momentum : float, optional
        Decay of a moving average of all parameters, at least 0 and below 1; it starts at the initial parameters. See
        `Sequential.averaged`. None: no average.
    """

    learning_rate: Rate = 0.01
    decay: float = field(default=0.0, kw_only=True)
    weight_decay: float = field(default=0.0, kw_only=True)
    clip_value: float | None = field(default=None, kw_only=True)
    clip_norm: float | None = field(default=None, kw_only=True)
    global_clip_norm: float | None = field(default=None, kw_only=True)
    ema_momentum: float | None = field(default=None, kw_only=True)
    name: ClassVar[str] = ""

    def __setattr__(self, name: str, value: object) -> None:
        """Set an option, if it is accepted: options can change between calls of `fit`."""
        names = _names_of(self)
        owner = type(self).__name__
        if name not in names:
            raise AttributeError(f"{owner}: expected one of the options {', '.join(names)}, got {name!r}")
        options = self.__dict__ | {name: self._checked(name, value)}
        if len(options) == len(names):
            self._check_together(options)
        self.__dict__[name] = options[name]

    def _checked(self, name: str, value: Any) -> Any:
        """An option as it is kept; a ValueError if it is not accepted."""
        owner = type(self).__name__
        if name == "learning_rate" and (isinstance(value, Schedule) or callable(value)):
            schedule = as_schedule(value)
            require_schedule(f"{owner}: learning_rate", schedule)
            return schedule
        if value is None and name in _OPTIONAL:
            return None
        otherwise = "None" if name in _OPTIONAL else "a schedule" if name == "learning_rate" else ""
        return checked(owner, name, value, _ACCEPTED[name], otherwise=otherwise)

    def _check_together(self, options: Mapping[str, Any]) -> None:
        """Refuse options that exclude each other."""
        clips = [name for name in _CLIPS if options[name] is not None]
        if len(clips) > 1:
            given, owner = " and ".join(clips), type(self).__name__
            raise ValueError(f"{owner}: expected at most one of {', '.join(_CLIPS)}, got {given}")

    def check_dtype(self, dtype: np.dtype) -> None:
        """Refuse an option that must be above 0 but is 0 in this type: parameters would become NaN.

        Raises
        ------
        ValueError
            If there is such an option; the message names the smallest number that is accepted.
        """
        # Smaller numbers lose digits, and some processors read them as 0.
        least = float(np.finfo(dtype).tiny)
        for name in _names_of(self):
            value = getattr(self, name)
            if _ACCEPTED[name] is POSITIVE and is_number(value) and value < least:
                raise refusal(
                    f"{type(self).__name__}: {name}",
                    f"at least {least!r} in a network of {dtype}",
                    value,
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
        """Numbers of state for each parameter."""
        return len(tables.OPTIMIZERS[self.code].slots)

    @property
    def rules(self) -> np.ndarray:
        """`Update.rules` of the kernels: what happens before and after the formula."""
        decoupled = tables.OPTIMIZERS[self.code].decoupled_decay
        rules = np.full(schema.UPDATE_RULES, np.inf)
        rules[schema.WEIGHT_DECAY] = 0.0 if decoupled else self.weight_decay
        if self.clips:
            limits = (self.clip_value, self.clip_norm, self.global_clip_norm)
            places = (schema.CLIP_VALUE, schema.CLIP_NORM, schema.GLOBAL_CLIP_NORM)
            for place, limit in zip(places, limits, strict=True):
                rules[place] = np.inf if limit is None else limit
        rules[schema.AVERAGE] = self.ema_momentum or 0.0
        return rules

    @property
    def clips(self) -> bool:
        """Whether gradients are limited."""
        return self.clip_value is not None or self.needs_norms

    @property
    def needs_norms(self) -> bool:
        """Whether a step needs a norm, and so all gradients before the first update."""
        return self.clip_norm is not None or self.global_clip_norm is not None

    def rates(self, steps: np.ndarray, plateau: Plateau = NO_PLATEAU) -> np.ndarray:
        """The learning rates of these steps, counted from 0.

        Parameters
        ----------
        steps : ndarray of int64
            Numbers of earlier steps.
        plateau : Plateau
            State of `ReduceOnPlateau`.

        Raises
        ------
        ValueError
            If the schedule returns anything but numbers of at least 0.

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
            raise refusal(
                f"learning_rate: {schedule!r}", "numbers of at least 0", float(rates[step]),
                f"this is the rate of step {steps[step]}",
            )  # fmt: skip
        if isinstance(schedule, ReduceOnPlateau):
            rates = np.maximum(rates * plateau.scale, schedule.least)
        return rates / (1.0 + self.decay * steps) if self.decay else rates

    def hyper(self, first: int, count: int, dtype: np.dtype, plateau: Plateau = NO_PLATEAU) -> np.ndarray:
        """The numbers of the steps first, ..., first + count - 1 (the first step ever is 1).

        Returns
        -------
        ndarray, flat
            One row of numbers for each step, in the order of the kernel's table. Not to be written.
        """
        block, start = divmod(first - 1, _BLOCK)
        if start + count > _BLOCK or not isinstance(self.learning_rate, float):
            return self._hyper(first, count, dtype, plateau)
        # The same few steps are asked for again and again, by each model or one after the other.
        key = type(self), tuple(self.__dict__.values()), block, dtype
        if key not in _blocks:
            if len(_blocks) >= _MOST_BLOCKS:
                _blocks.clear()
            _blocks[key] = self._hyper(block * _BLOCK + 1, _BLOCK, dtype, NO_PLATEAU)
        table = _blocks[key]
        width = table.size // _BLOCK
        return table[start * width : (start + count) * width]

    def _hyper(self, first: int, count: int, dtype: np.dtype, plateau: Plateau) -> np.ndarray:
        """As `hyper`, computed."""
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


def _names_of(optimizer: Optimizer) -> tuple[str, ...]:
    """The names of all options."""
    kind = type(optimizer)
    if kind not in _NAMES:
        _NAMES[kind] = tuple(option.name for option in fields(optimizer))
    return _NAMES[kind]
