"""Penalties on the weights of a layer, which pull them towards 0."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from .checks import NOT_NEGATIVE, check_options, refusal, require_kind


@dataclass(frozen=True)
class L1L2:
    """l1 sum |w| + l2 sum w^2 over the weights w of a layer, not its biases, as in Keras.

    Its gradient, l1 sign(w) + 2 l2 w, is added to that of the loss before clipping. The reported loss does not include
    it; `penalty` computes it.

    Parameters
    ----------
    l1, l2 : float
        At least 0.

    Examples
    --------
    >>> L2(0.5).penalty(np.array([[3.0, -4.0]]))
    12.5
    """

    l1: float = 0.0
    l2: float = 0.0

    def __post_init__(self) -> None:
        check_options(self, {"l1": NOT_NEGATIVE, "l2": NOT_NEGATIVE})

    def penalty(self, weight: np.ndarray) -> float:
        """The value for these weights."""
        return float(self.l1 * np.abs(weight).sum() + self.l2 * np.square(weight).sum())

    def config(self) -> dict[str, float]:
        """The two numbers, as a model file keeps them."""
        return asdict(self)


def L1(l1: float = 0.01) -> L1L2:
    """The penalty l1 sum |w|, under which many weights become 0.

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


def checked_regularizer(given: object) -> L1L2:
    """The penalty that a layer is given.

    Raises
    ------
    ValueError
        If it is something else.
    TypeError
        If it is of a class that is derived from `L1L2`.
    """
    if not isinstance(given, L1L2):
        raise refusal("Dense: regularizer", "one such as L2(1e-4), or None", given)
    require_kind("Dense: regularizer", given, [L1L2], "add the gradient of your own penalty by hand")
    return given


def regularizer_from_config(config: Any) -> L1L2:
    """The penalty that `L1L2.config` described; a ValueError if it is something else."""
    if not isinstance(config, dict) or config.keys() != {"l1", "l2"}:
        raise refusal("regularizer", "l1 and l2", config)
    return L1L2(**config)
