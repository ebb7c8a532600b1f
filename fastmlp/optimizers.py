"""Optimizers: how a gradient becomes a step. The formulas are in `kernels/optimizers.py`."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from .kernels import optimizers as kernels
from .kernels.schema import HYPER
from .names import look_up

if TYPE_CHECKING:
    from .layer import Layer
    from .model import Sequential


def integer_power(base: float, exponents: np.ndarray) -> np.ndarray:
    """base ** exponents by repeated squaring: multiplications only, so the bits are the same on every machine.

    Examples
    --------
    >>> integer_power(0.5, np.array([0, 1, 10])).tolist()
    [1.0, 0.5, 0.0009765625]
    """
    power, square, rest = np.ones(exponents.shape), float(base), exponents.copy()
    while rest.any():
        power = np.where(rest & 1, power * square, power)
        square *= square
        rest >>= 1
    return power


@dataclass
class Optimizer:
    """What all optimizers share.

    Parameters
    ----------
    learning_rate : float
        Size of a step, above 0.
    """

    learning_rate: float = 0.01
    name: ClassVar[str] = ""

    def __post_init__(self) -> None:
        for field in fields(self):
            number = getattr(self, field.name)
            if not isinstance(number, (int, float)) or isinstance(number, bool) or not np.isfinite(number):
                raise ValueError(f"{type(self).__name__}: {field.name} is {number!r}; expected a number")
            low, high = _RANGES[field.name]
            if not low <= number < high or (field.name in _POSITIVE and number == 0):
                accepted = f"above {low:g}" if field.name in _POSITIVE else f"from {low:g}"
                limit = f" and below {high:g}" if np.isfinite(high) else ""
                raise ValueError(
                    f"{type(self).__name__}: {field.name} is {number!r}; expected {accepted}{limit}"
                )

    @property
    def code(self) -> int:
        """Row of this optimizer in the table of the kernels."""
        return kernels.CODES[self.name]

    @property
    def slots(self) -> int:
        """Numbers of state a parameter."""
        return len(kernels.OPTIMIZERS[self.code].slots)

    def hyper(self, first: int, count: int, dtype: np.dtype) -> np.ndarray:
        """The numbers of the steps first, ..., first + count - 1 (the first step ever is 1).

        Returns
        -------
        ndarray, shape (count * HYPER,)
            A row of HYPER numbers a step, in the order of the kernel's table.
        """
        columns = self._columns(np.arange(first, first + count))
        table = np.zeros((count, HYPER), dtype)
        for number, name in enumerate(kernels.OPTIMIZERS[self.code].hyper):
            table[:, number] = columns[name]
        return table.reshape(-1)

    def _columns(self, steps: np.ndarray) -> dict[str, Any]:
        """The numbers of the kernel's table, by name."""
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
        """Name and options, as a model file keeps them."""
        return {"name": self.name, **asdict(self)}


# Range of each option, [low, high), and those for which `low` itself is not accepted. Epsilon is not zero, as a
# parameter whose gradient was always zero would become 0 / 0.
_RANGES = {
    "learning_rate": (0.0, np.inf),
    "momentum": (0.0, 1.0),
    "rho": (0.0, 1.0),
    "beta1": (0.0, 1.0),
    "beta2": (0.0, 1.0),
    "epsilon": (0.0, np.inf),
}
_POSITIVE = {"learning_rate", "epsilon"}


@dataclass
class SGD(Optimizer):
    """Stochastic gradient descent, plain or with classical momentum.

    v = momentum v + g, w = w - learning_rate v, as in PyTorch.

    Parameters
    ----------
    learning_rate : float
        Size of a step.
    momentum : float
        What is kept of the last step, in [0, 1); 0 is plain gradient descent and keeps no state.
    """

    momentum: float = 0.0

    @property
    def name(self) -> str:  # type: ignore[override]
        """Row of the kernels' table."""
        return "momentum" if self.momentum else "sgd"

    def _columns(self, steps: np.ndarray) -> dict[str, Any]:
        return {"rate": self.learning_rate, "momentum": self.momentum}


@dataclass
class RMSprop(Optimizer):
    """Divide the gradient by a running root mean square of itself (Hinton, lecture 6e, 2012).

    Parameters
    ----------
    learning_rate : float
        Size of a step.
    rho : float
        What is kept of the running mean square, in [0, 1).
    epsilon : float
        Added to the root, above 0.
    """

    learning_rate: float = 0.001
    rho: float = 0.9
    epsilon: float = 1e-7
    name: ClassVar[str] = "rmsprop"

    def _columns(self, steps: np.ndarray) -> dict[str, Any]:
        return {
            "rate": self.learning_rate,
            "rho": self.rho,
            "rest": 1.0 - self.rho,
            "epsilon": self.epsilon,
        }


@dataclass
class Adam(Optimizer):
    """Adaptive moments (Kingma and Ba, 2015), with the corrections of algorithm 1.

    Parameters
    ----------
    learning_rate : float
        Size of a step.
    beta1, beta2 : float
        What is kept of the running mean of the gradient and of its square, in [0, 1).
    epsilon : float
        Added to the root, above 0.

    Examples
    --------
    >>> Adam(learning_rate=0.002)
    Adam(learning_rate=0.002, beta1=0.9, beta2=0.999, epsilon=1e-08)
    """

    learning_rate: float = 0.001
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    name: ClassVar[str] = "adam"

    def _columns(self, steps: np.ndarray) -> dict[str, Any]:
        return {
            "rate": self.learning_rate / (1.0 - integer_power(self.beta1, steps)),
            "beta1": self.beta1,
            "rest1": 1.0 - self.beta1,
            "beta2": self.beta2,
            "rest2": 1.0 - self.beta2,
            "correction": 1.0 / np.sqrt(1.0 - integer_power(self.beta2, steps)),
            "epsilon": self.epsilon,
        }


OPTIMIZERS: dict[str, type[Optimizer]] = {"adam": Adam, "rmsprop": RMSprop, "sgd": SGD, "momentum": SGD}


def get_optimizer(given: str | Optimizer) -> Optimizer:
    """An optimizer, or the one of this name with its defaults (`momentum` is SGD with momentum 0.9).

    Raises
    ------
    ValueError
        If the name is not known; the message lists the known ones.
    """
    if isinstance(given, Optimizer):
        return given
    kind = look_up("optimizer", given, OPTIMIZERS)
    return SGD(momentum=0.9) if given == "momentum" else kind()


def optimizer_from_config(config: dict[str, Any]) -> Optimizer:
    """The optimizer that `Optimizer.config` described.

    Raises
    ------
    ValueError
        If a name or an option is not known.
    """
    options = {key: value for key, value in config.items() if key != "name"}
    kind = look_up("optimizer", config.get("name"), OPTIMIZERS)
    unknown = options.keys() - {field.name for field in fields(kind)}
    if unknown:
        raise ValueError(f"{kind.__name__}: unknown options {sorted(unknown)}")
    return kind(**options)
