"""Gradient descent, plain or with momentum."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..checks import refusal
from .optimizer import Optimizer


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

    Other Parameters
    ----------------
    **options
        Those of `Optimizer`: decay, weight_decay, clipping, ema_momentum.

    Examples
    --------
    >>> SGD(0.1, momentum=0.9, nesterov=True, weight_decay=1e-4)
    SGD(learning_rate=0.1, weight_decay=0.0001, momentum=0.9, dampening=0.0, nesterov=True)
    """

    momentum: float = 0.0
    dampening: float = 0.0
    nesterov: bool = False

    def _check_together(self, options: Mapping[str, Any]) -> None:
        super()._check_together(options)
        momentum, dampening = options["momentum"], options["dampening"]
        if dampening and not momentum:
            raise refusal("SGD: momentum", "a number above 0 where there is dampening", momentum)
        if options["nesterov"] and (dampening or not momentum):
            given = f"momentum={momentum!r}, dampening={dampening!r}"
            raise ValueError(f"SGD: nesterov: expected momentum above 0 and no dampening, got {given}")

    @property
    def name(self) -> str:  # type: ignore[override]
        """Row of the kernels' table."""
        if self.nesterov:
            return "nesterov"
        return "dampened" if self.dampening else "momentum" if self.momentum else "sgd"

    def _columns(self, steps: np.ndarray, rates: np.ndarray) -> dict[str, Any]:
        return {"rate": rates, "momentum": self.momentum, "one_minus_dampening": 1.0 - self.dampening}
