"""Optimizers that divide each parameter's step by the size of its past gradients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from .optimizer import Optimizer, Rate


@dataclass(repr=False)
class Adagrad(Optimizer):
    """Divide the gradient by the root of the sum of all its squares (Duchi, Hazan and Singer, 2011).

    Parameters
    ----------
    learning_rate : float, Schedule or callable
        Size of a step.
    epsilon : float
        Added to the root, above 0.

    Other Parameters
    ----------------
    **options
        Those of `Optimizer`: decay, weight_decay, clipping, ema_momentum.

    Examples
    --------
    >>> Adagrad(learning_rate=0.1)
    Adagrad(learning_rate=0.1, epsilon=1e-07)
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
        Factor of each step.
    rho : float
        Decay of the running mean squares, in [0, 1).
    epsilon : float
        Added to them, above 0.

    Other Parameters
    ----------------
    **options
        Those of `Optimizer`: decay, weight_decay, clipping, ema_momentum.

    Examples
    --------
    >>> Adadelta(rho=0.95)
    Adadelta(learning_rate=1.0, rho=0.95, epsilon=1e-06)
    """

    learning_rate: Rate = 1.0
    rho: float = 0.9
    epsilon: float = 1e-6
    name: ClassVar[str] = "adadelta"

    def _columns(self, steps: np.ndarray, rates: np.ndarray) -> dict[str, Any]:
        return {"rate": rates, "rho": self.rho, "one_minus_rho": 1.0 - self.rho, "epsilon": self.epsilon}


@dataclass(repr=False)
class RMSprop(Optimizer):
    """Divide the gradient by a running root mean square of itself (Hinton, lecture 6e, 2012).

    Parameters
    ----------
    learning_rate : float, Schedule or callable
        Size of a step.
    rho : float
        Decay of the running mean square, in [0, 1).
    epsilon : float
        Added to the root, above 0.
    momentum : float
        Share of the last step that is added to the next one, in [0, 1).
    centered : bool
        Divide by a running standard deviation instead (Graves, 2013).

    Other Parameters
    ----------------
    **options
        Those of `Optimizer`: decay, weight_decay, clipping, ema_momentum.

    Examples
    --------
    >>> RMSprop(momentum=0.9, centered=True)
    RMSprop(learning_rate=0.001, rho=0.9, epsilon=1e-07, momentum=0.9, centered=True)
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
            "one_minus_rho": 1.0 - self.rho,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
        }
