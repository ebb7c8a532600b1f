"""Optimizers: how a gradient becomes a step. The formulas are in `kernels/optimizers.py`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from .elementary import integer_power
from .kernels import optimizers as kernels
from .kernels import schema
from .names import look_up
from .schedules import NO_PLATEAU, Plateau, ReduceOnPlateau, Schedule, as_schedule, schedule_from_config

if TYPE_CHECKING:
    from .layer import Layer
    from .model import Sequential

Rate = float | Schedule | Callable[[int], float]


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
        number: Any = value
        if not _is_number(value) or not np.isfinite(number):
            raise ValueError(f"{type(self).__name__}: {name} is {value!r}; expected a number")
        low, high = _RANGES[name]
        if not low <= number < high or (name in _POSITIVE and number == 0):
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
        least = float(
            np.finfo(dtype).tiny
        )  # below it numbers lose digits, or are taken for 0 by some processors
        for name in (option.name for option in fields(self) if option.name in _POSITIVE):
            value = getattr(self, name)
            if _is_number(value) and value < least:
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
        return kernels.CODES[self.name]

    @property
    def slots(self) -> int:
        """Numbers of state a parameter."""
        return len(kernels.OPTIMIZERS[self.code].slots)

    @property
    def rules(self) -> np.ndarray:
        """`Update.rules` of the kernels: what is done before and after the formula."""
        rules = np.zeros(schema.UPDATE_RULES)
        decoupled = "shrink" in kernels.OPTIMIZERS[self.code].hyper
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
        columns = {"shrink": rates * self.weight_decay} | self._columns(steps, rates)
        names = kernels.OPTIMIZERS[self.code].hyper
        table = np.empty((count, len(names)), dtype)
        for number, name in enumerate(names):
            table[:, number] = columns[name]
        return table.reshape(-1)

    def _columns(self, steps: np.ndarray, rates: np.ndarray) -> dict[str, Any]:
        """The numbers of the kernel's table, by name, for these steps and their learning rates."""
        raise NotImplementedError

    def step(self, target: Sequential | Layer) -> None:
        """Update the parameters of a model, or of one layer, from the gradients of its last `backward`.

        Parameters
        ----------
        target : Sequential or Layer
            What to update. Each layer counts its own steps.
        """
        target.network.step(self, target.span)

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


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


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


@dataclass(repr=False)
class SGD(Optimizer):
    """Stochastic gradient descent, plain or with momentum.

    v = momentum v + (1 - dampening) g, w = w - learning_rate v, as in PyTorch, but for v, which starts at 0. With
    dampening = momentum, v is a moving average of the gradient; without dampening this is classical momentum.

    Parameters
    ----------
    learning_rate : float, Schedule or callable
        Size of a step.
    momentum : float
        What is kept of the last step, in [0, 1); 0 is plain gradient descent and keeps no state.
    dampening : float
        What is taken off each gradient, in [0, 1).
    nesterov : bool
        Step along g + momentum v (Sutskever et al., 2013); needs momentum, and no dampening.
    **options
        Those of `Optimizer`.

    Examples
    --------
    >>> SGD(0.1, momentum=0.9, nesterov=True, weight_decay=1e-4)
    SGD(learning_rate=0.1, weight_decay=0.0001, momentum=0.9, dampening=0.0, nesterov=True)
    """

    momentum: float = 0.0
    dampening: float = 0.0
    nesterov: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.dampening and not self.momentum:
            raise ValueError(f"SGD: dampening is {self.dampening!r} without momentum; expected both")
        if self.nesterov and (self.dampening or not self.momentum):
            raise ValueError("SGD: nesterov needs momentum above 0, and no dampening")

    @property
    def name(self) -> str:  # type: ignore[override]
        """Row of the kernels' table."""
        if self.nesterov:
            return "nesterov"
        return "dampened" if self.dampening else "momentum" if self.momentum else "sgd"

    def _columns(self, steps: np.ndarray, rates: np.ndarray) -> dict[str, Any]:
        return {"rate": rates, "momentum": self.momentum, "rest": 1.0 - self.dampening}


@dataclass(repr=False)
class Adagrad(Optimizer):
    """Divide the gradient by the root of the sum of all its squares (Duchi, Hazan and Singer, 2011).

    Parameters
    ----------
    learning_rate : float, Schedule or callable
        Size of a step.
    epsilon : float
        Added to the root, above 0.
    **options
        Those of `Optimizer`.
    """

    epsilon: float = 1e-7
    name: ClassVar[str] = "adagrad"

    def _columns(self, steps: np.ndarray, rates: np.ndarray) -> dict[str, Any]:
        return {"rate": rates, "epsilon": self.epsilon}


@dataclass(repr=False)
class Adadelta(Optimizer):
    """Steps in units of the parameters, from running mean squares of gradients and of steps (Zeiler, 2012).

    Parameters
    ----------
    learning_rate : float, Schedule or callable
        What each step is multiplied by.
    rho : float
        What is kept of the running mean squares, in [0, 1).
    epsilon : float
        Added to them, above 0.
    **options
        Those of `Optimizer`.
    """

    learning_rate: Rate = 1.0
    rho: float = 0.9
    epsilon: float = 1e-6
    name: ClassVar[str] = "adadelta"

    def _columns(self, steps: np.ndarray, rates: np.ndarray) -> dict[str, Any]:
        return {"rate": rates, "rho": self.rho, "rest": 1.0 - self.rho, "epsilon": self.epsilon}


@dataclass(repr=False)
class RMSprop(Optimizer):
    """Divide the gradient by a running root mean square of itself (Hinton, lecture 6e, 2012).

    Parameters
    ----------
    learning_rate : float, Schedule or callable
        Size of a step.
    rho : float
        What is kept of the running mean square, in [0, 1).
    epsilon : float
        Added to the root, above 0.
    momentum : float
        What is kept of the last step, in [0, 1).
    centered : bool
        Divide by a running standard deviation instead (Graves, 2013).
    **options
        Those of `Optimizer`.
    """

    learning_rate: Rate = 0.001
    rho: float = 0.9
    epsilon: float = 1e-7
    momentum: float = 0.0
    centered: bool = False

    @property
    def name(self) -> str:  # type: ignore[override]
        """Row of the kernels' table."""
        return "rmsprop_centered" if self.centered else "rmsprop_momentum" if self.momentum else "rmsprop"

    def _columns(self, steps: np.ndarray, rates: np.ndarray) -> dict[str, Any]:
        return {
            "rate": rates,
            "rho": self.rho,
            "rest": 1.0 - self.rho,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
        }


@dataclass(repr=False)
class Adam(Optimizer):
    """Adaptive moments (Kingma and Ba, 2015), with the corrections of algorithm 1.

    Parameters
    ----------
    learning_rate : float, Schedule or callable
        Size of a step.
    beta1, beta2 : float
        What is kept of the running mean of the gradient and of its square, in [0, 1).
    epsilon : float
        Added to the root, above 0.
    **options
        Those of `Optimizer`.

    Examples
    --------
    >>> Adam(learning_rate=0.002)
    Adam(learning_rate=0.002, beta1=0.9, beta2=0.999, epsilon=1e-08)
    """

    learning_rate: Rate = 0.001
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    name: ClassVar[str] = "adam"

    def _columns(self, steps: np.ndarray, rates: np.ndarray) -> dict[str, Any]:
        return {
            "rate": rates / (1.0 - integer_power(self.beta1, steps)),
            "beta1": self.beta1,
            "rest1": 1.0 - self.beta1,
            "beta2": self.beta2,
            "rest2": 1.0 - self.beta2,
            "correction": 1.0 / np.sqrt(1.0 - integer_power(self.beta2, steps)),
            "epsilon": self.epsilon,
        }


@dataclass(repr=False)
class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2019).

    Parameters
    ----------
    learning_rate, beta1, beta2, epsilon
        As for `Adam`.
    weight_decay : float
        Each step, a weight first loses the share learning_rate times weight_decay of itself.
    **options
        Those of `Optimizer`.
    """

    weight_decay: float = field(default=0.01, kw_only=True)
    name: ClassVar[str] = "adamw"


@dataclass(repr=False)
class AMSGrad(Adam):
    """Adam with the largest running mean square so far (Reddi, Kale and Kumar, 2018); weight decay as in `AdamW`.

    Parameters
    ----------
    learning_rate, beta1, beta2, epsilon, **options
        As for `Adam`.
    """

    name: ClassVar[str] = "amsgrad"


_NADAM_BASE = 0.9998367253526753  # 0.96^(1 / 250), of Dozat's schedule for momentum


@dataclass(repr=False)
class Nadam(Adam):
    """Adam with Nesterov's momentum (Dozat, 2016), as in PyTorch; weight decay as in `AdamW`.

    Momentum in step t is beta1 (1 - 0.96^(t / 250) / 2).

    Parameters
    ----------
    learning_rate, beta1, beta2, epsilon, **options
        As for `Adam`.
    """

    learning_rate: Rate = 0.002
    name: ClassVar[str] = "nadam"

    def _columns(self, steps: np.ndarray, rates: np.ndarray) -> dict[str, Any]:
        def momentum(steps: np.ndarray) -> np.ndarray:
            return self.beta1 * (1.0 - 0.5 * integer_power(_NADAM_BASE, steps))

        now, next_one = momentum(steps), momentum(steps + 1)
        # Of all steps so far, one after the other, so that a resumed run gets the same bits.
        product = np.cumprod(momentum(np.arange(1, steps[-1] + 1)))[steps - 1]
        return super()._columns(steps, rates) | {
            "rate": rates * next_one / (1.0 - product * next_one),
            "rate_g": rates * (1.0 - now) / (1.0 - product),
        }


@dataclass(repr=False)
class Lion(Optimizer):
    """Steps of one size along the sign of an average (Chen et al., 2023); weight decay as in `AdamW`.

    Parameters
    ----------
    learning_rate : float, Schedule or callable
        Size of a step of each parameter.
    beta1, beta2 : float
        What the sign, and the next average, keep of the average, in [0, 1).
    **options
        Those of `Optimizer`.
    """

    learning_rate: Rate = 1e-4
    beta1: float = 0.9
    beta2: float = 0.99
    name: ClassVar[str] = "lion"

    def _columns(self, steps: np.ndarray, rates: np.ndarray) -> dict[str, Any]:
        return {
            "rate": rates,
            "beta1": self.beta1,
            "rest1": 1.0 - self.beta1,
            "beta2": self.beta2,
            "rest2": 1.0 - self.beta2,
        }


# What each name stands for.
OPTIMIZERS: dict[str, Callable[[], Optimizer]] = {
    "adadelta": Adadelta,
    "adagrad": Adagrad,
    "adam": Adam,
    "adamw": AdamW,
    "amsgrad": AMSGrad,
    "lion": Lion,
    "momentum": lambda: SGD(momentum=0.9),
    "moving_average_momentum": lambda: SGD(momentum=0.9, dampening=0.9),
    "nadam": Nadam,
    "nesterov": lambda: SGD(momentum=0.9, nesterov=True),
    "rmsprop": RMSprop,
    "sgd": SGD,
}
_CLASSES: dict[str, type[Optimizer]] = {
    "sgd": SGD, "momentum": SGD, "dampened": SGD, "nesterov": SGD,
    "rmsprop": RMSprop, "rmsprop_momentum": RMSprop, "rmsprop_centered": RMSprop,
    **{kind.name: kind for kind in (Adagrad, Adadelta, Adam, AdamW, AMSGrad, Nadam, Lion)},
}  # fmt: skip


def get_optimizer(given: str | Optimizer) -> Optimizer:
    """An optimizer, or the one of this name with its defaults (those with momentum have 0.9).

    Raises
    ------
    ValueError
        If the name is not known; the message lists the known ones.
    """
    return given if isinstance(given, Optimizer) else look_up("optimizer", given, OPTIMIZERS)()


def optimizer_from_config(config: dict[str, Any]) -> Optimizer:
    """The optimizer that `Optimizer.config` described.

    Raises
    ------
    ValueError
        If a name or an option is not known.
    """
    options = {key: value for key, value in config.items() if key != "name"}
    kind = look_up("optimizer", config.get("name"), _CLASSES)
    unknown = options.keys() - {option.name for option in fields(kind)}
    if unknown:
        raise ValueError(f"{kind.__name__}: unknown options {sorted(unknown)}")
    if isinstance(options.get("learning_rate"), dict):
        options["learning_rate"] = schedule_from_config(options["learning_rate"])
    return kind(**options)
