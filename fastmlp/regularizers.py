"""Penalties on the weights of a layer, which pull them towards 0."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from .checks import is_number, make_plain


@dataclass(frozen=True)
class L1L2:
    """l1 sum |w| + l2 sum w^2 over the weights w of a layer, not its biases, as in Keras.

    Its gradient, l1 sign(w) + 2 l2 w, is added to that of the loss before clipping. The reported loss is without it;
    `penalty` gives its value.

    Parameters
    ----------
    l1, l2 : float
        From 0.

    Examples
    --------
    >>> L2(0.5).penalty(np.array([[3.0, -4.0]]))
    12.5
    """

    l1: float = 0.0
    l2: float = 0.0

    def __post_init__(self) -> None:
        make_plain(self)
        for name, value in asdict(self).items():
            if not is_number(value) or not 0 <= value < np.inf:
                raise ValueError(f"regularizer: {name} is {value!r}; expected a number from 0")

    def penalty(self, weight: np.ndarray) -> float:
        """The value for these weights."""
        return float(self.l1 * np.abs(weight).sum() + self.l2 * np.square(weight).sum())

    def config(self) -> dict[str, float]:
        """The two numbers, as a model file keeps them."""
        return asdict(self)


def L1(l1: float = 0.01) -> L1L2:
    """The penalty l1 sum |w|, which makes weights 0.

    Examples
    --------
    >>> Dense(10, "relu", regularizer=L1(1e-4))
    Dense(units=10, activation='relu', regularizer=L1L2(l1=0.0001, l2=0.0))
    """
    return L1L2(l1=l1)


def L2(l2: float = 0.01) -> L1L2:
    """The penalty l2 sum w^2.

    Examples
    --------
    >>> Dense(10, "relu", regularizer=L2(1e-4))
    Dense(units=10, activation='relu', regularizer=L1L2(l1=0.0, l2=0.0001))
    """
    return L1L2(l2=l2)


def regularizer_from_config(config: Any) -> L1L2:
    """The regulariser that `L1L2.config` described; a ValueError if there is something else."""
    if not isinstance(config, dict) or config.keys() != {"l1", "l2"}:
        raise ValueError(f"regularizer: expected l1 and l2, got {config!r}")
    return L1L2(**config)
