"""Adam and its variants."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from ..portable_math import integer_power
from .optimizer import Optimizer, Rate


@dataclass(repr=False)
class Adam(Optimizer):
    """Adaptive moments (Kingma and Ba, 2015), with the corrections of algorithm 1.

    Parameters
    ----------
    learning_rate : float, Schedule or callable
        Size of a step.
    beta1, beta2 : float
        Decay of the running means of the gradient and of its square, in [0, 1).
    epsilon : float
        Added to the root, above 0.

    Other Parameters
    ----------------
    **options
        Those of `Optimizer`: decay, weight_decay, clipping, ema_momentum.

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
            "one_minus_beta1": 1.0 - self.beta1,
            "beta2": self.beta2,
            "one_minus_beta2": 1.0 - self.beta2,
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
        In each step, a weight is first multiplied by 1 - learning_rate weight_decay.

    Other Parameters
    ----------------
    **options
        Those of `Optimizer`: decay, weight_decay, clipping, ema_momentum.

    Examples
    --------
    >>> AdamW(weight_decay=0.1)
    AdamW(learning_rate=0.001, weight_decay=0.1, beta1=0.9, beta2=0.999, epsilon=1e-08)
    """

    weight_decay: float = field(default=0.01, kw_only=True)
    name: ClassVar[str] = "adamw"


@dataclass(repr=False)
class AMSGrad(Adam):
    """Adam divided by the largest running mean square so far (Reddi, Kale and Kumar, 2018); weight decay as in `AdamW`.

    Parameters
    ----------
    learning_rate, beta1, beta2, epsilon
        As for `Adam`.

    Other Parameters
    ----------------
    **options
        Those of `Optimizer`: decay, weight_decay, clipping, ema_momentum.

    Examples
    --------
    >>> AMSGrad(beta2=0.99)
    AMSGrad(learning_rate=0.001, beta1=0.9, beta2=0.99, epsilon=1e-08)
    """

    name: ClassVar[str] = "amsgrad"


_NADAM_BASE = 0.9998367253526753  # 0.96^(1 / 250), of Dozat's schedule for momentum


@dataclass(repr=False)
class Nadam(Adam):
    """Adam with Nesterov's momentum (Dozat, 2016), as in PyTorch; weight decay as in `AdamW`.

    Momentum in step t is beta1 (1 - 0.96^(t / 250) / 2).

    Parameters
    ----------
    learning_rate, beta1, beta2, epsilon
        As for `Adam`.

    Other Parameters
    ----------------
    **options
        Those of `Optimizer`: decay, weight_decay, clipping, ema_momentum.

    Examples
    --------
    >>> Nadam()
    Nadam(learning_rate=0.002, beta1=0.9, beta2=0.999, epsilon=1e-08)
    """

    learning_rate: Rate = 0.002
    name: ClassVar[str] = "nadam"

    def _columns(self, steps: np.ndarray, rates: np.ndarray) -> dict[str, Any]:
        def momentum(steps: np.ndarray) -> np.ndarray:
            return self.beta1 * (1.0 - 0.5 * integer_power(_NADAM_BASE, steps))

        now, next_one = momentum(steps), momentum(steps + 1)
        # Over all steps since the first, in order, so that a resumed run gives the same bits.
        product = np.cumprod(momentum(np.arange(1, steps.max(initial=0) + 1)))[steps - 1]
        return super()._columns(steps, rates) | {
            "rate": rates * next_one / (1.0 - product * next_one),
            "rate_g": rates * (1.0 - now) / (1.0 - product),
        }
