"""Lion: steps along the sign of an average."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from .optimizer import Optimizer, Rate


@dataclass(repr=False)
class Lion(Optimizer):
    """Steps of equal size along the sign of an average (Chen et al., 2023); weight decay as in `AdamW`.

    Parameters
    ----------
    learning_rate : float, Schedule or callable
        Size of a step of each parameter.
    beta1, beta2 : float
        Weight of the average in the sign, and its decay, in [0, 1).

    Other Parameters
    ----------------
    **options
        Those of `Optimizer`: decay, weight_decay, clipping, ema_momentum.

    Examples
    --------
    >>> Lion(weight_decay=0.1)
    Lion(learning_rate=0.0001, weight_decay=0.1, beta1=0.9, beta2=0.99)
    """

    learning_rate: Rate = 1e-4
    beta1: float = 0.9
    beta2: float = 0.99
    name: ClassVar[str] = "lion"

    def _columns(self, steps: np.ndarray, rates: np.ndarray) -> dict[str, Any]:
        return {
            "rate": rates,
            "beta1": self.beta1,
            "one_minus_beta1": 1.0 - self.beta1,
            "beta2": self.beta2,
            "one_minus_beta2": 1.0 - self.beta2,
        }
